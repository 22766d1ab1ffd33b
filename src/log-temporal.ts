import type { LogLevel, LogMetadata, Logger as SdkLogger } from '@temporalio/worker';
import type { Level, Logger } from 'pino';
import { isOwnError, loggedError } from './log-error.js';

/** What the SDK says about where something happened. All other members may hold arguments, results or somebody else's words. */
const known = new Set([
  ...['sdkComponent', 'namespace', 'taskQueue', 'workflowId', 'runId', 'workflowRunId', 'workflowType', 'activityId'],
  ...['activityType', 'attempt', 'isLocal', 'durationMs', 'state', 'target'],
]);

/** Components in which only our own code logs: numbers, words and lists of words are kept. */
const ours = new Set(['workflow', 'activity']);

/** Said as a warning of every worker that has one kind of task only, as all of ours have. */
const asIntended = /^No (activities|workflows|Nexus services) registered/;

const levels: Record<LogLevel, Level> = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' };

/** Takes what Temporal's SDK logs into our log, for `Runtime.install`, without workflow arguments and without foreign error messages. */
export function temporalLogger(log: Logger): SdkLogger {
  const write = (level: LogLevel, message: string, meta: LogMetadata = {}) => {
    const target = asIntended.test(message) ? 'debug' : levels[level];
    if (log.isLevelEnabled(target)) log[target](safeMeta(meta), safeMessage(message, meta));
  };
  return {
    log: write,
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
}

function safeMeta(meta: LogMetadata): Record<string, unknown> {
  const keepWords = ours.has(String(meta.sdkComponent));
  const kept = Object.entries(meta).flatMap(([key, value]: [string, unknown]) => {
    if (value instanceof Error) return [[key, loggedError(value)]];
    if (known.has(key) && isPlain(value)) return [[key, value]];
    return keepWords && (isPlain(value) || (Array.isArray(value) && value.every(isPlain))) ? [[key, value]] : [];
  });
  return Object.fromEntries(kept);
}

/** The SDK repeats some errors' messages in its own. */
function safeMessage(message: string, meta: LogMetadata): string {
  const errors = Object.values(meta).filter((value): value is Error => value instanceof Error && !isOwnError(value));
  return errors.reduce((text, { message: theirs }) => (theirs ? text.replaceAll(theirs, '[left out]') : text), message);
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
