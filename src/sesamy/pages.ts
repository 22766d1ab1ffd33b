import { z } from 'zod';

/** The most rows that one call asks for (sesamy-api §2.3). */
export const pageSize = 50;

/**
 * A page of fewer rows is the last. sesamy-api §2.3 warns that a server may cap the limit, so a page that is merely shorter than
 * `limit` must not end a list; but a cap below ten is not credible, and nearly every person's list is that short: a sync would spend
 * a third of its budget on asking for empty pages.
 */
const smallestCap = 10;

/** Ends a walk whose server makes up new ids for ever. */
const mostPages = 200;

export interface Page<Row> {
  rows: Row[];
  /** `pagination.total`, where the envelope has it. */
  total?: number;
}

/** A list in any of its envelopes: a bare array, `{data, pagination}` or `{<resource>}` (sesamy-api §2.3). */
export function pageSchema<Row>(resource: string, row: z.ZodType<Row>): z.ZodType<Page<Row>> {
  return z
    .unknown()
    .transform(unwrap(resource))
    .pipe(z.object({ rows: z.array(row), total: z.number().optional() }));
}

function unwrap(resource: string) {
  return (answer: unknown): { rows: unknown; total?: number } => {
    if (Array.isArray(answer)) return { rows: answer };
    const envelope = envelopeSchema.safeParse(answer).data;
    const total = envelope?.pagination?.total;
    return { rows: envelope?.data ?? envelope?.[resource], ...(typeof total === 'number' ? { total } : {}) };
  };
}

const envelopeSchema = z.looseObject({
  data: z.unknown().optional(),
  pagination: z.looseObject({ total: z.unknown().optional() }).nullish().catch(undefined),
});

/**
 * All rows of a list, each id once. Goes on until `pagination.total` is reached, a page is empty or brings no id not seen yet (so an
 * ignored `offset` ends it), or, where no total is given, a page has fewer than ten rows. `offset` moves by the rows received.
 * Returns `undefined` when the list does not end.
 */
export async function allRows<Row extends { id: string }>(
  fetchPage: (offset: number) => Promise<Page<Row>>,
): Promise<Row[] | undefined> {
  const seen = new Map<string, Row>();
  let received = 0;
  for (let page = 0; page < mostPages; page += 1) {
    const { rows, total } = await fetchPage(received);
    const before = seen.size;
    for (const row of rows) if (!seen.has(row.id)) seen.set(row.id, row);
    received += rows.length;
    if (seen.size === before) return [...seen.values()];
    if (total === undefined ? rows.length < smallestCap : received >= total) return [...seen.values()];
  }
  return undefined;
}
