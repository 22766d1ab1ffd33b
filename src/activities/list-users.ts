import { createHmac } from 'node:crypto';
import { type ListUsersInput, type ListUsersResult, userIdPattern } from '../contract/index.js';
import type { Vendor } from './vendor.js';

/**
 * One page of the vendor's users, one call of the vendor's budget. An id that may hold an address or a telephone number does not leave
 * the activity: only a keyed hash of it does, so that it can be counted once.
 */
export async function listUsers(
  vendor: Vendor,
  { offset }: ListUsersInput,
  { signal }: { signal: AbortSignal },
): Promise<ListUsersResult> {
  const { ids, rows, total } = await vendor.sesamy.listUserIds(offset, { signal });
  const hashOf = (id: string) => createHmac('sha256', vendor.hashKey).update(id).digest('base64url').slice(0, 12);
  return {
    ids: ids.filter((id) => userIdPattern.test(id)),
    unusable: ids.filter((id) => !userIdPattern.test(id)).map(hashOf),
    rows,
    ...(total === undefined ? {} : { total }),
    requestsPerSecond: vendor.requestsPerSecond,
    reconcileShare: vendor.reconcile.share,
  };
}
