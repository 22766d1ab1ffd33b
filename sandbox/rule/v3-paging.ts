import { z } from 'zod';

/** Query of the v3 lists (rule-api §1.1). */
export const v3Paging = z.strictObject({
  page: z.coerce.number().int().positive().optional(),
  per_page: z.coerce.number().int().positive().max(100).optional(),
});

/** Page size when none is asked for (rule-api §1.1). */
const DEFAULT_PER_PAGE = 15;

/** One page of a v3 list. */
export function v3Page<T>(all: readonly T[], paging: { page?: number | undefined; per_page?: number | undefined }) {
  const page = paging.page ?? 1;
  const perPage = paging.per_page ?? DEFAULT_PER_PAGE;
  return { data: all.slice((page - 1) * perPage, page * perPage), meta: { page, per_page: perPage } };
}
