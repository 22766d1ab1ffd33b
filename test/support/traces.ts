import { Writable } from 'node:stream';
import { createLogger, type Logger } from '../../src/log.js';

/** All that this run has written to logs and metrics, for the search for planted markers at its end. */
export const traces = { logs: [] as string[], metrics: [] as string[], violations: [] as string[] };

/** The program's own logger at its most talkative, into {@link traces}. */
export function traceLogger(): Logger {
  return createLogger({
    level: 'debug',
    format: 'json',
    destination: new Writable({
      write(chunk, _encoding, done) {
        traces.logs.push(String(chunk));
        done();
      },
    }),
  });
}
