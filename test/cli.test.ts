import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fieldTable, tagTable } from '../src/mapping/index.js';
import { atOnce, runCli } from './support/cli.js';
import { plantedKeys } from './support/markers.js';

/** Nothing listens there. */
const nowhere = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
const complete = {
  SESAMY_VENDOR_ID: 'daily',
  SESAMY_CLIENT_ID: 'client-daily',
  SESAMY_CLIENT_SECRET: plantedKeys.clientSecret,
  RULE_API_KEY: plantedKeys.ruleKey,
  WEBHOOK_SECRET: plantedKeys.webhookSecret,
};
const commands = [
  'start',
  'worker',
  'webhook',
  'doctor',
  'activate',
  'sync',
  'status',
  'list',
  'resync',
  'preview',
  'release',
  'discard',
  'erase',
  'fields',
  'tags',
];

describe('the command line', function () {
  this.timeout(60_000);

  it('shows all commands with --help', async () => {
    const { code, stdout } = await runCli(['--help']);
    assert.equal(code, 0);
    for (const name of commands) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
  });

  it('has help with examples for every command', async () => {
    await atOnce(commands, async (name) => {
      const { code, stdout } = await runCli([name, '--help']);
      assert.equal(code, 0, name);
      assert.match(stdout, new RegExp(`Examples:\\n[^]*sesamy-rule ${name}`), name);
      assert.match(stdout, /--json/, name);
      if (name === 'preview') assert.match(stdout, /only command that prints personal data/);
    });
  });

  const misuses: [title: string, args: string[], says: RegExp][] = [
    ['no command', [], /Usage: sesamy-rule/],
    ['an unknown command, with a suggestion', ['statsu'], /Did you mean status\?/],
    ['an unknown option', ['fields', '--vendr', 'daily'], /unknown option/],
    ['a missing argument', ['sync'], /missing required argument 'userId'/],
    ['a value that is none of the choices', ['list', '--state', 'broken'], /Allowed choices are ok, retrying/],
    ['a time that is none', ['list', '--since', 'yesterday'], /30m, 2h, 7d/],
    ['a limit that is no number', ['list', '--limit', 'all'], /whole number/],
    ['nobody to resync', ['resync'], /--failed, or --query/],
    ['an empty query', ['resync', '--query', ' '], /--query is empty/],
    ['one and many to resync', ['resync', 'email|1', '--failed'], /not both/],
    ['many to recreate', ['resync', '--failed', '--recreate'], /for one reader/],
    ['no vendor', ['status', 'email|1'], /No vendor is configured/],
    ['a vendor id of another form', ['status', 'email|1', '--vendor', 'The Daily'], /not the form of a vendor id/],
  ];
  it('answers 2 to wrong use, and says what is wrong', async () => {
    await atOnce(misuses, async ([title, args, says]) => {
      const { code, stdout, stderr } = await runCli(args, { env: nowhere });
      assert.equal(code, 2, title);
      assert.match(stderr, says, title);
      assert.equal(stdout, '', title);
    });
  });

  it('refuses an e-mail address in place of a user id without repeating it', async () => {
    const { code, stderr } = await runCli(['status', 'kim@example.com'], { env: { ...complete, ...nowhere } });
    assert.equal(code, 2);
    assert.match(stderr, /named by Sesamy's user id/);
    assert.doesNotMatch(stderr, /kim/);
  });

  it('tells a program of wrong use by one JSON document', async () => {
    await atOnce([['statsu'], ['resync']], async (args) => {
      const { code, json } = await runCli([...args, '--json']);
      assert.equal(code, 2);
      assert.equal(json<{ error: { name: string } }>().error.name, 'UsageError');
    });
  });

  it('names all mistakes in the settings at once, and no value', async () => {
    const env = {
      ...complete,
      SESAMY_CLIENT_ID: '',
      SESAMY_RPS: 'many',
      SESAMY_RULE_TIME_ZONE: 'Mars/Phobos',
      RULE_API_KEY: '',
      TEMPORAL_PROFILE: 'nowhere',
    };
    await atOnce([['worker'], ['list'], ['sync', 'email|1']], async (args) => {
      const { code, stdout, stderr } = await runCli(args, { env });
      assert.equal(code, 2, args.join(' '));
      for (const name of ['SESAMY_CLIENT_ID', 'SESAMY_RPS', 'SESAMY_RULE_TIME_ZONE', 'RULE_API_KEY', 'TEMPORAL_']) {
        assert.match(stderr, new RegExp(name));
      }
      assert.equal(stdout, '');
    });
  });

  it('answers 2 where TEMPORAL_CLI_PATH leads nowhere', async () => {
    const { code, stderr } = await runCli(['start'], { env: { TEMPORAL_CLI_PATH: '/nowhere/temporal', PORT: '0' } });
    assert.equal(code, 2);
    assert.match(stderr, /TEMPORAL_CLI_PATH is set to \/nowhere\/temporal, which is not an executable file/);
  });

  it('needs the webhook secret for the webhook server only', async () => {
    const env = { ...complete, ...nowhere, WEBHOOK_SECRET: '' };
    const webhook = await runCli(['webhook'], { env });
    assert.deepEqual([webhook.code, /WEBHOOK_SECRET is not set/.test(webhook.stderr)], [2, true]);
  });

  it('asks no other installation where this folder has one of its own that does not run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-stopped-'));
    let asked = 0;
    // Another one, at the port that is tried where nothing is set; whoever has it already serves as well.
    const other = createServer((socket) => {
      asked += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => other.listen(7233, '127.0.0.1', resolve).once('error', () => resolve()));
    try {
      await writeFile(join(folder, 'temporal.db'), '');
      const { code, stderr } = await runCli(['list'], { env: { SESAMY_RULE_DATA: folder } });
      assert.deepEqual([code, asked], [1, 0]);
      assert.match(stderr, /^Nothing runs here: start it with `npm start`/);
    } finally {
      other.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('names the vendors where there are several and none is named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-vendors-'));
    try {
      const vendor = (id: string) => ({
        id,
        sesamy: { clientId: `client-${id}`, clientSecret: { env: 'SECRET_OF_SESAMY' } },
        rule: { apiKey: { env: `KEY_OF_${id.toUpperCase()}` } },
      });
      await writeFile(join(folder, 'vendors.json'), JSON.stringify({ vendors: [vendor('daily'), vendor('weekly')] }));
      const env = {
        SESAMY_RULE_CONFIG: join(folder, 'vendors.json'),
        SECRET_OF_SESAMY: plantedKeys.clientSecret,
        KEY_OF_DAILY: plantedKeys.ruleKey,
        KEY_OF_WEEKLY: `${plantedKeys.ruleKey}-2`,
        WEBHOOK_SECRET: plantedKeys.webhookSecret,
        ...nowhere,
      };
      for (const args of [
        ['preview', 'email|1'],
        ['sync', 'email|1', '--vendor', 'monthly'],
      ]) {
        const { code, stderr } = await runCli(args, { env });
        assert.equal(code, 2);
        assert.match(stderr, /--vendor daily or weekly/);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('says in one sentence that Temporal is away, with the address and the mend', async () => {
    const { code, stdout, stderr } = await runCli(['list', '--json'], { env: { ...complete, ...nowhere } });
    assert.equal(code, 1);
    assert.match(stderr, /^Temporal does not answer at 127\.0\.0\.1:1 .*TEMPORAL_ADDRESS.*\n$/);
    assert.deepEqual(JSON.parse(stdout), { error: { name: 'TemporalUnreachableError', message: stderr.trim() } });
  });

  it('ends when workers or the webhook server cannot start', async () => {
    await atOnce(['worker', 'webhook'], async (name) => {
      const { code, stdout, stderr } = await runCli([name], { env: { ...complete, ...nowhere } });
      assert.deepEqual([code, stdout], [1, ''], name);
      assert.match(stderr, /^Temporal does not answer at 127\.0\.0\.1:1 /, name);
    });
  });

  it('outlives a reader of its output that goes away', async () => {
    const { code, stderr } = await runCli(['fields', '--json'], { closeStdout: true });
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('prints the table of the fields', async () => {
    const { stdout } = await runCli(['fields']);
    for (const { key, type } of fieldTable) assert.match(stdout, new RegExp(`${key.replace('.', '\\.')} +│ ${type} `));
    const documents = (await runCli(['fields', '--json'])).json<{ key: string; type: string; missing: string }[]>();
    assert.deepEqual(
      documents.map(({ key, type, missing }) => ({ key, type, missing })),
      fieldTable.map(({ key, type, missing }) => ({ key, type, missing })),
    );
  });

  it('prints the table of the tags', async () => {
    const { stdout } = await runCli(['tags']);
    for (const { name } of tagTable) assert.ok(stdout.includes(`│ ${name} `), name);
    assert.deepEqual((await runCli(['tags', '--json'])).json(), tagTable);
  });

  it('checks with doctor what can be checked without credentials: sandbox mode', async () => {
    const { code, json } = await runCli(['doctor', '--json'], { env: nowhere });
    const { ok, checks } = json<{ ok: boolean; checks: { check: string; result: string; detail: string }[] }>();
    assert.deepEqual([code, ok], [1, false]);
    assert.deepEqual(
      checks.map(({ check, result }) => [check, result]),
      [
        ['Settings', 'note'],
        ['Temporal', 'failed'],
      ],
    );
    assert.match(checks[0]?.detail ?? '', /sandbox mode/);
  });

  it('goes on with doctor after mistakes in the settings, each with its mend', async () => {
    const { code, stdout } = await runCli(['doctor'], {
      env: { ...complete, ...nowhere, RULE_API_KEY: '', SESAMY_RPS: '-1' },
    });
    assert.equal(code, 1);
    for (const check of ['Setting SESAMY_RPS', 'Setting RULE_API_KEY', 'Temporal'])
      assert.match(stdout, new RegExp(`│ ${check} .*│ failed`));
  });
});
