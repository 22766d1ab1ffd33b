import { Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { FailureDetails, SubscriberActivities } from '../contract/index.js';
import { toFailure } from './failures.js';
import { syncSubscriber } from './sync-subscriber.js';
import type { Vendor } from './vendor.js';

/** Well inside the workflow's heartbeat time-out, so that only a dead worker misses it. */
const heartbeatMs = 4_000;

/** The activities of one vendor's queue. */
export function createActivities(vendor: Vendor, now: () => Date = () => new Date()): SubscriberActivities {
  return {
    async syncSubscriber(input) {
      const context = Context.current();
      let step = 'begin';
      const beat = setInterval(() => heartbeat(step), heartbeatMs);
      try {
        // An attempt before this one may have been cut off between its writes.
        const again = context.info.attempt > 1;
        return await syncSubscriber(vendor, again ? { ...input, force: true } : input, {
          signal: context.cancellationSignal,
          step: (name) => {
            step = name;
            heartbeat(step);
          },
          now,
        });
      } catch (error) {
        if (context.cancellationSignal.aborted) throw stopped(context.cancellationSignal.reason);
        const failure = toFailure(error, 'syncSubscriber', { wrote: step.startsWith('rule:') });
        if (failure instanceof ApplicationFailure) {
          if (failure.type === 'internal/unexpected') logUnexpected(error, context);
          else context.log.warn('a sync failed', { failure: failure.message, failureType: failure.type ?? '' });
        }
        throw failure;
      } finally {
        clearInterval(beat);
      }
    },
  };
}

/** The worker is being stopped: another one shall do it at once. A cancellation by the server goes on as it is. */
function stopped(reason: unknown): unknown {
  if (reason instanceof Error && !/SHUTDOWN/i.test(reason.message)) return reason;
  const details: FailureDetails = { type: 'temporal/worker-stopped', next: 'wait' };
  return ApplicationFailure.create({
    message: 'the worker was stopped in the middle of an attempt',
    type: details.type,
    details: [details],
    nextRetryDelay: '1 second',
  });
}

/** Where it broke, without the message: that could hold a reader's data. */
function logUnexpected(error: unknown, context: Context): void {
  const stack =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')) : [];
  context.log.error('unexpected error in an activity', {
    errorName: error instanceof Error ? error.name : typeof error,
    stack,
  });
}

export type { Vendor } from './vendor.js';
