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
import { eventually } from './support/eventually.js';
import { temporalCli } from './support/temporal.js';

describe('Temporal goes away and comes back', function () {
  this.timeout(90_000);

  it('the webhook answers 503 within its bound meanwhile, and takes events again without a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-away-'));
    const executable = await temporalCli();
    const start = (port?: number): Promise<EmbeddedTemporal> =>
      startEmbeddedTemporal({
        executable,
        uiPort: false,
        dbFile: join(folder, 'temporal.db'),
        ...(port ? { port } : {}),
      });
    let temporal = await start();
    const port = Number(temporal.address.split(':').at(-1));
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

      temporal = await start(port);
      await eventually(async () => assert.equal((await post('email|during')).status, 202), { timeoutMs: 30_000 });
      await eventually(async () => assert.equal((await fetch(`${url}/readyz`)).status, 200));
      // What was taken before the kill is still there.
      const handle = client.workflow.getHandle('subscriber/daily/email|before');
      assert.equal((await handle.describe()).status.name, 'RUNNING');
    } finally {
      await server.close();
      await connection.close();
      await temporal.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
