import type { Command } from 'commander';
import { command } from './options.js';
import type { OutputOptions } from './output.js';
import { runService } from './run-service.js';
import { startWebhookService } from './service.js';

/** `webhook`: takes Sesamy's messages; needs no worker to be up. */
export function webhookCommand(): Command {
  return command('webhook', "run the server for Sesamy's webhooks until SIGINT or SIGTERM", [
    ['sesamy-rule webhook', 'on HOST and PORT, 127.0.0.1:8080 by default'],
    ['HOST=0.0.0.0 PORT=80 sesamy-rule webhook', 'for everybody who can reach this machine'],
  ]).action(async (options: OutputOptions) => {
    await runService(options, {
      kind: 'webhook',
      start: startWebhookService,
      announce({ url }, { vendors }) {
        const ids = vendors.map(({ id }) => id);
        return { document: { running: 'webhook', url, vendors: ids }, line: `Webhooks are taken at ${url}` };
      },
    });
  });
}
