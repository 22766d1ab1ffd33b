import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createMetrics } from '../src/metrics.js';
import { eventually } from './support/eventually.js';
import { listening, secret, webhook } from './support/webhook-server.js';

/** A request as bytes, so that a connection can be kept and watched. */
function requestText(method: string, path: string, body = ''): string {
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${secret}`,
    `Content-Length: ${body.length}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

async function keptConnection(
  port: number,
): Promise<{ socket: Socket; received: () => string; ended: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  socket.on('error', () => {});
  const ended = once(socket, 'close');
  // A connection that never comes about ends by an error, which its opener hears of already.
  ended.catch(() => {});
  await once(socket, 'connect');
  return { socket, received: () => text, ended };
}

describe('stopping the webhook server', () => {
  it('lets a request under way get its 202, refuses new ones and ends kept connections: no accepted event is lost', async () => {
    const stored: string[] = [];
    let arrived = 0;
    const notify = async ({ userId }: { userId: string }) => {
      arrived += 1;
      await delay(300);
      stored.push(userId);
    };
    const { app, port } = await listening({ subscribers: { notify } });
    const idle = await keptConnection(port);
    idle.socket.write(requestText('GET', '/healthz'));
    await eventually(() => assert.match(idle.received(), /^HTTP\/1\.1 200 /));
    const busy = await keptConnection(port);
    busy.socket.write(requestText('POST', '/webhooks/sesamy', JSON.stringify(webhook())));
    await eventually(() => assert.equal(arrived, 1));

    const closed = app.close();
    await eventually(() => assert.equal(app.server.listening, false));
    const refused = await keptConnection(port).then(
      () => 'connected',
      (error: NodeJS.ErrnoException) => error.code,
    );
    assert.equal(refused, 'ECONNREFUSED');
    // A second request on the connection that is still at work is answered after the first, and not taken.
    busy.socket.write(
      requestText('GET', '/readyz') + requestText('POST', '/webhooks/sesamy', JSON.stringify(webhook())),
    );

    await closed;
    await Promise.all([busy.ended, idle.ended]);
    assert.deepEqual(stored, ['email|84cccf985de28a2a84824786']);
    assert.match(busy.received(), /^HTTP\/1\.1 202 Accepted\r\n/);
    assert.match(busy.received(), /\r\nconnection: close\r\n/i);
    assert.equal(arrived, 1);
  });

  it('says at once that it is not ready, on connections that are still open', async () => {
    let release = () => {};
    const { app, port } = await listening({ ready: () => new Promise((resolve) => (release = () => resolve(true))) });
    // A request whose head is not complete holds its connection open while the server closes.
    const late = await keptConnection(port);
    late.socket.write('GET /readyz HTTP/1.1\r\n');
    await eventually(async () => {
      const count = await new Promise<number>((resolve) => app.server.getConnections((_error, open) => resolve(open)));
      assert.equal(count, 1);
    });
    const busy = await keptConnection(port);
    busy.socket.write(requestText('GET', '/readyz'));
    const closed = app.close();
    await eventually(() => assert.equal(app.server.listening, false));
    late.socket.write('Host: x\r\n\r\n');
    await eventually(() => assert.match(late.received(), /^HTTP\/1\.1 503 [\s\S]*"error":"closing"/));
    release();
    await closed;
  });

  it('waits no longer than it was told to', async () => {
    const metrics = createMetrics();
    const { app, port } = await listening({
      subscribers: { notify: () => new Promise<void>(() => {}) },
      temporalTimeoutMs: 3_000,
      closeTimeoutMs: 100,
      metrics,
    });
    const stuck = await keptConnection(port);
    stuck.socket.write(requestText('POST', '/webhooks/sesamy', JSON.stringify(webhook())));
    await eventually(async () => assert.match(await metrics.text(), /open_requests 1$/m));
    await app.close();
    await stuck.ended;
    await eventually(async () => assert.match(await metrics.text(), /open_requests 0$/m));
  });

  it('closes connections on which a request does not arrive in time', async () => {
    const { app, raw } = await listening({ requestTimeoutMs: 200 });
    const begin = 'POST /webhooks/sesamy HTTP/1.1\r\nHost: x\r\n';
    const slowBody = await raw(`${begin}Authorization: Bearer ${secret}\r\nContent-Length: 100\r\n\r\n{`);
    const slowHead = await raw(begin);
    assert.match(slowHead, /^(HTTP\/1\.1 408 [\s\S]*"error":"timeout"|$)/);
    assert.doesNotMatch(slowBody, /^HTTP\/1\.1 20/);
    await app.close();
  });
});
