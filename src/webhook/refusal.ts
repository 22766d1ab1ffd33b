/** Codes of the answers that are not 202, for programs; the reason beside them is for people. */
export type RefusalCode =
  | 'bad-request'
  | 'not-an-event'
  | 'credential'
  | 'unknown-vendor'
  | 'not-found'
  | 'method-not-allowed'
  | 'timeout'
  | 'too-large'
  | 'internal'
  | 'temporal-away'
  | 'temporal-busy'
  | 'closing';

/** Why a request is not done. The reason is a fixed sentence: nothing of the request and no secret is repeated in it. */
export class Refusal extends Error {
  override name = 'Refusal';

  constructor(
    readonly status: number,
    readonly code: RefusalCode,
    readonly reason: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(reason);
  }

  /** The body of the answer. */
  toJSON(): { error: RefusalCode; reason: string } {
    return { error: this.code, reason: this.reason };
  }
}

/** Sesamy sends again after 5xx only (sesamy-api §4.3), so whatever mends itself is a 503. */
export function tryAgain(code: 'temporal-away' | 'temporal-busy' | 'closing', reason: string): Refusal {
  return new Refusal(503, code, reason, { 'Retry-After': '5' });
}
