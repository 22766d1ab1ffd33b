/** A Temporal development server as a child process of ours. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { childEnvironment } from './child-environment.js';
import { assertDatabaseIsFree, forgetDatabaseOwner, noteDatabaseOwner } from './database-owner.js';
import { LastLines } from './last-lines.js';
import { freePort, isListening, isPortFree } from './ports.js';
import { endWithThisProcess } from './watchdog.js';

export interface EmbeddedTemporalOptions {
  /** The Temporal CLI, as found by `findTemporalCli`. */
  executable: string;
  /** Address to listen on, for server and UI. Default 127.0.0.1. */
  host?: string;
  /** Default: a free one. */
  port?: number;
  /** Port of the web UI; `false` = no UI. Default: a free one. */
  uiPort?: number | false;
  /** Where everything is stored; its folder is made. Default: in memory, gone with the server. */
  dbFile?: string;
  /** Namespaces to make besides `default`. */
  namespaces?: string[];
  /** The server's own output is appended here. Default: kept only for the message of a failed start. */
  logFile?: string;
  /** The server's dynamic configuration, by key. */
  dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
  /** How long the server may take until it answers. Default 60 s. */
  startTimeoutMs?: number;
}

/** How the server ended. */
export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface EmbeddedTemporal {
  /** `host:port`, as in `TEMPORAL_ADDRESS`. */
  readonly address: string;
  /** Where the web UI is, if there is one. */
  readonly uiUrl?: string;
  readonly pid: number;
  /** Resolves when the server has ended, by whosever hand; never rejects. */
  readonly exited: Promise<ServerExit>;
  /** Ends the server and returns when it has ended: asked first, and after 10 s killed. May be called more than once. */
  stop(): Promise<void>;
  /** Kills the server at once, as a crash would; for tests of what survives. */
  kill(): Promise<void>;
}

/** The server did not come up. The message says why and what to do. */
export class EmbeddedTemporalError extends Error {
  override name = 'EmbeddedTemporalError';
}

/** A port that was asked for is taken. */
export class PortTakenError extends EmbeddedTemporalError {
  override name = 'PortTakenError';
  constructor(
    readonly port: number,
    /** Which of the options named it. */
    readonly option: 'port' | 'uiPort',
  ) {
    const use = option === 'port' ? 'Temporal server' : 'Temporal UI';
    super(`Port ${port} is taken by another program; stop that one, or set another port for the ${use}.`);
  }
}

/**
 * Starts `temporal server start-dev` and returns when it answers.
 *
 * The server runs in a session of its own: Ctrl-C in a terminal goes to every process of the foreground group, and the server has to
 * live until our workers have finished with it. It still ends with us, however we end (see `endWithThisProcess`).
 *
 * A database file that exists is carried on with.
 *
 * Throws {@link PortTakenError}, `DatabaseInUseError`, or {@link EmbeddedTemporalError} with the last lines that the server printed.
 */
export async function startEmbeddedTemporal(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  const host = options.host ?? '127.0.0.1';
  const dbFile = options.dbFile === undefined ? undefined : resolve(options.dbFile);
  if (dbFile !== undefined) {
    await mkdir(dirname(dbFile), { recursive: true });
    await assertDatabaseIsFree(dbFile);
  }
  if (options.logFile !== undefined) await mkdir(dirname(resolve(options.logFile)), { recursive: true });
  for (const option of ['port', 'uiPort'] as const) {
    const port = options[option];
    if (typeof port === 'number' && !(await isPortFree(host, port))) throw new PortTakenError(port, option);
  }

  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort(host));
    const uiPort = options.uiPort === false ? undefined : (options.uiPort ?? (await freePort(host)));
    const server = new ServerProcess({ ...options, host, port, uiPort, dbFile });
    try {
      await server.ready();
      return server;
    } catch (error) {
      await server.kill();
      // A port that was free a moment ago (ours, or one that the server picked for its inner services) has been taken.
      if (attempt < 5 && server.output.includes('address already in use')) continue;
      throw error;
    }
  }
}

interface ServerSettings extends Omit<EmbeddedTemporalOptions, 'port' | 'uiPort' | 'host' | 'dbFile'> {
  host: string;
  port: number;
  uiPort: number | undefined;
  dbFile: string | undefined;
}

class ServerProcess implements EmbeddedTemporal {
  readonly address: string;
  readonly uiUrl?: string;
  readonly exited: Promise<ServerExit>;
  readonly output = new LastLines(20);
  readonly #child: ChildProcess;
  readonly #settings: ServerSettings;
  readonly #reachableHost: string;
  #exit: ServerExit | undefined;
  #spawnError: Error | undefined;

  constructor(settings: ServerSettings) {
    const { host, port, uiPort } = settings;
    this.#settings = settings;
    this.#reachableHost = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    const shownHost = this.#reachableHost.includes(':') ? `[${this.#reachableHost}]` : this.#reachableHost;
    this.address = `${shownHost}:${port}`;
    if (uiPort !== undefined) this.uiUrl = `http://${shownHost}:${uiPort}`;
    this.#child = spawn(settings.executable, serverArguments(settings), {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: childEnvironment(),
    });
    this.#collectOutput();
    this.exited = this.#watch();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ready(): Promise<void> {
    const { port, dbFile, namespaces = [], startTimeoutMs = 60_000 } = this.#settings;
    if (dbFile !== undefined && this.pid !== 0) await noteDatabaseOwner(dbFile, this.pid);
    const deadline = Date.now() + startTimeoutMs;
    // A plain socket first: gRPC clients of one process share a backoff, which would make the wait seconds longer.
    while (!(await isListening(this.#reachableHost, port))) {
      this.#assertRunning();
      if (Date.now() > deadline) throw this.#failure(`was not ready after ${Math.round(startTimeoutMs / 1_000)} s`);
      await delay(50);
    }
    try {
      const connection = await Connection.connect({
        address: this.address,
        connectTimeout: Math.max(1_000, deadline - Date.now()),
        channelArgs: { 'grpc.enable_http_proxy': 0 },
      });
      try {
        for (const namespace of ['default', ...namespaces]) await namespaceIsThere(connection, namespace, deadline);
      } finally {
        await connection.close();
      }
    } catch {
      this.#assertRunning();
      throw this.#failure('did not answer');
    }
    this.#assertRunning();
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  #collectOutput(): void {
    const log =
      this.#settings.logFile === undefined ? undefined : createWriteStream(this.#settings.logFile, { flags: 'a' });
    log?.on('error', () => {}); // A full disk must not end the program; the server goes on without its log.
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output.add(chunk);
        log?.write(chunk);
      });
    }
    this.#child.once('close', () => log?.end());
  }

  #watch(): Promise<ServerExit> {
    const child = this.#child;
    const dismissWatchdog = child.pid === undefined ? () => {} : endWithThisProcess(child.pid);
    const endNow = (): void => void child.kill('SIGTERM');
    process.once('exit', endNow);
    return new Promise((settle) => {
      const ended = (exit: ServerExit) => {
        this.#exit = exit;
        dismissWatchdog();
        process.off('exit', endNow);
        const { dbFile } = this.#settings;
        const forgotten = dbFile === undefined ? Promise.resolve() : forgetDatabaseOwner(dbFile);
        forgotten.catch(() => {}).finally(() => settle(exit));
      };
      child.once('error', (error) => {
        if (child.pid !== undefined) return;
        this.#spawnError = error;
        ended({ code: null, signal: null });
      });
      child.once('close', (code, signal) => ended({ code, signal }));
    });
  }

  #assertRunning(): void {
    if (this.#spawnError) throw this.#failure(`could not be run (${this.#spawnError.message})`);
    if (this.#exit) throw this.#failure(`ended by itself (${this.#exit.signal ?? `exit code ${this.#exit.code}`})`);
  }

  #failure(what: string): EmbeddedTemporalError {
    const lines = this.output.text();
    return new EmbeddedTemporalError(
      `The Temporal server ${this.#settings.executable} ${what}${lines === '' ? '.' : `; its last lines were:\n${lines}`}`,
    );
  }
}

/** The keys by which vendors get their turns count only with these (see `fairnessKey` in client.ts). */
const fairness = { 'matching.useNewMatcher': true, 'matching.enableFairness': true, 'matching.enableMigration': true };

function serverArguments({
  host,
  port,
  uiPort,
  dbFile,
  namespaces = [],
  dynamicConfig = {},
}: ServerSettings): string[] {
  return [
    'server',
    'start-dev',
    ...['--ip', host, '--port', String(port)],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(dbFile === undefined ? [] : ['--db-filename', dbFile]),
    ...namespaces.flatMap((namespace) => ['--namespace', namespace]),
    ...Object.entries({ ...fairness, ...dynamicConfig }).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
    ...['--log-level', 'warn'],
  ];
}

/** The server listens before it has made its namespaces. */
async function namespaceIsThere(connection: Connection, namespace: string, deadline: number): Promise<void> {
  for (;;) {
    try {
      await connection.withDeadline(deadline, () => connection.workflowService.describeNamespace({ namespace }));
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(50);
    }
  }
}
