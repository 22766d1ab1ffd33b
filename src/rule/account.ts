import type { RuleApi } from './api.js';
import { listAutomations, type RuleAutomation } from './automations.js';
import { createFields, type RuleFieldSchema, readFieldTypes } from './field-types.js';
import { anyReply, subscribersReply } from './schemas.js';
import type { CallOptions, RuleSubscriber } from './types.js';
import { type RulePage, readPage } from './v2-pages.js';

/** Calls about the account as a whole: its key, its fields, everybody in it, its automations. None of them starts anything. */
export interface AccountCalls {
  /** One cheap read that needs the key. */
  checkKey(options?: CallOptions): Promise<void>;
  /** One cheap read of a subscriber's field data by v3, the resource to which rows are appended (rule-api §4.2). */
  checkFieldData(id: number, options?: CallOptions): Promise<void>;
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
      await api.read({ method: 'GET', path: '/v2/tags', query: { limit: 1 }, signal }, anyReply);
    },

    async checkFieldData(id, { signal } = {}) {
      const query = { page: 1, per_page: 1 };
      await api.read({ method: 'GET', path: '/v3/custom-field-data/{id}', params: { id }, query, signal }, anyReply);
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
