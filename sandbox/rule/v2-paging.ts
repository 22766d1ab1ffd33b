import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Refusal } from './refusal.js';

/** Query of the v2 lists (rule-api §1.1). */
export const v2Paging = z.strictObject({
  limit: z.coerce.number().int().positive().optional(),
  page: z.coerce.number().int().positive().optional(),
});

const MAX_LIMIT = 100;

/**
 * One page of a v2 list and the full address of the next page, which echoes the query (a key in it too, rule-api §1).
 * @throws Refusal 400 `LimitExceed` above 100.
 */
export function pageOf<T>(
  request: FastifyRequest,
  { limit = MAX_LIMIT, page = 1 }: z.infer<typeof v2Paging>,
  all: ReadonlyMap<number, T>,
): { items: T[]; meta: { next: string | null } } {
  if (limit > MAX_LIMIT) throw new Refusal('invalid', "Limit can't exceed 100.", { code: 'LimitExceed' });
  const items = slice(all.values(), (page - 1) * limit, limit);
  if (all.size <= page * limit) return { items, meta: { next: null } };
  const next = new URL(request.url, `http://${request.host}`);
  next.searchParams.set('limit', String(limit));
  next.searchParams.set('page', String(page + 1));
  return { items, meta: { next: next.href } };
}

/** Part of an iteration, without copying all of it. */
export function slice<T>(all: Iterable<T>, start: number, count: number): T[] {
  const part: T[] = [];
  let index = 0;
  for (const item of all) {
    if (index >= start + count) break;
    if (index >= start) part.push(item);
    index += 1;
  }
  return part;
}
