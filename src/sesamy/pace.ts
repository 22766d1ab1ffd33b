/** Lets request starts through at a steady rate. */
export interface Pace {
  /**
   * Resolves when a request may start; the urgent ones before all others, whenever they came.
   *
   * @throws the signal's reason when the caller gives up first
   */
  turn(signal?: AbortSignal, urgent?: boolean): Promise<void>;
  /** Refuses everybody who still waits. */
  close(): void;
}

/**
 * A little more than the even distance: starts that are late here or early on their way must not put one more into a second as the
 * vendor counts it.
 */
const margin = 1.05;

/** A timer that is so little late is made up for by the next; the margin has room for it. */
const lateMs = 5;

/**
 * At most `perSecond` starts in any second, counted in this process and spread evenly: a burst at the end of one second and one at the
 * beginning of the next would be too many for a vendor that counts in a sliding window. The rate may be below one.
 */
export function createPace(perSecond: number): Pace {
  const interval = Math.ceil((1000 / perSecond) * margin);
  const lines = { urgent: new Set<Waiting>(), other: new Set<Waiting>() };
  // By a clock that never jumps: the libraries for this take the system's, and when that is set back by an hour nothing starts for an hour.
  let next = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let closed: Error | undefined;

  /** The moment of one start is used up. */
  function start(now: number): void {
    // What was missed, while the process was held up, is not made up for in a burst.
    next = now - next < interval ? Math.max(next, now - lateMs) + interval : now + interval;
  }

  function wakeForNext(): void {
    if (lines.urgent.size + lines.other.size === 0) return;
    timer ??= setTimeout(serve, Math.max(0, Math.ceil(next - performance.now())));
  }

  function serve(): void {
    timer = undefined;
    const line = lines.urgent.size > 0 ? lines.urgent : lines.other;
    const [first] = line;
    if (!first) return;
    line.delete(first);
    start(performance.now());
    first.begin();
    wakeForNext();
  }

  return {
    async turn(signal, urgent = false) {
      signal?.throwIfAborted();
      if (closed) throw closed;
      const now = performance.now();
      if (now >= next && timer === undefined) return start(now);
      const line = urgent ? lines.urgent : lines.other;
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          line.delete(one);
          reject(signal?.reason);
        };
        const one: Waiting = {
          begin: () => {
            signal?.removeEventListener('abort', leave);
            resolve();
          },
          refuse: reject,
        };
        line.add(one);
        signal?.addEventListener('abort', leave, { once: true });
        wakeForNext();
      });
    },
    close() {
      closed = new Error('the client was closed');
      clearTimeout(timer);
      for (const line of Object.values(lines)) {
        for (const one of line) one.refuse(closed);
        line.clear();
      }
    },
  };
}

interface Waiting {
  begin: () => void;
  refuse: (reason: Error) => void;
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
