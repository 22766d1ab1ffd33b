import type { z } from 'zod';
import { VendorError } from '../http/errors.js';
import type { ApiCall, RuleApi } from './api.js';

/** The most that v2 allows (rule-api §1.1). */
const pageSize = 100;

/** Members of the next page's address that we take over; `apikey`, which Rule may echo there (rule-api §1), is not one of them. */
const pagers = ['page', 'cursor'];

/** Which page of a v2 list is asked for: what the answer before it said, and nothing to be read by anybody else. */
export type RulePage = Readonly<Record<string, string | number>>;

/**
 * One page of a v2 list. The next page's address decides only which page is asked for: the call goes to our own base URL, so no answer
 * can send the key elsewhere. @throws VendorError `rule/wrong-shape` when that address is another service's
 */
export async function readPage<T extends { next?: string | undefined }>(
  api: RuleApi,
  apiUrl: string,
  {
    path,
    schema,
    page,
    signal,
  }: { path: string; schema: z.ZodType<T>; page?: RulePage | undefined } & Pick<ApiCall, 'signal'>,
): Promise<{ answer: T; next?: RulePage }> {
  const query = page ?? { limit: pageSize };
  const answer = await api.read({ method: 'GET', path, query, signal }, schema);
  return { answer, ...(answer.next ? { next: nextPage(answer.next, path, apiUrl) } : {}) };
}

function nextPage(next: string, path: string, apiUrl: string): RulePage {
  const url = URL.canParse(next, apiUrl) ? new URL(next, apiUrl) : undefined;
  if (url?.host !== new URL(apiUrl).host || !url.pathname.endsWith(path)) {
    throw wrongShape(path, 'the address of the next page is not of this service');
  }
  const query: Record<string, string | number> = { limit: pageSize };
  for (const name of pagers) {
    const value = url.searchParams.get(name);
    if (value) query[name] = value;
  }
  return query;
}

/** A list that a caller cannot go on with. */
export function wrongShape(path: string, reason: string): VendorError {
  return new VendorError({ type: 'rule/wrong-shape', next: 'wait', reason, method: 'GET', path });
}
