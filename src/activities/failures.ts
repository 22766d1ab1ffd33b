import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from '@temporalio/common';
import type { FailureDetails } from '../contract/index.js';
import { grpcStatusOf } from '../grpc-status.js';
import { VendorError } from '../http/errors.js';
import { loggedError } from '../log-error.js';
import { NotSent } from './deliver-receipt.js';
import { NotWritten } from './sync-subscriber.js';

/** Longer waits are the workflow's: there they can be seen and cut short, and the activity's slot is free meanwhile. */
const longestActivityWaitMs = 5_000;

/**
 * Turns whatever an activity threw into Temporal's failure: the one place where that is done. The failure's text goes into the
 * history, so it is made from types, codes and path templates; the message of an error that we do not know is left out.
 */
export function toFailure(
  error: unknown,
  activity: string,
  { wrote = false, ruleId }: { wrote?: boolean; ruleId?: number | undefined } = {},
): Error {
  const more = { ...(wrote ? { wrote } : {}), ...(ruleId === undefined ? {} : { ruleId }) };
  // The workflow has to remember that no mail went out, so the next attempt is the workflow's.
  if (error instanceof NotSent) return vendorFailure(error.failure, { notSent: true }, false);
  if (error instanceof NotWritten) return ofVendor(error.failure, { ...more, seen: error.seen });
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (error instanceof VendorError) return ofVendor(error, more);
  if (grpcStatusOf(error) !== undefined) return temporalFailure(activity, more);
  const { name } = loggedError(error);
  const details: FailureDetails = { type: 'internal/unexpected', next: 'give-up', ...more };
  return ApplicationFailure.create({
    message: `${activity} met an unexpected ${name}; the worker's log has its stack`,
    type: details.type,
    nonRetryable: true,
    details: [details],
  });
}

/** The brake and the address book ask Temporal itself, which may be away for a moment. */
function temporalFailure(activity: string, more: Pick<FailureDetails, 'wrote' | 'ruleId'>): ApplicationFailure {
  const details: FailureDetails = { type: 'temporal/unavailable', next: 'wait', ...more };
  return ApplicationFailure.create({
    message: `${activity} could not ask Temporal`,
    type: details.type,
    details: [details],
    category: ApplicationFailureCategory.BENIGN,
  });
}

function ofVendor(error: VendorError, more: Pick<FailureDetails, 'wrote' | 'seen' | 'ruleId'>): ApplicationFailure {
  const hiccup = error.next === 'wait' && (error.waitMs ?? 0) <= longestActivityWaitMs;
  return vendorFailure(error, more, hiccup);
}

function vendorFailure(
  error: VendorError,
  more: Pick<FailureDetails, 'wrote' | 'notSent' | 'seen' | 'ruleId'>,
  retryable: boolean,
): ApplicationFailure {
  const details: FailureDetails = {
    type: error.type,
    next: error.next,
    ...(error.waitMs === undefined ? {} : { waitMs: error.waitMs }),
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.requestId === undefined ? {} : { requestId: error.requestId }),
    ...(error.method === undefined ? {} : { method: error.method }),
    ...(error.path === undefined ? {} : { path: error.path }),
    ...(error.fields === undefined ? {} : { fields: Object.keys(error.fields) }),
    ...more,
  };
  return ApplicationFailure.create({
    message: error.message,
    type: error.type,
    nonRetryable: !retryable,
    details: [details],
    // Expected, whatever helps: the activity says it in one line, and the SDK's own line with its stack is not needed.
    category: ApplicationFailureCategory.BENIGN,
    ...(retryable && error.waitMs ? { nextRetryDelay: error.waitMs } : {}),
  });
}
