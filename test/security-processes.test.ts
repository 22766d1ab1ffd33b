/** What the program's own processes show to the rest of the machine: titles, environments of children, open ports, last words. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandboxVendors } from '../src/cli/sandbox-vendors.js';
import { childEnvironment } from '../src/temporal/child-environment.js';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../src/temporal/embedded.js';
import { freePort } from '../src/temporal/ports.js';
import { commandLine } from '../src/temporal/processes.js';
import { startCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { needles, planted, plantedKeys } from './support/markers.js';
import { type System, startSystem } from './support/system.js';
import { temporalCli } from './support/temporal.js';

function assertNone(text: string, where: string): void {
  for (const needle of needles) assert.ok(!text.includes(needle), `${needle} in ${where}`);
}

/** Name and command line, as `ps` shows them to everybody on the machine. */
async function title(pid: number): Promise<string> {
  const comm = `/proc/${pid}/comm`;
  return `${await commandLine(pid)} ${existsSync(comm) ? readFileSync(comm, 'utf8') : ''}`;
}

/** Whether somebody listens there. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    for (const event of ['error', 'timeout']) socket.once(event, () => settle(false));
  });
}

/** 127.0.0.2 is this machine as well (on Linux): a server on all addresses answers there, one on 127.0.0.1 does not. */
async function assertOnLoopbackOnly(what: string, url: string | undefined): Promise<void> {
  const { hostname, port } = new URL(url ?? assert.fail(`${what} has no address`));
  assert.equal(hostname, '127.0.0.1', what);
  assert.equal(await answers('127.0.0.1', Number(port)), true, `${what} answers`);
  assert.equal(await answers('127.0.0.2', Number(port)), false, `${what} listens on more than 127.0.0.1`);
}

/** Has a process throw, where nobody catches it, an error that quotes a key and a reader, as soon as it gets SIGUSR2. */
function throwing(how: 'throw error' | 'Promise.reject(error)'): Record<string, string> {
  const code = `process.on('SIGUSR2',()=>{const error=new Error(process.env.RULE_API_KEY+' ${planted.firstName}',{cause:new Error(process.env.WEBHOOK_SECRET)});${how}})`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

describe('processes', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem({ workers: false });
  });
  after(() => system.close());

  const cases = [
    { kind: 'webhook', how: 'throw error', level: 'info' },
    { kind: 'worker', how: 'Promise.reject(error)', level: 'debug' },
  ] as const;
  for (const { kind, how, level } of cases) {
    it(`a ${kind} has no secret in its title, and where it ends by a mistake (${how}) none in its last words`, async () => {
      const running = await startCli([kind, '--json'], {
        env: { ...system.env, ...throwing(how), SESAMY_RULE_LOG_LEVEL: level },
      });
      assertNone(await title(running.pid), 'the title');
      const { url } = JSON.parse(running.output.stdout) as { url?: string };
      if (kind === 'webhook') await assertOnLoopbackOnly('the webhook server', url);

      process.kill(running.pid, 'SIGUSR2');
      assert.equal(await running.ended, 1);
      const { stderr, stdout } = running.output;
      assert.match(stderr, /^Unexpected Error; please report it\. SESAMY_RULE_LOG_LEVEL=debug shows the way there\.$/m);
      assertNone(stderr + stdout, 'what was printed');
      // The way there is for who asks for it; the causes are named, their texts are not.
      assert.equal(/^\s+at /m.test(stderr), level === 'debug');
      assert.equal(/^caused by$/m.test(stderr), level === 'debug');
    });
  }

  it('the metrics of workers are off unless an address is named, and then there and nowhere else', async () => {
    const port = await freePort('127.0.0.1');
    const env = { ...system.env, SESAMY_RULE_METRICS_ADDRESS: `127.0.0.1:${port}` };
    const worker = await startCli(['worker'], { env });
    await eventually(() => assertOnLoopbackOnly('the metrics', `http://127.0.0.1:${port}`));
    assert.equal(await worker.stop(), 0);
  });
});

describe('a first run', function () {
  this.timeout(60_000);
  let folder: string;
  let server: EmbeddedTemporal | undefined;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-security-'));
  });
  after(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows the pages of both stand-ins to this machine only', async () => {
    const vendors = await startSandboxVendors(folder);
    try {
      await assertOnLoopbackOnly('the stand-in of Rule', vendors.rulePage);
      await assertOnLoopbackOnly('the stand-in of Sesamy', vendors.sesamyPage);
    } finally {
      await vendors.close();
    }
  });

  it('embeds a server that listens with its UI on this machine only and is not given the vendors’ keys', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { RULE_API_KEY: plantedKeys.ruleKey, DAILY_ACCESS: plantedKeys.clientSecret });
    try {
      server = await startEmbeddedTemporal({ executable: await temporalCli() });
    } finally {
      for (const name of ['RULE_API_KEY', 'DAILY_ACCESS']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    await assertOnLoopbackOnly('Temporal', `http://${server.address}`);
    await assertOnLoopbackOnly('the UI', server.uiUrl);
    assertNone(await title(server.pid), 'the title of the server');
    const environment = `/proc/${server.pid}/environ`;
    if (existsSync(environment)) assertNone(readFileSync(environment, 'utf8'), 'the environment of the server');
  });

  it('hands on to such a program where things are, and nothing else', () => {
    const keys = { RULE_API_KEY: 'a', SESAMY_CLIENT_SECRET: 'b', DAILY_KEY: 'c', SESAMY_RULE_ENCRYPTION_KEYS: 'd' };
    const rest = { PATH: '/bin', HOME: '/root', LC_ALL: 'C', TZ: 'UTC', HTTPS_PROXY: 'http://proxy.example.com' };
    assert.deepEqual(childEnvironment({ ...keys, ...rest, PATHS: 'x', NODE_OPTIONS: '--import=x' }), rest);
  });
});
