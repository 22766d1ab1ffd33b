import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { FailureDetails } from '../contract/index.js';

/** The worker is being stopped: another one shall do it at once. A cancellation by the server goes on as it is. */
export function stopped(reason: unknown): unknown {
  if (reason instanceof Error && !/SHUTDOWN/i.test(reason.message)) return reason;
  const details: FailureDetails = { type: 'temporal/worker-stopped', next: 'wait' };
  return ApplicationFailure.create({
    message: 'the worker was stopped in the middle of an attempt',
    type: details.type,
    details: [details],
    nextRetryDelay: '1 second',
  });
}

/** Whether it was the workflow that cancelled: it waits for what has begun. Anything else means that this attempt is none any more. */
export function isAskedFor(reason: unknown): boolean {
  return reason instanceof CancelledFailure && reason.message === 'CANCELLED';
}
