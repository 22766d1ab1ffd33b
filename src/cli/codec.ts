import type { AddressInfo } from 'node:net';
import { type Command, InvalidArgumentError } from 'commander';
import { createCodecServer } from '../temporal/codec-server.js';
import { encryptionKeysVariable, encrypts, payloadCodecOf } from '../temporal/encryption.js';
import { environment } from './environment.js';
import { UsageError } from './errors.js';
import { command } from './options.js';
import { answer, type OutputOptions } from './output.js';
import { readSettings } from './read-settings.js';
import { untilSignal } from './signals.js';

const host = '127.0.0.1';

/** `codec`: lets the Temporal UI in this person's browser show what is encrypted. */
export function codecCommand(): Command {
  return command('codec', 'decrypt for the Temporal UI in a browser on this machine, until SIGINT or SIGTERM', [
    ['sesamy-rule codec', 'then set the address it prints in the UI: the glasses in the corner'],
    ['sesamy-rule codec --ui https://cloud.temporal.io', 'for the UI at another address'],
  ])
    .option('--port <port>', `port on ${host}`, parsePort, 8081)
    .option(
      '--ui <origin...>',
      'where the UI is; default: TEMPORAL_UI_URL, else port 8233 of this machine',
      parseOrigin,
    )
    .action(serve);
}

async function serve(options: OutputOptions & { port: number; ui?: string[] }): Promise<void> {
  const env = environment();
  readSettings(env, { webhook: false });
  if (!encrypts(env)) {
    throw new UsageError(`Nothing is encrypted here: ${encryptionKeysVariable} is not set, and the UI needs no help.`);
  }
  const server = createCodecServer({ codec: payloadCodecOf(env), origins: options.ui ?? originsOf(env) });
  const stopWanted = untilSignal();
  await server.listen({ host, port: options.port });
  const url = `http://${host}:${(server.server.address() as AddressInfo).port}`;
  answer(options, { running: 'codec', url }, () => [
    `The Temporal UI can read by ${url}: set it there as the remote codec endpoint. Ctrl-C stops it.`,
  ]);
  try {
    await stopWanted;
  } finally {
    await server.close();
  }
}

function originsOf({ TEMPORAL_UI_URL: url }: NodeJS.ProcessEnv): string[] {
  return url && URL.canParse(url) ? [new URL(url).origin] : ['http://127.0.0.1:8233', 'http://localhost:8233'];
}

function parseOrigin(text: string, before: string[] | undefined): string[] {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('Write an address such as https://cloud.temporal.io.');
  }
  return [...(before ?? []), new URL(text).origin];
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('Write a number from 0 to 65535.');
  return Number(text);
}
