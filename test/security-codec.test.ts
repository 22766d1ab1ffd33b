/** The endpoint by which the Temporal UI reads what is encrypted: a process of its own, asked as a browser asks. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { createPayloadCodec, parseEncryptionKeys } from '../src/temporal/encryption.js';
import { type RunningCli, runCli, startCli } from './support/cli.js';

const key = randomBytes(32).toString('hex');
const origin = 'http://ui.example.com';

describe('sesamy-rule codec', function () {
  this.timeout(60_000);
  let running: RunningCli;
  let url: URL;

  before(async () => {
    const env = { SESAMY_RULE_ENCRYPTION_KEYS: key };
    running = await startCli(['codec', '--port', '0', '--ui', `${origin}/anything`, '--json'], { env });
    url = new URL((JSON.parse(running.output.stdout) as { url: string }).url);
  });
  after(async () => {
    assert.equal(await running.stop(), 0);
  });

  function ask(
    path: string,
    { method = 'POST', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: unknown },
  ): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(new URL(path, url), { method, headers, agent: false }, (response) => {
        let text = '';
        response.on('data', (piece) => {
          text += String(piece);
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      });
      request.on('error', reject);
      request.end(typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body));
    });
  }

  const json = { 'content-type': 'application/json' };

  async function sealed(value: unknown, by = key) {
    const [payload] = await createPayloadCodec(parseEncryptionKeys(by)).encode([
      defaultPayloadConverter.toPayload(value) as Payload,
    ]);
    const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
    const metadata = Object.entries(payload?.metadata ?? {}).map(([name, bytes]) => [name, base64(bytes)]);
    return { metadata: Object.fromEntries(metadata), data: base64(payload?.data) };
  }

  it('decodes what a worker has written, and encodes for it, for the UI’s page', async () => {
    const headers = { ...json, origin, 'x-namespace': 'default' };
    const body = { payloads: [await sealed({ tag: 'sesamy_vip' })] };
    const decoded = await ask('/decode', { headers, body });
    assert.deepEqual([decoded.status, decoded.headers['access-control-allow-origin']], [200, origin]);
    const { payloads } = JSON.parse(decoded.text) as { payloads: [{ metadata: { encoding: string }; data: string }] };
    assert.equal(Buffer.from(payloads[0].data, 'base64').toString(), '{"tag":"sesamy_vip"}');
    const encoded = await ask('/encode', { headers, body: { payloads } });
    assert.equal(encoded.status, 200);
    const again = await ask('/decode', { headers, body: JSON.parse(encoded.text) });
    assert.deepEqual(JSON.parse(again.text), { payloads });
  });

  it('tells a browser beforehand what the page may send', async () => {
    const asking = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-namespace' };
    const { status, headers } = await ask('/decode', { method: 'OPTIONS', headers: asking });
    assert.equal(status, 204);
    assert.equal(headers['access-control-allow-origin'], origin);
    assert.match(String(headers['access-control-allow-headers']), /content-type, x-namespace/);
  });

  it('reads nothing out to another page, under another name of this machine, or what a form could post', async () => {
    const body = { payloads: [await sealed('hidden')] };
    const refused: [status: number, headers: Record<string, string>, method?: string][] = [
      [403, { ...json, origin: 'https://elsewhere.example.com' }],
      [403, { origin: 'https://elsewhere.example.com' }, 'OPTIONS'],
      [403, { ...json, origin: 'null' }],
      [403, { ...json, host: 'rebound.example.com' }],
      [403, { ...json, host: `127.0.0.1.example.com:${url.port}` }],
      [415, { 'content-type': 'application/x-www-form-urlencoded' }],
    ];
    for (const [status, headers, method = 'POST'] of refused) {
      const reply = await ask('/decode', { method, headers, ...(method === 'POST' ? { body } : {}) });
      assert.equal(reply.status, status, JSON.stringify(headers));
      assert.equal(reply.headers['access-control-allow-origin'], undefined);
      assert.ok(!reply.text.includes('hidden') && !reply.text.includes('ImhpZGRlbiI'), reply.text);
    }
    // The type of a simple request, which browsers send without asking.
    const simple = await ask('/decode', {
      headers: { 'content-type': 'text/plain', origin },
      body: JSON.stringify(body),
    });
    assert.equal(simple.status, 400, simple.text);
  });

  it('says what is wrong: another key, damaged data, no payloads, no JSON', async () => {
    const bad: [body: unknown, message: RegExp][] = [
      [
        { payloads: [await sealed('x', randomBytes(32).toString('hex'))] },
        /encrypted by the key [0-9a-f]{12}, which is not in/,
      ],
      [{ payloads: [{ ...(await sealed('x')), data: 'AAAA' }] }, /was changed or cut off/],
      [{ payloads: [{ data: '***' }] }, /The body is not/],
      [{}, /The body is not/],
      ['{', /The body is not JSON/],
    ];
    for (const [body, message] of bad) {
      const { status, text } = await ask('/decode', { headers: json, body });
      assert.equal(status, 400, text);
      assert.match((JSON.parse(text) as { message: string }).message, message);
    }
    assert.equal((await ask('/', { method: 'GET' })).status, 404);
  });

  it('is not run where nothing is encrypted, and says so', async () => {
    const { code, stderr } = await runCli(['codec']);
    assert.deepEqual(
      [code, stderr.trim()],
      [2, 'Nothing is encrypted here: SESAMY_RULE_ENCRYPTION_KEYS is not set, and the UI needs no help.'],
    );
  });
});
