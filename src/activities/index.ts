import { Context, heartbeat } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type {
  AuditActivities,
  DeliverInput,
  ListingActivities,
  PeopleActivities,
  SubscriberActivities,
} from '../contract/index.js';
import { steadyNow } from '../http/steady-clock.js';
import { loggedError } from '../log-error.js';
import { deliverEvent } from './deliver-event.js';
import { eraseSubscriber } from './erase-subscriber.js';
import { toFailure } from './failures.js';
import { inspectSubscriber } from './inspect.js';
import { listUsers } from './list-users.js';
import { countPeople, listPeople, resyncPeople } from './people.js';
import { isAskedFor, stopped } from './stopped.js';
import { inspectStray, listTagged, mendStray } from './stray.js';
import { type Attempt, syncSubscriber } from './sync-subscriber.js';
import type { Vendor } from './vendor.js';

/** Well inside the workflow's heartbeat time-out, so that only a dead worker misses it. */
const heartbeatMs = 4_000;

/** The activities of one vendor's queue. */
export function createActivities(
  vendor: Vendor,
  now: () => Date = () => new Date(),
): SubscriberActivities & AuditActivities & ListingActivities {
  return {
    syncSubscriber: (input) =>
      attempted('syncSubscriber', now, (attempt, again) =>
        // An attempt before this one may have been cut off between its writes.
        syncSubscriber(vendor, again ? { ...input, force: true } : input, attempt),
      ),
    listUsers: (input) => attempted('listUsers', now, (attempt) => listUsers(vendor, input, attempt)),
    deliverEvent: (input) =>
      attempted('deliverEvent', now, (attempt, again) => deliverEvent(vendor, again ? tried(input) : input, attempt)),
    eraseSubscriber: (input) => attempted('eraseSubscriber', now, (attempt) => eraseSubscriber(vendor, input, attempt)),
    inspectSubscriber: (input) =>
      attempted('inspectSubscriber', now, (attempt) => inspectSubscriber(vendor, input, attempt)),
    listTagged: (input) => attempted('listTagged', now, (attempt) => listTagged(vendor, input, attempt)),
    inspectStray: (input) => attempted('inspectStray', now, (attempt) => inspectStray(vendor, input, attempt)),
    mendStray: (input) => attempted('mendStray', now, (attempt) => mendStray(vendor, input, attempt)),
  };
}

/** The activities of the queue of workflow tasks: they talk to Temporal only. */
export function createPeopleActivities(client: Client): PeopleActivities {
  const now = () => new Date();
  return {
    countPeople: ({ vendorId }) => attempted('countPeople', now, () => countPeople(client, vendorId)),
    listPeople: (input) => attempted('listPeople', now, () => listPeople(client, input)),
    resyncPeople: (input) => attempted('resyncPeople', now, () => resyncPeople(client, input)),
  };
}

/** What an attempt before may have done is not known: above all not whether a receipt that was released has gone out. */
function tried(input: DeliverInput): DeliverInput {
  const released = input.released && input.event?.type !== 'receipt';
  return { ...input, again: true, notSent: false, released };
}

/** One attempt of an activity: beats while it works, says where it is, and turns what it throws into Temporal's failure. */
async function attempted<T>(
  name: string,
  now: () => Date,
  work: (attempt: Attempt, again: boolean) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let step = 'begin';
  let ruleId: number | undefined;
  const beat = setInterval(() => heartbeat(step), heartbeatMs);
  const signal = cutOff(context);
  try {
    const attempt: Attempt = {
      signal,
      // Told by the next beat: most attempts are over before the first, and each beat is a call that Temporal stores, and bills.
      step: (what) => {
        step = what;
      },
      now,
      wrote: (id) => {
        ruleId = id;
      },
    };
    return await work(attempt, context.info.attempt > 1);
  } catch (error) {
    if (signal.aborted) throw stopped(signal.reason);
    const failure = toFailure(error, name, { wrote: step.startsWith('rule:'), ruleId });
    if (failure instanceof ApplicationFailure) {
      if (failure.type === 'internal/unexpected') logUnexpected(error, context);
      else context.log.warn(`${name} failed`, { failure: failure.message, failureType: failure.type ?? '' });
    }
    throw failure;
  } finally {
    clearInterval(beat);
  }
}

/**
 * Whatever ends an attempt in its middle, but for the workflow's own wish: an attempt that has begun goes on to its end then, since a
 * request that is cut off may take effect later, after what the workflow does next.
 */
function cutOff({ cancellationSignal: cancelled, info }: Context): AbortSignal {
  const controller = new AbortController();
  const startedAt = steadyNow();
  const pass = () => {
    const { reason } = cancelled;
    if (!isAskedFor(reason)) return controller.abort(reason);
    // The signal tells only once: that the time is up is noticed here.
    const left = startedAt + info.startToCloseTimeoutMs - steadyNow();
    setTimeout(() => controller.abort(reason), Math.max(left, 0)).unref();
  };
  if (cancelled.aborted) pass();
  cancelled.addEventListener('abort', pass, { once: true });
  return controller.signal;
}

/** Where it broke, without the message: that could hold a reader's data. */
function logUnexpected(error: unknown, context: Context): void {
  const { name, stack } = loggedError(error);
  context.log.error('unexpected error in an activity', { errorName: name, stack });
}

export { createBackfillActivities } from './backfill.js';
export type { Vendor } from './vendor.js';
