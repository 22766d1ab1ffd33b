import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createLogger, type Logger } from '../../src/log.js';
import { runFolder } from './run-folder.js';

/** What the tests of this process have made the program say, kept in the run's folder for the search at the end. */
class Trace {
  readonly lines: string[] = [];
  readonly #file: string;

  constructor(name: string) {
    this.#file = join(runFolder, name);
  }

  push(...lines: string[]): void {
    this.lines.push(...lines);
    for (const line of lines) appendFileSync(this.#file, `${line.trimEnd()}\n`);
  }

  /** Of all processes of the run. */
  ofTheRun(): string {
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : '';
  }
}

export const traces = { logs: new Trace('logs'), metrics: new Trace('metrics'), violations: new Trace('violations') };

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
