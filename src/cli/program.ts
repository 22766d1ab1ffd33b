import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { packageRoot } from '../package-root.js';
import { activateCommand } from './activate.js';
import { auditCommand } from './audit.js';
import { backfillCommand, reconcileCommand } from './backfill.js';
import { codecCommand } from './codec.js';
import { discardCommand, releaseCommand } from './decide.js';
import { doctorCommand } from './doctor.js';
import { eraseCommand } from './erase.js';
import { fieldsCommand } from './fields.js';
import { listCommand } from './list.js';
import { previewCommand } from './preview.js';
import { resyncCommand } from './resync.js';
import { startCommand } from './start.js';
import { statusCommand } from './status.js';
import { syncCommand } from './sync.js';
import { tagsCommand } from './tags.js';
import { webhookCommand } from './webhook.js';
import { workerCommand } from './worker.js';

/** All commands. Errors are thrown instead of ending the process, so that the entry point decides on the exit code. */
export function createProgram(): Command {
  const program = new Command('sesamy-rule')
    .description('Keeps Rule (rule.io) in step with Sesamy: one durable Temporal workflow for each reader.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText('after', help);
  const commands = [
    startCommand(),
    workerCommand(),
    webhookCommand(),
    doctorCommand(),
    activateCommand(),
    syncCommand(),
    statusCommand(),
    listCommand(),
    resyncCommand(),
    backfillCommand(),
    reconcileCommand(),
    releaseCommand(),
    discardCommand(),
    previewCommand(),
    auditCommand(),
    eraseCommand(),
    fieldsCommand(),
    tagsCommand(),
    codecCommand(),
  ];
  for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
  return program;
}

const help = `
A reader is named by the user id that Sesamy gives them, in quotes because of its bar: 'email|84cc01…'.
Each command has --help with examples, and --json for programs.
Exit codes: 0 done, 1 failed, 2 wrong use or configuration.`;

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string };
  return version;
}
