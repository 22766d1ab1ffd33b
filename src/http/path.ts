/** Values for the `{names}` of a path template. */
export type PathParams = Readonly<Record<string, string | number>>;
export type Query = Readonly<Record<string, string | number | undefined>>;

/** One half of a surrogate pair, which JSON may hold and no address can. */
const halfCharacter = /\p{Surrogate}/u;

/**
 * A path with its parts encoded (ids contain `|`, addresses `@` and `+`) and its query; `undefined` where a part is empty or made of
 * dots, since such a path would name another resource, for example the list instead of the person, or where it is no text.
 */
export function fillPath(template: string, params: PathParams = {}, query: Query = {}): string | undefined {
  let usable = true;
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(params[name] ?? '');
    if (/^\.{0,2}$/.test(value) || halfCharacter.test(value)) {
      usable = false;
      return '';
    }
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const suffix = search.size > 0 ? `?${search}` : '';
  return usable ? `${path}${suffix}` : undefined;
}

/** Origin and path of a base URL. @throws TypeError when it is not a plain http or https address. */
export function parseBaseUrl(text: string): { origin: string; prefix: string } {
  if (!URL.canParse(text)) throw new TypeError('a base URL is not an address');
  const { protocol, origin, pathname, username, password, search, hash } = new URL(text);
  if (!/^https?:$/.test(protocol)) throw new TypeError('a base URL must begin with http:// or https://');
  if (username || password || search || hash) throw new TypeError('a base URL must hold no user, query or fragment');
  return { origin, prefix: pathname.replace(/\/+$/, '') };
}
