import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './support/eventually.js';
import { dataFolder } from './support/temporal.js';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../dist/src/cli.js', import.meta.url));

interface Started {
  child: ChildProcess;
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
    const child = spawn(process.execPath, [cli, 'start', '--json'], {
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
    await eventually(() => assert.ok(out.trim().endsWith('}'), all), { timeoutMs: 60_000 });
    return {
      child,
      document: JSON.parse(out) as Started['document'],
      text: () => all,
      stop() {
        child.kill('SIGINT');
        return ended;
      },
    };
  }

  const command = (...args: string[]) => run(process.execPath, [cli, ...args, '--json'], { cwd: folder, env });

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
    } finally {
      assert.equal(await first.stop(), 0, first.text());
      taken.close();
    }

    const second = await start();
    try {
      const list = JSON.parse((await command('list', '--state', 'ok')).stdout) as { subscribers?: unknown[] };
      assert.equal((Object.values(list).find(Array.isArray) as unknown[]).length, 37);
      const { subscribers } = (await (
        await fetch(new URL('/_sandbox/counts', second.document.sandbox.rule))
      ).json()) as { subscribers?: number };
      assert.ok(subscribers === undefined || subscribers === 37);
      const doctor = await command('doctor').catch((error: { stdout: string }) => error);
      assert.ok(!doctor.stdout.includes('"failed"'), doctor.stdout);
    } finally {
      assert.equal(await second.stop(), 0, second.text());
    }
  });
});
