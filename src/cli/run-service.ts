import type { Config } from '../config/index.js';
import { createLogger, type Logger } from '../log.js';
import { installRuntime } from '../runtime.js';
import { environment } from './environment.js';
import { UsageError } from './errors.js';
import { answer, type OutputOptions } from './output.js';
import { readSettings } from './read-settings.js';
import type { Service } from './service.js';
import { noVendors } from './session.js';
import { untilSignal } from './signals.js';

/** What a long-running command starts, and what it says once it runs. */
interface Running<S extends Service> {
  /** Only the webhook server needs the webhook's secret, only workers need Temporal's native runtime. */
  kind: 'worker' | 'webhook';
  start(config: Config, env: NodeJS.ProcessEnv, log: Logger): Promise<S>;
  /** What is told on stdout when it runs; no secrets. */
  announce(service: S, config: Config): { document: Record<string, unknown>; line: string };
}

/** Runs a service until SIGINT or SIGTERM, then lets what is under way end. @throws when the service breaks by itself */
export async function runService<S extends Service>(options: OutputOptions, running: Running<S>): Promise<void> {
  const env = environment();
  const config = readSettings(env, { webhook: running.kind === 'webhook' });
  if (config.vendors.length === 0) throw new UsageError(noVendors);
  const log = createLogger({ level: config.logLevel, format: process.stderr.isTTY ? 'human' : 'json' });
  const runtime = running.kind === 'worker' ? installRuntime(log, config.metricsAddress) : undefined;
  const signalled = untilSignal(() => log.info('stopping'));
  try {
    const service = await running.start(config, env, log);
    try {
      const { document, line } = running.announce(service, config);
      answer(options, document, () => [line]);
      await Promise.race([signalled, service.done]);
    } finally {
      await service.stop();
    }
    log.info('stopped');
  } finally {
    await runtime?.shutdown();
  }
}
