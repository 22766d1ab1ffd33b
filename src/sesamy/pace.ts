/** Lets request starts through at a steady rate. */
export interface Pace {
  /**
   * Resolves when a request may start: of those who wait the one of the lowest rank, and among equals whoever came first.
   *
   * @throws the signal's reason when the caller gives up first
   */
  turn(signal?: AbortSignal, rank?: number): Promise<void>;
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
  /** By rank. */
  const line: Waiting[] = [];
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
    if (line.length === 0) return;
    timer ??= setTimeout(serve, Math.max(0, Math.ceil(next - performance.now())));
  }

  function serve(): void {
    timer = undefined;
    const first = line.shift();
    if (!first) return;
    start(performance.now());
    first.begin();
    wakeForNext();
  }

  return {
    async turn(signal, rank = 0) {
      signal?.throwIfAborted();
      if (closed) throw closed;
      const now = performance.now();
      if (now >= next && timer === undefined) return start(now);
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          line.splice(line.indexOf(one), 1);
          reject(signal?.reason);
        };
        const one: Waiting = {
          rank,
          begin: () => {
            signal?.removeEventListener('abort', leave);
            resolve();
          },
          refuse: reject,
        };
        const before = line.findIndex((other) => other.rank > rank);
        line.splice(before < 0 ? line.length : before, 0, one);
        signal?.addEventListener('abort', leave, { once: true });
        wakeForNext();
      });
    },
    close() {
      closed = new Error('the client was closed');
      clearTimeout(timer);
      for (const one of line.splice(0)) one.refuse(closed);
    },
  };
}

interface Waiting {
  rank: number;
  begin: () => void;
  refuse: (reason: Error) => void;
}
