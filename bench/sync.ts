import { performance } from 'node:perf_hooks';
import { createSubscribers, type Subscribers } from '../src/client.js';
import { workflowTaskQueue } from '../src/contract/index.js';
import { atOnce } from '../test/support/cli.js';
import { startBed } from './bed.js';
import { type BenchOptions, type Figure, result } from './figure.js';

/** As many as a backfill has under way. */
const lanes = 30;
const floorName = 'the same workflow, no-op activity';
const bareName = 'the least workflow there is';

/**
 * People a second that are written to Rule for the first time, against what the engine takes for the same workflow on the same two
 * queues with an activity that does nothing.
 */
export async function syncFloor({ rounds, size = 60, log }: BenchOptions): Promise<Figure> {
  const bed = await startBed({ readers: size * (rounds + 1) });
  try {
    const { vendorId } = bed.system;
    await bed.startWorker();
    const floor = await bed.startDesign('floor');
    const bare = await bed.startDesign('bare');
    const rate = async (people: readonly string[], work: (userId: string) => Promise<unknown>): Promise<number> => {
      const from = performance.now();
      await atOnce(people, async (userId) => void (await work(userId)), lanes);
      return people.length / ((performance.now() - from) / 1_000);
    };
    const bySync = (subscribers: Subscribers) => async (userId: string) => {
      const { verdict } = await subscribers.sync({ vendorId, userId });
      if (verdict !== 'created') throw new Error(`A first sync ended as ${verdict}.`);
    };
    const ours = bySync(bed.system.subscribers);
    const theirs = bySync(createSubscribers(floor.client));
    const least = async (userId: string) => {
      const handle = await bare.client.workflow.signalWithStart('bare', {
        workflowId: `bare/${userId}`,
        taskQueue: workflowTaskQueue,
        args: [{ vendorId }],
        signal: 'profileChanged',
        signalArgs: [{}],
      });
      await handle.result();
    };
    const rates = { ours: [] as number[], floor: [] as number[], bare: [] as number[] };
    for (let round = 0; round <= rounds; round += 1) {
      // The first is for the processes to warm up.
      const people = bed.take(round === 0 ? Math.min(size, 20) : size);
      const measured = {
        ours: await rate(people, ours),
        floor: await rate(people, theirs),
        bare: await rate(people, least),
      };
      if (round === 0) continue;
      for (const side of ['ours', 'floor', 'bare'] as const) rates[side].push(measured[side]);
      log(
        `sync ${round}/${rounds}: ${Object.values(measured)
          .map((value) => value.toFixed(1))
          .join(', ')} people a second`,
      );
    }
    const what = 'first syncs';
    return {
      name: 'sync',
      title: 'A full sync against the engine',
      conditions: `${size} people a round, ${lanes} at once; asked for and answered by the update of a workflow that is started with it`,
      rounds,
      results: [
        result({
          what,
          unit: 'people/s',
          ours: rates.ours,
          theirs: { name: floorName, values: rates.floor },
          target: { least: 0.85 },
        }),
        result({ what, unit: 'people/s', ours: rates.ours, theirs: { name: bareName, values: rates.bare } }),
      ],
    };
  } finally {
    await bed.close();
  }
}
