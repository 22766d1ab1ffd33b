import { undocumented } from './refusal.js';
import type { SesamySwitches } from './switches.js';

/** The query of a list call, each parameter once. */
export type ListQuery = Readonly<Record<string, string | undefined>>;

interface Page {
  limit: number;
  offset: number;
}

/** The page's own parameters, which the general page of the documentation gives for every list (sesamy-api §2.3). */
const paging = ['limit', 'offset', 'from'];

/**
 * Reads a query of which only `known` parameters are documented.
 * @throws Refusal marked as a violation on any other parameter, a repeated one, and on the text `undefined` (sesamy-api §1.4).
 */
export function readQuery(query: unknown, known: readonly string[]): ListQuery {
  const values: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
    if (!known.includes(name)) throw undocumented(`Unknown query parameter ${name}.`, name);
    if (typeof value !== 'string') throw undocumented(`The query parameter ${name} is given twice.`, name);
    if (value === 'undefined' || value === 'null') throw undocumented(`${name} is the text ${value}.`, name);
    values[name] = value;
  }
  return values;
}

/** A list's answer, cut to the page that the query asks for. */
export function answerList<T>(
  switches: SesamySwitches,
  resource: string,
  query: ListQuery,
  rows: Iterable<T>,
): unknown {
  const { limit, offset } = pageOf(query, switches);
  const page: T[] = [];
  let count = 0;
  for (const row of rows) {
    if (count >= offset && page.length < limit) page.push(row);
    count += 1;
    // Only the envelope with a total needs to know how many there are.
    if (page.length >= limit && switches.envelope !== 'data') break;
  }
  return wrapPage(switches, resource, page, { total: count, limit, offset });
}

/** A page in the envelope of the switches (sesamy-api §2.3); without its rows while lists are to be empty. */
export function wrapPage<T>(
  { envelope, emptyLists }: SesamySwitches,
  resource: string,
  page: readonly T[],
  { total, limit, offset }: Page & { total: number },
): unknown {
  const rows = emptyLists ? [] : page;
  switch (envelope) {
    case 'array':
      return rows;
    case 'data':
      return { data: rows, pagination: { total: emptyLists ? 0 : total, limit, offset } };
    case 'resource':
      return { [resource]: rows };
  }
}

/** A list's parameters with those of paging. */
export function listParameters(...own: string[]): readonly string[] {
  return [...paging, ...own];
}

/** Where the page begins, as the switches let the query say it. */
export function pageOf(query: ListQuery, switches: SesamySwitches): Page {
  const asked = wholeNumber(query, 'limit') ?? switches.defaultLimit;
  if (asked < 1) throw undocumented('limit is at least 1.', 'limit');
  const limit = switches.limitCap > 0 ? Math.min(asked, switches.limitCap) : asked;
  const offset = wholeNumber(query, 'offset') ?? 0;
  const from = wholeNumber(query, 'from') ?? 0;
  return { limit, offset: { offset, 'offset-ignored': 0, from }[switches.paging] };
}

function wholeNumber(query: ListQuery, name: string): number | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw undocumented(`${name} is not a whole number.`, name);
  return Number(text);
}
