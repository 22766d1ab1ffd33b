import { z } from 'zod';
import { type ApiCall, createSesamyApi, type SesamyApiOptions } from './api.js';
import { createFilterCheck } from './filter-check.js';
import { allRows, type ListPage, type Page, pageSchema, pageSize } from './pages.js';
import { createProfileReader } from './profile.js';
import {
  billSchema,
  contractSchema,
  entitlementSchema,
  listedUserSchema,
  transactionSchema,
  userIdSchema,
  userSchema,
} from './schemas.js';
import { vendorOfToken } from './token-claims.js';
import type {
  ListedUser,
  SesamyBill,
  SesamyContract,
  SesamyEntitlement,
  SesamyTransaction,
  SesamyUser,
} from './types.js';

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
   * Fifty people of the publisher from a place in the list on (sesamy-api §2.3), in Sesamy's order; rows that we cannot read are left out
   * and counted. To be walked by `eachPage`.
   */
  userPage(offset: number, options?: CallOptions): Promise<ListPage<ListedUser>>;
  /** The same of everybody's contracts. */
  contractPage(offset: number, options?: CallOptions): Promise<ListPage<SesamyContract>>;
  /** The same of everybody's entitlements. Nothing says that Sesamy gives them without a filter, and the rows name no owner. */
  entitlementPage(offset: number, options?: CallOptions): Promise<ListPage<SesamyEntitlement>>;
  /** The token alone. @throws VendorError also `sesamy/wrong-vendor` (fix-key), see `checkAccess`. */
  checkToken(options?: CallOptions): Promise<void>;
  /** One cheap read of one resource; of entitlements the one that shows whether the filter by user is heeded. */
  checkRead(resource: SesamyResource, options?: CallOptions): Promise<void>;
  /**
   * Token and one cheap read of each resource, for `doctor`; with `receipts` also of transactions, to which a credential without that
   * feature needs no right. @throws VendorError whose path names the resource, or `sesamy/wrong-vendor` (fix-key) when the credential
   * belongs to another publisher.
   */
  checkAccess(options?: CallOptions & { receipts?: boolean | undefined }): Promise<void>;
  /** Ends what is under way and closes the connections. */
  close(): Promise<void>;
}

/** What a credential may be allowed to read or not, by the name in its path. */
export type SesamyResource = 'users' | 'contracts' | 'entitlements' | 'transactions' | 'bills';

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

  /** Rows of everybody from a place in the list on, as they are. */
  async function fetchRows(
    resource: SesamyResource,
    offset: number,
    { signal }: CallOptions = {},
  ): Promise<Page<unknown>> {
    const call: ApiCall = { path: `/management/${resource}`, query: { limit: pageSize, offset }, signal };
    const reply = await api.get(call);
    return reply.status === 204 ? { rows: [] } : api.read(call, reply, pageSchema(resource, z.unknown()));
  }

  async function listPage<Row>(
    resource: SesamyResource,
    schema: z.ZodType<Row>,
    offset: number,
    options?: CallOptions,
  ): Promise<ListPage<Row>> {
    const { rows, ...page } = await fetchRows(resource, offset, options);
    const read = rows.flatMap((row) => schema.safeParse(row).data ?? []);
    return { ...page, rows: read, received: rows.length, unreadable: rows.length - read.length };
  }

  async function checkToken({ signal }: CallOptions = {}): Promise<void> {
    const vendor = vendorOfToken(await api.token(signal));
    if (vendor !== undefined && vendor !== options.vendorId) {
      const reason = 'the credential belongs to another publisher than the configured vendor id';
      throw api.error({ path: '/management' }, { kind: 'wrong-vendor', next: 'fix-key', reason });
    }
  }

  async function checkRead(resource: SesamyResource, { signal }: CallOptions = {}): Promise<void> {
    if (resource === 'entitlements') return createFilterCheck(api)(signal);
    const call: ApiCall = { path: `/management/${resource}`, query: { limit: 1, offset: 0 }, signal };
    const reply = await api.get(call);
    api.read(call, reply, pageSchema(resource, z.unknown()));
  }

  return {
    async getUser(userId, { signal } = {}) {
      const call: ApiCall = { path: '/management/users/{userId}', params: { userId }, mayBeMissing: true, signal };
      const reply = await api.get(call);
      if (reply.status === 404) return undefined;
      const answer = api.read(call, reply, userSchema);
      return answer.whole ? answer.user : completeUser(answer.user, userId, signal);
    },

    async listUserIds(offset, options) {
      const { rows, ...page } = await fetchRows('users', offset, options);
      return { ...page, ids: rows.flatMap((row) => userIdSchema.safeParse(row).data ?? []), rows: rows.length };
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

    userPage: (offset, options) => listPage('users', listedUserSchema, offset, options),
    contractPage: (offset, options) => listPage('contracts', contractSchema, offset, options),
    entitlementPage: (offset, options) => listPage('entitlements', entitlementSchema, offset, options),

    checkToken,
    checkRead,

    async checkAccess({ signal, receipts = false } = {}) {
      await checkToken({ signal });
      const resources = [
        'users',
        'contracts',
        ...(receipts ? (['transactions'] as const) : []),
        'entitlements',
      ] as const;
      for (const resource of resources) await checkRead(resource, { signal });
    },

    close: () => api.close(),
  };
}
