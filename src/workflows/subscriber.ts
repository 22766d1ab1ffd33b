import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  TimeoutFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  activityTaskQueue,
  discardSignal,
  type FailureDetails,
  failedAtKey,
  failureTypeKey,
  heldTypes,
  lifecycleStageKey,
  type NudgeName,
  nextDueAtKey,
  nudgeSignals,
  type PersonId,
  releaseSignal,
  resyncSignal,
  type SubscriberActivities,
  statusQuery,
  syncNowUpdate,
  syncStateKey,
  type TrailEntry,
  userIdPattern,
  vendorIdPattern,
} from '../contract/index.js';
import { describe } from './describe.js';
import {
  deliverInput,
  dueAt,
  heldOf,
  isOver,
  nextWhy,
  priorityOf,
  recordDelivery,
  recordDeliveryFailure,
  recordDiscard,
  recordFailure,
  recordFirstLook,
  recordNudge,
  recordRelease,
  recordResult,
  recordResync,
  recordSyncNow,
  restore,
  type SubscriberState,
  statusOf,
  syncInput,
  takeDelivery,
  takeWork,
  type Work,
} from './subscriber-state.js';

/** Past this many events an idle run starts afresh with its state: waking it replays the history, so histories stay short. */
const longHistory = 300;

export interface SubscriberInput extends PersonId {
  /** Carried over from the run before. */
  state?: SubscriberState;
}

/** Why a subscriber's workflow came to its end. */
export interface SubscriberEnd {
  because: 'gone-from-sesamy' | 'still-a-guest';
}

/**
 * Looks after one reader of one vendor for as long as the reader exists: takes what messages have come, syncs once, waits for news or
 * for the nearest due date. Handlers only record; the loop works.
 */
export async function subscriber(input: SubscriberInput): Promise<SubscriberEnd> {
  const { vendorId, userId } = input;
  if (!vendorIdPattern.test(vendorId) || !userIdPattern.test(userId)) {
    throw ApplicationFailure.nonRetryable(
      'vendorId and userId are needed, of the form Sesamy gives them',
      'contract/bad-input',
    );
  }
  const person = { vendorId, userId };
  const state = restore(input.state);
  // Update handlers wait for the attempt that took their request: tickets are drawn by them and served by the loop.
  const tickets = { drawn: 0, served: 0 };
  let last: TrailEntry | undefined;

  setHandler(statusQuery, () => statusOf(state, person), {
    description: 'What was done, what failed, what happens next',
  });
  for (const name of Object.keys(nudgeSignals) as NudgeName[]) {
    setHandler(nudgeSignals[name], (nudge) => recordNudge(state, name, nudge ?? { event: name, occurredAt: '' }), {
      description: 'A webhook told that something happened',
    });
  }
  setHandler(resyncSignal, (request) => recordResync(state, request), {
    description: 'Write everything again, quietly; needs no input',
  });
  setHandler(releaseSignal, (request) => recordRelease(state, request), {
    description: 'Tell of what is held after all, if it is still true; needs no input',
  });
  setHandler(discardSignal, (request) => recordDiscard(state, request, Date.now()), {
    description: 'Never tell of what is held; needs no input',
  });
  setHandler(
    syncNowUpdate,
    async (request) => {
      recordSyncNow(state, request);
      tickets.drawn += 1;
      const ticket = tickets.drawn;
      await condition(() => tickets.served >= ticket);
      return last as TrailEntry;
    },
    { description: 'One attempt now; answers with its outcome' },
  );

  const mayContinueAsNew = () =>
    allHandlersFinished() && (workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > longHistory);

  for (;;) {
    for (let work = takeWork(state, Date.now()); work; work = takeWork(state, Date.now())) {
      const taken = tickets.drawn;
      last = await attempt(state, person, work);
      tickets.served = taken;
      // Whatever has come in meanwhile is looked at first: it may be that there is nothing to tell any more.
      while (await deliver(state, person, last));
      // However many messages keep coming: the history must not grow without end, and people want to see what goes on.
      if (mayContinueAsNew()) break;
    }
    publish(state, person);
    if (isOver(state, Date.now()) && allHandlersFinished()) {
      return { because: state.gone ? 'gone-from-sesamy' : 'still-a-guest' };
    }
    if (mayContinueAsNew()) await continueAsNew<typeof subscriber>({ ...person, state });

    // Started without a message, or with one that no worker took before it was given up: there is a first look all the same.
    if (state.attempts === 0 && dueAt(state) === undefined) recordFirstLook(state, Date.now());
    const due = dueAt(state);
    const isDue = () => (dueAt(state) ?? Number.POSITIVE_INFINITY) <= Date.now();
    const awake = () => (isOver(state, Date.now()) ? allHandlersFinished() : isDue()) || mayContinueAsNew();
    if (due === undefined) await condition(awake);
    else await condition(awake, Math.max(1, due - Date.now()), { summary: nextWhy(state) });
  }
}

/** Tells Rule of the next event. @returns whether there may be more to tell now */
async function deliver(state: SubscriberState, person: PersonId, look: TrailEntry): Promise<boolean> {
  const delivery = takeDelivery(state, look);
  if (!delivery) return false;
  const { deliverEvent } = proxyActivities<SubscriberActivities>({
    ...activityOptions(person),
    summary: `tell: ${delivery.event?.type ?? delivery.gained.join(', ')}`,
    priority: { priorityKey: 2 },
  });
  try {
    const result = await deliverEvent(deliverInput(state, person, delivery));
    return recordDelivery(state, delivery, result, Date.now());
  } catch (error) {
    if (isCancellation(error)) throw error;
    recordDeliveryFailure(state, delivery, failureDetails(error), Date.now(), Math.random());
    return false;
  }
}

/** What all activities of a vendor have in common. */
function activityOptions({ vendorId }: PersonId): ActivityOptions {
  return {
    taskQueue: activityTaskQueue(vendorId),
    // The longest honest attempt; a worker that died is noticed by the missing heartbeat.
    startToCloseTimeout: '90 seconds',
    heartbeatTimeout: '15 seconds',
    // Time in the vendor's queue counts here, and a backfill may fill it for hours.
    scheduleToCloseTimeout: '2 days',
    // Short, for hiccups. Outages are the loop's: there they can be seen, listed and cut short.
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 3 },
  };
}

async function attempt(state: SubscriberState, person: PersonId, work: Work): Promise<TrailEntry> {
  const { syncSubscriber } = proxyActivities<SubscriberActivities>({
    ...activityOptions(person),
    summary: `${work.live ? 'live' : 'quiet'}: ${work.why.join(', ')}`,
    // Live before what is caught up: a resync of everybody must not stand in a webhook's way.
    priority: { priorityKey: priorityOf(work) },
  });
  try {
    const result = await syncSubscriber(syncInput(state, person, work));
    return recordResult(state, work, result, Date.now());
  } catch (error) {
    if (isCancellation(error)) throw error;
    return recordFailure(state, work, failureDetails(error), Date.now(), Math.random());
  }
}

function failureDetails(error: unknown): FailureDetails {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const details = cause.details?.[0] as FailureDetails | undefined;
    return details?.next ? details : { type: cause.type ?? 'internal/unexpected', next: 'wait' };
  }
  if (cause instanceof TimeoutFailure) return { type: 'temporal/timeout', next: 'wait' };
  if (error instanceof ActivityFailure) return { type: 'temporal/activity', next: 'wait' };
  throw error;
}

/** Brings search attributes and the details of the Temporal UI up to date; only what changed is written, as each write is an event. */
function publish(state: SubscriberState, person: PersonId): void {
  setCurrentDetails(describe(state, person));
  if (state.state === 'new') return;
  const due = dueAt(state);
  const held = heldOf(state);
  const wanted: Record<string, string> = {
    SyncState: state.state,
    FailureType: state.failure?.type ?? (held ? heldTypes[held.what] : ''),
    FailedAt: state.failedAt ?? held?.since ?? '',
    LifecycleStage: state.known.stage ?? '',
    NextDueAt: due ? new Date(due).toISOString() : '',
  };
  const changed = Object.keys(wanted).filter((name) => (state.published[name] ?? '') !== wanted[name]);
  if (changed.length === 0) return;
  const text = (name: string) => wanted[name] || null;
  const date = (name: string) => (wanted[name] ? new Date(wanted[name]) : null);
  upsertSearchAttributes(
    [
      { key: syncStateKey, value: text('SyncState') },
      { key: failureTypeKey, value: text('FailureType') },
      { key: failedAtKey, value: date('FailedAt') },
      { key: lifecycleStageKey, value: text('LifecycleStage') },
      { key: nextDueAtKey, value: date('NextDueAt') },
    ].filter(({ key }) => changed.includes(key.name)),
  );
  state.published = wanted;
}
