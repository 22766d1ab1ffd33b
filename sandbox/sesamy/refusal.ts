/** A call that Sesamy would answer with 4xx, in the API's error shape (sesamy-api §1.4). */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Outside the documented shapes: recorded as a violation. */
    readonly violation = false,
    readonly details?: Record<string, string>,
  ) {
    super(message);
  }

  body(): object {
    return { error: { code: this.code, message: this.message, ...(this.details ? { details: this.details } : {}) } };
  }
}

export function notFound(what: string): Refusal {
  return new Refusal(404, 'not_found', `${what} not found`);
}

/** A call in a shape that no source documents. */
export function undocumented(message: string, field?: string): Refusal {
  return new Refusal(400, 'validation_error', message, true, field === undefined ? undefined : { field });
}
