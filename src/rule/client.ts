import { VendorError } from '../http/errors.js';
import { type ApiCall, createRuleApi, type RuleApiOptions } from './api.js';
import { readFieldTypes } from './field-types.js';
import { anyReply, fieldsReply, subscriberReply, tagsReply, upsertReply } from './schemas.js';
import type { RuleField, RuleFieldReading, RuleSubscriber } from './types.js';

export interface CallOptions {
  /** Cancels the call; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

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
 * Calls to one Rule account, one attempt each, all of them through the account's gate and all of them silent: no call here starts a tag
 * automation.
 *
 * All throw `VendorError`: `rule/unavailable`, `rule/rate-limited`, `rule/blocked`, `rule/key-refused`, `rule/not-json`,
 * `rule/wrong-shape`, `rule/too-large` (wait); `rule/unauthorized`, `rule/forbidden`, `rule/wrong-url` (fix-key); `rule/invalid` with
 * `fields` where Rule says which, `rule/conflict`, `rule/refused` (fix-data); `rule/not-found` (give-up).
 */
export interface RuleClient {
  /** Creates the subscriber of an address or updates it, fields and tags in one call. Costs a second one where the answer names nobody. */
  upsertByEmail(input: UpsertInput, options?: CallOptions): Promise<RuleSubscriber>;
  /** Writes fields and, where given, a new address. @throws VendorError `rule/email-taken` (fix-data) besides the others. */
  update(id: number, input: UpdateInput, options?: CallOptions): Promise<RuleSubscriber>;
  /** Adds tags without starting anything; segments are recalculated only where asked for (rule-api §4.3). */
  addTags(id: number, tags: string[], options: CallOptions & { recalculateSegments: boolean }): Promise<void>;
  /** Queues the removal of tags; Rule does it a little later and recalculates no segment (rule-api §4.3). No tags, no call. */
  removeTags(id: number, tags: string[], options?: CallOptions): Promise<void>;
  /** Names of all tags that the subscriber has. */
  listTags(id: number, options?: CallOptions): Promise<string[]>;
  /** Queues that the subscriber gets no more marketing on any channel; what is suppressed already stays so (rule-api §4.4). */
  suppress(id: number, options?: CallOptions): Promise<void>;
  /** `undefined` on 404. Rule counts that as an error of the account (rule-api §8): not for addresses that are likely unknown. */
  findByEmail(email: string, options?: CallOptions): Promise<RuleSubscriber | undefined>;
  /** `undefined` on 404, as above. */
  get(id: number, options?: CallOptions): Promise<RuleSubscriber | undefined>;
  /** Values by `Group.Field`, historical groups left out. */
  readFields(id: number, options?: CallOptions): Promise<Record<string, RuleFieldReading>>;
  /** Types of all fields that the account has, by `Group.Field`. */
  listFieldTypes(options?: CallOptions): Promise<Map<string, string>>;
  /** One cheap read that needs the key. */
  checkKey(options?: CallOptions): Promise<void>;
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

  async function orMissing(call: ApiCall): Promise<RuleSubscriber | undefined> {
    try {
      return await api.read(call, subscriberReply);
    } catch (error) {
      if (error instanceof VendorError && error.type === 'rule/not-found') return undefined;
      throw error;
    }
  }

  return {
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

    async addTags(id, tags, { recalculateSegments, signal }) {
      // No `automation`: any value of it starts automations and unblocks a blocked subscriber (rule-api §4.3).
      const json = { tags: tagNames(tags), ...(recalculateSegments ? {} : { sync_subscriber: false }) };
      const query = { identified_by: 'id' };
      await api.write({ method: 'PUT', path: '/v3/subscribers/{id}/tags', params: { id }, query, json, signal });
    },

    async removeTags(id, tags, { signal } = {}) {
      if (tags.length === 0) return;
      const json = { subscribers: [{ id }], tags: tagNames(tags) };
      await api.write({ method: 'DELETE', path: '/v3/subscribers/tags', json, signal });
    },

    listTags(id, { signal } = {}) {
      return api.read({ ...byId(id, signal), path: '/v2/subscribers/{id}/tags' }, tagsReply);
    },

    async suppress(id, { signal } = {}) {
      await api.write({ method: 'POST', path: '/v3/suppressions/', json: { subscribers: [{ id }] }, signal });
    },

    findByEmail: (email, { signal } = {}) => orMissing(byEmail(email, signal)),
    get: (id, { signal } = {}) => orMissing(byId(id, signal)),

    readFields(id, { signal } = {}) {
      return api.read({ ...byId(id, signal), path: '/v2/subscriber/{id}/fields' }, fieldsReply);
    },

    listFieldTypes: ({ signal } = {}) => readFieldTypes(api, options.apiUrl, signal),

    async checkKey({ signal } = {}) {
      await api.read({ method: 'GET', path: '/v2/tags', query: { limit: 1 }, signal }, anyReply);
    },

    close: () => api.close(),
  };
}

/**
 * Each name once, since Rule may refuse doubles. @throws VendorError `rule/invalid` for a name of digits only, which Rule would read
 * as the id of some other tag (rule-api §2).
 */
function tagNames(tags: readonly string[]): string[] {
  if (tags.some((tag) => /^\d*$/.test(tag))) {
    const reason = 'a tag name is empty or made of digits only';
    throw new VendorError({ type: 'rule/invalid', next: 'fix-data', reason, fields: { tags: 'digits-only' } });
  }
  return [...new Set(tags)];
}
