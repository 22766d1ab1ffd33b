import { z } from 'zod';

/** What goes wrong on purpose. */
export const faultKinds = [
  /** Answers `status` (default 500) with `body`. */
  'status',
  /** Waits `ms`, then goes on as usual; a request whose client has gone meanwhile has no effect. */
  'latency',
  /** Ends the connection without an answer. */
  'hang-up',
  /** Sends the headers, then the body in small pieces with `ms` (default 200) between them. */
  'slow-body',
  /** Promises a longer body than it sends, then ends the connection. */
  'cut-body',
  /** An HTML login page, with status 200 unless given. */
  'html',
  /** JSON of a form that no caller expects, with status 200 unless given. */
  'wrong-shape',
] as const;

export type FaultKind = (typeof faultKinds)[number];

const regularExpression = z.string().refine(isRegularExpression, 'Not a regular expression.');

export const faultSchema = z.strictObject({
  kind: z.enum(faultKinds),
  /** Any method when left out. */
  method: z.string().optional(),
  /** Source of a regular expression, tested on path and query as they came over the wire. Any path when left out. */
  path: regularExpression.optional(),
  status: z.int().min(200).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
  /** Milliseconds before the answer; with `slow-body` between its pieces. */
  ms: z.number().min(0).optional(),
  /** How many requests it hits; until cleared when left out. */
  times: z.int().positive().optional(),
  /** Lets the first n matching requests pass. */
  skip: z.int().min(0).optional(),
  /** `before` (default): the request has no effect. `after`: the effect takes place, and its answer is lost or replaced. */
  when: z.enum(['before', 'after']).optional(),
});

export type Fault = z.infer<typeof faultSchema>;

export interface ActiveFault extends Fault {
  id: string;
  /** Matching requests so far, those that were let pass included. */
  seen: number;
}

/** The faults in force, oldest first. A request meets at most one `before` and one `after`. */
export class Faults {
  private readonly active = new Map<string, { fault: ActiveFault; pattern: RegExp | undefined }>();
  private count = 0;

  /** @returns the id that {@link remove} takes. @throws ZodError when the fault is not well formed. */
  add(fault: Fault): string {
    const valid = faultSchema.parse(fault);
    this.count += 1;
    const id = `fault-${this.count}`;
    const pattern = valid.path === undefined ? undefined : new RegExp(valid.path);
    this.active.set(id, { fault: { ...valid, id, seen: 0 }, pattern });
    return id;
  }

  /** @returns whether it was there. */
  remove(id: string): boolean {
    return this.active.delete(id);
  }

  clear(): void {
    this.active.clear();
  }

  list(): ActiveFault[] {
    return [...this.active.values()].map(({ fault }) => ({ ...fault }));
  }

  /** The fault that this request meets now; counts it, and drops a fault that is used up. */
  take(method: string, path: string, when: 'before' | 'after'): Fault | undefined {
    for (const { fault, pattern } of this.active.values()) {
      if ((fault.when ?? 'before') !== when) continue;
      if (fault.method && fault.method.toUpperCase() !== method.toUpperCase()) continue;
      if (pattern && !pattern.test(path)) continue;
      fault.seen += 1;
      const hits = fault.seen - (fault.skip ?? 0);
      if (hits <= 0) continue;
      if (hits === fault.times) this.active.delete(fault.id);
      return fault;
    }
    return undefined;
  }
}

function isRegularExpression(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}
