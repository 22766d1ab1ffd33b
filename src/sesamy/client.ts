import { z } from 'zod';
import { type ApiCall, createSesamyApi, type SesamyApiOptions } from './api.js';
import { createFilterCheck } from './filter-check.js';
import { allRows, type Page, pageSchema, pageSize } from './pages.js';
import { createProfileReader } from './profile.js';
import {
  billSchema,
  contractSchema,
  entitlementSchema,
  transactionSchema,
  userIdSchema,
  userSchema,
} from './schemas.js';
import { vendorOfToken } from './token-claims.js';
import type { SesamyBill, SesamyContract, SesamyEntitlement, SesamyTransaction, SesamyUser } from './types.js';

export interface SesamyClientOptions extends SesamyApiOptions {
  /** The publisher; `checkAccess` compares it with the one that the token names. */
  vendorId: string;
}

export interface CallOptions {
  /** Cancels the call; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Reads of Sesamy's Management API. One attempt each (two after a token was refused).
 *
 * All throw `VendorError`: `sesamy/unavailable`, `sesamy/rate-limited`, `sesamy/not-json`, `sesamy/wrong-shape`, `sesamy/too-large`
 * (wait); `sesamy/unauthorized`, `sesamy/forbidden`, `sesamy/bad-credentials`, `sesamy/wrong-url` (fix-key); `sesamy/refused`
 * (fix-data, of the token address fix-key).
 */
export interface SesamyClient {
  /** The person with the whole profile as far as Sesamy shows it; `undefined` on 404. */
  getUser(userId: string, options?: CallOptions): Promise<SesamyUser | undefined>;
  /** One page of everybody's user ids, from this row on. Who walks the list knows its end by {@link UserIdPage}. */
  listUserIds(offset: number, options?: CallOptions): Promise<UserIdPage>;
  /** The person's own contracts. A row that we cannot read fails the call; rows of other people are dropped. */
  listContracts(userId: string, options?: CallOptions): Promise<SesamyContract[]>;
  /**
   * The person's entitlements. @throws VendorError `sesamy/filter-ignored` (wait) when Sesamy answers with everybody's: the rows name
   * no owner, so none of them could be trusted.
   */
  listEntitlements(userId: string, options?: CallOptions): Promise<SesamyEntitlement[]>;
  /** The person's own payments and refunds, in Sesamy's order. A row that we cannot read fails the call; rows of other people are dropped. */
  listTransactions(userId: string, options?: CallOptions): Promise<SesamyTransaction[]>;
  /** `undefined` on 404. A bill names no owner: only for the bills of the person's own transactions. */
  getBill(billId: string, options?: CallOptions): Promise<SesamyBill | undefined>;
  /**
   * Token and one cheap read of each resource, for `doctor`; with `receipts` also of transactions, to which a credential without that
   * feature needs no right. @throws VendorError whose path names the resource, or `sesamy/wrong-vendor` (fix-key) when the credential
   * belongs to another publisher.
   */
  checkAccess(options?: CallOptions & { receipts?: boolean | undefined }): Promise<void>;
  /** Ends what is under way and closes the connections. */
  close(): Promise<void>;
}

/**
 * A page of user ids. Sesamy may cap it, may name no total, and may ignore the offset (sesamy-api §2.3): the list is over when a page is
 * empty, brings no id that the page before did not have, or reaches the total; never because it is short.
 */
export interface UserIdPage {
  /** As Sesamy writes them; not checked. */
  ids: string[];
  /** Rows of the page, those included of which no id could be read. */
  rows: number;
  /** How many users there are, where the envelope says so. */
  total?: number;
}

const userIdPage = pageSchema('users', userIdSchema);
const contractPage = pageSchema('contracts', contractSchema);
const entitlementPage = pageSchema('entitlements', entitlementSchema);
const transactionPage = pageSchema('transactions', transactionSchema);

/** Makes no call. @throws TypeError when an address is not a plain http or https URL. */
export function createSesamyClient(options: SesamyClientOptions): SesamyClient {
  const api = createSesamyApi(options);
  const completeUser = createProfileReader(api);
  const checkFilter = createFilterCheck(api);

  async function list<Row extends { id: string }>(
    path: string,
    userId: string,
    schema: z.ZodType<Page<Row>>,
    signal: AbortSignal | undefined,
  ): Promise<Row[]> {
    const call: ApiCall = { path, signal };
    const rows = await allRows(async (offset) => {
      const reply = await api.get({ ...call, query: { userId, limit: pageSize, offset } });
      if (reply.status === 204) return { rows: [] };
      return api.read(call, reply, schema);
    });
    if (rows) return rows;
    throw api.error(call, { kind: 'wrong-shape', next: 'wait', reason: 'the list does not end' });
  }

  return {
    async getUser(userId, { signal } = {}) {
      const call: ApiCall = { path: '/management/users/{userId}', params: { userId }, mayBeMissing: true, signal };
      const reply = await api.get(call);
      if (reply.status === 404) return undefined;
      const answer = api.read(call, reply, userSchema);
      return answer.whole ? answer.user : completeUser(answer.user, userId, signal);
    },

    async listUserIds(offset, { signal } = {}) {
      const call: ApiCall = { path: '/management/users', query: { limit: pageSize, offset }, signal };
      const reply = await api.get(call);
      if (reply.status === 204) return { ids: [], rows: 0 };
      const { rows, total } = api.read(call, reply, userIdPage);
      const ids = rows.filter((id) => id !== undefined);
      return { ids, rows: rows.length, ...(total === undefined ? {} : { total }) };
    },

    async listContracts(userId, { signal } = {}) {
      const rows = await list('/management/contracts', userId, contractPage, signal);
      return rows.filter((contract) => contract.userId === userId);
    },

    async listEntitlements(userId, { signal } = {}) {
      await checkFilter(signal);
      return list('/management/entitlements', userId, entitlementPage, signal);
    },

    async listTransactions(userId, { signal } = {}) {
      const rows = await list('/management/transactions', userId, transactionPage, signal);
      return rows.filter((row) => row.userId === userId).map(({ userId: _owner, ...transaction }) => transaction);
    },

    async getBill(billId, { signal } = {}) {
      const call: ApiCall = { path: '/management/bills/{billId}', params: { billId }, mayBeMissing: true, signal };
      const reply = await api.get(call);
      return reply.status === 404 ? undefined : api.read(call, reply, billSchema);
    },

    async checkAccess({ signal, receipts = false } = {}) {
      const vendor = vendorOfToken(await api.token(signal));
      if (vendor !== undefined && vendor !== options.vendorId) {
        const reason = 'the credential belongs to another publisher than the configured vendor id';
        throw api.error({ path: '/management' }, { kind: 'wrong-vendor', next: 'fix-key', reason });
      }
      for (const resource of ['users', 'contracts', ...(receipts ? ['transactions'] : [])]) {
        const call: ApiCall = { path: `/management/${resource}`, query: { limit: 1, offset: 0 }, signal };
        const reply = await api.get(call);
        api.read(call, reply, pageSchema(resource, z.unknown()));
      }
      await createFilterCheck(api)(signal);
    },

    close: () => api.close(),
  };
}
