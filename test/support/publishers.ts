/** Several vendors in one deployment, on real parts: a vendors file, one webhook server, workers, and stand-ins of each vendor's accounts. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RuleSandbox, startRuleSandbox } from '../../sandbox/rule/index.js';
import { type SesamySandbox, startSesamySandbox } from '../../sandbox/sesamy/index.js';
import { type Service, startWebhookService, startWorkerService } from '../../src/cli/service.js';
import { createSubscribers, type SubscriberStatus, type Subscribers } from '../../src/client.js';
import { type Config, loadConfig } from '../../src/config/index.js';
import { connectTemporal } from '../../src/temporal/connect.js';
import { eventually } from './eventually.js';
import { plantedKeys } from './markers.js';
import { freshNamespace, sharedTemporal } from './temporal.js';
import { traceLogger, traces } from './traces.js';

/** One vendor of the file, with both accounts. */
export interface Publisher {
  id: string;
  sesamy: SesamySandbox;
  rule: RuleSandbox;
  /** What the program is given as this vendor's keys; a test may rotate them, and starts the program anew. */
  secrets: { sesamy: string; rule: string; webhook: string };
  status(userId: string): Promise<SubscriberStatus | undefined>;
  nudge(userId: string, eventType: string, secret?: string): Promise<Response>;
  /** Waits until the person has been attempted so often and nothing is pending. */
  attempted(userId: string, atLeast?: number): Promise<SubscriberStatus>;
}

export interface Publishers {
  of(id: string): Publisher;
  subscribers: Subscribers;
  /** Those that the vendors file names from the next start on. */
  name(...ids: string[]): void;
  /** What a process is given that does the work of those who are named. */
  environment(): Promise<Record<string, string>>;
  /** Further environment variables from the next start on. */
  env: Record<string, string>;
  startWorkers(): Promise<void>;
  stopWorkers(): Promise<void>;
  startWebhook(): Promise<void>;
  stopWebhook(): Promise<void>;
  close(): Promise<void>;
}

const variable = (id: string, what: string) => `${id.toUpperCase()}_${what}`;

/** Starts the stand-ins, the webhook server and workers, all vendors named. */
export async function startPublishers(
  ids: readonly string[],
  { requestsPerSecond = 100, workers: withWorkers = true, people = 0 } = {},
): Promise<Publishers> {
  const { address } = await sharedTemporal();
  const namespace = await freshNamespace();
  const folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-publishers-'));
  const temporal = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
  const { connection, client } = await connectTemporal(temporal);
  const subscribers = createSubscribers(client);
  const publishers = new Map<string, Publisher>();
  let named = [...ids];
  let webhook: (Service & { url: string }) | undefined;
  let workers: Service | undefined;

  for (const id of ids) {
    const secrets = {
      sesamy: `${plantedKeys.clientSecret}-${id}`,
      rule: `${plantedKeys.ruleKey}-${id}`,
      webhook: `${plantedKeys.webhookSecret}-${id}`,
    };
    const sesamy = await startSesamySandbox({
      vendorId: id,
      clientId: `client-${id}`,
      clientSecret: secrets.sesamy,
      rps: 0,
      population: { people },
    });
    const rule = await startRuleSandbox({ apiKey: secrets.rule });
    const publisher: Publisher = {
      id,
      sesamy,
      rule,
      secrets,
      status: (userId) => subscribers.status({ vendorId: id, userId }),
      nudge: (userId, eventType, secret = secrets.webhook) =>
        fetch(webhook?.url ?? '', {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${secret.split(',')[0]}` },
          body: JSON.stringify({ eventType, vendorId: id, userId, occured_at: new Date().toISOString() }),
        }),
      async attempted(userId, atLeast = 1) {
        let status: SubscriberStatus | undefined;
        await eventually(
          async () => {
            status = await publisher.status(userId);
            assert.ok((status?.attempts ?? 0) >= atLeast, `${status?.attempts} attempts, wanted ${atLeast}`);
            assert.deepEqual(status?.pending, []);
          },
          { timeoutMs: 30_000, what: `attempt ${atLeast} of ${userId} of ${id}` },
        );
        return status as unknown as SubscriberStatus;
      },
    };
    publishers.set(id, publisher);
  }
  const of = (id: string): Publisher => {
    const publisher = publishers.get(id);
    assert.ok(publisher, `no publisher ${id}`);
    return publisher;
  };

  const all: Publishers = {
    of,
    subscribers,
    env: {},
    name: (...names) => {
      named = names;
    },
    environment: async () => (await settings()).env,
    async startWorkers() {
      const { config, env } = await settings();
      workers = await startWorkerService(config, env, traceLogger());
    },
    async stopWorkers() {
      await workers?.stop();
      workers = undefined;
    },
    async startWebhook() {
      const { config, env } = await settings();
      webhook = await startWebhookService(config, env, traceLogger());
    },
    async stopWebhook() {
      if (webhook) traces.metrics.push(await (await fetch(new URL('/metrics', webhook.url))).text());
      await webhook?.stop();
      webhook = undefined;
    },
    async close() {
      await all.stopWebhook();
      await all.stopWorkers();
      await connection.close();
      for (const { sesamy, rule } of publishers.values()) {
        for (const { violations } of [sesamy.recorder, rule.recorder]) {
          traces.violations.push(...violations.map((violation) => JSON.stringify(violation)));
        }
        await sesamy.close();
        await rule.close();
      }
      await rm(folder, { recursive: true, force: true });
    },
  };

  /** The vendors file and the variables that it refers to, read as a process reads them at its start. */
  async function settings(): Promise<{ config: Config; env: Record<string, string> }> {
    const file = join(folder, 'vendors.json');
    const vendors = named.map(of).map(({ id, sesamy, rule }) => ({
      id,
      sesamy: {
        clientId: sesamy.clientId,
        clientSecret: { env: variable(id, 'SESAMY') },
        apiUrl: sesamy.url,
        tokenUrl: sesamy.tokenUrl,
        requestsPerSecond,
      },
      rule: { apiKey: { env: variable(id, 'RULE') }, apiUrl: rule.url },
      webhookSecrets: [{ env: variable(id, 'WEBHOOK') }],
    }));
    await writeFile(file, JSON.stringify({ vendors }));
    const keys = named.map(of).flatMap(({ id, secrets }) => [
      [variable(id, 'SESAMY'), secrets.sesamy],
      [variable(id, 'RULE'), secrets.rule],
      [variable(id, 'WEBHOOK'), secrets.webhook],
    ]);
    const env = { ...temporal, PORT: '0', SESAMY_RULE_CONFIG: file, ...Object.fromEntries(keys), ...all.env };
    return { config: loadConfig(env), env };
  }

  if (withWorkers) await all.startWorkers();
  await all.startWebhook();
  return all;
}
