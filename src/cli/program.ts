import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { packageRoot } from '../package-root.js';

/** By name, in the order of the help. Loaded when wanted: most of a short command's time would go into the libraries of the others. */
const commands: Record<string, () => Promise<Command>> = {
  start: async () => (await import('./start.js')).startCommand(),
  worker: async () => (await import('./worker.js')).workerCommand(),
  webhook: async () => (await import('./webhook.js')).webhookCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
  activate: async () => (await import('./activate.js')).activateCommand(),
  sync: async () => (await import('./sync.js')).syncCommand(),
  status: async () => (await import('./status.js')).statusCommand(),
  list: async () => (await import('./list.js')).listCommand(),
  resync: async () => (await import('./resync.js')).resyncCommand(),
  backfill: async () => (await import('./backfill.js')).backfillCommand(),
  reconcile: async () => (await import('./backfill.js')).reconcileCommand(),
  release: async () => (await import('./decide.js')).releaseCommand(),
  discard: async () => (await import('./decide.js')).discardCommand(),
  preview: async () => (await import('./preview.js')).previewCommand(),
  audit: async () => (await import('./audit.js')).auditCommand(),
  erase: async () => (await import('./erase.js')).eraseCommand(),
  fields: async () => (await import('./fields.js')).fieldsCommand(),
  tags: async () => (await import('./tags.js')).tagsCommand(),
  codec: async () => (await import('./codec.js')).codecCommand(),
};

/**
 * The commands. Errors are thrown instead of ending the process, so that the entry point decides on the exit code.
 *
 * @param wanted the only one that is needed; any other word gives them all, since the help names them all
 */
export async function createProgram(wanted = ''): Promise<Command> {
  const program = new Command('sesamy-rule')
    .description('Keeps Rule (rule.io) in step with Sesamy: one durable Temporal workflow for each reader.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText('after', help);
  const loaders = Object.hasOwn(commands, wanted) ? [commands[wanted]] : Object.values(commands);
  for (const load of loaders) {
    if (load) program.addCommand((await load()).copyInheritedSettings(program));
  }
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
