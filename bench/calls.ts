/** The requests that a stand-in gets, counted and timed as they come in: it keeps the last ones only. */
import { performance } from 'node:perf_hooks';
import type { Recorder } from '../sandbox/common/recorder.js';

export interface Calls {
  /** Requests that changed something, and that did not; the token's are not counted. */
  writes: number;
  reads: number;
  /** Reads of a person at Sesamy: one for each time somebody was looked at. */
  looks: number;
  /** When the last one came in (ms of `performance.now`). */
  last: number;
  /** When each came in, in order, so that windows can be counted. */
  starts: number[];
  reset(): void;
  /** Resolves at the next write whose body holds the text, with when its body had come. */
  nextWrite(text: string): Promise<number>;
}

export function watchCalls(recorder: Recorder): Calls {
  const awaited = new Map<string, (at: number) => void>();
  const calls: Calls = {
    writes: 0,
    reads: 0,
    looks: 0,
    last: 0,
    starts: [],
    reset: () => Object.assign(calls, { writes: 0, reads: 0, looks: 0, starts: [] }),
    // Sesamy may show an address in other letters than it is written in.
    nextWrite: (text) => new Promise((resolve) => awaited.set(text.toLowerCase(), resolve)),
  };
  const begin = recorder.begin.bind(recorder);
  recorder.begin = (method, path) => {
    if (!path.startsWith('/_sandbox') && !path.endsWith('/oauth/token')) {
      calls.last = performance.now();
      calls.starts.push(calls.last);
      calls[method === 'GET' ? 'reads' : 'writes'] += 1;
      if (/\/users\/[^/?]+$/.test(path)) calls.looks += 1;
    }
    return begin(method, path);
  };
  const recordBody = recorder.recordBody.bind(recorder);
  recorder.recordBody = (entry, text) => {
    recordBody(entry, text);
    if (entry.method === 'GET') return;
    for (const [wanted, resolve] of awaited) {
      if (!text.toLowerCase().includes(wanted)) continue;
      awaited.delete(wanted);
      resolve(performance.now());
    }
  };
  return calls;
}
