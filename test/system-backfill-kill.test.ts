import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackfillProgress } from '../src/client.js';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../src/temporal/embedded.js';
import { ensureSearchAttributes } from '../src/temporal/search-attributes.js';
import { startWorkerProcess, type WorkerProcess } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { type System, startSystem } from './support/system.js';
import { temporalCli } from './support/temporal.js';

describe('a backfill is killed in the middle', function () {
  this.timeout(150_000);
  const folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-backfill-'));
  let temporal: EmbeddedTemporal;
  let system: System;
  let worker: WorkerProcess;

  after(async () => {
    await worker?.kill();
    await system?.close();
    await temporal?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startTemporal(port?: number): Promise<void> {
    temporal = await startEmbeddedTemporal({
      executable: await temporalCli(),
      uiPort: false,
      dbFile: join(folder, 'temporal.db'),
      ...(port ? { port } : {}),
    });
  }

  async function reach(holds: (progress: BackfillProgress) => boolean, what: string): Promise<BackfillProgress> {
    let last: BackfillProgress | undefined;
    await eventually(
      async () => {
        last = await system.subscribers.backfill(system.vendorId);
        assert.ok(last && holds(last), JSON.stringify(last));
      },
      { timeoutMs: 90_000, what },
    );
    return last as unknown as BackfillProgress;
  }

  it('A25: worker and Temporal are killed; it goes on where it was, nobody is missing and nobody counted twice', async () => {
    const people = 120;
    await startTemporal();
    system = await startSystem({
      temporal: temporal.address,
      sesamy: { population: { people, seed: 7 } },
      env: { SESAMY_RPS: '30' },
      workers: false,
    });
    await ensureSearchAttributes(system.client.connection, 'default');
    worker = await startWorkerProcess(system.env);
    await system.subscribers.startBackfill(system.vendorId);
    await reach(({ done }) => done > 0, 'a first batch');

    await worker.kill();
    await temporal.kill();
    const reached = system.rule.size;
    assert.ok(reached > 0 && reached < people * 0.8, `${reached} of ${people} were written`);
    await startTemporal(Number(temporal.address.split(':')[1]));
    worker = await startWorkerProcess(system.env);

    const report = await reach(({ endedAt }) => endedAt !== undefined, 'the end');
    const { created = 0, updated = 0, unchanged = 0, skipped = 0, ...others } = report.verdicts;
    assert.deepEqual(others, {});
    assert.deepEqual([report.stage, report.listed, report.done], ['done', people, people]);
    assert.equal(created + updated + unchanged + skipped, people);
    assert.equal(system.rule.size, people - skipped, 'everybody who is to be there is');
    assert.equal(system.rule.startsCount, 0);
  });
});
