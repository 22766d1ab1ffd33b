/**
 * Logging. Nobody hands personal data or a key to a logger on purpose; what is here is the second line of defence: members that could
 * hold such are redacted, and an error that we did not make ourselves loses its message, since it may quote what it met.
 */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './config/index.js';
import { loggedError } from './log-error.js';
import { humanLine } from './log-human.js';

export type { Logger } from 'pino';
export { type LoggedError, loggedError } from './log-error.js';
export { temporalLogger } from './log-temporal.js';

export interface LogOptions {
  level: LogLevel;
  /** One JSON document a line for machines, or short lines for people. */
  format: 'json' | 'human';
  /** Default: standard error, since standard output is for results. */
  destination?: DestinationStream;
}

/** Names under which personal data and keys travel at the two vendors and in HTTP. */
const confidential = [
  ...[
    'authorization',
    'cookie',
    'headers',
    'body',
    'payload',
    'secret',
    'password',
    'token',
    'access_token',
    'apikey',
    'apiKey',
  ],
  ...['clientSecret', 'client_secret', 'hashKey', 'webhookSecrets', 'email', 'phone', 'phone_number', 'mobilePhone'],
  ...['firstName', 'lastName', 'name', 'street', 'address', 'billingAddress', 'deliveryAddress', 'profile'],
];

/** A logger of which each line can be shown to anybody. */
export function createLogger({
  level,
  format,
  destination = pino.destination({ fd: 2, sync: true }),
}: LogOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: confidential.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]).filter(notOfErrors),
        censor: '[left out]',
      },
      serializers: { err: loggedError, error: loggedError },
      hooks: {
        // Without a text of its own pino would take the error's message.
        logMethod(args, method) {
          const [first, message] = args as unknown[];
          if (first instanceof Error)
            return method.call(this, { err: first }, typeof message === 'string' ? message : 'error');
          if (carriesError(first) && message === undefined) return method.call(this, first, 'error');
          return method.apply(this, args);
        },
      },
    },
    format === 'json' ? destination : { write: (line: string) => destination.write(humanLine(line)) },
  );
}

/** The name of an error is its class. */
function notOfErrors(path: string): boolean {
  return path !== '*.name' && path !== '*.*.name';
}

function carriesError(value: unknown): value is { err: Error } {
  return typeof value === 'object' && value !== null && 'err' in value && value.err instanceof Error;
}
