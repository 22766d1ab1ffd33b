/**
 * Temporal's database is on a full disk: the server may write no file beyond the size that it has (`prlimit`, of Linux). Webhooks are
 * refused, nothing that was accepted is lost, and when there is room again it goes on without help.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../../src/temporal/embedded.js';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.js';
import { startWorkerProcess, type WorkerProcess } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { addressOf, nextId } from '../support/people.js';
import { aReader } from '../support/readers.js';
import { type System, startSystem } from '../support/system.js';
import { temporalCli } from '../support/temporal.js';

describe('the disk of Temporal is full', function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-disk-'));
  let temporal: EmbeddedTemporal;
  let system: System;
  let worker: WorkerProcess;
  const accepted: string[] = [];
  const answers: number[] = [];

  const limit = (bytes: number | 'unlimited') =>
    execFileSync('prlimit', ['--pid', String(temporal.pid), `--fsize=${bytes}:unlimited`]);
  const size = () => Math.max(...readdirSync(folder).map((file) => statSync(join(folder, file)).size));

  async function send(id: string): Promise<number> {
    const { status } = await system.nudge(id, 'userVendor.1#new');
    answers.push(status);
    if (status === 202) accepted.push(id);
    return status;
  }

  const startTemporal = async (port?: number) => {
    temporal = await startEmbeddedTemporal({
      executable: await temporalCli(),
      uiPort: false,
      dbFile: join(folder, 'temporal.db'),
      logFile: join(folder, 'temporal.log'),
      ...(port ? { port } : {}),
    });
  };

  before(async () => {
    await startTemporal();
    system = await startSystem({ temporal: temporal.address, workers: false });
    await ensureSearchAttributes(system.client.connection, 'default');
    worker = await startWorkerProcess(system.env);
    for (let number = 0; number < 10; number += 1) assert.equal(await send(aReader(system)), 202);
    await eventually(() => assert.equal(system.rule.size, 10), { timeoutMs: 60_000 });
    // The next page of the write-ahead log or of the database finds no room.
    limit(Math.floor(size() / 4_096) * 4_096);
    await eventually(async () => assert.equal(await send(aReader(system, {}, nextId())), 503), { timeoutMs: 120_000 });
  });
  after(async () => {
    await worker?.kill();
    await system?.close();
    await temporal?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('webhooks are answered with 503, and with nothing else but 202', async () => {
    for (let number = 0; number < 10; number += 1) await send(aReader(system));
    assert.deepEqual([...new Set(answers)].sort(), [202, 503]);
  });

  it('when there is room again it takes webhooks, and everybody who was accepted is in Rule', async () => {
    const ended = await Promise.race([temporal.exited, Promise.resolve(undefined)]);
    // One that ended itself is started again by whoever looks after it; `sesamy-rule start` ends with it, and says so.
    if (ended) await startTemporal(Number(temporal.address.split(':')[1]));
    else limit('unlimited');
    await eventually(async () => assert.equal(await send(aReader(system)), 202), { timeoutMs: 60_000 });
    await eventually(
      () =>
        assert.deepEqual(
          accepted.filter((id) => !system.rule.subscriber(addressOf(id))),
          [],
        ),
      { timeoutMs: 120_000 },
    );
  });
});
