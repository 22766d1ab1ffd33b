import { z } from 'zod';

/** The most rows that one call asks for (sesamy-api §2.3). */
export const pageSize = 50;

/**
 * A page of fewer rows is the last. sesamy-api §2.3 warns that a server may cap the limit, so a page that is merely shorter than
 * `limit` must not end a list; but a cap below ten is not credible, and nearly every person's list is that short: a sync would spend
 * a third of its budget on asking for empty pages.
 */
const smallestCap = 10;

/** Ends a walk through one person's rows whose server makes up new ids for ever. */
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

/** A page of a whole list, as it is walked. */
export interface ListPage<Row> extends Page<Row> {
  /** How many rows there were. */
  received: number;
  /** How many of them could not be read and are not in `rows`. */
  unreadable: number;
}

/** All rows of a list, each id once, by the rule of {@link eachPage} with short pages as ends; `undefined` when it does not end. */
export async function allRows<Row extends { id: string }>(
  fetchPage: (offset: number) => Promise<Page<Row>>,
): Promise<Row[] | undefined> {
  const all: Row[] = [];
  const walk = eachPage(
    async (offset) => {
      const page = await fetchPage(offset);
      return { ...page, received: page.rows.length, unreadable: 0 };
    },
    { mostPages, shortPageEnds: true },
  );
  for (;;) {
    const { value, done } = await walk.next();
    if (done) return value === 'ended' ? all : undefined;
    all.push(...value.rows);
  }
}

/** How far a walk goes. */
interface WalkOptions {
  mostPages: number;
  /** Whether a page of fewer than ten rows is the last where no total is given: saves one person's walk a call. */
  shortPageEnds?: boolean;
}

/** Five million rows: ends the walk through everybody's rows whose server makes up new ids for ever. */
const mostPagesOfAll = 100_000;

/**
 * The pages of a list, each id once. Goes on until `pagination.total` is reached, or a page is empty or brings no id not seen yet (so an
 * ignored `offset` ends it). `offset` moves by the rows received. What it returns says whether the list came to an end.
 */
export async function* eachPage<Row extends { id: string }>(
  fetchPage: (offset: number) => Promise<ListPage<Row>>,
  { mostPages, shortPageEnds = false }: WalkOptions = { mostPages: mostPagesOfAll },
): AsyncGenerator<ListPage<Row>, 'ended' | 'endless', undefined> {
  const seen = new Set<string>();
  let received = 0;
  for (let count = 0; count < mostPages; count += 1) {
    const page = await fetchPage(received);
    received += page.received;
    const rows = page.rows.filter(({ id }) => !seen.has(id) && seen.add(id));
    yield { ...page, rows };
    if (rows.length === 0) return 'ended';
    if (page.total === undefined ? shortPageEnds && page.received < smallestCap : received >= page.total)
      return 'ended';
  }
  return 'endless';
}
