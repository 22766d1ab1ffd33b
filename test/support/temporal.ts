/**
 * One Temporal development server for the whole test run. Tests do not get in each other's way because each takes a namespace of its
 * own. It is backed by a file, so that the run can end with a look at what has been stored.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { findTemporalCli, findTemporalTestServer } from '../../src/temporal/binary.js';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../../src/temporal/embedded.js';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.js';

/** The data folder of this checkout: what a test run fetches is there for `npm start`, and the other way round. */
export const dataFolder = fileURLToPath(new URL('../../.sesamy-rule', import.meta.url));

const log = (line: string): void => console.error(line);

/** Path of the Temporal CLI, fetched at most once. */
export function temporalCli(): Promise<string> {
  return findTemporalCli({ dataFolder, log });
}

/** Path of the time-skipping server, fetched at most once. */
export function temporalTestServer(): Promise<string> {
  return findTemporalTestServer({ dataFolder, log });
}

export interface SharedTemporal extends Pick<EmbeddedTemporal, 'address' | 'pid'> {
  connection: Connection;
  /** Everything that the server stores; there may be `-wal` and `-shm` files beside it. */
  dbFile: string;
  /** What the server prints. */
  logFile: string;
}

/** Tells the run's other processes of the server that one of them has started. */
const TOLD = 'SESAMY_RULE_TEST_TEMPORAL';

type Told = Omit<SharedTemporal, 'connection'>;

let ours: { server: EmbeddedTemporal; folder: string } | undefined;
let connecting: Promise<SharedTemporal> | undefined;

/** Starts the run's server, for this process and those that it starts from now on. */
export async function startSharedTemporal(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-temporal-'));
  const dbFile = join(folder, 'temporal.db');
  const logFile = join(folder, 'temporal.log');
  const server = await startEmbeddedTemporal({ executable: await temporalCli(), uiPort: false, dbFile, logFile });
  ours = { server, folder };
  const told: Told = { address: server.address, pid: server.pid, dbFile, logFile };
  process.env[TOLD] = JSON.stringify(told);
}

/** The server of this run, started if nobody has yet. */
export function sharedTemporal(): Promise<SharedTemporal> {
  connecting ??= connect();
  return connecting;
}

/**
 * A new namespace on the shared server, with the search attributes, ready to be used.
 *
 * @returns its name
 */
export async function freshNamespace(): Promise<string> {
  const { connection } = await sharedTemporal();
  const namespace = `test-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  await ensureSearchAttributes(connection, namespace);
  return namespace;
}

/** Stops the shared server, if this process has started it. */
export async function stopSharedTemporal(): Promise<void> {
  const connected = await connecting?.catch(() => undefined);
  connecting = undefined;
  await connected?.connection.close();
  await ours?.server.stop();
  if (ours) await rm(ours.folder, { recursive: true, force: true });
  ours = undefined;
}

async function connect(): Promise<SharedTemporal> {
  if (process.env[TOLD] === undefined) await startSharedTemporal();
  const told: Told = JSON.parse(process.env[TOLD] ?? '');
  return { ...told, connection: await Connection.connect({ address: told.address }) };
}
