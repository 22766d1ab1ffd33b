import { z } from 'zod';
import { steadyNow } from '../http/steady-clock.js';
import type { ApiCall, SesamyApi } from './api.js';
import { orAborted } from './or-aborted.js';
import { pageSchema } from './pages.js';

/** An id of the usual form that belongs to nobody (sesamy-api §3.1). */
const nobody = 'email|000000000000000000000000';

/** A server that ignores the filter will not heed it a minute later; asked again after this, so that a mended one is noticed. */
const recheckMs = 60 * 60 * 1000;

const anyRows = pageSchema('entitlements', z.unknown());

/**
 * Makes sure that Sesamy heeds `userId` on entitlements before the first list of this process is trusted: the filter is known from one
 * comment only, and rows name no owner (sesamy-api §2.3). Asks for somebody who does not exist; one call is shared by all who wait,
 * and repeated when it failed on its way. @throws VendorError `sesamy/filter-ignored` unless the answer holds no row.
 */
export function createFilterCheck(api: SesamyApi): (signal?: AbortSignal) => Promise<void> {
  const query = { userId: nobody, limit: 1, offset: 0 };
  const call: ApiCall = { path: '/management/entitlements', query, mayBeMissing: true };
  let checking: Promise<void> | undefined;
  let heeded = false;
  let ignoredUntil = 0;

  function ignored(): Error {
    const reason =
      'Sesamy gave entitlements for a user who does not exist: the userId filter is ignored, ask Sesamy support';
    return api.error(call, {
      kind: 'filter-ignored',
      next: 'wait',
      reason,
      waitMs: Math.max(ignoredUntil - steadyNow(), 0),
    });
  }

  async function ask(): Promise<void> {
    const reply = await api.get(call);
    // 404 and 204 name nobody's rows either.
    if (reply.status !== 404 && reply.status !== 204) {
      if (api.read(call, reply, anyRows).rows.length > 0) {
        ignoredUntil = steadyNow() + recheckMs;
        throw ignored();
      }
    }
    heeded = true;
  }

  return async (signal) => {
    if (heeded) return;
    if (steadyNow() < ignoredUntil) throw ignored();
    checking ??= ask().finally(() => {
      checking = undefined;
    });
    await orAborted(checking, signal);
  };
}
