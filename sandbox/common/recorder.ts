/** A request to the vendor's API, as the stand-in saw it. */
export interface RequestEntry {
  /** When it began, ISO 8601. */
  at: string;
  method: string;
  /** Path and query as they came over the wire, still encoded. */
  path: string;
  /** Of the answer; 0 while there is none, and for good when the connection ended without one. */
  status: number;
  /** From the first byte of the request to the end of the answer. */
  ms: number;
  /** Text of the request, cut at 20,000 characters. */
  body?: string;
}

/** A request outside the documented shapes. A test run with one fails. */
export interface Violation {
  at: string;
  method: string;
  path: string;
  why: string;
}

export type RequestFilter = (entry: RequestEntry) => boolean;

/** How many requests and violations are kept; the oldest fall out. */
const limit = 20_000;
const longestBody = 20_000;

/** What a stand-in remembers of the requests made to it. */
export class Recorder {
  /** In the order in which they began; entries fill up as the answer goes out. */
  readonly requests: RequestEntry[] = [];
  readonly violations: Violation[] = [];

  /** Takes down the beginning of a request. The stand-in's server does this. */
  begin(method: string, path: string): RequestEntry {
    const entry: RequestEntry = { at: new Date().toISOString(), method, path, status: 0, ms: 0 };
    keep(this.requests, entry);
    return entry;
  }

  recordBody(entry: RequestEntry, text: string): void {
    if (text) entry.body = text.slice(0, longestBody);
  }

  recordViolation(method: string, path: string, why: string): void {
    keep(this.violations, { at: new Date().toISOString(), method, path, why });
  }

  /** The most requests begun within any second, wherever it starts; the window is open at its end. */
  busiestSecond(filter: RequestFilter = () => true): number {
    return busiestSecond(this.requests.filter(filter).map(({ at }) => Date.parse(at)));
  }

  clear(): void {
    this.requests.length = 0;
    this.violations.length = 0;
  }
}

/** The most of these moments (ms, in order) within any second, wherever it starts; the window is open at its end. */
export function busiestSecond(starts: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [index, start] of starts.entries()) {
    while (start - (starts[first] ?? start) >= 1_000) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

/** Drops a tenth at a time, so that a full list is not moved for every new entry. */
function keep<T>(list: T[], entry: T): void {
  if (list.length >= limit) list.splice(0, limit / 10);
  list.push(entry);
}
