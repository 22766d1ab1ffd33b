import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../test/support/eventually.js';
import { startBed } from './bed.js';
import { type BenchOptions, type Figure, latencyResults, percentile } from './figure.js';
import { latencies } from './latency.js';

/** Sesamy requests a second: few enough that the machine has time, so that what a webhook waits for is the budget. */
const rps = 20;

/** How long a change takes from the webhook's answer to Rule, with nothing else to do and in the middle of a backfill. */
export async function webhookToRule({ rounds, size = 25, log }: BenchOptions): Promise<Figure> {
  const measured = { idle: [] as number[][], busy: [] as number[][] };
  for (let round = 1; round <= rounds; round += 1) {
    // A world of its own, since a backfill writes everybody; long enough a list that the readers at its end are not reached.
    const bed = await startBed({ readers: size * 2 + 60, rps });
    try {
      const { system } = bed;
      const worker = await bed.startWorker();
      assert.ok(worker.pid);
      const probe = {
        post: (userId: string) => system.nudge(userId, 'contract.1#update'),
        addressOf: bed.addressOf,
        rule: bed.rule,
      };
      const last = bed.takeLast(size * 2 + 5);
      await latencies(probe, last.slice(0, 5));
      const idle = await latencies(probe, last.slice(5, size + 5));
      await system.subscribers.startBackfill(system.vendorId, { by: 'bench' });
      // By the calls, since the backfill counts people a batch at a time.
      const before = bed.sesamy.looks;
      await eventually(() => assert.ok(bed.sesamy.looks >= before + 5, 'the backfill has not begun'), {
        timeoutMs: 60_000,
      });
      const busy = await latencies(probe, last.slice(size + 5));
      const progress = await system.subscribers.backfill(system.vendorId);
      assert.equal(progress?.endedAt, undefined, 'the backfill ended before the webhooks did');
      measured.idle.push(idle);
      measured.busy.push(busy);
      log(
        `webhook-to-rule ${round}/${rounds}: p99 ${percentile(idle, 0.99).toFixed(0)} ms idle, ${percentile(busy, 0.99).toFixed(0)} ms during a backfill`,
      );
      await system.subscribers.stopBackfill(system.vendorId);
      await delay(500);
    } finally {
      await bed.close();
    }
  }
  return {
    name: 'webhook-to-rule',
    title: 'From the webhook to Rule',
    conditions: `${size} webhooks of each kind a round, one every second, each for a person who is new to Rule; budget ${rps} requests/s`,
    rounds,
    results: latencyResults(
      'webhook to Rule during a backfill',
      measured.busy,
      { name: 'the same, idle', values: measured.idle },
      { most: 2 },
    ),
  };
}
