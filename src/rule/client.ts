import { type AccountCalls, createAccountCalls } from './account.js';
import { type ApiCall, createRuleApi, type RuleApiOptions } from './api.js';
import { createMailCalls, type MailCalls } from './mail.js';
import { orMissing } from './missing.js';
import { createRowCalls, type RowCalls } from './rows.js';
import { fieldsReply, subscriberReply, upsertReply } from './schemas.js';
import { createTagCalls, type TagCalls, tagNames } from './tags.js';
import type { CallOptions, RuleField, RuleFieldReading, RuleSubscriber } from './types.js';

export interface UpsertInput {
  email: string;
  fields: RuleField[];
  /** At least one: an empty list may be refused (rule-api §2). Rule adds them and never removes any. */
  tags: string[];
}

export interface UpdateInput {
  /** The new address of the subscriber. */
  email?: string;
  fields?: RuleField[];
}

/**
 * Calls to one Rule account, one attempt each, all of them through the account's gate. All but two are silent: `fire` alone starts tag
 * automations, and `sendEmail` sends a mail of its own.
 *
 * All throw `VendorError`: `rule/unavailable`, `rule/rate-limited`, `rule/blocked`, `rule/key-refused`, `rule/not-json`,
 * `rule/wrong-shape`, `rule/too-large` (wait); `rule/unauthorized`, `rule/forbidden`, `rule/wrong-url` (fix-key); `rule/invalid` with
 * `fields` where Rule says which, `rule/conflict`, `rule/refused` (fix-data); `rule/not-found` (give-up).
 * `unknownOutcome` is set where a write may have been done although its answer was lost, unreadable or a 5xx.
 */
export interface RuleClient extends AccountCalls, TagCalls, RowCalls, MailCalls {
  /** Creates the subscriber of an address or updates it, fields and tags in one call. Costs a second one where the answer names nobody. */
  upsertByEmail(input: UpsertInput, options?: CallOptions): Promise<RuleSubscriber>;
  /** Writes fields and, where given, a new address. @throws VendorError `rule/email-taken` (fix-data) besides the others. */
  update(id: number, input: UpdateInput, options?: CallOptions): Promise<RuleSubscriber>;
  /** Queues that the subscriber gets no more marketing on any channel; what is suppressed already stays so (rule-api §4.4). */
  suppress(id: number, options?: CallOptions): Promise<void>;
  /** Deletes the subscriber for good; gone at once (rule-api §4.4). One that is gone already counts as deleted. */
  remove(id: number, options?: CallOptions): Promise<void>;
  /** `undefined` on 404. Rule counts that as an error of the account (rule-api §8): not for addresses that are likely unknown. */
  findByEmail(email: string, options?: CallOptions): Promise<RuleSubscriber | undefined>;
  /** `undefined` on 404, as above. */
  get(id: number, options?: CallOptions): Promise<RuleSubscriber | undefined>;
  /** Values by `Group.Field`, historical groups left out. */
  readFields(id: number, options?: CallOptions): Promise<Record<string, RuleFieldReading>>;
  /** Ends what is under way and closes the connections. */
  close(): Promise<void>;
}

export type RuleClientOptions = RuleApiOptions;

/** Makes no call. @throws TypeError when the address is not a plain http or https URL. */
export function createRuleClient(options: RuleClientOptions): RuleClient {
  const api = createRuleApi(options);

  const byEmail = (email: string, signal?: AbortSignal): ApiCall => ({
    method: 'GET',
    path: '/v2/subscribers/{email}',
    params: { email },
    query: { identified_by: 'email' },
    signal,
  });

  const byId = (id: number, signal?: AbortSignal): ApiCall => ({
    method: 'GET',
    path: '/v2/subscribers/{id}',
    params: { id },
    query: { identified_by: 'id' },
    signal,
  });

  return {
    ...createAccountCalls(api, options.apiUrl),
    ...createTagCalls(api),
    ...createRowCalls(api),
    ...createMailCalls(api),

    async upsertByEmail({ email, fields, tags }, { signal } = {}) {
      const json = {
        update_on_duplicate: true,
        // Both are needed for silence: for a new person in a call of fewer than twenty, automations would start (rule-api §2).
        automation: false,
        sync_subscribers: false,
        tags: tagNames(tags),
        subscribers: { email, fields },
      };
      const sent = { fields: fields.map(({ key }) => key) };
      const named = await api.read({ method: 'POST', path: '/v2/subscribers', json, sent, signal }, upsertReply);
      const { tags: held, ...subscriber } = named ?? (await api.read(byEmail(email, signal), subscriberReply));
      // A list without the tags that were just added is not the list of all tags.
      return held && tags.every((tag) => held.includes(tag)) ? { ...subscriber, tags: held } : subscriber;
    },

    update(id, { email, fields }, { signal } = {}) {
      const json = { ...(email === undefined ? {} : { email }), ...(fields === undefined ? {} : { fields }) };
      const sent = { fields: (fields ?? []).map(({ key }) => key), movesEmail: email !== undefined };
      // Without identified_by: all known callers leave it out here (rule-api §3).
      const call: ApiCall = { method: 'PUT', path: '/v2/subscribers/{id}', params: { id }, json, sent, signal };
      return api.read(call, subscriberReply);
    },

    async suppress(id, { signal } = {}) {
      await api.write({ method: 'POST', path: '/v3/suppressions/', json: { subscribers: [{ id }] }, signal });
    },

    async remove(id, { signal } = {}) {
      const query = { identified_by: 'id' };
      await orMissing(api.write({ method: 'DELETE', path: '/v3/subscribers/{id}', params: { id }, query, signal }));
    },

    findByEmail: (email, { signal } = {}) => orMissing(api.read(byEmail(email, signal), subscriberReply)),
    get: (id, { signal } = {}) => orMissing(api.read(byId(id, signal), subscriberReply)),

    readFields(id, { signal } = {}) {
      return api.read({ ...byId(id, signal), path: '/v2/subscriber/{id}/fields' }, fieldsReply);
    },

    close: () => api.close(),
  };
}
