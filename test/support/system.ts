/**
 * The whole product on real parts: both stand-ins over HTTP, the webhook server, workers, and a Temporal namespace of its own on the
 * run's dev server. Tests look at it from outside: what Rule holds, what a query answers.
 */
import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { FastifyInstance } from 'fastify';
import { type RuleSandbox, type RuleSandboxOptions, startRuleSandbox } from '../../sandbox/rule/index.js';
import { type SesamySandbox, type SesamySandboxOptions, startSesamySandbox } from '../../sandbox/sesamy/index.js';
import { createSubscribers, type PersonId, type SubscriberStatus, type Subscribers } from '../../src/client.js';
import { loadConfig, type Timings, type VendorConfig } from '../../src/config/index.js';
import { createMetrics } from '../../src/metrics.js';
import { connectTemporal, nativeConnectTemporal } from '../../src/temporal/connect.js';
import { type OpenVendors, openVendors } from '../../src/vendors.js';
import { createWebhookServer } from '../../src/webhook/index.js';
import { startWorkers, type Workers } from '../../src/worker.js';
import { addStateAutomations, startsOf } from './automations.js';
import { eventually } from './eventually.js';
import { plantedKeys } from './markers.js';
import { freshNamespace, sharedTemporal } from './temporal.js';
import { traceLogger, traces } from './traces.js';

export interface SystemOptions {
  sesamy?: SesamySandboxOptions;
  rule?: RuleSandboxOptions;
  timings?: Partial<Timings>;
  mapping?: Partial<VendorConfig['mapping']>;
  lifecycle?: Partial<VendorConfig['lifecycle']>;
  receipts?: Partial<VendorConfig['receipts']>;
  /** Whether Rule has active automations on our state tags ({@link addStateAutomations}). Default true. */
  automations?: boolean;

  /** Address of a Temporal server of the test's own, whose namespace is `default`. */
  temporal?: string;
  /** A namespace of the run's server that others share; their vendors have other ids. Default: a fresh one. */
  namespace?: string;
  /** Environment variables over the harness's own. */
  env?: Record<string, string>;
  /** Default true. */
  workers?: boolean;
}

export interface System {
  vendorId: string;
  sesamy: SesamySandbox;
  rule: RuleSandbox;
  subscribers: Subscribers;
  client: Client;
  config: VendorConfig;
  env: Record<string, string>;
  webhookUrl: string;
  /** Posts to the webhook as Sesamy would. */
  post(body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** A webhook for one person; the time is of now unless given. */
  nudge(userId: string, eventType: string, more?: Record<string, unknown>): Promise<Response>;
  person(userId: string): PersonId;
  status(userId: string): Promise<SubscriberStatus | undefined>;
  /** Waits until the person has been attempted at least so often and nothing is pending or to be told, and answers the status. */
  attempted(userId: string, atLeast?: number): Promise<SubscriberStatus>;
  /** What started automations in Rule for the person, by the names of tags and segments. */
  starts(userId: string): string[];
  /** Requests that changed something in Rule, as `METHOD /path`, since the mark. */
  ruleWrites(since?: number): string[];
  ruleReads(since?: number): string[];
  sesamyReads(since?: number): string[];
  startWorkers(): Promise<void>;
  stopWorkers(): Promise<void>;
  close(): Promise<void>;
}

const secret = plantedKeys.webhookSecret;

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const address = options.temporal ?? (await sharedTemporal()).address;
  const namespace = options.namespace ?? (options.temporal ? 'default' : await freshNamespace());
  const rule = await startRuleSandbox({ apiKey: plantedKeys.ruleKey, ...options.rule });
  if (options.automations !== false) addStateAutomations(rule);
  const sesamy = await startSesamySandbox({
    vendorId: 'daily',
    clientId: 'client-daily',
    clientSecret: plantedKeys.clientSecret,
    rps: 0,
    ...options.sesamy,
  });
  const env: Record<string, string> = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    SESAMY_VENDOR_ID: sesamy.vendorId,
    SESAMY_CLIENT_ID: sesamy.clientId,
    SESAMY_CLIENT_SECRET: sesamy.clientSecret,
    SESAMY_API_URL: sesamy.url,
    SESAMY_TOKEN_URL: sesamy.tokenUrl,
    SESAMY_RPS: '300',
    RULE_API_KEY: rule.apiKey,
    RULE_API_URL: rule.url,
    WEBHOOK_SECRET: secret,
    PORT: '0',
    ...options.env,
  };
  const loaded = loadConfig(env);
  const [first] = loaded.vendors;
  assert.ok(first, 'one vendor is configured');
  const config: VendorConfig = {
    ...first,
    timings: { ...first.timings, ...options.timings },
    mapping: { ...first.mapping, ...options.mapping },
    lifecycle: { ...first.lifecycle, ...options.lifecycle },
    receipts: { ...first.receipts, ...options.receipts },
  };
  const log = traceLogger();
  const { connection, client } = await connectTemporal(env);
  const subscribers = createSubscribers(client);
  const metrics = createMetrics({
    vendorIds: [config.id],
    isOn: async (id) => (await subscribers.brake(id))?.on === true,
  });
  const server: FastifyInstance = createWebhookServer({
    vendors: new Map([[config.id, { secrets: config.webhookSecrets }]]),
    subscribers,
    ready: async () => {
      await connection.workflowService.getSystemInfo({});
      return true;
    },
    metrics,
    log,
  });
  const webhookUrl = `${await server.listen({ host: '127.0.0.1', port: 0 })}/webhooks/sesamy`;
  sesamy.webhooks.setTarget({ url: webhookUrl, headers: { Authorization: `Bearer ${secret}` } });

  let running: { workers: Workers; connection: NativeConnection; vendors: OpenVendors } | undefined;
  const requests = (recorder: typeof rule.recorder, since: number, wanted: (method: string) => boolean) =>
    recorder.requests
      .slice(since)
      .filter(({ method, path }) => wanted(method) && !path.startsWith('/_sandbox'))
      .map(({ method, path }) => `${method} ${path.split('?')[0]}`);

  const system: System = {
    vendorId: config.id,
    sesamy,
    rule,
    subscribers,
    client,
    config,
    env,
    webhookUrl,
    post: (body, headers = { authorization: `Bearer ${secret}` }) =>
      fetch(webhookUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    nudge: (userId, eventType, more = {}) =>
      system.post({ eventType, vendorId: config.id, userId, occured_at: new Date().toISOString(), ...more }),
    person: (userId) => ({ vendorId: config.id, userId }),
    status: (userId) => subscribers.status(system.person(userId)),
    async attempted(userId, atLeast = 1) {
      let status: SubscriberStatus | undefined;
      await eventually(
        async () => {
          status = await system.status(userId);
          assert.ok(status, 'the person has a workflow');
          assert.ok(status.attempts >= atLeast, `${status.attempts} attempts, wanted ${atLeast}`);
          assert.deepEqual([status.pending, status.gained], [[], []]);
          assert.deepEqual(
            status.waiting.filter(({ held }) => !held),
            [],
          );
        },
        { timeoutMs: 20_000, what: `attempt ${atLeast} of ${userId}` },
      );
      return status as unknown as SubscriberStatus;
    },
    starts: (userId) => startsOf(rule, userId),
    ruleWrites: (since = 0) => requests(rule.recorder, since, (method) => method !== 'GET'),
    ruleReads: (since = 0) => requests(rule.recorder, since, (method) => method === 'GET'),
    sesamyReads: (since = 0) =>
      requests(sesamy.recorder, since, (method) => method === 'GET').filter(
        (request) => !request.endsWith('/oauth/token'),
      ),
    async startWorkers() {
      assert.equal(running, undefined, 'workers run already');
      const native = await nativeConnectTemporal(env);
      const vendors = openVendors([config], client);
      const workers = await startWorkers({
        connection: native.connection,
        namespace,
        client,
        vendors: vendors.all,
        requestsPerSecond: (id) => vendors.requestsPerSecond(id),
        graceMs: 2_000,
      });
      running = { workers, connection: native.connection, vendors };
    },
    async stopWorkers() {
      await running?.workers.stop();
      await running?.connection.close();
      await running?.vendors.close();
      running = undefined;
    },
    async close() {
      traces.metrics.push(await (await fetch(new URL('/metrics', webhookUrl))).text());
      await system.stopWorkers();
      await server.close();
      await connection.close();
      await sesamy.close();
      await rule.close();
      for (const { violations } of [sesamy.recorder, rule.recorder]) {
        traces.violations.push(...violations.map((violation) => JSON.stringify(violation)));
      }
      assert.deepEqual(
        [...sesamy.recorder.violations, ...rule.recorder.violations],
        [],
        'requests outside the vendors’ documented shapes',
      );
    },
  };
  if (options.workers !== false) await system.startWorkers();
  return system;
}
