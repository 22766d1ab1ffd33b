import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createSubscribers } from '../client.js';
import type { Config } from '../config/index.js';
import { createLogger, type Logger, loggedError } from '../log.js';
import { installRuntime } from '../runtime.js';
import { findTemporalCli } from '../temporal/binary.js';
import { connectTemporal } from '../temporal/connect.js';
import { startEmbeddedTemporal } from '../temporal/embedded.js';
import { announceRunning, databaseOf, environment, findRunning, forgetRunning, namesTemporal } from './environment.js';
import { CommandError } from './errors.js';
import { command } from './options.js';
import { answer, type OutputOptions, say } from './output.js';
import { freePort } from './ports.js';
import { readSettings } from './read-settings.js';
import { type SandboxVendors, startSandboxVendors } from './sandbox-vendors.js';
import { startWebhookService, startWorkerService } from './service.js';
import { untilSignal } from './signals.js';

/** Something that runs and is stopped in the reverse order of starting. */
interface Part {
  stop(): Promise<void>;
}

/** `start`: everything in one process; with the stand-ins of both vendors where no credentials are set. */
export function startCommand(): Command {
  return command(
    'start',
    'run Temporal, workers and the webhook server in one process; without credentials also stand-ins of both vendors',
    [
      ['sesamy-rule start', 'a first look, with invented readers'],
      ['SESAMY_RULE_DATA=/var/lib/sesamy-rule sesamy-rule start', 'keep the data elsewhere than in .sesamy-rule'],
    ],
  )
    .addHelpText(
      'after',
      '\nTemporal is embedded unless TEMPORAL_ADDRESS or a Temporal profile is set. Ctrl-C stops everything; the next start carries on.',
    )
    .action(start);
}

async function start(options: OutputOptions): Promise<void> {
  const own = environment();
  // Mistakes in the settings come before anything is started.
  const first = readSettings(own);
  const { dataFolder } = first;
  mkdirSync(dataFolder, { recursive: true });
  const running = findRunning(dataFolder);
  if (running) {
    throw new CommandError(
      `sesamy-rule is running already on ${dataFolder} (process ${running.pid}); stop it, or set SESAMY_RULE_DATA to another folder.`,
    );
  }
  // With the stand-ins the pages tell what goes on; a line for every invented reader would bury the addresses.
  const quiet = first.sandbox && !own.SESAMY_RULE_LOG_LEVEL;
  const log = createLogger({ level: quiet ? 'warn' : first.logLevel, format: process.stderr.isTTY ? 'human' : 'json' });
  const runtime = installRuntime(log, first.metricsAddress);
  const stopWanted = untilSignal(() => say('\nStopping …'));
  const parts: Part[] = [];

  try {
    const service = await boot(own, first, log, parts);
    answer(options, service.document, () => service.lines);
    const begun = service.begin().then(() => stopWanted);
    await Promise.race([stopWanted, begun, ...service.breaks]);
  } finally {
    for (const part of parts.reverse()) {
      await part
        .stop()
        .catch((error: unknown) => log.error({ err: loggedError(error) }, 'a part did not stop in order'));
    }
    await runtime.shutdown();
    forgetRunning(dataFolder);
  }
  say('Stopped. Nothing is lost: the next start carries on.');
}

async function boot(own: NodeJS.ProcessEnv, first: Config, log: Logger, parts: Part[]) {
  const { dataFolder } = first;
  const { host } = first.webhook;
  let env: NodeJS.ProcessEnv = { ...own };
  // Sesamy posts to the port that it was told: with real vendors another one would be no use.
  if (!own.PORT && first.sandbox) env.PORT = String(await freePort(first.webhook.port, host));

  let sandbox: SandboxVendors | undefined;
  if (first.sandbox) {
    sandbox = await startSandboxVendors(dataFolder);
    parts.push({ stop: sandbox.close });
    env = { ...env, ...sandbox.env };
  }
  const temporal = await startTemporal(env, dataFolder, parts);
  env = { ...env, ...temporal.env };
  const config = readSettings(env);
  const workers = await startWorkerService(config, env, log, sandbox?.now);
  parts.push(workers);
  const webhook = await startWebhookService(config, env, log);
  parts.push(webhook);
  if (sandbox) {
    const { connection, client } = await connectTemporal(env);
    const waitNoMore = sandbox.waitFor(createSubscribers(client));
    parts.push({ stop: () => waitNoMore().then(() => connection.close()) });
    sandbox.sendWebhooksTo(webhook.url);
  }
  const clock: Record<string, string> = sandbox
    ? { SESAMY_RULE_STAND_IN_CLOCK: `${sandbox.env.SESAMY_API_URL}/_sandbox/clock` }
    : {};
  announceRunning(dataFolder, { ...temporal.env, ...(sandbox?.env ?? {}), ...clock });
  return {
    document: {
      webhook: webhook.url,
      temporal: { address: temporal.address, ...(temporal.uiUrl ? { ui: temporal.uiUrl } : {}) },
      ...(sandbox ? { sandbox: { rule: sandbox.rulePage, sesamy: sandbox.sesamyPage } } : {}),
    },
    lines: banner({ webhookUrl: webhook.url, temporal, sandbox }),
    begin: async () => sandbox?.begin(say),
    breaks: [workers.done, temporal.exited],
  };
}

interface RunningTemporal {
  address: string;
  uiUrl?: string;
  env: Record<string, string>;
  exited: Promise<void>;
}

async function startTemporal(env: NodeJS.ProcessEnv, dataFolder: string, parts: Part[]): Promise<RunningTemporal> {
  if (namesTemporal(env)) {
    return {
      address: env.TEMPORAL_ADDRESS ?? 'the Temporal profile’s address',
      env: {},
      exited: new Promise(() => {}),
    };
  }
  const executable = await findTemporalCli({ dataFolder, env, log: say });
  const server = await startEmbeddedTemporal({
    executable,
    port: await freePort(7233, '127.0.0.1'),
    uiPort: await freePort(8233, '127.0.0.1'),
    dbFile: databaseOf(dataFolder),
    logFile: join(dataFolder, 'temporal.log'),
  });
  parts.push({ stop: () => server.stop() });
  const exited = server.exited.then(() => {
    throw new CommandError(
      `The embedded Temporal server ended by itself; its last words are in ${join(dataFolder, 'temporal.log')}.`,
    );
  });
  exited.catch(() => {});
  return {
    address: server.address,
    ...(server.uiUrl ? { uiUrl: server.uiUrl } : {}),
    env: {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: 'default',
      SESAMY_RULE_EMBEDDED: '1',
      ...(server.uiUrl ? { TEMPORAL_UI_URL: server.uiUrl } : {}),
    },
    exited,
  };
}

function banner(what: {
  webhookUrl: string;
  temporal: RunningTemporal;
  sandbox: SandboxVendors | undefined;
}): string[] {
  const { webhookUrl, temporal, sandbox } = what;
  const folder = process.env.SESAMY_RULE_DATA;
  const variable = folder ? `SESAMY_RULE_DATA='${folder}' ` : '';
  const lines = ['', 'sesamy-rule is running.', ''];
  const row = (name: string, value: string) => lines.push(`  ${name.padEnd(16)}${value}`);
  if (temporal.uiUrl) row('Temporal UI', temporal.uiUrl);
  row('Temporal', temporal.address);
  row('Webhook', `POST ${webhookUrl}`);
  if (sandbox) {
    row('Rule stand-in', `${sandbox.rulePage}   subscribers appear here`);
    row('Sesamy stand-in', `${sandbox.sesamyPage}   purchase, renew, cancel as an invented reader`);
    lines.push(
      '',
      'No credentials are set, so both vendors are stand-ins with invented readers. Tell it of one of them:',
      '',
      `  curl -sS -X POST ${webhookUrl} -H 'Authorization: Bearer ${sandbox.env.WEBHOOK_SECRET}' -H 'Content-Type: application/json' \\`,
      `    -d '${JSON.stringify({
        eventType: 'userVendor.1#update',
        vendorId: sandbox.vendorId,
        userId: sandbox.exampleUserId,
        occured_at: new Date().toISOString(),
      })}'`,
      '',
      'In another terminal, in this folder:',
      '',
      `  ${variable}npx sesamy-rule status '${sandbox.exampleUserId}'`,
      `  ${variable}npx sesamy-rule list`,
    );
  }
  lines.push('', 'Ctrl-C stops everything.', '');
  return lines;
}
