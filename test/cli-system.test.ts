/** The commands on real parts: a worker as a process of its own, Temporal, both stand-ins over HTTP. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { TrailEntry } from '../src/client.js';
import { atOnce, emptyFolder, type RunningCli, runCli, runCliOnTerminal, startCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { planted } from './support/markers.js';
import { addressOf, nextId } from './support/people.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

interface DoctorReport {
  ok: boolean;
  checks: { check: string; result: string; detail: string; mend?: string }[];
}

interface Listing {
  total: number;
  subscribers: { userId: string; state: string; failureType?: string; failedAt?: string }[];
}

describe('the commands on a running system', function () {
  this.timeout(120_000);
  let system: System;
  let worker: RunningCli;

  before(async () => {
    system = await startSystem({ workers: false });
  });
  after(async () => {
    await worker?.stop();
    await system.close();
  });

  const run = (...args: string[]) => runCli(args, { env: system.env, cwd: emptyFolder });
  const inRule = (id: string) => system.rule.subscriber(addressOf(id));

  /** Has Rule refuse or drop every write to one subscriber. */
  const breakWritesOf = (id: string, status: 400 | 503) =>
    system.rule.faults.add({
      kind: 'status',
      method: 'PUT',
      path: `/v2/subscribers/${inRule(id)?.id}(\\?|$)`,
      status,
      body: JSON.stringify({ error: 'InvalidData', message: 'refused for a test' }),
    });

  /** A reader who is in step, whose first name then changes while Rule does not take it. */
  async function aFailingReader(status: 400 | 503): Promise<{ id: string; fault: string }> {
    const id = aReader(system);
    await system.subscribers.sync(system.person(id));
    const fault = breakWritesOf(id, status);
    aReader(system, { profile: { firstName: 'Åsa' } }, id);
    return { id, fault };
  }

  /** Temporal's visibility store is a moment behind. */
  async function untilListed(state: 'failed' | 'retrying', expected: readonly string[]): Promise<void> {
    await eventually(async () => {
      const found: string[] = [];
      for await (const { userId } of system.subscribers.list({ state })) found.push(userId);
      assert.deepEqual(found.sort(), [...expected].sort());
    });
  }

  it('doctor: all well but for the missing worker, which is a warning; Sesamy’s wish for a pause is granted', async () => {
    const headers = { 'Retry-After': '1' };
    system.sesamy.faults.add({ kind: 'status', status: 429, path: '^/management/users', headers, times: 1 });
    const { code, json } = await run('doctor', '--json');
    const { ok, checks } = json<DoctorReport>();
    assert.deepEqual([code, ok], [0, true], JSON.stringify(checks));
    assert.deepEqual(
      checks.map(({ check, result }) => [check, result]),
      [
        ['Settings', 'ok'],
        ['Temporal', 'ok'],
        ['Search attributes', 'ok'],
        ['Worker on sesamy-rule', 'warning'],
        ['Worker on sesamy-rule/daily', 'warning'],
        ['Sesamy, daily', 'ok'],
        ['Rule, daily', 'ok'],
        ['Fields in Rule, daily', 'note'],
        ['Webhook secret, daily', 'ok'],
        ['Webhook server', 'note'],
      ],
    );
  });

  it('status of somebody nobody has told of: exit code 1 and a sentence', async () => {
    const { code, stderr, stdout } = await run('status', 'email|000000000000000000000bad');
    assert.equal(code, 1);
    assert.match(stderr, /^email\|0+bad of vendor daily is not known here.*sesamy-rule preview 'email\|0+bad'\n$/);
    assert.equal(stdout, '');
  });

  it('worker: says when it runs, and doctor sees it', async () => {
    worker = await startCli(['worker', '--json'], { env: system.env });
    assert.deepEqual(JSON.parse(worker.output.stdout), { running: 'worker', vendors: ['daily'] });
    await eventually(async () => {
      const { checks } = (await run('doctor', '--json')).json<DoctorReport>();
      const workers = checks.filter(({ check }) => check.startsWith('Worker'));
      assert.deepEqual(
        workers.map(({ result }) => result),
        ['ok', 'ok'],
      );
    });
  });

  it('sync: writes a reader and shows what was done; the second time there is nothing to do', async () => {
    const id = aReader(system);
    const first = await run('sync', id);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /Verdict +created/);
    assert.match(first.stdout, /Tags added +.*sesamy_active_subscriber/);
    assert.match(first.stdout, /Next +\d{4}-\d\d-\d\dT.*Z: /);
    assert.equal(inRule(id)?.fields['Subscriber.FirstName']?.value, planted.firstName);

    const again = await run('sync', id, '--json');
    const entry = again.json<TrailEntry & { userId: string; state: string }>();
    assert.deepEqual([again.code, entry.userId, entry.verdict, entry.state], [0, id, 'unchanged', 'ok']);
    const forced = (await run('sync', id, '--force', '--json')).json<TrailEntry>();
    assert.deepEqual([forced.verdict, forced.changes?.fields.length], ['updated', 19]);
  });

  it('sync: a guest is skipped with the reason', async () => {
    const id = aReader(system, { profile: { emailVerified: false } });
    const { code, stdout } = await run('sync', id);
    assert.equal(code, 0);
    assert.match(stdout, /Verdict +skipped\nWhy +a guest: the e-mail address is not verified/);
  });

  it('A24: failing readers are listed, retriggered together after a look at the number, and a second press does no harm', async () => {
    const failing = await aFailingReader(400);
    const retrying = await aFailingReader(503);
    const failed = await run('sync', failing.id);
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, /Failure +rule\/invalid \(status 400; PUT \/v2\/subscribers\/\{id\}/);
    assert.match(failed.stdout, /Mend +.*sesamy-rule resync 'email\|/);
    assert.equal((await run('sync', retrying.id)).code, 1);

    await untilListed('failed', [failing.id]);
    await untilListed('retrying', [retrying.id]);
    const [row, ...others] = (await run('list', '--state', 'failed', '--json')).json<Listing>().subscribers;
    assert.deepEqual([row?.userId, row?.failureType, others], [failing.id, 'rule/invalid', []]);
    assert.match(row?.failedAt ?? '', /^\d{4}-/);
    assert.match((await run('list', '--state', 'retrying')).stdout, /│ retrying +│ .* │ rule\/unavailable +│ \d{4}-/);
    const of = async (...filter: string[]) => (await run('list', ...filter, '--json')).json<Listing>().total;
    assert.equal(await of('--failure-type', 'rule/invalid'), 1);
    assert.equal(await of('--since', '1h'), 2);
    assert.equal(await of('--since', new Date(Date.now() + 3_600_000).toISOString()), 0);
    assert.equal(await of('--query', "SyncState = 'retrying'"), 1);

    const asked = await run('resync', '--failed');
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /This is about 2 readers \(1 failed, 1 retrying\):/);
    for (const { id } of [failing, retrying]) assert.equal(asked.stderr.includes(id), true, 'the sample names them');
    assert.match(asked.stderr, /--yes/);
    assert.equal(asked.stdout, '');

    for (const { fault } of [failing, retrying]) system.rule.faults.remove(fault);
    const pressed = await run('resync', '--failed', '--yes', '--json');
    assert.equal(pressed.code, 0, pressed.stderr);
    const { total, told, finished } = pressed.json<{ total: number; told: number; finished: boolean }>();
    assert.deepEqual([total, told, finished], [2, 2, true]);
    const again = await run('resync', '--failed', '--yes', '--json');
    assert.equal(again.code, 0, again.stderr);
    for (const { id } of [failing, retrying]) {
      await eventually(() => assert.equal(inRule(id)?.fields['Subscriber.FirstName']?.value, 'Åsa'));
    }
    await untilListed('failed', []);
    await untilListed('retrying', []);
    const done = await run('resync', '--failed');
    assert.deepEqual([done.code, done.stdout], [0, 'Nobody matches: nothing to do.\n']);
    assert.equal(system.rule.automationsStarted().length, 0);
  });

  it('resync --failed on a terminal asks; whoever does not say yes has done nothing', async () => {
    const failing = await aFailingReader(400);
    await system.subscribers.sync(system.person(failing.id));
    await untilListed('failed', [failing.id]);
    system.rule.faults.remove(failing.fault);
    const typed = (reply: string) => runCliOnTerminal(['resync', '--failed'], reply, { env: system.env });
    const question = `This is about 1 reader (1 failed, 0 retrying):\n  ${failing.id}\nWrite them all again, quietly? [y/N] `;

    const [controlC, controlD] = ['\x03', '\x04'];
    await atOnce(['n\n', controlC, controlD], async (reply) => {
      const { code, screen } = await typed(reply);
      assert.equal(code, 1);
      assert.equal(screen.startsWith(question), true, screen);
      assert.match(screen, /\nNothing was done\.\n$/);
      assert.doesNotMatch(screen, /Abort|unexpected/i);
    });
    assert.equal((await system.status(failing.id))?.state, 'failed');
    assert.equal(inRule(failing.id)?.fields['Subscriber.FirstName']?.value, planted.firstName);

    const { code, screen } = await typed('y\n');
    assert.equal(code, 0, screen);
    assert.equal(screen.startsWith(question), true, screen);
    assert.match(screen, /\n1 reader told to write everything again, quietly\.\n/);
    await eventually(() => assert.equal(inRule(failing.id)?.fields['Subscriber.FirstName']?.value, 'Åsa'));
    await untilListed('failed', []);
  });

  it('resync --failed with a filter leaves the others alone', async () => {
    const failing = await aFailingReader(400);
    const retrying = await aFailingReader(503);
    for (const { id } of [failing, retrying]) await system.subscribers.sync(system.person(id));
    await untilListed('failed', [failing.id]);
    await untilListed('retrying', [retrying.id]);
    for (const { fault } of [failing, retrying]) system.rule.faults.remove(fault);
    const { json } = await run(
      'resync',
      '--failed',
      '--failure-type',
      'rule/invalid',
      '--since',
      '1h',
      '--yes',
      '--json',
    );
    assert.equal(json<{ told: number }>().told, 1);
    await untilListed('failed', []);
    assert.equal((await system.status(retrying.id))?.state, 'retrying');
    assert.equal((await run('resync', retrying.id)).code, 0);
    await untilListed('retrying', []);
  });

  it('a query that Temporal does not take is wrong use', async () => {
    const { code, stderr } = await run('list', '--query', 'SyncState ==');
    assert.equal(code, 2);
    assert.match(stderr, /^Temporal does not take the query: /);
    const stepsOut = await run('list', '--query', "SyncState = 'ok') OR (WorkflowType != 'x'");
    assert.equal(stepsOut.code, 2);
    assert.match(stepsOut.stderr, /bracket/);
  });

  it('status: the story, what failed, what happens next, and the link to the Temporal UI', async () => {
    const { id, fault } = await aFailingReader(503);
    await system.subscribers.sync(system.person(id));
    const { code, stdout } = await run('status', id);
    assert.equal(code, 0);
    assert.match(stdout, /State +retrying: failing; tried again by itself \(since \d{4}-/);
    assert.match(stdout, /Failure +rule\/unavailable \(status 503/);
    assert.match(stdout, /Mend +nothing to do/);
    assert.match(stdout, /Next +\d{4}-.*: retry 1 after rule\/unavailable/);
    assert.match(stdout, /Z {2}written to Rule: 19 fields, \+sesamy/);
    const path = encodeURIComponent(`subscriber/daily/${id}`);
    const url = `http://127.0.0.1:8233/namespaces/${system.env.TEMPORAL_NAMESPACE}/workflows/${path}`;
    assert.equal(stdout.includes(url), true, stdout);
    system.rule.faults.remove(fault);
    assert.equal((await run('sync', id)).code, 0);
    assert.equal((await run('status', id, '--json')).json<{ state: string }>().state, 'ok');
  });

  it('A35: preview shows a hand edit in Rule and writes nothing; a resync mends it', async () => {
    const id = aReader(system);
    await system.subscribers.sync(system.person(id));
    system.rule.setField(addressOf(id), 'Subscriber.FirstName', 'Edited');
    system.rule.setTags(addressOf(id), ['sesamy', 'sesamy_vip', 'sesamy_stage_lapsed']);
    const mark = system.rule.recorder.requests.length;

    const shown = await run('preview', id);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, new RegExp(`│ ~ +│ Subscriber.FirstName +│ Edited +│ ${planted.firstName} `));
    assert.match(shown.stdout, new RegExp(`│ = +│ Subscriber.LastName +│ ${planted.lastName} +│ ${planted.lastName} `));
    assert.match(shown.stdout, /│ \+ +│ sesamy_active_subscriber /);
    assert.match(shown.stdout, /│ − +│ sesamy_stage_lapsed /);
    assert.doesNotMatch(shown.stdout, /sesamy_vip/);
    assert.match(shown.stdout, /would be changed in Rule/);
    const document = (await run('preview', id, '--json')).json<{ verdict: string; ruleId: number }>();
    assert.deepEqual([document.verdict, document.ruleId], ['update', inRule(id)?.id]);
    assert.deepEqual(system.ruleWrites(mark), [], 'preview only reads');
    assert.notDeepEqual(system.ruleReads(mark), []);

    assert.equal((await run('resync', id)).code, 0);
    await eventually(() => {
      assert.equal(inRule(id)?.fields['Subscriber.FirstName']?.value, planted.firstName);
      const tags = inRule(id)?.tags ?? [];
      assert.deepEqual([tags.includes('sesamy_vip'), tags.includes('sesamy_stage_lapsed')], [true, false]);
    });
    assert.equal((await run('preview', id, '--json')).json<{ verdict: string }>().verdict, 'unchanged');
  });

  it('preview of somebody new, of a guest, of somebody deleted in Rule, and of nobody', async () => {
    const verdict = async (id: string, ...options: string[]) => {
      const { code, json } = await run('preview', id, ...options, '--json');
      assert.equal(code, 0);
      const { verdict, reason } = json<{ verdict: string; reason?: string }>();
      return [verdict, reason];
    };
    assert.deepEqual(await verdict(aReader(system)), ['create', undefined]);
    const guest = aReader(system, { profile: { emailVerified: false } });
    assert.deepEqual(await verdict(guest), ['skip', 'guest/email-not-verified']);
    const deleted = aReader(system);
    await system.subscribers.sync(system.person(deleted));
    system.rule.deleteSubscriber(addressOf(deleted));
    assert.deepEqual(await verdict(deleted), ['skip', 'deleted-in-rule']);
    assert.deepEqual(await verdict(deleted, '--recreate'), ['create', undefined]);
    const nobody = await run('preview', nextId());
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /Sesamy does not know email\|/);
  });

  it('doctor: a wrong Sesamy secret, a revoked Rule key and a field of another type are named with their mend', async () => {
    const with_ = async (env: Record<string, string>) =>
      runCli(['doctor', '--json'], { env: { ...system.env, ...env }, cwd: emptyFolder });
    const find = (report: DoctorReport, check: string) => report.checks.find((one) => one.check === check);

    const secret = await with_({ SESAMY_CLIENT_SECRET: 'a-wrong-secret' });
    assert.equal(secret.code, 1);
    const sesamy = find(secret.json(), 'Sesamy, daily');
    assert.equal(sesamy?.result, 'failed');
    assert.match(sesamy?.mend ?? '', /SESAMY_CLIENT_SECRET/);
    assert.equal(find(secret.json(), 'Rule, daily')?.result, 'ok', 'the other checks go on');

    const key = await with_({ RULE_API_KEY: 'a-revoked-key' });
    assert.equal(key.code, 1);
    const rule = find(key.json(), 'Rule, daily');
    assert.equal(rule?.result, 'failed');
    assert.match(rule?.mend ?? '', /RULE_API_KEY/);
    assert.equal(find(key.json(), 'Sesamy, daily')?.result, 'ok');

    const noSecret = await with_({ WEBHOOK_SECRET: '' });
    assert.equal(find(noSecret.json(), 'Webhook secret, daily')?.result, 'failed');
  });

  it('webhook: takes a message, and stops without losing it', async () => {
    const id = aReader(system);
    const server = await startCli(['webhook', '--json'], { env: system.env });
    const { url } = JSON.parse(server.output.stdout) as { url: string };
    const reply = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${system.env.WEBHOOK_SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        eventType: 'userVendor.1#new',
        vendorId: 'daily',
        userId: id,
        occured_at: '2026-09-10T12:00:00Z',
      }),
    });
    assert.equal(reply.status, 202);
    assert.equal(await server.stop(), 0);
    await eventually(() => assert.equal(inRule(id)?.tags.includes('sesamy'), true));
  });

  it('worker: ends with exit code 0 when it is told to', async () => {
    assert.equal(await worker.stop(), 0);
    worker = await startCli(['worker'], { env: system.env });
    assert.match(worker.output.stdout, /^Workers run for daily\.\n$/);
  });
});

describe('doctor on an account with fields of other types', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem({ workers: false });
    system.rule.defineField('Sesamy_Subscription.ExpiresAt', 'datetime');
    system.rule.defineField('Sesamy_ActiveProducts.SKU', 'text');
  });
  after(() => system.close());

  it('warns of the one that cannot be written and notes the one that is written as text', async () => {
    const { code, json } = await runCli(['doctor', '--json'], { env: system.env });
    assert.equal(code, 0);
    const fields = json<DoctorReport>().checks.find(({ check }) => check.startsWith('Fields'));
    assert.equal(fields?.result, 'warning');
    assert.match(fields?.detail ?? '', /Sesamy_Subscription\.ExpiresAt is datetime, not date/);
    assert.match(fields?.detail ?? '', /written as text.*: Sesamy_ActiveProducts\.SKU/);
    assert.match(fields?.detail ?? '', /15 of 19 are made by `sesamy-rule activate`, or at the first write/);
  });
});

describe('the commands for many readers', function () {
  this.timeout(120_000);
  let system: System;
  /** Two who have cancelled, and two who have not. */
  let cancelling: string[];
  let active: string[];

  before(async () => {
    system = await startSystem();
    const willCancelAt = '2027-01-15T10:00:00Z';
    cancelling = [aReader(system, { contract: { willCancelAt } }), aReader(system, { contract: { willCancelAt } })];
    active = [aReader(system), aReader(system)];
    for (const id of [...cancelling, ...active]) await system.subscribers.sync(system.person(id));
    await eventually(async () => {
      assert.equal(await system.subscribers.count({ stage: 'cancelling' }), 2);
      assert.equal(await system.subscribers.count({ stage: 'active' }), 2);
    });
  });
  after(() => system.close());

  const run = (...args: string[]) => runCli(args, { env: system.env, cwd: emptyFolder });
  const attempts = async () => {
    const statuses = await Promise.all([...cancelling, ...active].map((id) => system.status(id)));
    return statuses.map((status) => status?.attempts);
  };
  const listed = async (...filter: string[]) => {
    const { code, json, stderr } = await run('list', ...filter, '--json');
    assert.equal(code, 0, stderr);
    const { total, subscribers } = json<Listing>();
    return { total, ids: subscribers.map(({ userId }) => userId).sort() };
  };

  it('resync --query without --yes says how many it is about, and nobody is attempted', async () => {
    const before = await attempts();
    const { code, stdout, stderr } = await run('resync', '--query', "LifecycleStage = 'cancelling'");
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, /^This is about 2 readers:\n/);
    for (const id of cancelling) assert.equal(stderr.includes(id), true, 'the sample names them');
    assert.match(stderr, /add --yes if you mean these 2 readers/);
    await delay(500);
    assert.deepEqual(await attempts(), before);
  });

  it('resync --query --yes writes those again whom the query finds, and leaves the others alone', async () => {
    const [first = 0, second = 0, ...others] = await attempts();
    const { code, json, stderr } = await run('resync', '--query', "LifecycleStage = 'cancelling'", '--yes', '--json');
    assert.equal(code, 0, stderr);
    const { total, told, finished } = json<{ total: number; told: number; finished: boolean }>();
    assert.deepEqual([total, told, finished], [2, 2, true]);
    await eventually(async () => assert.deepEqual(await attempts(), [first + 1, second + 1, ...others]));
    await delay(500);
    assert.deepEqual(await attempts(), [first + 1, second + 1, ...others]);
  });

  it('list --stage, --limit', async () => {
    assert.deepEqual(await listed('--stage', 'cancelling'), { total: 2, ids: [...cancelling].sort() });
    assert.deepEqual(await listed('--stage', 'lapsed'), { total: 0, ids: [] });
    const limited = await listed('--stage', 'active', '--limit', '1');
    assert.deepEqual([limited.total, limited.ids.length], [2, 1]);
    assert.equal(active.includes(limited.ids[0] ?? ''), true);
    const { stdout, stderr } = await run('list', '--stage', 'active', '--limit', '1');
    assert.match(stderr, /^1 of 2; --limit shows more\.\n$/);
    assert.equal(active.filter((id) => stdout.includes(id)).length, 1);
    assert.equal((await run('list', '--limit', '0')).code, 2);
  });

  it('list --vendor shows the readers of one vendor', async () => {
    const weekly = { vendorId: 'weekly', userId: nextId() };
    await system.subscribers.resync(weekly);
    try {
      await eventually(async () => assert.equal((await listed()).total, 5));
      assert.deepEqual(await listed('--vendor', 'daily'), { total: 4, ids: [...cancelling, ...active].sort() });
      const { TEMPORAL_ADDRESS = '', TEMPORAL_NAMESPACE = '' } = system.env;
      const env = { TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE };
      const { json } = await runCli(['list', '--vendor', 'weekly', '--json'], { env, cwd: emptyFolder });
      assert.deepEqual(
        json<Listing>().subscribers.map(({ userId }) => userId),
        [weekly.userId],
      );
      assert.equal((await run('list', '--vendor', 'weekly')).code, 2, 'not configured here');
    } finally {
      await system.client.workflow.getHandle(`subscriber/weekly/${weekly.userId}`).terminate();
    }
  });
});
