/**
 * What the workflow `subscriber` keeps and how each message and each attempt changes it. Pure, without Temporal, so that a test can
 * drive it by hand; time and chance are handed in.
 */
import type {
  FailureDetails,
  Known,
  NextLookKind,
  Nudge,
  NudgeName,
  PersonId,
  ResyncRequest,
  SubscriberStatus,
  SyncInput,
  SyncNowRequest,
  SyncReason,
  SyncResult,
  SyncState,
  TrailEntry,
} from '../contract/index.js';

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
}

/** The workflow's whole memory; carried over at continue-as-new. A change of its form raises `version` and adds a step to `restore`. */
export interface SubscriberState {
  version: 1;
  known: Known;
  /** Times of cancel requests that no sync has taken up yet, by contract id. */
  cancelRequests: Record<string, string>;
  pending?: Work;
  retry?: { count: number; at: number; work: Work };
  look?: { kind: NextLookKind; at: number };
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
  return { ...fresh, ...stored, series: { ...fresh.series, ...stored.series } };
}

/** A webhook arrived. */
export function recordNudge(state: SubscriberState, name: NudgeName, nudge: Nudge): void {
  const ids = [nudge.contractId, nudge.entitlementId, nudge.checkoutId];
  const key = [nudge.event, nudge.occurredAt, ...ids].join(' ');
  const repeat = state.seen.includes(key);
  if (!repeat) state.seen = [...state.seen, key].slice(-seenLength);
  if (name === 'cancelRequested' && nudge.contractId) {
    const earlier = state.cancelRequests[nudge.contractId];
    if (!earlier || earlier < nudge.occurredAt) state.cancelRequests[nudge.contractId] = nudge.occurredAt;
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

/** A person, a backfill or a repair asks for everything to be written again, quietly. */
export function recordResync(state: SubscriberState, request?: ResyncRequest | null): void {
  addPending(state, operatorWork('resync', true, request?.recreate === true));
}

/** A person waits for one attempt. */
export function recordSyncNow(state: SubscriberState, request?: SyncNowRequest | null): void {
  addPending(state, operatorWork('syncNow', request?.force === true, request?.recreate === true));
}

function operatorWork(why: string, force: boolean, recreate: boolean): Work {
  return { why: [why], live: false, force, recreate, urgent: true, expect: 'none', expectedIds: [] };
}

function addPending(state: SubscriberState, work: Work): void {
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
  };
}

/** When there will be something to do, as an instant in ms; `undefined` for never. Messages do not overtake a dated retry. */
export function dueAt(state: SubscriberState): number | undefined {
  if (state.pending && (!state.retry || state.pending.urgent)) return 0;
  if (state.retry) return state.retry.at;
  const dates = [state.look?.at, state.endsAt].filter((at) => at !== undefined);
  return dates.length > 0 ? Math.min(...dates) : undefined;
}

/** Takes all that is due now as one piece of work. Whatever arrives from here on is the next one's. */
export function takeWork(state: SubscriberState, now: number): Work | undefined {
  if (isOver(state, now)) return undefined;
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
    force: work.force || state.doubt || state.known.unsettled === true,
    recreate: work.recreate,
    look: state.series.look,
    expect: state.series.expect,
    expectedIds: state.series.expectedIds,
  };
}

/** The later time of each contract: messages may come in any order. */
function latest(
  a: Readonly<Record<string, string>> = {},
  b: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const times = { ...a };
  for (const [id, at] of Object.entries(b)) {
    const known = times[id];
    if (known === undefined || known < at) times[id] = at;
  }
  return times;
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
  state.look = { kind: result.next.kind, at: now + result.next.afterMs };
  state.state = result.verdict === 'skipped' ? 'skipped' : 'ok';
  if (result.reason) state.reason = result.reason;
  else delete state.reason;
  if (state.state === 'ok' && result.verdict !== 'waiting') state.syncedAt = iso(now);
  if (result.endsAfterMs === undefined) delete state.endsAt;
  else state.endsAt ??= now + result.endsAfterMs;
  state.gone = result.verdict === 'gone';
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
  failure: FailureDetails,
  now: number,
  chance: number,
): TrailEntry {
  const waits = failure.next === 'wait' || failure.next === 'fix-key';
  if (failure.wrote || /^(temporal|internal)\//.test(failure.type)) state.doubt = true;
  if (waits) {
    const count = (state.retry?.count ?? 0) + 1;
    const grown = Math.min(firstRetryMs * 2 ** (count - 1), longestRetryMs);
    // Spread, so that people who met the same outage do not come back in the same second.
    const wait = Math.max(grown * (0.75 + chance / 2), (failure.waitMs ?? 0) + chance * Math.min(grown, minute));
    state.retry = { count, at: now + Math.ceil(wait), work: { ...work, urgent: false } };
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

function recordAttempt(state: SubscriberState, entry: TrailEntry): TrailEntry {
  state.attempts += 1;
  state.trail = [...state.trail, entry].slice(-trailLength);
  return entry;
}

/** Whether the workflow may end: the person is gone from Sesamy, or a guest's time has passed, and nothing waits. */
export function isOver(state: SubscriberState, now: number): boolean {
  if (state.pending || state.retry) return false;
  return state.gone || (state.endsAt !== undefined && state.endsAt <= now);
}

/** What happens next by itself, in words. */
export function nextWhy(state: SubscriberState): string {
  if (state.retry) return `retry ${state.retry.count} after ${state.failure?.type ?? 'a failure'}`;
  if (state.endsAt !== undefined && state.look && state.endsAt < state.look.at) return 'end: still a guest';
  switch (state.look?.kind) {
    case 'look':
      return "look again: Sesamy's API may lag its events";
    case 'second-look':
      return 'look again: Sesamy or Rule does not show what should be there';
    case 'expiry':
      return 'an access, a contract or a stage ends';
    case 'recheck':
      return 'regular recheck';
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
    pending: state.pending?.why ?? [],
    trail: state.trail,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
