/** Connecting to Temporal by the SDK's standard environment variables and profile file. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  Client,
  Connection,
  type ConnectionLike,
  defaultGrpcRetryOptions,
  isGrpcServiceError,
  isRetryableError,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection } from '@temporalio/worker';
import { grpcStatus } from '../grpc-status.js';
import { EncryptionKeysError, payloadCodecOf } from './encryption.js';

export interface ConnectOptions {
  /** How long to try before giving up. Default 10 s. */
  timeoutMs?: number;
}

/** Where a connection leads to. */
export interface TemporalPlace {
  namespace: string;
  /** `host:port`, for messages. */
  address: string;
}

/** A client's connection; the caller closes `connection`. */
export interface TemporalConnection extends TemporalPlace {
  connection: Connection;
  client: Client;
}

/** A worker's connection; the caller closes `connection`, once the workers on it have ended. */
export interface NativeTemporalConnection extends TemporalPlace {
  connection: NativeConnection;
}

/** Temporal does not answer, or does not let us in. One sentence: which address, and what to do. */
export class TemporalUnreachableError extends Error {
  override name = 'TemporalUnreachableError';
  constructor(
    readonly address: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The Temporal settings themselves are wrong: a profile that is not there, a certificate file that cannot be read. */
export class TemporalSettingsError extends Error {
  override name = 'TemporalSettingsError';
}

/**
 * Connects a client. Tries until the time is up, since Temporal may be starting at the same moment, and asks for the namespace, so that
 * an unknown one is reported here and not by the first call.
 *
 * @param env `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_…`, `TEMPORAL_PROFILE`, `TEMPORAL_CONFIG_FILE`;
 *   `SESAMY_RULE_ENCRYPTION_KEYS`; the default profile file is found through it as well. For an embedded server `{ TEMPORAL_ADDRESS: embedded.address }` says all.
 * @throws TemporalUnreachableError, TemporalSettingsError
 */
export async function connectTemporal(
  env: NodeJS.ProcessEnv = process.env,
  { timeoutMs = 10_000 }: ConnectOptions = {},
): Promise<TemporalConnection> {
  const { connectionOptions, namespace, address, codec } = settings(env);
  const { tls, apiKey, metadata } = connectionOptions;
  const deadline = Date.now() + timeoutMs;
  let connection: Connection | undefined;
  const retries = createRetries();
  try {
    connection = await Connection.connect({
      address,
      interceptors: [retries.interceptor],
      connectTimeout: timeoutMs,
      ...(tls !== undefined && { tls }),
      ...(apiKey !== undefined && { apiKey }),
      ...(metadata !== undefined && { metadata }),
      // A proxy of the environment (`http_proxy`) leads out of this machine, not back into it.
      ...(isLoopback(address) && { channelArgs: { 'grpc.enable_http_proxy': 0 } }),
    });
    const { workflowService } = connection;
    await connection.withDeadline(deadline, () => workflowService.describeNamespace({ namespace }));
    retries.connected();
    return { connection, client: createClient({ connection, namespace, codec }), namespace, address };
  } catch (error) {
    await connection?.close();
    throw unreachable(error, { address, namespace, timeoutMs });
  }
}

/**
 * Connects a worker. As {@link connectTemporal}, and found wanting by the same sentences: a client goes ahead, because the native
 * connection has no time limit of its own and says little.
 *
 * @throws TemporalUnreachableError, TemporalSettingsError
 */
export async function nativeConnectTemporal(
  env: NodeJS.ProcessEnv = process.env,
  { timeoutMs = 10_000 }: ConnectOptions = {},
): Promise<NativeTemporalConnection> {
  const deadline = Date.now() + timeoutMs;
  const { connection: scout } = await connectTemporal(env, { timeoutMs });
  await scout.close();
  const { connectionOptions, namespace, address } = settings(env);
  // Here and not above: commands that are clients need not wait until the worker's library has been loaded.
  const worker = await import('@temporalio/worker');
  const connecting = worker.NativeConnection.connect({ ...connectionOptions, address });
  const timer = new AbortController();
  try {
    const connection = await Promise.race([
      connecting,
      delay(Math.max(1_000, deadline - Date.now()), undefined, { signal: timer.signal }),
    ]);
    if (connection) return { connection, namespace, address };
    connecting.then((late) => late.close()).catch(() => {});
    throw new Error('no answer');
  } catch (error) {
    throw unreachable(error, { address, namespace, timeoutMs });
  } finally {
    timer.abort();
  }
}

/** A client on a connection of either kind; for programs whose worker's connection is to serve both. */
export function createClient({
  connection,
  namespace,
  codec,
}: {
  connection: ConnectionLike;
  namespace: string;
  /** By which payloads are written and read. Default: as they are. */
  codec?: PayloadCodec;
}): Client {
  return new Client({ connection, namespace, ...(codec ? { dataConverter: { payloadCodecs: [codec] } } : {}) });
}

/** Calls after the first connection are tried for about two seconds: whoever waits for them knows better whether to come again. */
const attemptsOnceConnected = 5;

/**
 * Repeats of single calls. The SDK's own go on for half a minute after their caller has gone, and one that is due when the connection
 * has been closed throws where nobody can catch it, which would end the process in the middle of its orderly stop.
 */
function createRetries() {
  const { retryableDecider: whileConnecting, delayFunction } = defaultGrpcRetryOptions({
    initialIntervalMs: () => 100,
  });
  let isConnected = false;
  return {
    interceptor: makeGrpcRetryInterceptor({
      delayFunction,
      retryableDecider: (attempt, status) =>
        isConnected ? attempt < attemptsOnceConnected && isRetryableError(status) : whileConnecting(attempt, status),
    }),
    connected() {
      isConnected = true;
    },
  };
}

/** Looks at the settings without connecting. @throws TemporalSettingsError */
export function checkTemporalSettings(env: NodeJS.ProcessEnv): void {
  settings(env);
}

interface Settings extends Pick<ClientConnectConfig, 'connectionOptions'>, TemporalPlace {
  codec: PayloadCodec;
}

function settings(env: NodeJS.ProcessEnv): Settings {
  // Temporal's reader would write the settings, its key among them, into every object of this process.
  if (env.TEMPORAL_PROFILE !== undefined && env.TEMPORAL_PROFILE in Object.prototype) {
    throw new TemporalSettingsError('TEMPORAL_PROFILE has a name that no profile can have; give the profile another.');
  }
  try {
    const overrideEnvVars = Object.fromEntries(
      Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
    );
    const { connectionOptions, namespace = 'default' } = loadClientConnectConfig({
      overrideEnvVars,
      // A profile of the machine's is not meant for a server that only this program knows.
      ...(env.SESAMY_RULE_EMBEDDED ? { disableFile: true } : {}),
    });
    const address = connectionOptions.address ?? 'localhost:7233';
    return { connectionOptions, namespace, address, codec: payloadCodecOf(env) };
  } catch (error) {
    if (error instanceof EncryptionKeysError) throw new TemporalSettingsError(`${error.message}.`);
    throw new TemporalSettingsError(
      `The Temporal settings cannot be used: ${reasonOf(error)}; check TEMPORAL_… and the profile file.`,
    );
  }
}

/** A path or the name of a profile; anything else could be a key in the wrong variable, and is not repeated. */
const plainName = /^(?:[/.~][\w./ -]{0,200}|[\w-]{1,40})$/;

/** The first line of a message, with the place in the file: behind it the parser quotes lines of the profile, and keys stand in them. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'they cannot be read';
  const named = error.message.replace(/'(.*)'/s, (quoted, name: string) => (plainName.test(name) ? quoted : "'…'"));
  const [first = ''] = named.split('\n');
  return 'line' in error && typeof error.line === 'number' ? `${first} (line ${error.line})` : first;
}

function unreachable(
  error: unknown,
  { address, namespace, timeoutMs }: TemporalPlace & { timeoutMs: number },
): TemporalUnreachableError {
  const grpcError = [error, error instanceof Error ? error.cause : undefined].find(isGrpcServiceError);
  const say = (sentence: string) => new TemporalUnreachableError(address, sentence, { cause: error });
  switch (grpcError?.code) {
    case grpcStatus.NOT_FOUND:
      return say(
        `Temporal at ${address} has no namespace ${namespace}; make it (\`temporal operator namespace create ${namespace}\`) or set TEMPORAL_NAMESPACE.`,
      );
    case grpcStatus.UNAUTHENTICATED:
    case grpcStatus.PERMISSION_DENIED:
      return say(
        `Temporal at ${address} does not let us into the namespace ${namespace}; check TEMPORAL_API_KEY or the certificates of TEMPORAL_TLS_….`,
      );
    default:
      return say(
        `Temporal does not answer at ${address} (tried for ${timeoutMs / 1_000} s); start it there, or set TEMPORAL_ADDRESS (and TEMPORAL_TLS_… or TEMPORAL_API_KEY where it wants them).`,
      );
  }
}

function isLoopback(address: string): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(address);
}
