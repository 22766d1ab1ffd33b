/** Why a call is refused; the status and envelope depend on the API version (rule-api §1.2). */
export type RefusalKind = 'unauthorized' | 'invalid' | 'not-found' | 'conflict' | 'too-large';

export interface RefusalOptions {
  /** Bad entries: path to message, for example `subscribers.fields.0.value`. */
  fields?: Record<string, string>;
  /** Overrides the usual status of the kind. */
  status?: number;
  /** Overrides the usual `error` code of the kind. */
  code?: string;
  /** The call is outside the documented shapes: it is recorded as a violation, and a test run with one fails. */
  violation?: boolean;
}

/** A call that Rule would answer with 4xx. */
export class Refusal extends Error {
  readonly fields: Record<string, string> | undefined;
  readonly violation: boolean;

  constructor(
    readonly kind: RefusalKind,
    message: string,
    private readonly options: RefusalOptions = {},
  ) {
    super(message);
    this.fields = options.fields;
    this.violation = options.violation ?? false;
  }

  /** Status in the given API version: a bad entry is 400 on v2 and 422 on v3. */
  status(version: ApiVersion): number {
    if (this.options.status) return this.options.status;
    if (this.kind === 'invalid') return version === 'v2' ? 400 : 422;
    return { unauthorized: 401, 'not-found': 404, conflict: 409, 'too-large': 413 }[this.kind];
  }

  /** Body in the given API version (rule-api §1.2). */
  body(version: ApiVersion): unknown {
    if (this.kind === 'unauthorized') return { error: 'NotAuthorized' };
    if (version === 'v3' && this.kind === 'invalid') {
      const entries = Object.entries(this.fields ?? { request: this.message });
      return { message: this.message, errors: Object.fromEntries(entries.map(([path, text]) => [path, [text]])) };
    }
    const code = this.options.code ?? CODES[this.kind];
    return { error: code, message: this.message, ...(this.fields ? { fields: this.fields } : {}) };
  }
}

export type ApiVersion = 'v2' | 'v3';

/** Only `NotAuthorized`, `LimitExceed`, `DuplicateTag` and `UnexpectedError` are known from Rule; the others are made up. */
const CODES: Record<Exclude<RefusalKind, 'unauthorized'>, string> = {
  invalid: 'BadRequest',
  'not-found': 'NotFound',
  conflict: 'Conflict',
  'too-large': 'PayloadTooLarge',
};

/** One bad entry whose value Rule refuses: an answer that a correct caller may meet, hence no violation. */
export function invalid(path: string, message: string): Refusal {
  return new Refusal('invalid', message, { fields: { [path]: message } });
}

/** A call in a shape that no source documents. */
export function undocumented(message: string, fields?: Record<string, string>): Refusal {
  return new Refusal('invalid', message, { violation: true, ...(fields ? { fields } : {}) });
}

export function notFound(what: string): Refusal {
  return new Refusal('not-found', `${what} not found`);
}
