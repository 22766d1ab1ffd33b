/** What is due, what the activities are asked, and how their outcomes change what the workflow `subscriber` keeps. Pure. */
import type {
  DeliverInput,
  DeliverResult,
  FailureDetails,
  PersonId,
  SyncInput,
  SyncResult,
  TrailEntry,
  Verdict,
} from '../contract/index.js';
import { latest, merge, operatorWork, union } from './messages.js';
import {
  type Delivery,
  dropAll,
  nextDelivery,
  putFound,
  recordDelivered,
  recordUndelivered,
  tellsSoon,
  waitingEvents,
} from './outbox.js';
import { dueAt, isOver, iso, type SubscriberState, type Work } from './subscriber-state.js';

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
