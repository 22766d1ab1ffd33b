import type { RuleApi } from './api.js';
import { listAutomations, type RuleAutomation } from './automations.js';
import { createFields, type RuleFieldSchema, readFieldTypes } from './field-types.js';
import { anyReply, subscribersReply } from './schemas.js';
import type { CallOptions, RuleSubscriber } from './types.js';
import { type RulePage, readPage } from './v2-pages.js';

/**
 * What is read: the catalogue of tags, the fields of the account, the list of subscribers, and of one subscriber the fields (all v2), and
 * the field data (v3), the resource to which rows are appended (rule-api §3, §4.2).
 */
export type RuleRead = keyof typeof reads;

const reads = {
  tags: { path: '/v2/tags', query: { limit: 1 } },
  customizations: { path: '/v2/customizations', query: { limit: 1 } },
  subscribers: { path: '/v2/subscribers', query: { limit: 1 } },
  fields: { path: '/v2/subscriber/{id}/fields', query: { identified_by: 'id' } },
  fieldData: { path: '/v3/custom-field-data/{id}', query: { page: 1, per_page: 1 } },
} as const;

/** Calls about the account as a whole: its key, its fields, everybody in it, its automations. None of them starts anything. */
export interface AccountCalls {
  /** One cheap read that needs the key. */
  checkKey(options?: CallOptions): Promise<void>;
  /**
   * One cheap read of what a key may perhaps not read; a refusal does not close the account's gate, so that the next can be asked for.
   * @param id of any subscriber, for what is about one
   */
  checkRead(what: RuleRead, id?: number, options?: CallOptions): Promise<void>;
  /** Types of all fields that the account has, by `Group.Field`. */
  listFieldTypes(options?: CallOptions): Promise<Map<string, string>>;
  /** Makes fields, with their groups; those that are there already are left out by the caller (rule-api §3, §9). No fields, no call. */
  createFields(fields: readonly RuleFieldSchema[], options?: CallOptions): Promise<void>;
  /** A page of everybody in the account, a hundred at a time (rule-api §1.1, §3); `next` is to be handed in for the next one. */
  listSubscribers(page?: RulePage, options?: CallOptions): Promise<{ subscribers: RuleSubscriber[]; next?: RulePage }>;
  /** All active automations and what starts them; `undefined` where the key may not list them. */
  listAutomations(options?: CallOptions): Promise<RuleAutomation[] | undefined>;
}

export function createAccountCalls(api: RuleApi, apiUrl: string): AccountCalls {
  return {
    async checkKey({ signal } = {}) {
      await api.read({ method: 'GET', ...reads.tags, signal }, anyReply);
    },

    async checkRead(what, id, { signal } = {}) {
      const params: Record<string, number> = id === undefined ? {} : { id };
      await api.read({ method: 'GET', ...reads[what], params, signal, mayBeRefused: true }, anyReply);
    },

    listFieldTypes: ({ signal } = {}) => readFieldTypes(api, apiUrl, signal),
    createFields: (fields, options) => createFields(api, fields, options),

    async listSubscribers(page, { signal } = {}) {
      const read = { path: '/v2/subscribers', schema: subscribersReply, page, signal };
      const { answer, next } = await readPage(api, apiUrl, read);
      return { subscribers: answer.subscribers, ...(next ? { next } : {}) };
    },

    listAutomations: (options) => listAutomations(api, options),
  };
}
