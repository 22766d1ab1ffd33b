import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  addressKeyKey,
  discardSignal,
  type Erasure,
  eraseSignal,
  eraseUpdate,
  failedAtKey,
  failureTypeKey,
  heldTypes,
  lifecycleStageKey,
  liftErasureSignal,
  memoryQuery,
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
import {
  deliverInput,
  recordDelivery,
  recordDeliveryFailure,
  recordFailure,
  recordResult,
  syncInput,
  takeDelivery,
  takeWork,
} from './attempts.js';
import { describe } from './describe.js';
import {
  deleteInput,
  erasedEntry,
  lookInput,
  mustErase,
  recordDeleted,
  recordErase,
  recordErased,
  recordLift,
  recordLooked,
  recordNotErased,
} from './erasure.js';
import {
  priorityOf,
  putBack,
  recordDiscard,
  recordFirstLook,
  recordNudge,
  recordRelease,
  recordResync,
  recordSyncNow,
} from './messages.js';
import {
  dueAt,
  erasureOf,
  heldOf,
  isOver,
  memoryOf,
  nextWhy,
  restore,
  type SubscriberState,
  statusOf,
  type Work,
} from './subscriber-state.js';
import { activityOptions, failureDetails } from './vendor-activities.js';

/** Past this many events an idle run starts afresh with its state: waking it replays the history, so histories stay short. */
const longHistory = 300;

export interface SubscriberInput extends PersonId {
  /** Carried over from the run before. */
  state?: SubscriberState;
}

/** Why a subscriber's workflow came to its end. */
export interface SubscriberEnd {
  because: 'gone-from-sesamy' | 'still-a-guest' | 'erasure-lifted';
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
  const current: Attempt = {};

  setHandler(statusQuery, () => statusOf(state, person), {
    description: 'What was done, what failed, what happens next',
  });
  setHandler(memoryQuery, () => memoryOf(state, current.any !== undefined), {
    description: 'What is remembered for the next sync; for audits',
  });
  for (const name of Object.keys(nudgeSignals) as NudgeName[]) {
    setHandler(
      nudgeSignals[name],
      (nudge) => {
        recordNudge(state, name, nudge ?? { event: name, occurredAt: '' });
        // A resync of everybody fills the vendor's queue for hours: news does not wait behind the person's own part of it.
        if (current.quiet && patched('news-overtakes')) current.quiet.cancel();
      },
      { description: 'A webhook told that something happened' },
    );
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
  setHandler(liftErasureSignal, () => recordLift(state), {
    description: 'Take an erasure back: the next message about the reader begins anew; needs no input',
  });
  const askToErase = () => {
    recordErase(state, Date.now());
    current.any?.cancel();
  };
  setHandler(eraseSignal, askToErase, {
    description: 'Delete the reader in Rule, forget them and ignore what comes; needs no input',
  });
  setHandler(
    eraseUpdate,
    async () => {
      if (!state.erasure) askToErase();
      const tries = state.erasure?.tries ?? 0;
      await condition(() => state.erasure?.erasedAt !== undefined || (state.erasure?.tries ?? 0) > tries);
      return erasureOf(state.erasure as Erasure);
    },
    { description: 'The same as the signal; answers after the next try' },
  );
  setHandler(
    syncNowUpdate,
    async (request) => {
      if (state.erasure) return erasedEntry(state, Date.now());
      recordSyncNow(state, request);
      tickets.drawn += 1;
      const ticket = tickets.drawn;
      await condition(() => tickets.served >= ticket || state.erasure !== undefined);
      return state.erasure ? erasedEntry(state, Date.now()) : (last as TrailEntry);
    },
    { description: 'One attempt now; answers with its outcome' },
  );

  const mayContinueAsNew = () =>
    allHandlersFinished() && (workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > longHistory);

  for (;;) {
    for (let work = takeWork(state, Date.now()); work; work = takeWork(state, Date.now())) {
      const taken = tickets.drawn;
      const entry = await attempt(state, person, work, current);
      if (!entry) continue;
      last = entry;
      tickets.served = taken;
      // Whatever has come in meanwhile is looked at first: it may be that there is nothing to tell any more.
      while (await deliver(state, person, last, current));
      // However many messages keep coming: the history must not grow without end, and people want to see what goes on.
      if (mayContinueAsNew()) break;
    }
    if (mustErase(state, Date.now())) {
      publish(state, person);
      const isDone = await erase(state, person);
      publish(state, person);
      // What the history holds of the reader ends with the run.
      if (isDone) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof subscriber>({ ...person, state });
      }
    }
    publish(state, person);
    if (isOver(state, Date.now()) && allHandlersFinished()) {
      return { because: state.lifted ? 'erasure-lifted' : state.gone ? 'gone-from-sesamy' : 'still-a-guest' };
    }
    if (mayContinueAsNew()) await continueAsNew<typeof subscriber>({ ...person, state });

    // Started without a message, or with one that no worker took before it was given up: there is a first look all the same.
    if (state.attempts === 0 && !state.erasure && dueAt(state) === undefined) recordFirstLook(state, Date.now());
    const due = dueAt(state);
    const isDue = () => (dueAt(state) ?? Number.POSITIVE_INFINITY) <= Date.now();
    const awake = () => (isOver(state, Date.now()) ? allHandlersFinished() : isDue()) || mayContinueAsNew();
    if (due === undefined) await condition(awake);
    else await condition(awake, Math.max(1, due - Date.now()), { summary: nextWhy(state) });
  }
}

/** What is under way, so that it can be called off while it waits in the vendor's queue. */
interface Attempt {
  any?: CancellationScope;
  /** The same where nothing has happened that waits for it. */
  quiet?: CancellationScope;
}

/** Does the work where it can be called off. @returns `undefined` when it was, before a worker had begun it */
async function callable<T>(current: Attempt, isQuiet: boolean, work: () => Promise<T>): Promise<T | undefined> {
  const scope = new CancellationScope();
  current.any = scope;
  if (isQuiet) current.quiet = scope;
  try {
    return await scope.run(work);
  } catch (error) {
    if (isCancellation(error) && scope.consideredCancelled && !CancellationScope.current().consideredCancelled) {
      return undefined;
    }
    throw error;
  } finally {
    delete current.any;
    delete current.quiet;
  }
}

/** Deletes the reader in Rule. @returns whether it is done */
async function erase(state: SubscriberState, person: PersonId): Promise<boolean> {
  const { eraseSubscriber } = proxyActivities<SubscriberActivities>({
    ...activityOptions(person),
    summary: 'erase in Rule',
    priority: { priorityKey: 1 },
  });
  try {
    const found = await eraseSubscriber(lookInput(state, person));
    recordLooked(state, found);
    // The hashes of all addresses, before what shows them is gone.
    publish(state, person);
    if (found.ruleIds.length > 0) recordDeleted(state, await eraseSubscriber(deleteInput(state, person, found)));
    if (found.incomplete) {
      recordNotErased(state, found.incomplete, Date.now(), Math.random());
      return false;
    }
    recordErased(state, Date.now());
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    recordNotErased(state, failureDetails(error), Date.now(), Math.random());
    return false;
  }
}

/** Tells Rule of the next event. @returns whether there may be more to tell now */
async function deliver(state: SubscriberState, person: PersonId, look: TrailEntry, current: Attempt): Promise<boolean> {
  const delivery = takeDelivery(state, look);
  if (!delivery) return false;
  const { deliverEvent } = proxyActivities<SubscriberActivities>({
    ...activityOptions(person),
    summary: `tell: ${delivery.event?.type ?? delivery.gained.join(', ')}`,
    priority: { priorityKey: 2 },
  });
  try {
    const result = await callable(current, false, () => deliverEvent(deliverInput(state, person, delivery)));
    if (!result) return false;
    return recordDelivery(state, delivery, result, Date.now());
  } catch (error) {
    if (isCancellation(error)) throw error;
    recordDeliveryFailure(state, delivery, failureDetails(error), Date.now(), Math.random());
    return false;
  }
}

/** @returns `undefined` when it was called off before it began: the work is put back */
async function attempt(
  state: SubscriberState,
  person: PersonId,
  work: Work,
  current: Attempt,
): Promise<TrailEntry | undefined> {
  const { syncSubscriber } = proxyActivities<SubscriberActivities>({
    ...activityOptions(person),
    summary: `${work.live ? 'live' : 'quiet'}: ${work.why.join(', ')}`,
    // Live before what is caught up: a resync of everybody must not stand in a webhook's way.
    priority: { priorityKey: priorityOf(work) },
  });
  try {
    const input = syncInput(state, person, work);
    const result = await callable(current, !work.live, () => syncSubscriber(input));
    if (!result) {
      // It may have been called off between two tries, the first of which wrote.
      state.doubt = true;
      putBack(state, work);
      return undefined;
    }
    return recordResult(state, work, result, Date.now());
  } catch (error) {
    if (isCancellation(error)) throw error;
    return recordFailure(state, work, failureDetails(error), Date.now(), Math.random());
  }
}

/** Brings search attributes and the details of the Temporal UI up to date; only what changed is written, as each write is an event. */
function publish(state: SubscriberState, person: PersonId): void {
  setCurrentDetails(describe(state, person));
  if (state.state === 'new') return;
  const due = dueAt(state);
  const held = heldOf(state);
  const addressKeys = state.erasure?.addressKeys ?? (state.known.addressKey ? [state.known.addressKey] : []);
  const wanted: Record<string, string> = {
    SyncState: state.state,
    FailureType: state.failure?.type ?? (held ? heldTypes[held.what] : ''),
    FailedAt: state.failedAt ?? held?.since ?? '',
    LifecycleStage: state.known.stage ?? '',
    NextDueAt: due ? new Date(due).toISOString() : '',
    AddressKey: addressKeys.join(' '),
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
      { key: addressKeyKey, value: addressKeys.length > 0 ? addressKeys : null },
    ].filter(({ key }) => changed.includes(key.name)),
  );
  state.published = wanted;
}
