/** Runs the stand-in of Sesamy alone: `node dist/sandbox/sesamy/main.js --help`. */
import { Command, InvalidArgumentError } from 'commander';
import { startSesamySandbox } from './index.js';

const command = new Command('sesamy-sandbox')
  .description('A stand-in of Sesamy: Management API, webhooks and a page, with invented readers.')
  .option('--host <host>', 'address to listen on', '127.0.0.1')
  .option('--port <port>', 'port to listen on', wholeNumber, 4001)
  .option('--vendor <id>', 'vendor id', 'daily')
  .option('--client-id <id>', 'client id', 'sandbox-client')
  .option('--client-secret <secret>', 'client secret', 'sandbox-secret')
  .option('--people <count>', 'invented readers', wholeNumber, 40)
  .option('--seed <number>', 'the same seed and day give the same readers', wholeNumber, 1)
  .option('--webhook <url>', 'where webhooks go')
  .option('--webhook-secret <secret>', 'sent with webhooks as `Authorization: Bearer …`')
  .option('--data <file>', 'keeps readers and clock over restarts')
  .option('--rps <number>', 'requests a second before a 429; 0 = no limit', wholeNumber, 5);

interface Options {
  host: string;
  port: number;
  vendor: string;
  clientId: string;
  clientSecret: string;
  people: number;
  seed: number;
  webhook?: string;
  webhookSecret?: string;
  data?: string;
  rps: number;
}

async function main(): Promise<void> {
  const options = command.parse().opts<Options>();
  const headers = options.webhookSecret ? { Authorization: `Bearer ${options.webhookSecret}` } : undefined;
  const sandbox = await startSesamySandbox({
    host: options.host,
    port: options.port,
    vendorId: options.vendor,
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    population: { people: options.people, seed: options.seed },
    rps: options.rps,
    ...(options.webhook ? { webhook: { url: options.webhook, ...(headers ? { headers } : {}) } } : {}),
    ...(options.data ? { dataFile: options.data } : {}),
  });
  console.log(`A stand-in of Sesamy with ${sandbox.world.size} invented readers: ${sandbox.pageUrl}

SESAMY_API_URL=${sandbox.url}
SESAMY_TOKEN_URL=${sandbox.tokenUrl}
SESAMY_VENDOR_ID=${sandbox.vendorId}
SESAMY_CLIENT_ID=${sandbox.clientId}
SESAMY_CLIENT_SECRET=${sandbox.clientSecret}`);
  const stop = () => {
    sandbox.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Not a whole number.');
  return Number(text);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
