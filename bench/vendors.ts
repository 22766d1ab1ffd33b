import { startWorkerProcess } from '../test/support/cli.js';
import { startPublishers } from '../test/support/publishers.js';
import { readersOf } from './bed.js';
import { watchCalls } from './calls.js';
import { type BenchOptions, type Figure, latencyResults, percentile } from './figure.js';
import { latencies } from './latency.js';

/** Sesamy requests a second of each vendor. */
const rps = 15;
/** Webhooks to the flooded vendor for each one to the other. */
const floodFactor = 10;

/** Two vendors in one deployment, one of them flooded with webhooks: how long the other's readers wait, against the same alone. */
export async function vendors({ rounds, size = 25, log }: BenchOptions): Promise<Figure> {
  const measured = { alone: [] as number[][], flooded: [] as number[][] };
  for (let round = 1; round <= rounds; round += 1) {
    const people = Math.max(size * floodFactor, (size * 2 + 5) * 4) + 32;
    const publishers = await startPublishers(['calm', 'flooded'], { requestsPerSecond: rps, workers: false, people });
    const worker = await startWorkerProcess(await publishers.environment());
    try {
      const [calm, flooded] = [publishers.of('calm'), publishers.of('flooded')];
      for (const { sesamy } of [calm, flooded]) sesamy.webhooks.setTarget(undefined);
      const probe = {
        post: (userId: string) => calm.nudge(userId, 'contract.1#update'),
        addressOf: (userId: string) => calm.sesamy.person(userId)?.profile.email ?? '',
        rule: watchCalls(calm.rule.recorder),
      };
      const readers = readersOf(calm.sesamy);
      await latencies(probe, readers.splice(0, 5));
      const alone = await latencies(probe, readers.splice(0, size));
      const all = [...flooded.sesamy.world.userIds()].slice(0, size * floodFactor);
      await Promise.all(all.map((userId) => flooded.nudge(userId, 'contract.1#update')));
      const busy = await latencies(probe, readers.splice(0, size));
      measured.alone.push(alone);
      measured.flooded.push(busy);
      log(
        `vendors ${round}/${rounds}: p99 ${percentile(alone, 0.99).toFixed(0)} ms alone, ${percentile(busy, 0.99).toFixed(0)} ms beside a flood`,
      );
    } finally {
      await worker.kill();
      await publishers.close();
    }
  }
  return {
    name: 'vendors',
    title: 'Two vendors, one flooded',
    conditions: `${size} webhooks of each kind a round, one every second; ${size * floodFactor} at once to the other vendor; budget of each ${rps} requests/s`,
    rounds,
    results: latencyResults(
      'webhook to Rule beside a flooded vendor',
      measured.flooded,
      { name: 'the same, alone', values: measured.alone },
      { most: 1.5 },
    ),
  };
}
