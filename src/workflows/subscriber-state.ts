/**
 * What the workflow `subscriber` keeps and how each message and each attempt changes it. Pure, without Temporal, so that a test can
 * drive it by hand; time and chance are handed in.
 */
import type {
  BackfillKind,
  DeliverInput,
  DeliverResult,
  Erasure,
  FailureDetails,
  HeldKind,
  HeldRequest,
  Known,
  LifecycleDue,
  NextLookKind,
  Nudge,
  NudgeName,
  PersonId,
  ResyncRequest,
  SubscriberMemory,
  SubscriberStatus,
  SyncInput,
  SyncNowRequest,
  SyncReason,
  SyncResult,
  SyncState,
  TrailEntry,
  Verdict,
} from '../contract/index.js';
import {
  type Delivery,
  discard,
  dropAll,
  freshOutbox,
  heldBy,
  nextDelivery,
  type Outbox,
  putFound,
  recordDelivered,
  recordUndelivered,
  release,
  tellsSoon,
  waitingEvents,
  waitingOf,
} from './outbox.js';

const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;

/** Retries after the activity's own few attempts: 30 s doubling to 30 min, for as long as it takes. */
const firstRetryMs = 30 * second;
const longestRetryMs = 30 * minute;
/** A person whose data is refused is looked at again now and then: the webhook that mends it may have been lost. */
const recheckFailedMs = 3 * day;
/** A message this soon after news is most likely part of the same happening. */
const burstMs = minute;

const trailLength = 20;
const seenLength = 20;
const expectedIdsLength = 10;

/** Something to be done: one sync, for all that has asked for it. */
export interface Work {
  /** Signal names, `resync`, `syncNow`, or the kind of a look. */
  why: string[];
  live: boolean;
  force: boolean;
  recreate: boolean;
  /** Does not wait for a retry that is already dated: a person asked. */
  urgent: boolean;
  expect: SyncInput['expect'];
  expectedIds: string[];
  /** Other Sesamy users who may have the address. */
  sharesWith?: string[];
}

/** The workflow's whole memory; carried over at continue-as-new. A change of its form raises `version` and adds a step to `restore`. */
export interface SubscriberState {
  version: 1;
  known: Known;
  /** Times of cancel requests that no sync has taken up yet, by contract id. */
  cancelRequests: Record<string, string>;
  pending?: Work;
  retry?: { count: number; at: number; work: Work };
  look?: { kind: NextLookKind; at: number; why?: string };
  /** What time alone brings next in the reader's life. */
  due?: LifecycleDue;
  /** The series of extra looks that is running, and the ids that messages named in it. */
  series: { look: number; expect: SyncInput['expect']; expectedIds: string[] };
  /** An attempt failed after it had begun to write: the next one trusts no hash. */
  doubt: boolean;
  newsAt?: number;
  /** Keys of the last messages: a repeat promises nothing new. */
  seen: string[];
  state: SyncState;
  reason?: SyncReason;
  failure?: FailureDetails;
  failedAt?: string;
  syncedAt?: string;
  attempts: number;
  trail: TrailEntry[];
  endsAt?: number;
  gone: boolean;
  /** Asked to be erased, or erased: then nothing else is left. `at` is when the next try is due (epoch ms). */
  erasure?: Erasure & { addressKeys: string[]; at: number; tries: number };
  /** The erasure was taken back: the workflow ends. */
  lifted?: boolean;
  /** Events on their way to Rule. */
  outbox: Outbox;
  /** Search attributes as last written, so that only changes are written. */
  published: Record<string, string>;
}

export function freshState(): SubscriberState {
  return {
    version: 1,
    known: {},
    cancelRequests: {},
    series: { look: 0, expect: 'none', expectedIds: [] },
    doubt: false,
    seen: [],
    state: 'new',
    attempts: 0,
    trail: [],
    gone: false,
    outbox: freshOutbox(),
    published: {},
  };
}

/** The state a run starts from. Older versions are brought up to date here; a newer one than this build knows is an error. */
export function restore(stored: SubscriberState | undefined): SubscriberState {
  if (!stored) return freshState();
  if (stored.version !== 1) {
    throw new Error(`State version ${String(stored.version)} is newer than this build: deploy the newer build again.`);
  }
  // Members that came later in the same version begin as in a fresh state.
  const fresh = freshState();
  return {
    ...fresh,
    ...stored,
    series: { ...fresh.series, ...stored.series },
    outbox: { ...fresh.outbox, ...stored.outbox },
  };
}

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

function operatorWork(why: string, force: boolean, recreate: boolean): Work {
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

function merge(a: Work | undefined, b: Work): Work {
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

/** When there will be something to do, as an instant in ms; `undefined` for never. Messages do not overtake a dated retry. */
export function dueAt(state: SubscriberState): number | undefined {
  if (state.erasure) return state.erasure.erasedAt ? undefined : state.erasure.at;
  if (state.pending && (!state.retry || state.pending.urgent)) return 0;
  if (state.retry) return state.retry.at;
  const dates = [state.look?.at, state.endsAt].filter((at) => at !== undefined);
  return dates.length > 0 ? Math.min(...dates) : undefined;
}

/** Takes all that is due now as one piece of work. Whatever arrives from here on is the next one's. */
export function takeWork(state: SubscriberState, now: number): Work | undefined {
  if (state.erasure || isOver(state, now)) return undefined;
  const due = dueAt(state);
  if (due === undefined || due > now) return undefined;
  if (state.pending || state.retry) {
    const fresh = state.pending !== undefined;
    const work = state.retry ? merge(state.retry.work, state.pending ?? state.retry.work) : (state.pending as Work);
    delete state.pending;
    if (fresh) state.series = seriesOf(state, work, now);
    return work;
  }
  const kind = state.look?.kind ?? 'recheck';
  if (kind === 'look') state.series = { ...state.series, look: state.series.look + 1 };
  else state.series = { look: 0, expect: kind === 'expiry' ? 'full' : 'none', expectedIds: [] };
  return {
    why: [kind],
    live: kind !== 'recheck',
    force: false,
    recreate: false,
    urgent: false,
    expect: state.series.expect,
    expectedIds: state.series.expectedIds,
  };
}

const promise = { none: 0, late: 1, full: 2 } as const;

/** A message begins a series of extra looks, unless one is running that promises more: then it joins that one. */
function seriesOf(state: SubscriberState, work: Work, now: number): SubscriberState['series'] {
  const soonAfterNews = state.newsAt !== undefined && now - state.newsAt < burstMs;
  const expect = work.expect === 'full' && soonAfterNews && work.expectedIds.length === 0 ? 'late' : work.expect;
  const { series, look } = state;
  const running = look?.kind === 'look' && look.at > now;
  const expectedIds = running ? union(series.expectedIds, work.expectedIds) : work.expectedIds;
  if (running && promise[expect] < promise[series.expect]) return { ...series, expectedIds };
  return { look: 0, expect, expectedIds };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].slice(-expectedIdsLength);
}

/** The activity's input for a piece of work. */
export function syncInput(state: SubscriberState, person: PersonId, work: Work): SyncInput {
  const cancelRequestedAt = latest(state.known.cancelRequestedAt, state.cancelRequests);
  state.cancelRequests = {};
  if (Object.keys(cancelRequestedAt).length > 0) state.known = { ...state.known, cancelRequestedAt };
  return {
    ...person,
    known: state.known,
    live: work.live,
    // Only a write tells whether Rule still does not know the subscriber.
    force: work.force || state.doubt || state.known.unsettled === true || state.known.notInRuleSince !== undefined,
    recreate: work.recreate,
    ...(work.sharesWith ? { sharesWith: work.sharesWith } : {}),
    look: state.series.look,
    expect: state.series.expect,
    expectedIds: state.series.expectedIds,
    waiting: waitingEvents(state.outbox),
    tells: tellsSoon(state.outbox),
    gained: state.outbox.gained,
  };
}

/** The later time of each contract: messages may come in any order. */
function latest(
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

/** Verdicts after which Rule is known to hold what is remembered. */
const certain: readonly string[] = ['created', 'updated', 'unchanged', 'gone'];

/** An attempt succeeded. */
export function recordResult(state: SubscriberState, work: Work, result: SyncResult, now: number): TrailEntry {
  state.known = result.known;
  delete state.retry;
  delete state.failure;
  delete state.failedAt;
  if (certain.includes(result.verdict)) state.doubt = false;
  if (result.news) state.newsAt = now;
  const { kind, afterMs, why } = result.next;
  state.look = { kind, at: now + afterMs, ...(why ? { why } : {}) };
  state.state = result.verdict === 'skipped' ? 'skipped' : 'ok';
  if (result.due) state.due = result.due;
  else delete state.due;
  if (result.reason) state.reason = result.reason;
  else delete state.reason;
  if (state.state === 'ok' && result.verdict !== 'waiting') state.syncedAt = iso(now);
  if (result.endsAfterMs === undefined) delete state.endsAt;
  else state.endsAt ??= now + result.endsAfterMs;
  state.gone = result.verdict === 'gone';
  if (state.gone || result.reason === 'deleted-in-rule') dropAll(state.outbox, iso(now));
  else if (result.verdict !== 'waiting') putFound(state.outbox, result);
  return recordAttempt(state, {
    at: iso(now),
    why: work.why,
    verdict: result.verdict,
    ...(result.reason ? { reason: result.reason } : {}),
    changes: result.changes,
    ...(result.problems.length > 0 ? { problems: result.problems } : {}),
  });
}

/** An attempt failed. What time or a key mends is tried again by itself; anything else waits for a message, a resync or a recheck. */
export function recordFailure(
  state: SubscriberState,
  work: Work,
  { seen, ...failure }: FailureDetails,
  now: number,
  chance: number,
): TrailEntry {
  if (seen) {
    const { lifecycle, ...found } = seen;
    state.known = { ...state.known, lifecycle };
    putFound(state.outbox, { ...found, gained: state.outbox.gained });
  }
  const waits = failure.next === 'wait' || failure.next === 'fix-key';
  if (failure.ruleId !== undefined) state.known = { ...state.known, ruleId: failure.ruleId };
  if (failure.wrote || /^(temporal|internal)\//.test(failure.type)) state.doubt = true;
  if (waits) {
    const count = (state.retry?.count ?? 0) + 1;
    state.retry = { count, at: now + retryWaitMs(count, failure, chance), work: { ...work, urgent: false } };
  } else {
    delete state.retry;
    state.look = { kind: 'recheck', at: now + Math.ceil(recheckFailedMs * (0.9 + chance / 5)) };
  }
  state.state = waits ? 'retrying' : 'failed';
  delete state.reason;
  state.failure = failure;
  state.failedAt ??= iso(now);
  return recordAttempt(state, { at: iso(now), why: work.why, failure });
}

/** Spread, so that people who met the same outage do not come back in the same second. */
export function retryWaitMs(count: number, { waitMs = 0 }: FailureDetails, chance: number): number {
  const grown = Math.min(firstRetryMs * 2 ** (count - 1), longestRetryMs);
  return Math.ceil(Math.max(grown * (0.75 + chance / 2), waitMs + chance * Math.min(grown, minute)));
}

/** Verdicts after which it is known what is true of the person now, so that it can be told. */
const telling: readonly (Verdict | undefined)[] = ['created', 'updated', 'unchanged'];

/** The next thing to be told to Rule, if there is any: right after a look only, and not while news waits to be looked at. */
export function takeDelivery(state: SubscriberState, look: TrailEntry): Delivery | undefined {
  if (state.erasure || state.pending || state.retry || !telling.includes(look.verdict)) return undefined;
  return nextDelivery(state.outbox);
}

/** The activity's input for a delivery. */
export function deliverInput(state: SubscriberState, person: PersonId, delivery: Delivery): DeliverInput {
  return { ...person, ruleId: state.known.ruleId ?? 0, ...delivery };
}

/** A delivery was made. @returns whether there may be more to deliver now */
export function recordDelivery(
  state: SubscriberState,
  delivery: Delivery,
  result: DeliverResult,
  now: number,
): boolean {
  if (result.outcome === 'no-subscriber') {
    // The next look finds out whether that is so, and what is to become of the person: by a write, whether there is anything new or not.
    state.doubt = true;
    state.look = { kind: 'second-look', at: Math.min(state.look?.at ?? Number.POSITIVE_INFINITY, now + minute) };
    state.doubt = true;
    return false;
  }
  const given = recordDelivered(state.outbox, delivery, result, iso(now));
  if (given.length > 0)
    state.known = { ...state.known, tags: [...new Set([...(state.known.tags ?? []), ...given])].sort() };
  return true;
}

/** A delivery failed: everything is fetched again before the next try, since what was to be told may be over by then. */
export function recordDeliveryFailure(
  state: SubscriberState,
  delivery: Delivery,
  failure: FailureDetails,
  now: number,
  chance: number,
): TrailEntry {
  const since = state.outbox.failing?.since ?? iso(now);
  const count = recordUndelivered(state.outbox, delivery, failure.notSent === true, iso(now));
  const why = `tell ${delivery.event?.type ?? 'state tags'}`;
  const { doubt } = state;
  state.retry = { count: count - 1, at: now, work: operatorWork(why, false, false) };
  const entry = recordFailure(state, state.retry.work, failure, now, chance);
  state.failedAt = since;
  // What was delivered is not what a sync writes.
  state.doubt = doubt;
  return entry;
}

function recordAttempt(state: SubscriberState, entry: TrailEntry): TrailEntry {
  state.attempts += 1;
  state.trail = [...state.trail, entry].slice(-trailLength);
  return entry;
}

/** Whether the workflow may end: the person is gone from Sesamy, or a guest's time has passed, and nothing waits. */
export function isOver(state: SubscriberState, now: number): boolean {
  if (state.lifted) return true;
  if (state.erasure) return false;
  if (state.pending || state.retry) return false;
  return state.gone || (state.endsAt !== undefined && state.endsAt <= now);
}

/** What waits for a person's decision, the first of it. */
export function heldOf(state: SubscriberState): { what: HeldKind; since: string } | undefined {
  return heldBy(state.outbox);
}

/** What happens next by itself, in words. */
export function nextWhy(state: SubscriberState): string {
  if (state.erasure) return `erase, try ${state.erasure.tries + 1}`;
  if (state.retry) return `retry ${state.retry.count} after ${state.failure?.type ?? 'a failure'}`;
  if (state.endsAt !== undefined && state.look && state.endsAt < state.look.at) return 'end: still a guest';
  switch (state.look?.kind) {
    case 'look':
      return "look again: Sesamy's API may lag its events";
    case 'second-look':
      return 'look again: Sesamy or Rule does not show what should be there';
    case 'expiry':
      return 'an access or a contract ends';
    case 'due':
      return state.look.why ?? 'the time for an event has come';
    case 'recheck':
      return state.look.why ?? 'regular recheck';
    default:
      return 'first sync';
  }
}

export function statusOf(state: SubscriberState, person: PersonId): SubscriberStatus {
  const due = dueAt(state);
  return {
    ...person,
    state: state.state,
    ...(state.reason ? { reason: state.reason } : {}),
    ...(state.failure ? { failure: state.failure } : {}),
    ...(state.failedAt ? { failedAt: state.failedAt } : {}),
    ...(state.known.ruleId === undefined ? {} : { ruleId: state.known.ruleId }),
    ...(state.known.stage ? { stage: state.known.stage } : {}),
    tags: state.known.tags ?? [],
    ...(state.syncedAt ? { syncedAt: state.syncedAt } : {}),
    attempts: state.attempts,
    ...(due ? { next: { at: iso(due), why: nextWhy(state) } } : {}),
    ...(state.due ? { due: state.due } : {}),
    pending: state.pending?.why ?? [],
    waiting: waitingOf(state.outbox),
    gained: state.outbox.gained,
    told: state.outbox.told,
    trail: state.trail,
    ...(state.erasure ? { erasure: erasureOf(state.erasure) } : {}),
  };
}

/** @param atWork an attempt or a delivery is under way */
export function memoryOf(state: SubscriberState, atWork: boolean): SubscriberMemory {
  return {
    state: state.state,
    ...(state.reason ? { reason: state.reason } : {}),
    known: state.known,
    gained: state.outbox.gained,
    underWay: atWork || (state.pending !== undefined && !state.retry),
    attempts: state.attempts,
    over: state.gone || state.erasure !== undefined || state.lifted === true,
  };
}

/** What is told of an erasure. */
export function erasureOf({ askedAt, erasedAt, deleted, sharedWith, failure }: Erasure): Erasure {
  return {
    askedAt,
    ...(erasedAt ? { erasedAt } : {}),
    deleted,
    sharedWith,
    ...(failure ? { failure } : {}),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
