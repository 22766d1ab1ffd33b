import { type HttpReply, isHtml } from '../http/reply.js';
import type { CallFailure } from '../http/request.js';
import { replyWaitMs } from '../http/retry-after.js';

/** After a 429 that does not say how long. */
const defaultLimitWaitMs = 10_000;

/** What a status of the Management API means; `undefined` where the answer may be read. */
export function apiFailure(reply: HttpReply): CallFailure | undefined {
  if (reply.status < 300) return undefined;
  if (reply.status === 401)
    return { kind: 'unauthorized', next: 'fix-key', reason: 'Sesamy does not accept the token' };
  if (reply.status === 403) {
    return {
      kind: 'forbidden',
      next: 'fix-key',
      reason: 'the credential has no right to this; ask Sesamy for the read scope',
    };
  }
  return passing(reply) ?? { kind: 'refused', next: 'fix-data', reason: 'Sesamy refuses the request' };
}

/** What a status of the token endpoint means. A wrong secret is a 403 there (sesamy-api §1.3), and all that is sent are settings. */
export function tokenFailure(reply: HttpReply): CallFailure | undefined {
  if (reply.status < 300) return undefined;
  if ([400, 401, 403].includes(reply.status)) {
    return { kind: 'bad-credentials', next: 'fix-key', reason: 'Sesamy does not accept the client id and secret' };
  }
  return passing(reply) ?? { kind: 'refused', next: 'fix-key', reason: 'the token address refuses the request' };
}

function passing(reply: HttpReply): CallFailure | undefined {
  const wait = replyWaitMs(reply);
  if (reply.status === 429) {
    return { kind: 'rate-limited', next: 'wait', reason: 'too many requests', waitMs: wait ?? defaultLimitWaitMs };
  }
  if (reply.status >= 500 || reply.status === 408 || reply.status === 425) {
    return {
      kind: 'unavailable',
      next: 'wait',
      reason: 'the service is unavailable',
      ...(wait === undefined ? {} : { waitMs: wait }),
    };
  }
  // A page made for people says nothing about the resource: a proxy or a wrong address made it.
  return isHtml(reply) ? { kind: 'not-json', next: 'wait', reason: 'the answer is a web page' } : undefined;
}
