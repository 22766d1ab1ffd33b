import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import type { FailureDetails } from '../contract/index.js';
import { VendorError } from '../http/errors.js';

/** Longer waits are the workflow's: there they can be seen and cut short, and the activity's slot is free meanwhile. */
const longestActivityWaitMs = 5_000;

/**
 * Turns whatever an activity threw into Temporal's failure: the one place where that is done. The failure's text goes into the
 * history, so it is made from types, codes and path templates; the message of an error that we do not know is left out.
 */
export function toFailure(error: unknown, activity: string, { wrote = false }: { wrote?: boolean } = {}): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (error instanceof VendorError) {
    const details: FailureDetails = {
      type: error.type,
      next: error.next,
      ...(error.waitMs === undefined ? {} : { waitMs: error.waitMs }),
      ...(error.status === undefined ? {} : { status: error.status }),
      ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
      ...(error.method === undefined ? {} : { method: error.method }),
      ...(error.path === undefined ? {} : { path: error.path }),
      ...(error.fields === undefined ? {} : { fields: Object.keys(error.fields) }),
      ...(wrote ? { wrote } : {}),
    };
    const hiccup = error.next === 'wait' && (error.waitMs ?? 0) <= longestActivityWaitMs;
    return ApplicationFailure.create({
      message: error.message,
      type: error.type,
      nonRetryable: !hiccup,
      details: [details],
      // Expected, whatever helps: the activity says it in one line, and the SDK's own line with its stack is not needed.
      category: ApplicationFailureCategory.BENIGN,
      ...(hiccup && error.waitMs ? { nextRetryDelay: error.waitMs } : {}),
    });
  }
  const name = error instanceof Error ? error.name : typeof error;
  const details: FailureDetails = { type: 'internal/unexpected', next: 'give-up' };
  return ApplicationFailure.create({
    message: `${activity} met an unexpected ${name}; the worker's log has its stack`,
    type: details.type,
    nonRetryable: true,
    details: [details],
  });
}
