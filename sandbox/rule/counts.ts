/** Requests since the start. */
export interface Counts {
  total: number;
  /** Answers with status 400 or above, 429 among them. */
  errors: number;
  /** Errors in per cent of all answers, not rounded; 0 without any. */
  errorPercent: number;
  /** By method and path pattern, such as `PUT /v3/subscribers/{identifier}/tags`; undocumented paths are `METHOD (other)`. */
  byCall: Record<string, number>;
  byStatus: Record<string, number>;
}

/** Counts requests to the API, not to the control routes or the page. */
export class RequestCounter {
  private readonly calls = new Map<string, number>();
  private readonly statuses = new Map<number, number>();
  private total = 0;

  request(method: string, pattern: string | undefined): void {
    this.total += 1;
    const path = pattern?.replace(/^\/api/, '').replace(/:(\w+)/g, '{$1}');
    const call = `${method} ${path && !path.endsWith('*') ? path : '(other)'}`;
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
  }

  answer(status: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
  }

  read(): Counts {
    let answers = 0;
    let errors = 0;
    for (const [status, count] of this.statuses) {
      answers += count;
      if (status >= 400) errors += count;
    }
    return {
      total: this.total,
      errors,
      errorPercent: answers === 0 ? 0 : (100 * errors) / answers,
      byCall: Object.fromEntries(this.calls),
      byStatus: Object.fromEntries([...this.statuses].map(([status, count]) => [String(status), count])),
    };
  }
}
