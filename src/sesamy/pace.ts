import pThrottle from 'p-throttle';

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
  const interval = Math.ceil((1000 / perSecond) * margin);
  const start = pThrottle({ limit: 1, interval, strict: true, signal: closing.signal })(async () => {});
  return {
    async turn(signal) {
      signal?.throwIfAborted();
      await orAborted(start(), signal);
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
