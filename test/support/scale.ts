/**
 * `npm run test:scale`: a backfill of many invented people against the stand-ins and a Temporal development server, workers in a process
 * of their own, and what it took. Not part of `npm test`.
 *
 * SCALE_PEOPLE (default 10000), SCALE_RPS (Sesamy requests a second, default 300: more than one machine can do, so that the
 * machine is the limit; set it lower to see how much of a budget is used).
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { progressLine } from '../../src/cli/backfill-report.js';
import { installRuntime } from '../../src/runtime.js';
import { startWorkerProcess } from './cli.js';
import { memoryOf, processorSecondsOf } from './process-cost.js';
import { startSystem } from './system.js';
import { sharedTemporal, stopSharedTemporal } from './temporal.js';
import { traceLogger } from './traces.js';

const people = Number(process.env.SCALE_PEOPLE || 10_000);
const rps = Number(process.env.SCALE_RPS || 300);

const runtime = installRuntime(traceLogger());
const system = await startSystem({
  sesamy: { population: { people, seed: 7 }, switches: { envelope: 'data' } },
  rule: { switches: { allowedRequests: 1_000_000_000 } },
  env: { SESAMY_RPS: String(rps) },
  workers: false,
});
const { pid: serverPid } = await sharedTemporal();
const worker = await startWorkerProcess(system.env);

/** Seconds of processor time that each of the three processes has used. */
const processorSeconds = () => ({
  worker: processorSecondsOf(worker.pid),
  server: processorSecondsOf(serverPid),
  standIns: Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1e6),
});
const processorBefore = processorSeconds();

/** Sesamy requests in each second of the clock, those of the first and the last left out. */
const perSecond = new Map<string, number>();
let counted = 0;
let most = { worker: 0, server: 0 };
await system.subscribers.startBackfill(system.vendorId, { by: 'scale' });
let progress = await system.subscribers.backfill(system.vendorId);
for (let round = 0; !progress?.endedAt; round += 1) {
  await delay(500);
  for (const { at } of system.sesamy.recorder.requests) {
    perSecond.set(at.slice(0, 19), (perSecond.get(at.slice(0, 19)) ?? 0) + 1);
    counted += 1;
  }
  // The stand-in remembers so many requests only.
  system.sesamy.recorder.clear();
  system.rule.recorder.clear();
  progress = await system.subscribers.backfill(system.vendorId).catch(() => progress);
  if (round % 20 !== 0) continue;
  most = { worker: Math.max(most.worker, memoryOf(worker.pid)), server: Math.max(most.server, memoryOf(serverPid)) };
  if (progress) console.error(progressLine(progress));
}
assert.ok(progress);

const processorAfter = processorSeconds();
let runs = 0;
let events = 0;
for await (const run of system.client.workflow.list({ query: `WorkflowId = 'backfill/${system.vendorId}'` })) {
  runs += 1;
  events += run.historyLength;
}
const seconds = (Date.parse(progress.endedAt ?? '') - Date.parse(progress.startedAt)) / 1_000;
const full = [...perSecond.values()].slice(1, -1).toSorted((a, b) => a - b);
console.log(
  JSON.stringify(
    {
      people,
      verdicts: progress.verdicts,
      seconds: Math.round(seconds),
      peoplePerSecond: Math.round((progress.done / seconds) * 10) / 10,
      sesamyCallsPerPerson: Math.round((counted / people) * 100) / 100,
      budget: { rps, used: `${Math.round((counted / seconds / rps) * 100)} %`, busiestSecond: full.at(-1) },
      history: { runs, events },
      memoryMiB: most,
      processorSeconds: {
        worker: processorAfter.worker - processorBefore.worker,
        server: processorAfter.server - processorBefore.server,
        standIns: processorAfter.standIns - processorBefore.standIns,
      },
      automationsStarted: system.rule.startsCount,
    },
    undefined,
    2,
  ),
);
assert.equal(progress.done, people);
assert.equal(system.rule.startsCount, 0);
await worker.kill();
await system.close();
await stopSharedTemporal();
await runtime.shutdown();
