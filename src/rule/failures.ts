import { parseJson } from '../http/json.js';
import { type HttpReply, isHtml } from '../http/reply.js';
import type { CallFailure } from '../http/request.js';
import { replyWaitMs } from '../http/retry-after.js';
import { blamedFields } from './blame.js';

/** After a 429 that does not say how long. Rule counts calls inside the block as errors that lengthen it, so rather long. */
export const defaultBlockMs = 60_000;

/** What a call sent, as far as it helps to read a refusal. */
export interface Sent {
  /** Keys of the fields, in the order of the call. */
  fields?: readonly string[];
  /** The call gives an existing subscriber an address. */
  movesEmail?: boolean;
  /** The call is about one subscriber, whom Rule may not know; else a 404 is the address's fault. */
  aboutOne: boolean;
  /** The call writes: after a 5xx nobody knows whether it was done. */
  write: boolean;
}

/** What a status means (rule-api §1.2); `undefined` where the answer may be read. */
export function ruleFailure(reply: HttpReply, sent: Sent): CallFailure | undefined {
  const { status } = reply;
  if (status < 300) return undefined;
  if (status === 401) return { kind: 'unauthorized', next: 'fix-key', reason: 'Rule does not accept the key' };
  if (status === 403) return { kind: 'forbidden', next: 'fix-key', reason: 'the key has no right to this' };
  if (status === 429) {
    const waitMs = replyWaitMs(reply) ?? defaultBlockMs;
    return { kind: 'rate-limited', next: 'wait', reason: 'Rule has blocked the account for a while', waitMs };
  }
  if (status >= 500 || status === 408 || status === 425) {
    const waitMs = replyWaitMs(reply);
    const reason = 'the service is unavailable';
    return {
      kind: 'unavailable',
      next: 'wait',
      reason,
      unknownOutcome: sent.write,
      ...(waitMs === undefined ? {} : { waitMs }),
    };
  }
  // A page made for people says nothing about a subscriber: a proxy or a wrong address made it.
  if (isHtml(reply)) return { kind: 'not-json', next: 'wait', reason: 'the answer is a web page' };
  if (status === 404 && !sent.aboutOne) {
    return { kind: 'wrong-url', next: 'fix-key', reason: 'there is no such call at this address' };
  }
  if (status === 404) return { kind: 'not-found', next: 'give-up', reason: 'Rule does not know the subscriber' };
  if (status === 409) return sent.movesEmail ? emailTaken : conflict;
  if (status === 400 || status === 422) return invalid(reply, sent);
  return { kind: 'refused', next: 'fix-data', reason: 'Rule refuses the request' };
}

const emailTaken: CallFailure = {
  kind: 'email-taken',
  next: 'fix-data',
  reason: 'the new address belongs to another subscriber',
};

const conflict: CallFailure = { kind: 'conflict', next: 'fix-data', reason: 'Rule holds something else of that name' };

function invalid(reply: HttpReply, sent: Sent): CallFailure {
  const fields = blamedFields(parseJson(reply.text), sent.fields ?? []);
  const blamesNobody = Object.keys(fields).length === 0;
  if (sent.movesEmail && (blamesNobody || 'email' in fields) && tellsTakenEmail(reply.text)) return emailTaken;
  return { kind: 'invalid', next: 'fix-data', reason: 'Rule refuses a value', ...(blamesNobody ? {} : { fields }) };
}

/** The status for a taken address is not documented; v3 mocks have a 422 that names the identifier (rule-api §4.1, §12 no. 1). */
function tellsTakenEmail(text: string): boolean {
  return /\be-?mail\b/i.test(text) && /\b(?:taken|already|exists|duplicate|belongs to another)\b/i.test(text);
}
