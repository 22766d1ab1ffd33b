import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './support/eventually.js';
import { dataFolder } from './support/temporal.js';

const run = promisify(execFile);
const dayMs = 86_400_000;
const cli = fileURLToPath(new URL('../dist/src/cli.js', import.meta.url));

interface Started {
  document: { webhook: string; temporal: { address: string; ui: string }; sandbox: { rule: string; sesamy: string } };
  text: () => string;
  /** Ctrl-C, then the exit code. */
  stop(): Promise<number | null>;
}

describe('sesamy-rule start, without credentials', function () {
  this.timeout(120_000);
  let folder: string;
  let env: NodeJS.ProcessEnv;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-start-'));
    env = { PATH: process.env.PATH, HOME: process.env.HOME, SESAMY_RULE_DATA: join(folder, 'data') };
    await cp(join(dataFolder, 'bin'), join(folder, 'data', 'bin'), { recursive: true });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function start(): Promise<Started> {
    const started = await startAs(['--json'], (out) => out.trim().endsWith('}'));
    return { ...started, document: JSON.parse(started.out()) as Started['document'] };
  }

  async function startAs(options: string[], isUp: (out: string) => boolean) {
    const child = spawn(process.execPath, [cli, 'start', ...options], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let all = '';
    child.stdout?.on('data', (chunk) => {
      out += String(chunk);
      all += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      all += String(chunk);
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    await eventually(() => assert.ok(isUp(out), all), { timeoutMs: 60_000 });
    return {
      out: () => out,
      text: () => all,
      stop() {
        child.kill('SIGINT');
        return ended;
      },
    };
  }

  const command = (...args: string[]) => run(process.execPath, [cli, ...args, '--json'], { cwd: folder, env });

  const peopleInRule = async ({ document }: Started) =>
    (await (await fetch(new URL('/_sandbox/subscribers', document.sandbox.rule))).json()) as unknown[];

  /** Requests outside the vendors’ documented shapes. */
  async function assertNoViolations({ document: { sandbox } }: Started): Promise<void> {
    for (const page of [sandbox.rule, sandbox.sesamy]) {
      const answer = await fetch(new URL('/_sandbox/violations', page));
      assert.deepEqual([answer.status, await answer.json()], [200, []]);
    }
  }

  /** Lives on over a renewal, in steps, with a Rule that takes its time where a flow is started. */
  async function eachMailIsInTime({ document: { sandbox } }: Started): Promise<void> {
    const [, userId = ''] = /status '(email[^']+)'/.exec(readme) ?? [];
    const call = async (page: string, path: string, body?: object) => {
      const json = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const answer = await fetch(new URL(`/_sandbox${path}`, page), { ...(body ? { method: 'POST', ...json } : {}) });
      assert.ok(answer.ok, `${path}: ${answer.status}`);
      return (await answer.json()) as never;
    };
    const reader = `/people/${encodeURIComponent(userId)}`;
    const { profile, contracts }: { profile: { email: string }; contracts: { nextBillAt: string }[] } = await call(
      sandbox.sesamy,
      reader,
    );
    const renewal = Date.parse(contracts[0]?.nextBillAt ?? '');
    const { now }: { now: string } = await call(sandbox.sesamy, '/clock');
    // Each event is half a step or more before the end of its step, and there is a further step after the last of them.
    const minutes = Math.floor((renewal - 15.5 * dayMs - Date.parse(now)) / 60_000);
    await call(sandbox.sesamy, '/clock', { minutes });
    await call(sandbox.rule, '/faults', { kind: 'latency', ms: 400, method: 'POST', path: '/tags' });
    const days = 21;
    const progress: { done: number; notLookedAt: number; notDone: number } = await call(sandbox.sesamy, '/live-on', {
      days,
      userId,
      wait: true,
    });
    assert.deepEqual([progress.done, progress.notLookedAt, progress.notDone], [days / 3, 0, 0]);

    const { told }: { told: { event: { type: string; at: string } }[] } = JSON.parse(
      (await command('status', userId)).stdout,
    );
    const mails: { automation: string; plannedAt: string; state: string }[] = await call(
      sandbox.rule,
      `/subscribers/${encodeURIComponent(profile.email.toLowerCase())}/mails`,
    );
    assert.deepEqual(
      mails.map(({ automation, state }) => [automation, state]),
      ['Renewal notice', 'Renewal notice', 'Renewal thanks', 'Receipt'].map((name) => [name, 'sent']),
    );
    assert.deepEqual(
      told.map(({ event }) => event.type),
      ['renewal-due', 'renewal-due', 'renewed', 'receipt'],
    );
    for (const [index, { automation, plannedAt }] of mails.entries()) {
      const after = Date.parse(plannedAt) - Date.parse(told[index]?.event.at ?? '');
      assert.ok(after < 3 * dayMs, `${automation}: ${after / dayMs} days after the event`);
      if (automation === 'Renewal notice') assert.ok(Date.parse(plannedAt) < renewal, plannedAt);
    }
  }

  it('takes another port where one is taken, brings the readers, and a second start carries on with the same data', async () => {
    const taken: Server = createServer();
    await new Promise<void>((resolve) => taken.listen(8080, '127.0.0.1', resolve).once('error', () => resolve()));
    const first = await start();
    try {
      assert.ok(!first.document.webhook.includes(':8080/'), first.document.webhook);
      await eventually(() => assert.match(first.text(), /37 invented readers are in Rule; 3 guests are left out/), {
        timeoutMs: 60_000,
      });
      await assert.rejects(
        run(process.execPath, [cli, 'start'], { cwd: folder, env }),
        (error: { code: number; stderr: string }) => {
          assert.equal(error.code, 1);
          assert.match(error.stderr, /is running already/);
          return true;
        },
      );
      assert.equal((await fetch(first.document.temporal.ui)).status, 200);
      assert.equal((await peopleInRule(first)).length, 37);
      await assertNoViolations(first);
    } finally {
      assert.equal(await first.stop(), 0, first.text());
      taken.close();
    }

    const second = await start();
    try {
      await eventually(() => assert.match(second.text(), /37 readers are in Rule, as they were before/));
      const list = JSON.parse((await command('list', '--state', 'ok')).stdout) as { subscribers?: unknown[] };
      assert.equal((Object.values(list).find(Array.isArray) as unknown[]).length, 37);
      assert.equal((await peopleInRule(second)).length, 37);
      // It rejects where the exit code is not 0.
      const doctor = await command('doctor');
      assert.equal((JSON.parse(doctor.stdout) as { ok: boolean }).ok, true, doctor.stdout);
      await eachMailIsInTime(second);
      await assertNoViolations(second);
    } finally {
      assert.equal(await second.stop(), 0, second.text());
    }
  });

  it('A30: the curl command that is printed is taken; one is failed on purpose as the README says, found, mended and retriggered', async () => {
    const started = await startAs([], (out) => out.includes('Ctrl-C stops everything.'));
    try {
      const { stdout: posted } = await run('sh', ['-c', withStatus(curlIn(started.out(), '-X POST'))]);
      assert.match(posted, /\n202$/);
      const [, userId = ''] = /"userId":"([^"]+)"/.exec(started.out()) ?? [];
      assert.ok(readme.includes(`'${userId}'`), 'the reader of the README');

      // The README has the ports of a free machine.
      const sesamy = new URL(/Sesamy stand-in (\S+)/.exec(started.out())?.[1] ?? '').origin;
      const ofReadme = (part: string) => curlIn(readme, part).replace('http://127.0.0.1:4001', sesamy);
      const { stdout: broken } = await run('sh', ['-c', withStatus(ofReadme('/_sandbox/faults -H'))]);
      assert.match(broken, /\n201$/);
      await run('sh', ['-c', curlIn(started.out(), '-X POST')]);
      const failed = async () => {
        const { subscribers } = JSON.parse((await command('list', '--state', 'failed')).stdout) as {
          subscribers: { userId: string; failureType: string }[];
        };
        return subscribers.map((one) => [one.userId, one.failureType]);
      };
      await eventually(async () => assert.deepEqual(await failed(), [[userId, 'sesamy/refused']]), {
        timeoutMs: 30_000,
      });

      const { stdout: mended } = await run('sh', ['-c', withStatus(ofReadme('-X DELETE'))]);
      assert.match(mended, /204$/);
      await command('resync', userId);
      await eventually(
        async () => {
          const { state } = JSON.parse((await command('status', userId)).stdout) as { state: string };
          assert.equal(state, 'ok');
        },
        { timeoutMs: 30_000 },
      );
      await eventually(async () => assert.deepEqual(await failed(), []), { timeoutMs: 30_000 });
    } finally {
      assert.equal(await started.stop(), 0, started.text());
    }
  });
});

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The first curl command of a text with this part in its first line, with the lines that it goes on in. */
function curlIn(text: string, part: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.includes('curl -sS ') && line.includes(part));
  assert.notEqual(first, -1, `no curl command with ${part} in\n${text}`);
  const last = lines.findIndex((line, at) => at >= first && !line.endsWith('\\'));
  return lines.slice(first, last + 1).join('\n');
}

/** The same command, which then prints the status on a line of its own. */
function withStatus(curl: string): string {
  return curl.replace('curl ', String.raw`curl -w '\n%{http_code}' `);
}
