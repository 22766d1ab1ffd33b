/** A vendor's queue with more in it than the budget allows: how fast two worker processes go together, and who goes first. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { workflowTaskQueue } from '../src/contract/index.js';
import { nativeConnectTemporal } from '../src/temporal/connect.js';
import { atOnce, type RunningCli, startCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

const requestsPerSecond = 20;
/**
 * How far the processes may be ahead of the budget, in seconds of it. After a quiet time Temporal hands out a few looks at once, and each
 * process paces only its own requests; a look may also cost one read more than the budget is divided by.
 */
const headStart = 4.5;

describe('a vendor’s queue with two worker processes', function () {
  this.timeout(120_000);
  let system: System;
  let quiet: string[];
  let live: string[];
  const processes: RunningCli[] = [];

  before(async () => {
    system = await startSystem({ workers: false, env: { SESAMY_RPS: String(requestsPerSecond) } });
    // A user's answer without the profile costs a read more.
    Object.assign(system.sesamy.switches, { userAnswer: 'five-fields', profile: 'serve' });
    quiet = Array.from({ length: 50 }, () => aReader(system));
    live = Array.from({ length: 3 }, () => aReader(system));
    const everybody = [...quiet, ...live];

    // All looks are queued, the live ones last, before anybody takes one.
    const { connection } = await nativeConnectTemporal(system.env);
    const planner = await Worker.create({
      connection,
      namespace: system.env.TEMPORAL_NAMESPACE ?? '',
      taskQueue: workflowTaskQueue,
      workflowBundle: { codePath: fileURLToPath(new URL('../dist/workflow-bundle.js', import.meta.url)) },
    });
    await planner.runUntil(async () => {
      await Promise.all(quiet.map((id) => system.subscribers.resync(system.person(id))));
      await untilQueued(quiet);
      await Promise.all(live.map((id) => system.nudge(id, 'contract.1#purchased')));
      await untilQueued(live);
      await atOnce([1, 2], async () => {
        processes.push(await startCli(['worker'], { env: system.env }));
      });
      await eventually(() => assert.equal(system.rule.subscribers().length, everybody.length), { timeoutMs: 60_000 });
    });
    await connection.close();
  });
  after(async () => {
    const codes = await Promise.all(processes.map((one) => one.stop()));
    assert.deepEqual(codes, [0, 0]);
    await system?.close();
  });

  async function untilQueued(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const handle = system.client.workflow.getHandle(`subscriber/${system.vendorId}/${id}`);
      await eventually(async () => {
        const { raw } = await handle.describe();
        assert.equal(raw.pendingActivities?.length, 1);
      });
    }
  }

  const reads = () =>
    system.sesamy.recorder.requests.filter(
      ({ path }) => path.startsWith('/management/') || path.startsWith('/profile/'),
    );

  it('keeps to the budget over all of them, but for a head start', () => {
    const times = reads().map(({ at }) => Date.parse(at));
    const seconds = (Math.max(...times) - Math.min(...times)) / 1_000;
    assert.ok(times.length >= 4 * (quiet.length + live.length), `${times.length} reads`);
    const allowed = requestsPerSecond * (seconds + headStart);
    assert.ok(times.length <= allowed, `${times.length} reads in ${seconds} s`);
  });

  it('a webhook overtakes quiet looks that have been in the queue before it', () => {
    const order = reads().flatMap(({ path }) => /\/management\/users\/([^/?]+)/.exec(path)?.slice(1) ?? []);
    const places = live.map((id) => order.indexOf(encodeURIComponent(id)));
    assert.ok(
      places.every((place) => place >= 0 && place < order.length / 2),
      `places ${places.join(', ')} of ${order.length}`,
    );
  });
});
