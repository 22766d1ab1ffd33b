import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { connectTemporal } from '../src/temporal/connect.js';
import { assertDatabaseIsFree } from '../src/temporal/database-owner.js';
import {
  type EmbeddedTemporal,
  type EmbeddedTemporalOptions,
  startEmbeddedTemporal,
} from '../src/temporal/embedded.js';
import { isAlive } from '../src/temporal/processes.js';
import { temporalCli } from './support/temporal.js';

describe('embedded Temporal', () => {
  let executable: string;
  let folder: string;
  const running: EmbeddedTemporal[] = [];

  before(async () => {
    executable = await temporalCli();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-embedded-'));
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.kill()));
    await rm(folder, { recursive: true, force: true });
  });

  async function start(options: Partial<EmbeddedTemporalOptions> = {}): Promise<EmbeddedTemporal> {
    const server = await startEmbeddedTemporal({ executable, uiPort: false, ...options });
    running.push(server);
    return server;
  }

  async function withClient<T>(server: EmbeddedTemporal, use: (client: Client) => Promise<T>) {
    const { connection, client } = await connectTemporal({ TEMPORAL_ADDRESS: server.address });
    try {
      return await use(client);
    } finally {
      await connection.close();
    }
  }

  const startWorkflow = (server: EmbeddedTemporal) =>
    withClient(server, (client) => client.workflow.start('anything', { workflowId: 'kept', taskQueue: 'nobody' }));

  const workflowStatus = (server: EmbeddedTemporal) =>
    withClient(server, async (client) => (await client.workflow.getHandle('kept').describe()).status.name);

  it('answers on free ports, with its UI, its namespaces and dynamic configuration', async () => {
    const server = await start({
      uiPort: undefined,
      namespaces: ['second'],
      dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 40, 'frontend.enableUpdateWorkflowExecution': true },
    });
    assert.match(server.address, /^127\.0\.0\.1:\d+$/);
    const { connection } = await connectTemporal({ TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: 'second' });
    await connection.close();
    const page = await fetch(server.uiUrl ?? assert.fail('no UI'));
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<html/);
    await server.stop();
    assert.equal(isAlive(server.pid), false);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    await server.stop();
  });

  it('carries on with the same file after a stop, and after a kill', async () => {
    const dbFile = join(folder, 'data', 'temporal.db');
    const logFile = join(folder, 'logs', 'temporal.log');
    const first = await start({ dbFile, logFile, namespaces: ['second'] });
    await startWorkflow(first);
    await first.stop();

    const second = await start({ dbFile, logFile, namespaces: ['second'] });
    assert.equal(await workflowStatus(second), 'RUNNING');
    await second.kill();
    assert.deepEqual(await second.exited, { code: null, signal: 'SIGKILL' });

    const third = await start({ dbFile, logFile, namespaces: ['second'] });
    assert.equal(await workflowStatus(third), 'RUNNING');
    await third.stop();
    assert.match(await readFile(logFile, 'utf8'), /Server/);
  });

  it('refuses a database file that another server is using, and says who', async () => {
    const dbFile = join(folder, 'temporal.db');
    const server = await start({ dbFile });
    await assert.rejects(start({ dbFile }), {
      name: 'DatabaseInUseError',
      message: `The Temporal database ${dbFile} is in use by a program that is running (process ${process.pid}); stop that one first.`,
    });
    await writeFile(`${dbFile}.owner.json`, JSON.stringify({ server: server.pid, starter: 999_999_999 }));
    await assert.rejects(assertDatabaseIsFree(dbFile, 0), {
      message: `The Temporal database ${dbFile} is still in use by a server that an earlier run left behind; stop it with \`kill ${server.pid}\`.`,
    });
  });

  it('is not misled by a process id that belongs to somebody else now', async () => {
    const dbFile = join(folder, 'temporal.db');
    await writeFile(`${dbFile}.owner.json`, JSON.stringify({ server: process.pid, starter: process.pid }));
    await assertDatabaseIsFree(dbFile, 0);
    await writeFile(`${dbFile}.owner.json`, 'cut off');
    await assertDatabaseIsFree(dbFile, 0);
  });

  describe('when it does not come up', () => {
    let other: Server;
    let port: number;

    before(async () => {
      other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      port = (other.address() as AddressInfo).port;
    });

    after(() => other.close());

    it('names a taken port', async () => {
      await assert.rejects(start({ port }), {
        name: 'PortTakenError',
        port,
        option: 'port',
        message: `Port ${port} is taken by another program; stop that one, or set another port for the Temporal server.`,
      });
      await assert.rejects(start({ uiPort: port }), {
        name: 'PortTakenError',
        message: `Port ${port} is taken by another program; stop that one, or set another port for the Temporal UI.`,
      });
    });

    it('shows the last lines that the server printed', async () => {
      await assert.rejects(start({ dynamicConfig: { 'not a key': 1 }, dbFile: folder }), (error) => {
        assert.ok(error instanceof Error);
        assert.match(
          error.message,
          /^The Temporal server .* ended by itself \(exit code 1\); its last lines were:\n.+/,
        );
        return true;
      });
    });

    it('says that the executable could not be run', async () => {
      await assert.rejects(start({ executable: join(folder, 'missing') }), /could not be run \(spawn .*ENOENT\)\.$/);
    });

    it('gives up on a server that never listens, and ends it', async () => {
      const silent = join(folder, 'silent');
      const pidFile = join(folder, 'pid');
      await writeFile(silent, `#!/bin/sh\necho $$ > ${pidFile}\necho thinking\nexec sleep 1000\n`);
      await chmod(silent, 0o755);
      await assert.rejects(
        start({ executable: silent, startTimeoutMs: 1_000 }),
        /was not ready after 1 s; its last lines were:\nthinking$/,
      );
      assert.equal(isAlive(Number(await readFile(pidFile, 'utf8'))), false);
    });
  });

  describe('ends with the program that started it', () => {
    let parent: ChildProcess;

    afterEach(() => parent.kill('SIGKILL'));

    /** Starts a program with an embedded server; returns the server's process id, and every line that the program prints. */
    async function startParent(
      ending: string,
    ): Promise<{ serverPid: number; lines: string[]; closed: Promise<unknown> }> {
      const script = fileURLToPath(new URL('./support/embedded-parent.ts', import.meta.url));
      const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
      // A process group of its own, as a shell gives to what it runs in the foreground.
      const child = spawn(process.execPath, ['--import', 'tsx', script, executable, ending], { stdio, detached: true });
      parent = child;
      const closed = once(child, 'close');
      const lines: string[] = [];
      const reader = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
      await once(reader, 'line');
      return { serverPid: Number(lines[0]), lines, closed };
    }

    async function hasEnded(pid: number): Promise<void> {
      const until = Date.now() + 15_000;
      while (isAlive(pid)) {
        assert.ok(Date.now() < until, `process ${pid} is still alive`);
        await delay(50);
      }
    }

    it('when that is killed', async () => {
      const { serverPid } = await startParent('wait');
      assert.ok(isAlive(serverPid));
      parent.kill('SIGKILL');
      await hasEnded(serverPid);
    });

    for (const ending of ['throw', 'exit']) {
      it(`when that ends by ${ending} and stops nothing`, async () => {
        const { serverPid } = await startParent(ending);
        await hasEnded(serverPid);
      });
    }

    it('but lives through a Ctrl-C until the program has finished with it', async () => {
      const { serverPid, lines, closed } = await startParent('wait');
      process.kill(-(parent.pid ?? assert.fail('no process')), 'SIGINT');
      await closed;
      assert.deepEqual(lines.slice(1), ['still answers', 'stopped']);
      assert.equal(isAlive(serverPid), false);
    });
  });
});
