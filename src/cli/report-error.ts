import { CommanderError } from 'commander';
import { type LoggedError, loggedError } from '../log-error.js';

/** Errors whose message is written for people. By name, so that a command that needs no Temporal does not load it. */
const wrongUse = new Set(['ConfigError', 'UsageError', 'TemporalSettingsError', 'TemporalPathError', 'QueryError']);
const failures = new Set([
  'CommandError',
  'DatabaseInUseError',
  'EmbeddedTemporalError',
  'NoAnswerError',
  'PortTakenError',
  'SearchAttributeError',
  'TemporalBinaryError',
  'TemporalUnreachableError',
  'VendorError',
]);

/** 0 done, 1 failed, 2 wrong use or configuration. */
export type ExitCode = 0 | 1 | 2;

/** An error as people should read it. */
export interface Explanation {
  exitCode: ExitCode;
  message: string;
  /** A bug, or something that nobody thought of: the stack may help. */
  unexpected: boolean;
}

/** What went wrong and how to mend it, in a sentence; no stack trace. */
export function explain(error: unknown): Explanation {
  if (!(error instanceof Error))
    return {
      exitCode: 1,
      message: `Unexpected failure: something that is no error was thrown${seeMore}`,
      unexpected: true,
    };
  if (wrongUse.has(error.name)) return { exitCode: 2, message: error.message, unexpected: false };
  if (failures.has(error.name)) return { exitCode: 1, message: error.message, unexpected: false };
  const known = ofEncryption(error) ?? ofSystem(error) ?? ofTemporal(error);
  if (known) return { ...known, unexpected: false };
  // Without its message: nobody has thought of it, so it could quote a key or a reader's data.
  const { name, code, stack = [] } = loggedError(error);
  const what = [name, ...(code === undefined ? [] : [code])].join(' ');
  return { exitCode: 1, message: `Unexpected ${what}${placeOf(stack)}${seeMore}`, unexpected: true };
}

const seeMore = '; please report it. SESAMY_RULE_LOG_LEVEL=debug shows the way there.';

/** The nearest line of our own code. */
function placeOf(stack: readonly string[]): string {
  for (const frame of stack) {
    const [, place] = /\/((?:dist\/)?(?:src|sandbox)\/[\w./-]+:\d+):\d+\)?$/.exec(frame) ?? [];
    if (place !== undefined && !frame.includes('/node_modules/@')) return ` in ${place}`;
  }
  return '';
}

/** Where an error and its causes happened, without their messages. */
function wayTo(error: LoggedError): string[] {
  const { name, stack = [], cause } = error;
  return [name, ...stack.map((frame) => `    ${frame}`), ...(cause ? ['caused by', ...wayTo(cause)] : [])];
}

/** Says on stderr what went wrong, for programs also as the one document on stdout. Returns the exit code. */
export function reportError(error: unknown, o: { json: boolean; env: NodeJS.ProcessEnv }): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has printed its own sentence, or the help that was asked for.
    if (error.exitCode === 0) return 0;
    if (o.json) printError('UsageError', error.message.replace(/^error: /, ''));
    return 2;
  }
  const { exitCode, message, unexpected } = explain(error);
  process.stderr.write(`${message}\n`);
  const name = error instanceof Error ? error.name : typeof error;
  if (unexpected && o.env.SESAMY_RULE_LOG_LEVEL === 'debug' && error instanceof Error) {
    process.stderr.write(`${wayTo(loggedError(error)).join('\n')}\n`);
  }
  if (o.json) printError(name, message);
  return exitCode;
}

function printError(name: string, message: string): void {
  process.stdout.write(`${JSON.stringify({ error: { name, message } }, undefined, 2)}\n`);
}

type Known = Pick<Explanation, 'exitCode' | 'message'>;

function ofSystem(error: NodeJS.ErrnoException & { port?: number }): Known | undefined {
  switch (error.code) {
    case 'EADDRINUSE':
      return {
        exitCode: 1,
        message: `Port ${error.port ?? ''} is taken by another program; stop that one, or set PORT to another.`,
      };
    case 'EADDRNOTAVAIL':
      return { exitCode: 1, message: 'HOST is not an address of this machine; 127.0.0.1 and 0.0.0.0 always are.' };
    case 'EACCES':
    case 'EEXIST':
    case 'ENOENT':
    case 'ENOTDIR':
      return {
        exitCode: 1,
        message: `A file or port cannot be used: ${error.message}; check that it exists and may be used.`,
      };
    default:
      return undefined;
  }
}

/** A key of the encryption is missing here, or with the worker that was asked: the sentence is ours, whoever hands it on. */
function ofEncryption(error: Error): Known | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const [sentence] = /Temporal holds (?:data encrypted by|encrypted data)[^;]*;[^;.\n]*/.exec(cause.message) ?? [];
    if (sentence) return { exitCode: 2, message: `${sentence}.` };
  }
  return undefined;
}

/** gRPC statuses that a person can do something about. */
const invalidArgument = 3;
const deadlineExceeded = 4;
const permissionDenied = 7;
const unavailable = 14;
const unauthenticated = 16;

/** Temporal's refusals: the client wraps the gRPC error once or twice. */
function ofTemporal(error: Error): Known | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (!('details' in cause && 'code' in cause && typeof cause.code === 'number')) continue;
    switch (cause.code) {
      case invalidArgument:
        return { exitCode: 2, message: `Temporal does not take the query: ${String(cause.details)}` };
      case deadlineExceeded:
      case unavailable:
        return { exitCode: 1, message: 'Temporal does not answer any more; check that it runs, then try again.' };
      case permissionDenied:
      case unauthenticated:
        return {
          exitCode: 1,
          message: 'Temporal does not allow this; check TEMPORAL_API_KEY or the certificates of TEMPORAL_TLS_….',
        };
      default:
        return { exitCode: 1, message: `Temporal could not do it: ${String(cause.details)}` };
    }
  }
  return undefined;
}
