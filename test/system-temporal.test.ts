import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSubscribers } from '../src/client.js';
import { createLogger } from '../src/log.js';
import { createMetrics } from '../src/metrics.js';
import { connectTemporal } from '../src/temporal/connect.js';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../src/temporal/embedded.js';
import { ensureSearchAttributes } from '../src/temporal/search-attributes.js';
import { createWebhookServer } from '../src/webhook/index.js';
import { startCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { addressOf, aProfile } from './support/people.js';
import { aReader } from './support/readers.js';
import { startSystem } from './support/system.js';
import { temporalCli } from './support/temporal.js';

describe('Temporal goes away and comes back', function () {
  this.timeout(90_000);
  let folder: string;
  let temporal: EmbeddedTemporal;

  const start = async (port?: number): Promise<EmbeddedTemporal> =>
    startEmbeddedTemporal({
      executable: await temporalCli(),
      uiPort: false,
      dbFile: join(folder, 'temporal.db'),
      ...(port ? { port } : {}),
    });
  const comesBack = async () => {
    temporal = await start(Number(temporal.address.split(':').at(-1)));
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-away-'));
    temporal = await start();
  });
  afterEach(async () => {
    await temporal.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('a worker goes on by itself: with the attempt that was under way, and with news', async () => {
    const env = { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: 'default' };
    const system = await startSystem({ workers: false, env });
    const worker = await startCli(['worker'], { env: system.env });
    try {
      const [known, underWay] = [aReader(system), aReader(system)];
      await system.nudge(known, 'userVendor.1#new');
      await system.attempted(known);

      system.rule.faults.add({ kind: 'latency', ms: 2_000, times: 1, method: 'POST', path: '/v2/subscribers$' });
      await system.nudge(underWay, 'userVendor.1#new');
      await eventually(() => assert.deepEqual(system.rule.faults.list(), []));
      await temporal.kill();
      await eventually(() => assert.ok(system.rule.subscriber(addressOf(underWay)), 'Rule is written meanwhile'));
      assert.equal((await system.nudge(known, 'userVendor.1#update')).status, 503);
      await comesBack();

      system.sesamy.setPerson({ ...system.sesamy.person(known), profile: aProfile(known, { firstName: 'Changed' }) });
      await eventually(
        async () => assert.equal((await system.nudge(known, 'userVendor.1#update')).status, 202, 'taken again'),
        { timeoutMs: 30_000 },
      );
      const name = () => system.rule.subscriber(addressOf(known))?.fields['Subscriber.FirstName']?.value;
      await eventually(() => assert.equal(name(), 'Changed'), { timeoutMs: 30_000 });
      await eventually(async () => assert.equal((await system.status(underWay))?.state, 'ok'), { timeoutMs: 30_000 });
      assert.equal(system.rule.subscribers().length, 2);
      assert.equal(await worker.stop(), 0, worker.output.stderr);
    } finally {
      await worker.stop();
      await system.close();
    }
  });

  it('the webhook answers 503 within its bound meanwhile, and takes events again without a restart', async () => {
    const { connection, client, namespace } = await connectTemporal({ TEMPORAL_ADDRESS: temporal.address });
    await ensureSearchAttributes(connection, namespace);
    const server = createWebhookServer({
      vendors: new Map([['daily', { secrets: ['a-secret-of-this-test'] }]]),
      subscribers: createSubscribers(client),
      ready: async () => {
        await connection.withDeadline(Date.now() + 1_000, () => connection.workflowService.getSystemInfo({}));
        return true;
      },
      metrics: createMetrics(),
      log: createLogger({ level: 'silent', format: 'json' }),
      temporalTimeoutMs: 1_500,
    });
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const post = (userId: string) =>
      fetch(`${url}/webhooks/sesamy`, {
        method: 'POST',
        headers: { authorization: 'Bearer a-secret-of-this-test', 'content-type': 'application/json' },
        body: JSON.stringify({
          eventType: 'userVendor.1#new',
          vendorId: 'daily',
          userId,
          occured_at: '2026-11-10T12:00:00Z',
        }),
      });
    try {
      assert.equal((await post('email|before')).status, 202);
      assert.equal((await fetch(`${url}/readyz`)).status, 200);

      await temporal.kill();
      const away = await post('email|during');
      assert.equal(away.status, 503);
      assert.match(((await away.json()) as { reason: string }).reason, /Temporal/);
      assert.ok(away.headers.get('retry-after'));
      await eventually(async () => assert.equal((await fetch(`${url}/readyz`)).status, 503));
      assert.equal((await fetch(`${url}/healthz`)).status, 200);

      await comesBack();
      await eventually(async () => assert.equal((await post('email|during')).status, 202), { timeoutMs: 30_000 });
      await eventually(async () => assert.equal((await fetch(`${url}/readyz`)).status, 200));
      // What was taken before the kill is still there.
      const handle = client.workflow.getHandle('subscriber/daily/email|before');
      assert.equal((await handle.describe()).status.name, 'RUNNING');
    } finally {
      await server.close();
      await connection.close();
    }
  });
});
