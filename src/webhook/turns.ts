/** There is more to do than can be done in time: whoever asks may come again later. */
export class TooBusyError extends Error {
  override name = 'TooBusyError';
}

export interface Turns {
  /**
   * Does the work when its turn comes. Keys get their turns one after another, so that a flood under one does not hold up the others.
   *
   * @param ms how long all of it may take, the wait included; the work is told what is left of it, and is not begun when nothing is
   * @throws {TooBusyError} when too much waits already under this key, or the turn does not come in time; then nothing was begun
   */
  take<T>(key: string, ms: number, work: (leftMs: number) => Promise<T>): Promise<T>;
}

export interface TurnsOptions {
  /** How much is under way at one time. */
  atOnce: number;
  /** How much may wait under one key. */
  waiting: number;
}

interface Waiting {
  begin: () => void;
}

/**
 * Work of which only so much is under way at one time. What is more waits here, where it costs little and can be given up, and not at
 * a service that has too much to do already.
 */
export function createTurns({ atOnce, waiting: most }: TurnsOptions): Turns {
  let underWay = 0;
  /** By key, in the order in which the keys have their turns. */
  const queues = new Map<string, Set<Waiting>>();

  function next(): void {
    const [first] = queues;
    if (!first || underWay >= atOnce) return;
    const [key, queue] = first;
    const [one] = queue;
    // Behind all others, if there is more under it.
    queues.delete(key);
    if (!one) return;
    queue.delete(one);
    if (queue.size > 0) queues.set(key, queue);
    underWay += 1;
    one.begin();
  }

  function turn(key: string, ms: number): Promise<void> {
    if (underWay < atOnce) {
      underWay += 1;
      return Promise.resolve();
    }
    const queue = queues.get(key) ?? new Set();
    if (queue.size >= most) return Promise.reject(new TooBusyError('too much waits already'));
    queues.set(key, queue);
    return new Promise((resolve, reject) => {
      const one: Waiting = {
        begin: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        queue.delete(one);
        if (queue.size === 0 && queues.get(key) === queue) queues.delete(key);
        reject(new TooBusyError(`its turn has not come within ${ms} ms`));
      }, ms);
      queue.add(one);
    });
  }

  return {
    async take(key, ms, work) {
      const end = performance.now() + ms;
      await turn(key, ms);
      try {
        const left = end - performance.now();
        if (left <= 0) throw new TooBusyError(`its turn has not come within ${ms} ms`);
        return await work(left);
      } finally {
        underWay -= 1;
        next();
      }
    },
  };
}
