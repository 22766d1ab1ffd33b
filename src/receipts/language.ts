/** Norwegian has two codes for the same thing. */
const sameAs: Readonly<Record<string, string>> = { no: 'nb', nb: 'no' };

/** The language of a reader's receipt: their own where there is a template for it (`sv-SE` is `sv`), else the publisher's. */
export function receiptLanguage(locale: string | undefined, available: readonly string[], fallback: string): string {
  const [own = ''] = locale?.trim().toLowerCase().split(/[-_]/) ?? [];
  return [own, sameAs[own]].find((name) => name !== undefined && available.includes(name)) ?? fallback;
}
