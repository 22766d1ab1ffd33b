/**
 * What the reader of a failure should do: `wait` and try again, `fix-key` (a person mends the key, its rights or an address in the
 * settings; the account's failure, not the subscriber's), `fix-data` (the vendor refuses what was sent), `give-up`.
 */
export type NextStep = 'wait' | 'fix-key' | 'fix-data' | 'give-up';

export interface VendorErrorInit {
  /** `sesamy/…` or `rule/…`. */
  type: string;
  next: NextStep;
  /** What went wrong, in our own words: never text, a header or a value that the vendor or a person supplied. */
  reason: string;
  method?: string;
  /** Template such as `/management/users/{userId}`: the ids and addresses of a call stay out of it. */
  path?: string;
  waitMs?: number;
  status?: number;
  requestId?: string;
  fields?: Record<string, string>;
  unknownOutcome?: boolean;
  cause?: Error;
}

const advice: Record<NextStep, string> = {
  wait: 'try again later',
  'fix-key': 'mend the key, its rights or the address in the settings',
  'fix-data': 'mend the data',
  'give-up': 'do not repeat',
};

/**
 * A call to a vendor that did not bring what it should. Everything in it may be logged and stored: bodies can echo personal data and
 * headers can echo keys, so the message is made from codes, numbers and path templates only.
 */
export class VendorError extends Error {
  readonly type: string;
  readonly next: NextStep;
  readonly method?: string;
  readonly path?: string;
  /** How long to wait before the next try, in milliseconds, where that is known. */
  readonly waitMs?: number;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  /** The vendor's id of the request, to quote to its support. */
  readonly requestId?: string;
  /** Keys of our own fields that the vendor blames, each with a code; no values. */
  readonly fields?: Record<string, string>;
  /** A write that may have been done although its answer was lost or unreadable. */
  readonly unknownOutcome: boolean;

  constructor(init: VendorErrorInit) {
    super(sentence(init), init.cause ? { cause: init.cause } : undefined);
    this.name = 'VendorError';
    this.type = init.type;
    this.next = init.next;
    this.method = init.method;
    this.path = init.path;
    this.waitMs = init.waitMs;
    this.status = init.status;
    this.requestId = init.requestId;
    this.fields = init.fields;
    this.unknownOutcome = init.unknownOutcome ?? false;
  }

  /** Safe to store: holds what the message is made from. Members without a value are left out by `JSON.stringify`. */
  toJSON(): Record<string, unknown> {
    const { name, message, type, next, waitMs, status, requestId, method, path, fields, unknownOutcome } = this;
    return { name, message, type, next, waitMs, status, requestId, method, path, fields, unknownOutcome };
  }
}

function sentence({ method, path, reason, status, requestId, fields, waitMs, next }: VendorErrorInit): string {
  const call = method && path ? `${method} ${path}: ` : '';
  const facts = [
    ...(status === undefined ? [] : [`status ${status}`]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
    ...(fields ? [`fields ${Object.keys(fields).join(', ')}`] : []),
  ];
  const wait = next === 'wait' && waitMs !== undefined ? `try again in ${Math.ceil(waitMs / 1000)} s` : advice[next];
  return `${call}${reason}${facts.length > 0 ? ` (${facts.join('; ')})` : ''}; ${wait}`;
}
