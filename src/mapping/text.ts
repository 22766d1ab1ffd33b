/** Lower case, accents off, every run of anything else than a–z and 0–9 one hyphen, none at the ends (sesamy-api §9 Q8). */
export function slug(text: string): string {
  const plain = text.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '');
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}

/** The text without blanks around it; a blank one is missing. */
export function filled(text: string | undefined): string | undefined {
  return text?.trim() || undefined;
}

/** By code unit: the same order on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
