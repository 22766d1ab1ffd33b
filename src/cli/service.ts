import type { AddressInfo } from 'node:net';
import type { Client } from '@temporalio/client';
import { createSubscribers } from '../client.js';
import type { Config } from '../config/index.js';
import { type Logger, loggedError } from '../log.js';
import { createMetrics } from '../metrics.js';
import { ensureReconcileSchedule } from '../reconcile-schedule.js';
import { connectTemporal, nativeConnectTemporal } from '../temporal/connect.js';
import { ensureSearchAttributes } from '../temporal/search-attributes.js';
import { type OpenVendors, openVendors } from '../vendors.js';
import { createWebhookServer } from '../webhook/index.js';
import { startWorkers } from '../worker.js';

/** Workers or a webhook server of this process, to be stopped in order. */
export interface Service {
  /** Rejects when it breaks by itself. */
  done: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Connects to Temporal, sees to the search attributes and the schedules, and starts the workers of all vendors.
 *
 * @param now the stand-ins' clock, where the vendors are stand-ins
 */
export async function startWorkerService(
  config: Config,
  env: NodeJS.ProcessEnv,
  log: Logger,
  now?: () => Date,
): Promise<Service> {
  const { connection: clientConnection, client, namespace } = await connectTemporal(env);
  await ensureSearchAttributes(clientConnection, namespace);
  await ensureSchedules(client, config, log);
  const { connection } = await nativeConnectTemporal(env);
  const vendors: OpenVendors = openVendors(config.vendors, client);
  const workers = await startWorkers({
    connection,
    namespace,
    client,
    vendors: vendors.all,
    requestsPerSecond: (id) => vendors.requestsPerSecond(id),
    ...(now ? { now } : {}),
  });
  return {
    done: workers.done,
    async stop() {
      await workers.stop();
      await connection.close();
      await clientConnection.close();
      await vendors.close();
    },
  };
}

/** One that could not be made costs the regular reconcile, and nothing else: the workers start all the same. */
async function ensureSchedules(client: Client, { vendors }: Config, log: Logger): Promise<void> {
  for (const { id: vendor, reconcile } of vendors) {
    try {
      const change = await ensureReconcileSchedule(client, vendor, reconcile.everyHours);
      if (change !== 'kept') log.info({ vendor, everyHours: reconcile.everyHours }, `schedule of reconcile ${change}`);
    } catch (error) {
      log.warn({ vendor, err: loggedError(error) }, 'the schedule of reconcile could not be seen to; run it by hand');
    }
  }
}

/** Starts the webhook server; resolves when it listens. `url` is where Sesamy is to post to. */
export async function startWebhookService(
  config: Config,
  env: NodeJS.ProcessEnv,
  log: Logger,
): Promise<Service & { url: string }> {
  const { connection, client, namespace } = await connectTemporal(env);
  // The first webhook may come before the first worker, and a workflow is started with them.
  await ensureSearchAttributes(connection, namespace);
  const subscribers = createSubscribers(client);
  const vendorIds = config.vendors.map(({ id }) => id);
  const server = createWebhookServer({
    vendors: new Map(config.vendors.map((vendor) => [vendor.id, { secrets: vendor.webhookSecrets }])),
    subscribers,
    ready: async () => {
      await connection.workflowService.getSystemInfo({});
      return true;
    },
    metrics: createMetrics({
      vendorIds,
      isOn: async (id) => (await subscribers.brake(id))?.on === true,
    }),
    log,
  });
  await server.listen({ host: config.webhook.host, port: config.webhook.port });
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `http://${config.webhook.host}:${port}/webhooks/sesamy`,
    done: new Promise(() => {}),
    async stop() {
      await server.close();
      await connection.close();
    },
  };
}
