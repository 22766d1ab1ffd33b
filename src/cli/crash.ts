import { reportError } from './report-error.js';

/**
 * What nobody caught ends the process, as it should: nobody knows any more in what state it is. But by a sentence and an exit code as with
 * any failure, where Node would print the error with its message, which may quote anything. What was under way is Temporal's to repeat.
 */
export function endByCrash(): void {
  const end = (error: unknown) => {
    process.exit(reportError(error, { json: process.argv.includes('--json'), env: process.env }) || 1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
