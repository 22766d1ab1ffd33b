/** How each message that reaches the workflow `subscriber` changes what it keeps: handlers only record. Pure. */
import type { BackfillKind, HeldRequest, Nudge, NudgeName, ResyncRequest, SyncNowRequest } from '../contract/index.js';
import { discard, release } from './outbox.js';
import { iso, type SubscriberState, type Work } from './subscriber-state.js';

const minute = 60_000;

const seenLength = 20;
const expectedIdsLength = 10;

/** A webhook arrived. */
export function recordNudge(state: SubscriberState, name: NudgeName, nudge: Nudge): void {
  if (state.erasure) return;
  const ids = [nudge.contractId, nudge.entitlementId, nudge.checkoutId];
  const key = [nudge.event, nudge.occurredAt, ...ids].join(' ');
  const repeat = state.seen.includes(key);
  if (!repeat) state.seen = [...state.seen, key].slice(-seenLength);
  if (name === 'cancelRequested' && nudge.contractId) {
    state.cancelRequests = latest(state.cancelRequests, { [nudge.contractId]: nudge.occurredAt });
  }
  delete state.endsAt;
  addPending(state, {
    why: [name],
    live: true,
    force: false,
    recreate: false,
    urgent: false,
    expect: repeat ? 'none' : 'full',
    expectedIds: [nudge.contractId, nudge.entitlementId].filter((id) => id !== undefined),
  });
}

/** Nobody has told of anything yet. */
export function recordFirstLook(state: SubscriberState, now: number): void {
  state.look = { kind: 'recheck', at: now + minute, why: 'first look: nobody has told of anything yet' };
}

/** A person, a backfill or a repair asks for everything to be written again, quietly. */
export function recordResync(state: SubscriberState, request?: ResyncRequest | null): void {
  const other = request?.sharesAddressWith;
  addPending(state, {
    ...operatorWork('resync', true, request?.recreate === true),
    ...(other === undefined ? {} : { sharesWith: [other] }),
  });
}

/** Somebody waits for one attempt: a person, or a walk through everybody. */
export function recordSyncNow(state: SubscriberState, request?: SyncNowRequest | null): void {
  addPending(
    state,
    operatorWork(isWalk(request?.by) ? request.by : 'syncNow', request?.force === true, request?.recreate === true),
  );
}

/** Words of a trail that stand for a walk through everybody. */
function isWalk(why: unknown): why is BackfillKind {
  return why === 'backfill' || why === 'reconcile';
}

/** Temporal's priority of a piece of work: live before what is caught up, and everybody's turn last of all. */
export function priorityOf({ live, why }: Work): number {
  if (live || why.includes('syncNow')) return 2;
  return why.every(isWalk) ? 5 : 4;
}

/** A person lets out what is held. What is told is fetched again before. */
export function recordRelease(state: SubscriberState, request?: HeldRequest | null): void {
  if (release(state.outbox, request?.what)) addPending(state, operatorWork('release', false, false));
}

/** A person decides that what is held is never told. */
export function recordDiscard(state: SubscriberState, request: HeldRequest | null | undefined, now: number): void {
  if (discard(state.outbox, request?.what, iso(now))) addPending(state, operatorWork('discard', false, false));
}

export function operatorWork(why: string, force: boolean, recreate: boolean): Work {
  return { why: [why], live: false, force, recreate, urgent: true, expect: 'none', expectedIds: [] };
}

/** Work that was taken and not begun is done later, with what has come since. */
export function putBack(state: SubscriberState, work: Work): void {
  if (state.erasure) return;
  state.pending = state.pending ? merge(work, state.pending) : work;
}

function addPending(state: SubscriberState, work: Work): void {
  if (state.erasure) return;
  state.pending = merge(state.pending, work);
}

export function merge(a: Work | undefined, b: Work): Work {
  if (!a) return b;
  return {
    why: [...new Set([...a.why, ...b.why])],
    live: a.live || b.live,
    force: a.force || b.force,
    recreate: a.recreate || b.recreate,
    urgent: a.urgent || b.urgent,
    expect: a.expect === 'full' || b.expect === 'full' ? 'full' : a.expect === 'late' ? 'late' : b.expect,
    expectedIds: union(a.expectedIds, b.expectedIds),
    ...(a.sharesWith || b.sharesWith ? { sharesWith: union(a.sharesWith ?? [], b.sharesWith ?? []) } : {}),
  };
}

export function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].slice(-expectedIdsLength);
}

/** The later time of each contract: messages may come in any order. */
export function latest(
  a: Readonly<Record<string, string>> = {},
  b: Readonly<Record<string, string>> = {},
): Record<string, string> {
  // Ids come from outside: `constructor` is a member of every object, but no entry.
  const times = new Map(Object.entries(a));
  for (const [id, at] of Object.entries(b)) {
    const known = times.get(id);
    if (known === undefined || known < at) times.set(id, at);
  }
  return Object.fromEntries(times);
}
