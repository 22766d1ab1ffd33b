import { VendorError } from '../http/errors.js';
import type { RuleApi } from './api.js';
import { automationsReply, type ListedAutomation, tagReply } from './schemas.js';
import type { CallOptions } from './types.js';
import { wrongShape } from './v2-pages.js';

const path = '/v3/editor/automail';

/** How many are asked for. The server may give fewer (rule-api §1.1), so a short page is not taken for the last. */
const pageSize = 50;

const mostPages = 200;

/** An active automation and what starts it. */
export interface RuleAutomation {
  id: number;
  /** As the publisher named it. */
  name: string;
  /** Absent where nothing starts it, or something other than a tag or a segment. `name` is absent where Rule does not tell it. */
  trigger?: { type: 'TAG' | 'SEGMENT'; id: number; name?: string };
}

/**
 * All active automations, by v3 `GET /editor/automail`: address and members are those of the official client, which no live test of it
 * shows, and rule-api §7 has no more than the trigger. `undefined` where the key may not list them, or the account has no such list.
 */
export async function listAutomations(
  api: RuleApi,
  { signal }: CallOptions = {},
): Promise<RuleAutomation[] | undefined> {
  const listed = await orRefused(listAll(api, signal));
  if (!listed) return undefined;
  // Rule ignores filters of other lists (rule-api §1.1), so this one is not relied on. What says nothing is taken to be active.
  const active = listed.filter((automation) => automation.active !== false);
  return Promise.all(active.map(({ active: _active, ...automation }) => withNameOfTag(api, automation, signal)));
}

async function listAll(api: RuleApi, signal: AbortSignal | undefined): Promise<ListedAutomation[]> {
  const found = new Map<number, ListedAutomation>();
  for (let page = 1; page <= mostPages; page += 1) {
    const query = { active: 'true', page, per_page: pageSize };
    const listed = await api.read({ method: 'GET', path, query, signal, mayBeRefused: true }, automationsReply);
    const before = found.size;
    for (const automation of listed) if (!found.has(automation.id)) found.set(automation.id, automation);
    if (found.size === before) return [...found.values()];
  }
  throw wrongShape(path, 'the pages do not end');
}

/** The name of a trigger is "informational" in the official client's types: it may be left out. */
async function withNameOfTag(
  api: RuleApi,
  automation: RuleAutomation,
  signal: AbortSignal | undefined,
): Promise<RuleAutomation> {
  const { trigger } = automation;
  if (trigger?.type !== 'TAG' || trigger.name !== undefined) return automation;
  const call = {
    method: 'GET',
    path: '/v2/tags/{id}',
    params: { id: trigger.id },
    query: { identified_by: 'id' },
  } as const;
  const name = await orRefused(api.read({ ...call, signal, mayBeRefused: true }, tagReply));
  return name === undefined ? automation : { ...automation, trigger: { ...trigger, name } };
}

const refusals = new Set([401, 403, 404, 405]);

async function orRefused<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof VendorError && refusals.has(error.status ?? 0)) return undefined;
    throw error;
  }
}
