/** The command `audit` as its users run it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditFinding, AuditProgress } from '../src/client.js';
import { type CliResult, emptyFolder, runCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { planted } from './support/markers.js';
import { addressOf } from './support/people.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

type Report = Omit<AuditProgress, 'findings'> & {
  findings: AuditFinding[];
  share?: { share: number; low: number; high: number };
};

describe('the command audit', function () {
  this.timeout(120_000);
  let system: System;
  let edited: string;
  let lost: string;
  let strayId: number;
  /** Begun first, since it takes its time to find out. */
  let away: Promise<CliResult>;

  before(async () => {
    system = await startSystem();
    away = runCli(['audit'], { env: { ...system.env, TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    const ids = [aReader(system), aReader(system), aReader(system), aReader(system)];
    await Promise.all(ids.map((id) => system.subscribers.resync(system.person(id))));
    for (const id of ids) await system.attempted(id);
    [edited = '', lost = ''] = ids;
    system.rule.setField(addressOf(edited), 'Subscriber.FirstName', 'Edited');
    system.rule.removeTag(addressOf(lost), 'sesamy_active_subscriber');
    const stray = system.rule.addSubscriber({
      email: `stray@${planted.domain}`,
      tags: ['sesamy', 'sesamy_stage_active'],
      fields: { 'Sesamy_User.ID': `someone@${planted.domain}` },
    });
    strayId = stray.id;
    await eventually(async () => assert.equal(await system.subscribers.count({ vendorId: 'daily' }), 4));
  });
  after(() => system.close());

  const run = (...args: string[]) => runCli(['audit', ...args], { env: system.env, cwd: emptyFolder });

  it('before the first: one sentence; wrong use is told', async () => {
    const [none, both, nowhere] = await Promise.all([run('--last'), run('--json', '--csv', '-'), away]);
    assert.deepEqual([none.code, none.stdout], [1, '']);
    assert.match(none.stderr, /^There is no audit of daily; to begin one: sesamy-rule audit\n$/);
    assert.deepEqual([both.code, both.stderr.includes('both want stdout')], [2, true]);
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /^[^\n]*Temporal[^\n]*\n$/);
  });

  it('for people: counts, findings, and how to mend; a difference is no failure', async () => {
    const { code, stdout, stderr } = await run();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /The audit of daily has begun/);
    assert.match(stdout, /^Audit of daily: 3 readers with differences\n/);
    assert.match(stdout, /Readers looked at +4 of 4/);
    assert.match(stdout, /│ edited-field +│ 1 +│ a field has another value/);
    assert.match(stdout, new RegExp(`│ ${edited.replace('|', '\\|')} +│ \\d+ +│ edited-field +│ Subscriber.FirstName`));
    assert.match(stdout, new RegExp(`│ +│ ${strayId} +│ surplus +│ sesamy_stage_active`));
    assert.match(stdout, /To mend what is ours, quietly: sesamy-rule audit --last --repair/);
  });

  it('for programs: one document, CSV, and an exit code where that is wanted', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'sesamy-rule-audit-')), 'findings.csv');
    const last = await run('--last', '--json', '--csv', file, '--fail-on-difference');
    assert.equal(last.code, 1);
    const report = last.json<Report>();
    assert.deepEqual([report.phase, report.differing, report.findings.length], ['done', 3, 3]);
    const rows = readFileSync(file, 'utf8').trim().split('\r\n');
    assert.equal(rows.length, 4);
    assert.ok(
      rows.some((row) => row.startsWith(`daily,${lost},`) && row.endsWith(',lost-tag,,sesamy_active_subscriber,,')),
    );
    const out = await run('--last', '--csv', '-');
    assert.deepEqual([out.code, out.stdout.split('\r\n').length], [0, 5]);
    assert.match(out.stderr, /3 readers with differences/);
  });

  it('a sample says what it says of everybody', async () => {
    const { code, stdout } = await run('--sample', '2', '--seed', '5');
    assert.equal(code, 0);
    assert.match(stdout, /Readers looked at +2, a sample of 2 of 4 \(seed 5\)/);
    assert.match(stdout, /% of the sample have a difference\. Of all 4 it is, with 95 % certainty, between \d/);
    const all = await run('--sample', '9', '--json');
    assert.deepEqual(all.json<Report>().share, { share: 0.5, low: 0.5, high: 0.5 });
  });

  it('repair asks first, mends, and then nothing is left but the surplus person, settled', async () => {
    await run('--no-wait');
    await eventually(async () => assert.equal((await system.subscribers.audit('daily'))?.phase, 'done'));
    const asked = await run('--last', '--repair');
    assert.deepEqual([asked.code, asked.stdout], [2, '']);
    assert.match(asked.stderr, /To mend: 2 to be written again, quietly; 1 in Rule without a workflow/);
    assert.match(asked.stderr, /add --yes/);
    const done = await run('--last', '--repair', '--yes');
    assert.equal(done.code, 0, done.stderr);
    assert.match(
      done.stdout,
      /Repair of .*: 2 readers told to write everything again, quietly; our status tags left 1 surplus subscriber\./,
    );
    for (const id of [edited, lost]) await system.attempted(id, 2);
    await system.rule.settled();
    assert.deepEqual(system.rule.subscriber(strayId)?.tags, ['sesamy']);
    const again = await run('--repair', '--yes', '--fail-on-difference', '--json');
    assert.equal(again.code, 0, again.stderr);
    const { differing, settled, findings, repair } = again.json<Report>();
    assert.deepEqual([differing, settled, repair], [0, 1, undefined]);
    assert.deepEqual(findings, [{ ruleId: strayId, kind: 'surplus', settled: true }]);
  });

  it('a key that is refused: one sentence, and the audit waits; stop ends it', async () => {
    system.rule.revokeKey();
    const refused = await run();
    assert.equal(refused.code, 1);
    const sentence = refused.stderr.trim().split('\n').at(-1) ?? '';
    assert.match(
      sentence,
      /^The audit of daily waits: rule\/(unauthorized|key-refused).*check RULE_API_KEY.*goes on by itself\.$/,
    );
    const stopped = await run('--stop');
    assert.equal(stopped.code, 0, stopped.stderr);
    assert.match(stopped.stdout, /^Audit of daily: stopped before its end/);
    const idle = await run('--stop');
    assert.deepEqual([idle.code, idle.stderr], [1, 'No audit of daily is running.\n']);
  });
});
