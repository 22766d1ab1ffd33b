import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** Lets request starts through at a steady rate. */
export interface Pace {
  /** Resolves when a request may start. @throws the signal's reason when the caller gives up first. */
  turn(signal?: AbortSignal): Promise<void>;
  /** Refuses everybody who still waits. */
  close(): void;
}

/**
 * A little more than the even distance: starts that are late here or early on their way must not put one more into a second as the
 * vendor counts it.
 */
const margin = 1.05;

/**
 * At most `perSecond` starts in any second, counted in this process and spread evenly: a burst at the end of one second and one at the
 * beginning of the next would be too many for a vendor that counts in a sliding window. The rate may be below one.
 */
export function createPace(perSecond: number): Pace {
  const closing = new AbortController();
  // Everybody who waits listens.
  setMaxListeners(0, closing.signal);
  const interval = Math.ceil((1000 / perSecond) * margin);
  // By a clock that never jumps: the libraries for this take the system's, and when that is set back by an hour nothing starts for an hour.
  let next = performance.now();
  return {
    async turn(signal) {
      signal?.throwIfAborted();
      closing.signal.throwIfAborted();
      const now = performance.now();
      const start = Math.max(next, now);
      next = start + interval;
      if (start === now) return;
      const turn = delay(start - now, undefined, { signal: closing.signal }).catch(() =>
        closing.signal.throwIfAborted(),
      );
      await orAborted(turn, signal);
    },
    close: () => closing.abort(new Error('the client was closed')),
  };
}

/** Waits for shared work without owning it: the caller may leave, the work goes on for the others. */
export function orAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
