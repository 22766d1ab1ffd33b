/** `backfill` and `reconcile` as their users run them. */
import assert from 'node:assert/strict';
import { duration, progressLine } from '../src/cli/backfill-report.js';
import type { BackfillProgress } from '../src/client.js';
import { emptyFolder, runCli } from './support/cli.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

describe('the commands backfill and reconcile', function () {
  this.timeout(90_000);
  let system: System;

  before(async () => {
    system = await startSystem({ sesamy: { population: { people: 26, seed: 7 }, switches: { envelope: 'data' } } });
    aReader(system, {}, 'auth0|reader@example.com');
  });
  after(() => system.close());

  const run = (...args: string[]) => runCli(args, { env: system.env, cwd: emptyFolder });

  it('says what is wrong and what to write instead', async () => {
    const both = await run('backfill', '--start', '--stop');
    assert.deepEqual([both.code, both.stdout], [2, '']);
    assert.match(both.stderr, /Say one of --start, --pause, --resume, --stop\./);
    const none = await run('backfill');
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^There has been no backfill of daily yet, or Temporal has forgotten it; to begin one: sesamy-rule backfill --start/,
    );
    const notRunning = await run('backfill', '--pause');
    assert.deepEqual([notRunning.code, notRunning.stderr], [1, 'No backfill of daily is running.\n']);
    const asked = await run('backfill', '--start');
    assert.equal(asked.code, 2);
    assert.match(
      asked.stderr,
      /This writes 27 readers to Rule, quietly; at 300 requests a second that takes about 1 s/,
    );
    assert.match(asked.stderr, /add --yes if you mean these 27 readers/);
    assert.equal(system.rule.size, 0);
  });

  it('A25: begins, shows how far it is until it has ended, and keeps the report', async () => {
    const started = await run('backfill', '--start', '--yes', '--json');
    assert.equal(started.code, 0, started.stderr);
    const report = started.json<BackfillProgress>();
    assert.deepEqual([report.stage, report.total, report.done, report.unusableIds], ['done', 27, 26, 1]);
    assert.equal(report.automationsStarted, 0);
    assert.match(started.stderr, /It has begun\.\n/);
    assert.match(started.stderr, /done: 26 of 27 readers/);
    const later = await run('backfill');
    assert.equal(later.code, 0);
    assert.match(later.stdout, /^Backfill, vendor daily\n/);
    assert.match(later.stdout, /Automations +0 started by our tags/);
    assert.match(later.stdout, /guest\/no-email: a guest: Sesamy has no e-mail address/);
    assert.match(later.stdout, /1 reader left out: their ids at Sesamy look like an address/);
  });

  it('A20: reconcile writes whom no webhook told of', async () => {
    aReader(system);
    const found = await run('reconcile', '--json');
    assert.equal(found.code, 0, found.stderr);
    const report = found.json<BackfillProgress>();
    assert.deepEqual([report.kind, report.verdicts, report.leftAlone], ['reconcile', { created: 1 }, 26]);
    const asked = await run('reconcile', '--full');
    assert.deepEqual([asked.code, /add --yes/.test(asked.stderr)], [2, true]);
    const status = await run('reconcile', '--status');
    assert.match(status.stdout, /Have a workflow +26, left alone/);
  });

  it('a reconcile that leaves most readers alone does not pass for one of everybody', async () => {
    await system.stopWorkers();
    await system.subscribers.startBackfill(system.vendorId, { by: 'schedule' }, 'reconcile');
    await system.subscribers.pauseBackfill(system.vendorId, 'reconcile');
    await system.startWorkers();
    const full = await run('reconcile', '--full', '--yes', '--no-wait', '--json');
    assert.equal(full.code, 1, full.stdout);
    assert.match(full.stderr, /leaves readers with a workflow alone; end it with sesamy-rule reconcile --stop/);
    const plain = await run('reconcile', '--no-wait');
    assert.equal(plain.code, 0, plain.stderr);
    assert.match(plain.stdout, /State +paused: .*until --resume/);
    await system.subscribers.stopBackfill(system.vendorId, 'reconcile');
  });

  it('a line tells the stage, how many, the rate, the time left, and what it waits for', () => {
    const progress: BackfillProgress = {
      ...{ vendorId: 'daily', kind: 'backfill', full: true, stage: 'running', startedAt: '', listed: 150, done: 120 },
      ...{ leftAlone: 0, verdicts: {}, reasons: {}, failed: [], failedMore: 0, unusableIds: 0, incomplete: false },
      automationsStarted: 0,
    };
    assert.equal(progressLine(progress), 'running: 120 readers, 150 listed so far');
    assert.equal(
      progressLine({ ...progress, total: 5_000, perSecond: 1.6, secondsLeft: 3_050 }),
      'running: 120 of 5000 readers, 1.6 a second, about 51 min left',
    );
    const waiting = { why: 'rule/unavailable', since: '', until: '2026-09-01T12:00:00Z' };
    assert.equal(
      progressLine({ ...progress, stage: 'waiting', total: 5_000, waiting }),
      'waiting: 120 of 5000 readers, waits until 2026-09-01T12:00:00Z: rule/unavailable',
    );
    assert.deepEqual([duration(12.2), duration(100), duration(60 * 200)], ['13 s', '2 min', '3 h 20 min']);
  });
});
