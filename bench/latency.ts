/** From a webhook's answer to the first write for that person at the stand-in of Rule. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Calls } from './calls.js';

export interface Probe {
  post: (userId: string) => Promise<Response>;
  addressOf: (userId: string) => string;
  rule: Calls;
}

/** Time between two webhooks: they must not wait for one another, nor use much of the budget. */
const pauseMs = 1_000;

/** @returns milliseconds, one for each person, who must not be in Rule yet */
export async function latencies({ post, addressOf, rule }: Probe, people: readonly string[]): Promise<number[]> {
  const times: Promise<number>[] = [];
  for (const userId of people) {
    const written = rule.nextWrite(addressOf(userId));
    const { status } = await post(userId);
    if (status !== 202) throw new Error(`A webhook was answered with ${status}.`);
    const answered = performance.now();
    times.push(
      Promise.race([
        // The write may come before the answer has been read here.
        written.then((at) => Math.max(0, at - answered)),
        delay(60_000, undefined, { ref: false }).then(() => {
          throw new Error('A webhook was not followed by a write within a minute.');
        }),
      ]),
    );
    await delay(pauseMs);
  }
  return Promise.all(times);
}
