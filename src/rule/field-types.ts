import { VendorError } from '../http/errors.js';
import type { ApiCall, RuleApi } from './api.js';
import { fieldTypesReply } from './schemas.js';

const path = '/v2/customizations';

/** The most that v2 allows (rule-api §1.1). */
const pageSize = 100;

const mostPages = 100;

/** Members of the next page's address that we take over; `apikey`, which Rule may echo there (rule-api §1), is not one of them. */
const pagers = ['page', 'cursor'];

/**
 * Types of all fields by `Group.Field`, from all pages of `/customizations`. The next page's address decides only which page is asked
 * for: the call goes to our own base URL, so no answer can send the key elsewhere. @throws VendorError `rule/wrong-shape` when that
 * address is another service's or the pages do not end.
 */
export async function readFieldTypes(api: RuleApi, apiUrl: string, signal?: AbortSignal): Promise<Map<string, string>> {
  const types = new Map<string, string>();
  const asked = new Set<string>();
  let query: Record<string, string | number> = { limit: pageSize };
  for (let page = 0; page < mostPages; page += 1) {
    asked.add(JSON.stringify(query));
    const call: ApiCall = { method: 'GET', path, query, signal };
    const answer = await api.read(call, fieldTypesReply);
    for (const [key, type] of answer.types) types.set(key, type);
    if (!answer.next) return types;
    query = nextQuery(answer.next, apiUrl);
    if (asked.has(JSON.stringify(query))) break;
  }
  throw wrongShape('the pages do not end');
}

function nextQuery(next: string, apiUrl: string): Record<string, string | number> {
  const url = URL.canParse(next, apiUrl) ? new URL(next, apiUrl) : undefined;
  if (url?.host !== new URL(apiUrl).host || !url.pathname.endsWith(path)) {
    throw wrongShape('the address of the next page is not of this service');
  }
  const query: Record<string, string | number> = { limit: pageSize };
  for (const name of pagers) {
    const value = url.searchParams.get(name);
    if (value) query[name] = value;
  }
  return query;
}

function wrongShape(reason: string): VendorError {
  return new VendorError({ type: 'rule/wrong-shape', next: 'wait', reason, method: 'GET', path });
}
