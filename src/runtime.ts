import { Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import { temporalLogger } from './log.js';

/**
 * Temporal's native runtime, once per process and before any connection or worker: our logger, no signal handling of its own (the
 * entry points stop things in order), its Prometheus endpoint where an address is configured. To be shut down at the end, when all
 * connections and workers are closed: its threads keep the process alive.
 */
export function installRuntime(log: Logger, metricsAddress?: string): { shutdown(): Promise<void> } {
  Runtime.install({
    logger: temporalLogger(log),
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(metricsAddress ? { metrics: { prometheus: { bindAddress: metricsAddress } } } : {}),
    },
  });
  return { shutdown: () => Runtime.instance().shutdown() };
}
