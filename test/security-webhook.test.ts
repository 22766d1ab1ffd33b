/** The webhook server by bytes: whatever is written to its port, the answer is one of its own, nobody is told of, and it goes on. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import fc from 'fast-check';
import { pollution, prototypeNames, scale, search } from './support/fuzz.js';
import { type Listening, listening, secret, webhook } from './support/webhook-server.js';

/** Stands in what is sent, and must stand in nothing that the server says or logs. */
const marker = 'ZqxPlantedValue';
const good = JSON.stringify(webhook());
const authorization = `Authorization: Bearer ${secret}`;

// --- what is sent

const deep = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`;
const names = fc.constantFrom(...prototypeNames, 'eventType', 'vendorId', 'userId', 'occured_at', 'contractId', marker);
const body = fc.oneof(
  { weight: 3, arbitrary: fc.constant(good) },
  fc.nat(30_000).map((depth) => deep('[', ']', depth)),
  fc.nat(10_000).map((depth) => deep('{"a":', '}', depth)),
  fc.nat(10_000).map((depth) => `${good.slice(0, -1)},"x":${deep('[', ']', depth)}}`),
  // A name a second time, or one of a prototype's, before and behind the right ones.
  fc.tuple(names, fc.json()).map(([name, value]) => `${good.slice(0, -1)},${JSON.stringify(name)}:${value}}`),
  fc.tuple(names, fc.json()).map(([name, value]) => `{${JSON.stringify(name)}:${value},${good.slice(1)}`),
  fc
    .tuple(names, names)
    .map(([name, inner]) => `{"${name}":{"${inner}":{"userId":"${marker}"}},"\\u005f_proto__":1,${good.slice(1)}`),
  fc.nat(good.length).map((end) => good.slice(0, end)),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constant(`{"userId":"${marker.repeat(8_000)}"}`),
  fc.constant(`\ufeff${good}`),
);
const bytes = fc.oneof(
  { weight: 6, arbitrary: body.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)) },
  { weight: 1, arbitrary: body.map((text) => Buffer.from(text, 'utf16le')) },
);
const header = fc.oneof(
  { weight: 6, arbitrary: fc.constant(authorization) },
  fc.constantFrom(
    `Authorization: Bearer ${marker}`,
    `Authorization: Basic ${marker}`,
    `Authorization:${' '.repeat(500)}Bearer ${secret}`,
    `authorization: bearer ${secret} ${secret}`,
    `Authorization: Bearer ${secret}\r\n ${marker}`,
    `Authorization: Bearer ${secret}\0`,
    `X-Padding: ${marker.repeat(3_000)}`,
    'Content-Type: text/html',
    'Content-Type: multipart/form-data; boundary=x',
    'Content-Type: application/json; charset=utf-16',
    'Content-Encoding: gzip',
    'Content-Length: 99999999',
    'Content-Length: -1',
    'Content-Length: 5\r\nContent-Length: 6',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding : chunked',
    'Expect: 100-continue',
    'Expect: something',
    'Upgrade: websocket\r\nConnection: Upgrade',
    'Host: elsewhere.example.com',
    'X-HTTP-Method-Override: GET',
    `Cookie: ${marker}`,
    '__proto__: x',
    'constructor: x',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.tuple(fc.stringMatching(/^[!-9;-~]{1,20}$/), fc.string({ maxLength: 60 })).map((parts) => parts.join(': ')),
);
const headers = fc.oneof(
  { weight: 2, arbitrary: fc.constant([authorization]) },
  { weight: 3, arbitrary: fc.array(header, { maxLength: 3 }).map((more) => [authorization, ...more]) },
  { weight: 1, arbitrary: fc.array(header, { maxLength: 4 }) },
);
const target = fc.oneof(
  { weight: 6, arbitrary: fc.constant('/webhooks/sesamy') },
  fc.constantFrom(
    '/webhooks/sesamy/',
    '//webhooks/sesamy',
    '/webhooks/../metrics',
    '/webhooks/sesamy?x=%00',
    '*',
    '/%',
  ),
  fc.constantFrom('http://elsewhere.example.com/webhooks/sesamy', '/webhooks%2fsesamy', `/${marker}`, '/__proto__'),
  fc.string({ maxLength: 20 }),
);
const method = fc.oneof(
  { weight: 8, arbitrary: fc.constant('POST') },
  fc.constantFrom('GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'QUERY', 'post', 'GARBAGE', ''),
);
const version = fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'GARBAGE');

interface Sent {
  bytes: Buffer;
  /** How many of the events in it may be taken. */
  most: number;
}

const request: fc.Arbitrary<Sent> = fc
  .record({ method, target, version, headers, body: bytes, measured: fc.boolean() })
  .map((sent) => {
    const lines = [`${sent.method} ${sent.target} ${sent.version}`, 'Host: localhost', ...sent.headers];
    if (sent.measured) lines.push(`Content-Length: ${sent.body.length}`);
    return { bytes: Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), sent.body]), most: 1 };
  });
const line: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 8, arbitrary: request },
  // Two in one: none may be read out of the body of the other.
  {
    weight: 1,
    arbitrary: fc.tuple(request, request).map(([a, b]) => ({ bytes: Buffer.concat([a.bytes, b.bytes]), most: 2 })),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }).map((array) => ({ bytes: Buffer.from(array), most: 0 })) },
);

const statuses = new Set([202, 200, 400, 401, 404, 405, 408, 413, 415, 417, 431, 503]);

describe('the webhook server by bytes', function () {
  this.timeout(20_000 * Math.max(1, scale));
  let server: Listening;

  before(async () => {
    server = await listening({ requestTimeoutMs: 300 });
  });
  after(() => server.app.close());

  /** Writes to a new connection; resolves with what came until the server ended it, or the first whole answers have come. */
  function write(sent: Buffer): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(sent));
      let text = '';
      socket.on('data', (piece) => {
        text += piece.toString('latin1');
        if (isWhole(text, sent)) socket.end();
      });
      // A server that ends the connection while we still write resets it.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => resolve(text));
    });
  }

  /** Whether the text ends with an answer and its body; an answer to HEAD has none. */
  function isWhole(text: string, sent: Buffer): boolean {
    if (sent.includes('HEAD ') && text.endsWith('\r\n\r\n')) return true;
    const at = text.lastIndexOf('HTTP/1.1 ');
    const end = text.indexOf('\r\n\r\n', at);
    if (text.endsWith('\r\n0\r\n\r\n')) return true;
    const length = Number(/^content-length: (\d+)/im.exec(text.slice(at, end))?.[1] ?? Number.NaN);
    return end > 0 && text.length >= end + 4 + length;
  }

  it('answers by its own sentences, tells of valid events only, repeats and logs nothing that was sent, and goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 15, maxLength: 25 }), async (lines) => {
        const before = server.notified.length;
        const answers = await Promise.all(lines.map(({ bytes: sent }) => write(sent)));
        for (const [index, answer] of answers.entries()) {
          const sent = lines[index]?.bytes.toString('latin1').slice(0, 300);
          for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)) {
            assert.ok(statuses.has(Number(status)) || status === '100', `${status} for ${sent}`);
          }
          assert.doesNotMatch(answer, /zqx|\n\s+at |node_modules/i, sent);
          assert.ok(!answer.includes(secret), sent);
        }
        const told = server.notified.slice(before);
        assert.ok(told.length <= lines.reduce((sum, { most }) => sum + most, 0));
        for (const { person, nudge } of told) {
          assert.deepEqual(person.vendorId, 'daily');
          assert.match(person.userId, /^[\w.:|+~=-]{1,200}$/);
          assert.deepEqual(Object.getPrototypeOf(nudge), Object.prototype);
        }
        assert.deepEqual(pollution(), []);
        assert.equal((await server.post(webhook())).status, 202);
      }),
      search(12),
    );
    const told = server.notified.filter(({ person }) => person.userId !== webhook().userId);
    // A name that came twice may bring another id; it is one that a webhook may have.
    for (const { person } of told) assert.notEqual(person.userId, marker);
    assert.ok(server.notified.length > 20, 'some of what was sent was taken');
    assert.ok(!server.logText().includes(secret) && !/zqx/i.test(server.logText()), 'the log repeats what was sent');
    const { text } = await server.call('GET', '/metrics');
    assert.ok(!text.includes(secret) && !/zqx/i.test(text), 'the metrics repeat what was sent');
    assert.ok(!text.includes('status="500"'), 'an unexpected error');
  });

  it('takes a webhook while many others come byte by byte, and ends those', async () => {
    const slow = Array.from({ length: 60 }, (_, index) => {
      const head = `POST /webhooks/sesamy HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\nContent-Length: ${good.length}\r\n\r\n`;
      // Some stop within the head, some within the body.
      return write(Buffer.from((head + good).slice(0, index % 2 ? head.length + index : 20 + index)));
    });
    const before = server.notified.length;
    for (let count = 0; count < 10; count += 1) assert.equal((await server.post(webhook())).status, 202);
    assert.equal(server.notified.length - before, 10);
    for (const answer of await Promise.all(slow)) assert.match(answer, /^(HTTP\/1\.1 408 |$)/);
    assert.equal(server.notified.length - before, 10);
  });
});
