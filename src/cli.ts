#!/usr/bin/env node
/** The command line: build the program, run it, turn whatever went wrong into a sentence and an exit code. */
import { endByCrash } from './cli/crash.js';
import { outliveReader } from './cli/output.js';
import { createProgram } from './cli/program.js';
import { reportError } from './cli/report-error.js';

outliveReader();
endByCrash();
try {
  await (await createProgram(process.argv[2])).parseAsync();
} catch (error) {
  process.exitCode = reportError(error, { json: process.argv.includes('--json'), env: process.env });
}
