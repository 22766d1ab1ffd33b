import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createMetrics } from '../src/metrics.js';
import { eventually } from './support/eventually.js';
import { type Listening, listening, secret, webhook } from './support/webhook-server.js';

const marker = 'zqxmarker';

describe('the webhook’s credential', () => {
  let server: Listening;
  afterEach(() => server.app.close());

  const headersOf: [what: string, authorization: string | undefined, reason: RegExp][] = [
    ['missing', undefined, /no Authorization header/],
    ['of another scheme', `Basic ${secret}`, /not of the form/],
    ['empty', 'Bearer ', /not of the form/],
    ['two words', `Bearer ${secret} ${secret}`, /not of the form/],
    ['wrong', 'Bearer invented-webhook-secreT', /not one of those/],
    ['a part of the right one', 'Bearer invented-webhook', /not one of those/],
    ['several at once', `Bearer ${secret},${secret}`, /not one of those/],
  ];
  for (const [what, authorization, reason] of headersOf) {
    it(`is refused with 401 and the reason when it is ${what}`, async () => {
      server = await listening();
      const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
      const answer = await server.call('POST', '/webhooks/sesamy', { headers, body: JSON.stringify(webhook()) });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
      assert.equal(answer.body.error, 'credential');
      assert.match(answer.body.reason ?? '', reason);
      assert.equal(answer.text.includes(secret), false);
      assert.deepEqual(server.notified, []);
    });
  }

  it('is checked before the body: who has none gets 401 while the body is still to come', async () => {
    server = await listening();
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /webhooks/sesamy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n');
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.match(first.toString(), /^HTTP\/1\.1 401 /);
    socket.destroy();
  });

  it('is checked before the body is looked at: an unreadable or oversized one makes no difference', async () => {
    server = await listening();
    const headers = { Authorization: 'Bearer wrong', 'Content-Length': String(10 * 1024 * 1024) };
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`POST /webhooks/sesamy HTTP/1.1\r\nHost: x\r\n${head.join('')}\r\nnot json`);
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.match(first.toString(), /^HTTP\/1\.1 401 /);
    socket.destroy();
  });

  it('may be the new or the old one during a rotation', async () => {
    server = await listening({
      vendors: new Map([['daily', { secrets: ['invented-secret-new', 'invented-secret-old'] }]]),
    });
    const statuses = await Promise.all(
      ['invented-secret-new', 'invented-secret-old', 'invented-secret-older'].map(
        async (word) => (await server.post(webhook(), { Authorization: `Bearer ${word}` })).status,
      ),
    );
    assert.deepEqual(statuses, [202, 202, 401]);
  });

  it('opens its own vendor only, and does not tell which others there are', async () => {
    server = await listening({
      vendors: new Map([
        ['daily', { secrets: [secret] }],
        ['weekly', { secrets: ['invented-weekly-secret'] }],
      ]),
    });
    assert.equal((await server.post(webhook())).status, 202);
    const foreign = await server.post(webhook({ vendorId: 'weekly' }));
    const unknown = await server.post(webhook({ vendorId: 'monthly' }));
    assert.equal(foreign.status, 401);
    assert.equal(foreign.headers['www-authenticate'], 'Bearer');
    assert.deepEqual([unknown.status, unknown.text], [foreign.status, foreign.text]);
    assert.equal(server.notified.length, 1);
  });

  it('may be shared by vendors; then an unknown one is a 404', async () => {
    const shared = { secrets: [secret] };
    server = await listening({
      vendors: new Map([
        ['daily', shared],
        ['weekly', shared],
      ]),
    });
    const vendorIds = ['daily', 'weekly', 'monthly'];
    const statuses = await Promise.all(
      vendorIds.map(async (vendorId) => (await server.post(webhook({ vendorId }))).status),
    );
    assert.deepEqual(statuses, [202, 202, 404]);
  });

  it('A27: refusals are counted; nothing that a sender wrote, and no secret, is in logs, metrics or answers', async () => {
    const metrics = createMetrics();
    let away = false;
    server = await listening({
      metrics,
      subscribers: {
        notify: async () => {
          if (away) throw new Error(`${marker} is not available`, { cause: new TypeError(marker) });
        },
      },
    });
    const planted = { 'X-Name': marker, Cookie: marker, 'User-Agent': marker, Referer: marker };
    const { post, call } = server;
    const texts = [
      await post(webhook({ email: marker, contractId: `${marker}@example.com`, nested: { name: marker } }), planted),
      await post(webhook({ eventType: `${marker}.1#new` }), planted),
      await post(webhook({ eventType: `${marker} Andersson` }), planted),
      await post(webhook({ userId: `${marker}@example.com` }), planted),
      await post(webhook({ vendorId: marker }), planted),
      await post(`{"${marker}":`, planted),
      await post(webhook({ padding: marker.repeat(10_000) }), planted),
      await post(webhook(), { ...planted, Authorization: `Bearer ${marker}` }),
      await call('GET', `/${marker}?${marker}`, { headers: planted }),
    ];
    away = true;
    texts.push(await post(webhook(), planted));
    assert.deepEqual(
      texts.map(({ status }) => status),
      [202, 202, 400, 400, 404, 400, 413, 401, 404, 503],
    );

    await eventually(() => assert.equal(server.entries().filter(({ msg }) => msg === 'webhook answered').length, 9));
    const exposition = await call('GET', '/metrics');
    assert.match(exposition.headers['content-type'] ?? '', /^text\/plain/);
    const everything = [
      ...texts.map(({ text, headers }) => text + JSON.stringify(headers)),
      server.logText(),
      exposition.text,
    ];
    assert.doesNotMatch(everything.join('\n'), new RegExp(marker, 'i'));
    assert.equal(everything.join('\n').includes(secret), false);

    const counted = exposition.text.split('\n').filter((line) => line.startsWith('sesamy_rule_webhooks_total{'));
    assert.deepEqual(counted.sort(), [
      'sesamy_rule_webhooks_total{vendor="daily",event="contract.1#purchased",status="202"} 1',
      'sesamy_rule_webhooks_total{vendor="daily",event="contract.1#purchased",status="503"} 1',
      'sesamy_rule_webhooks_total{vendor="daily",event="other",status="202"} 1',
      'sesamy_rule_webhooks_total{vendor="unknown",event="other",status="400"} 3',
      'sesamy_rule_webhooks_total{vendor="unknown",event="other",status="401"} 1',
      'sesamy_rule_webhooks_total{vendor="unknown",event="other",status="404"} 1',
      'sesamy_rule_webhooks_total{vendor="unknown",event="other",status="413"} 1',
    ]);
    assert.match(exposition.text, /^sesamy_rule_webhook_open_requests 0$/m);
    assert.match(exposition.text, /^sesamy_rule_webhook_seconds_count 9$/m);
    assert.match(exposition.text, /^process_resident_memory_bytes \d+/m);
  });

  it('an access line says status, event, vendor, user and time, and nothing else', async () => {
    server = await listening();
    await server.post(webhook());
    await server.post(webhook({ eventType: 'somethingNew.1#new' }));
    await eventually(() => assert.equal(server.entries().length, 2));
    const [known = assert.fail(), other = assert.fail()] = server.entries();
    const { time, ms, ...facts } = known;
    assert.equal(typeof time, 'string');
    assert.equal(typeof ms, 'number');
    assert.deepEqual(facts, {
      level: 'info',
      msg: 'webhook answered',
      status: 202,
      event: 'contract.1#purchased',
      vendor: 'daily',
      user: 'email|84cccf985de28a2a84824786',
    });
    assert.equal(other.event, 'other');
  });
});
