import type { PersonId, SubscriberStatus, Subscribers } from '../client.js';

/** A reader and when the program last read them at Sesamy (ISO instant). */
export interface ReadReader {
  userId: string;
  readAt: string;
}

/** Few enough not to stand in the way of the work that is waited for. */
const queriesAtOnce = 4;
const queryTimeoutMs = 2_000;
/** What comes sooner than this is waited for; a retry after an outage is not. */
const soonMs = 2_000;

/**
 * With whom of these readers the program is not done. The stand-ins' clock is moved in steps and must stand still meanwhile, since what is
 * told late would be dated late. Never throws: of whom nobody answers, the program is not done.
 */
export async function notDoneWith(
  subscribers: Pick<Subscribers, 'status'>,
  vendorId: PersonId['vendorId'],
  readers: readonly ReadReader[],
): Promise<string[]> {
  const left: string[] = [];
  const queue = [...readers];
  const ask = async () => {
    for (let reader = queue.shift(); reader; reader = queue.shift()) {
      const { userId, readAt } = reader;
      const done = await subscribers.status({ vendorId, userId }, { timeoutMs: queryTimeoutMs }).then(
        (status) => isDone(status, readAt, Date.now()),
        () => false,
      );
      if (!done) left.push(userId);
    }
  };
  await Promise.all(Array.from({ length: queriesAtOnce }, ask));
  return left;
}

/**
 * Whether all that was found at this read has been written and told, and nothing more comes by itself before long.
 *
 * @param status none where there is no workflow
 * @param now the real time (ms), as timers of workflows go by it whatever the stand-ins' clock says
 */
export function isDone(status: SubscriberStatus | undefined, readAt: string, now: number): boolean {
  if (!status || status.erasure) return true;
  // A due date that has passed: what it was for is under way.
  if (status.next && Date.parse(status.next.at) <= now + soonMs) return false;
  const last = status.trail.at(-1);
  // The attempt that read is under way.
  if (!last || Date.parse(last.at) < Date.parse(readAt)) return false;
  // The next try is minutes away, or waits for other data.
  if (last.failure) return true;
  if (status.pending.length > 0) return false;
  // Nothing is told before a second look, minutes away.
  if (last.verdict === 'waiting' || last.verdict === 'skipped') return true;
  return status.gained.length === 0 && status.waiting.every(({ held }) => held !== undefined);
}
