/** What all workflows have in common that call a vendor's activities. */
import {
  ActivityCancellationType,
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { activityTaskQueue, type FailureDetails, type PersonId } from '../contract/index.js';

/** What all activities of a vendor have in common. */
export function activityOptions({ vendorId }: Pick<PersonId, 'vendorId'>): ActivityOptions {
  return {
    taskQueue: activityTaskQueue(vendorId),
    // The longest honest attempt; a worker that died is noticed by the missing heartbeat.
    startToCloseTimeout: '90 seconds',
    heartbeatTimeout: '15 seconds',
    // Time in the vendor's queue counts here, and a backfill may fill it for hours.
    scheduleToCloseTimeout: '2 days',
    // One that a worker has begun goes on to its end, so that what it did is known.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // Short, for hiccups. Outages are the loop's: there they can be seen, listed and cut short.
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 3 },
  };
}

export function failureDetails(error: unknown): FailureDetails {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const details = cause.details?.[0] as FailureDetails | undefined;
    return details?.next ? details : { type: cause.type ?? 'internal/unexpected', next: 'wait' };
  }
  if (cause instanceof TimeoutFailure) return { type: 'temporal/timeout', next: 'wait' };
  if (error instanceof ActivityFailure) return { type: 'temporal/activity', next: 'wait' };
  throw error;
}
