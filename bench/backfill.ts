import { setTimeout as delay } from 'node:timers/promises';
import { busiestSecond } from '../sandbox/common/recorder.js';
import { progressLine } from '../src/cli/backfill-report.js';
import { memoryOf } from '../test/support/process-cost.js';
import { sharedTemporal } from '../test/support/temporal.js';
import { startBed } from './bed.js';
import { type BenchOptions, type Figure, type Result, result } from './figure.js';

/**
 * Sesamy requests a second: low enough that the machine keeps up, so that the share of the budget that is used is the program's doing.
 * `BENCH_BACKFILL_RPS` sets another one.
 */
const rps = Number(process.env.BENCH_BACKFILL_RPS || 15);

/** Backfills of several sizes: how much of Sesamy's budget is used, whether it is ever exceeded, and what memory it takes. */
export async function backfill({ size = 150, sizes = [size], log }: BenchOptions): Promise<Figure> {
  const results: Result[] = [];
  for (const people of sizes) results.push(...(await backfillOf(people, log)));
  return {
    name: 'backfill',
    title: 'A backfill',
    conditions: `${sizes.join(', ')} people, one after another; budget ${rps} requests/s`,
    rounds: 1,
    results,
  };
}

async function backfillOf(people: number, log: (line: string) => void): Promise<Result[]> {
  const bed = await startBed({ people, rps });
  const { system } = bed;
  const { pid: serverPid } = await sharedTemporal();
  const worker = await bed.startWorker();
  try {
    const most = { worker: 0, server: 0 };
    let half = 0;
    await system.subscribers.startBackfill(system.vendorId, { by: 'bench' });
    let progress = await system.subscribers.backfill(system.vendorId);
    for (let look = 0; !progress?.endedAt; look += 1) {
      await delay(500);
      // The stand-ins remember so many requests only, and here nobody needs them.
      system.sesamy.recorder.requests.length = 0;
      system.rule.recorder.requests.length = 0;
      progress = await system.subscribers.backfill(system.vendorId).catch(() => progress);
      if (look % 20 === 0) {
        const now = memoryOf(worker.pid);
        if ((progress?.done ?? 0) * 2 <= people) half = Math.max(half, now);
        most.worker = Math.max(most.worker, now);
        most.server = Math.max(most.server, memoryOf(serverPid));
        if (progress) log(progressLine(progress));
      }
    }
    if (progress.done < people) throw new Error(`A backfill of ${people} people ended with ${progress.done}.`);
    const { starts } = bed.sesamy;
    const seconds = ((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / 1_000;
    const of = `${people} people: `;
    return [
      result({
        what: `${of}share of the budget used`,
        unit: '',
        ours: [starts.length / seconds / rps],
        target: { least: 0.95 },
      }),
      result({
        what: `${of}busiest second, of the budget`,
        unit: '',
        ours: [busiestSecond(starts) / rps],
        target: { most: 1 },
      }),
      result({ what: `${of}speed`, unit: 'people/s', ours: [progress.done / seconds] }),
      result({ what: `${of}most memory of the worker`, unit: 'MiB', ours: [most.worker] }),
      result({ what: `${of}the same, in the first half`, unit: 'MiB', ours: [half] }),
      result({ what: `${of}most memory of the Temporal server`, unit: 'MiB', ours: [most.server] }),
    ];
  } finally {
    await bed.close();
  }
}
