import type { Command } from 'commander';
import { command } from './options.js';
import type { OutputOptions } from './output.js';
import { runService } from './run-service.js';
import { startWorkerService } from './service.js';

/** `worker`: does the work, in as many processes as wanted. */
export function workerCommand(): Command {
  return command('worker', 'run the workers of all vendors until SIGINT or SIGTERM', [
    ['sesamy-rule worker', 'start as many as you like; they share the work and the request budgets'],
    ['TEMPORAL_ADDRESS=temporal.example.com:7233 sesamy-rule worker', 'on a Temporal service of your own'],
  ]).action(async (options: OutputOptions) => {
    await runService(options, {
      kind: 'worker',
      start: (config, env, log) => startWorkerService(config, env, log),
      announce(_service, { vendors }) {
        const ids = vendors.map(({ id }) => id);
        return { document: { running: 'worker', vendors: ids }, line: `Workers run for ${ids.join(', ')}.` };
      },
    });
  });
}
