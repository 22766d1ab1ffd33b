import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { z } from 'zod';
import { VendorError } from '../src/http/errors.js';
import { createHttpClient, type HttpClient, type HttpClientOptions, type HttpRequest } from '../src/http/request.js';
import { type LocalServer, type SeenRequest, sendJson, startLocalServer } from './support/local-server.js';

const get: HttpRequest = { method: 'GET', path: '/things/{id}', params: { id: 'a|b' } };
const put: HttpRequest = { ...get, method: 'PUT', body: { json: { name: 'Kim' } } };

describe('an attempt over HTTP', () => {
  let server: LocalServer;
  let client: HttpClient;
  let answer: (request: SeenRequest, response: ServerResponse) => void;

  beforeEach(async () => {
    server = await startLocalServer((request, response) => answer(request, response));
    client = open();
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  function open(options: Partial<HttpClientOptions> = {}): HttpClient {
    return createHttpClient({ vendor: 'rule', baseUrl: `${server.url}/api/`, ...options });
  }

  async function failure(call: HttpRequest, over: HttpClient = client): Promise<VendorError> {
    const error: unknown = await over.send(call).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof VendorError, `expected a VendorError, got ${error}`);
    return error;
  }

  it('brings status, headers and body', async () => {
    answer = (_, response) => sendJson(response, { ok: true }, 404, { 'x-a': 'b' });
    const reply = await client.send(get);
    assert.equal(reply.status, 404);
    assert.equal(reply.headers['x-a'], 'b');
    assert.equal(reply.text, '{"ok":true}');
  });

  it('encodes path parts and query, below the base path', async () => {
    answer = (_, response) => sendJson(response, {});
    await client.send({
      ...get,
      params: { id: 'email|å/../+1' },
      query: { userId: 'a|b&c', limit: 5, none: undefined },
    });
    assert.equal(server.seen[0]?.url, '/api/things/email%7C%C3%A5%2F..%2F%2B1?userId=a%7Cb%26c&limit=5');
  });

  for (const id of ['', '.', '..']) {
    it(`does not send a path whose part is ${JSON.stringify(id)}`, async () => {
      const error = await failure({ ...get, params: { id } });
      assert.equal(error.type, 'rule/refused');
      assert.equal(error.next, 'fix-data');
      assert.equal(server.seen.length, 0);
    });
  }

  it('sends JSON, a form, and no body', async () => {
    answer = (_, response) => sendJson(response, {});
    await client.send({ ...put, body: { json: { a: 'å' }, contentType: 'application/json;charset=utf-8' } });
    await client.send({ method: 'POST', path: '/token', body: { form: { a: 'b c', d: 'å' } } });
    await client.send(get);
    const [json, form, none] = server.seen;
    assert.deepEqual([json?.headers['content-type'], json?.body], ['application/json;charset=utf-8', '{"a":"å"}']);
    assert.equal(form?.headers['content-type'], 'application/x-www-form-urlencoded');
    assert.equal(form?.body, 'a=b+c&d=%C3%A5');
    assert.deepEqual([none?.headers['content-type'], none?.body], [undefined, '']);
  });

  it('never follows a redirect, and calls it a wrong address', async () => {
    answer = (_, response) => response.writeHead(301, { location: `${server.url}/elsewhere` }).end();
    const error = await failure(get);
    assert.deepEqual([error.type, error.next, error.status], ['rule/wrong-url', 'fix-key', 301]);
    assert.equal(server.seen.length, 1);
  });

  it('gives up after the total time', async () => {
    answer = (_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(drip));
    };
    const impatient = open({ timeouts: { totalMs: 120 } });
    const error = await failure(put, impatient);
    assert.deepEqual([error.type, error.next, error.unknownOutcome], ['rule/unavailable', 'wait', true]);
    await impatient.close();
  });

  it('gives up when no headers come', async () => {
    answer = () => undefined;
    const impatient = open({ timeouts: { headersMs: 60 } });
    const error = await failure(put, impatient);
    assert.deepEqual([error.type, error.next, error.unknownOutcome], ['rule/unavailable', 'wait', true]);
    await impatient.close();
  });

  it('gives up when the body stands still', async () => {
    answer = (_, response) => void response.writeHead(200).write('{');
    const impatient = open({ timeouts: { idleMs: 60 } });
    const error = await failure(get, impatient);
    assert.deepEqual([error.type, error.status, error.unknownOutcome], ['rule/unavailable', 200, false]);
    await impatient.close();
  });

  it('stops reading an answer that is too large, though it names no length', async () => {
    let closed: () => void = () => undefined;
    const stopped = new Promise<void>((resolve) => {
      closed = resolve;
    });
    answer = (_, response) => {
      response.on('close', closed);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1000)));
      };
      response.on('drain', more);
      more();
    };
    const small = open({ maxBytes: 10_000 });
    const error = await failure(get, small);
    assert.deepEqual([error.type, error.next], ['rule/too-large', 'wait']);
    await stopped;
    await small.close();
  });

  it('reads an answer that is just as large as allowed', async () => {
    answer = (_, response) => response.end('x'.repeat(100));
    const small = open({ maxBytes: 100 });
    assert.equal((await small.send(get)).text.length, 100);
    await small.close();
  });

  it('throws the reason of the caller who cancels, before and during the call', async () => {
    const reason = new Error('the caller has gone');
    const control = new AbortController();
    answer = () => control.abort(reason);
    await assert.rejects(client.send({ ...get, signal: control.signal }), (error) => error === reason);
    await assert.rejects(client.send({ ...get, signal: control.signal }), (error) => error === reason);
    assert.equal(server.seen.length, 1);
  });

  it('says of a write to a closed port that it was not done', async () => {
    await server.close();
    const error = await failure(put);
    assert.deepEqual([error.type, error.next, error.unknownOutcome], ['rule/unavailable', 'wait', false]);
    assert.match(error.message, /ECONNREFUSED/);
    assert.equal((error.cause as Error).message, 'ECONNREFUSED');
  });

  it('says of a write whose connection was hung up that its outcome is unknown', async () => {
    answer = (_, response) => response.destroy();
    const error = await failure(put);
    assert.deepEqual([error.type, error.next, error.unknownOutcome], ['rule/unavailable', 'wait', true]);
  });

  it('tells an answer that broke off from one that never came', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"half":', () => response.destroy());
    };
    const error = await failure(put);
    assert.deepEqual(
      [error.type, error.next, error.status, error.unknownOutcome],
      ['rule/not-json', 'wait', 200, true],
    );
  });

  it('believes the status of a failure whose body broke off', async () => {
    answer = (_, response) => {
      response.writeHead(429, { 'content-length': '100', 'retry-after': '7' });
      response.write('Too Many', () => response.destroy());
    };
    const reply = await client.send(get);
    assert.deepEqual([reply.status, reply.headers['retry-after']], [429, '7']);
  });

  it('does not quote an answer that is not HTTP', async () => {
    const sockets = new Set<Socket>();
    const odd = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).end('kim@example.com is not HTTP\r\n\r\n');
    });
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
    const address = odd.address();
    assert.ok(address && typeof address === 'object');
    const over = open({ baseUrl: `http://127.0.0.1:${address.port}` });
    const error = await failure(get, over);
    assert.equal(error.type, 'rule/unavailable');
    assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)} ${(error.cause as Error).stack}`, /kim@example/);
    await over.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => odd.close(resolve));
  });

  it('reads an answer by its schema', async () => {
    answer = (_, response) => sendJson(response, { id: 7, more: 1 });
    assert.deepEqual(client.read(get, await client.send(get), z.object({ id: z.number() })), { id: 7 });
  });

  it('tells a body that is not JSON from one of the wrong shape, quoting neither', async () => {
    const schema = z.object({ people: z.array(z.object({ email: z.email(), tags: z.array(z.number()) })) });
    answer = (_, response) => response.end('<html>kim@example.com</html>');
    const page = await client.send(put);
    assert.throws(
      () => client.read(put, page, schema),
      (error: VendorError) => error.type === 'rule/not-json' && error.unknownOutcome && !/kim/.test(error.message),
    );
    answer = (_, response) => sendJson(response, { people: [{ email: 'kim', tags: [1, 'kim@example.com'] }] });
    const odd = await client.send(get);
    assert.throws(
      () => client.read(get, odd, schema),
      (error: VendorError) =>
        error.type === 'rule/wrong-shape' &&
        error.next === 'wait' &&
        error.message.includes('people.0.email invalid_format, people.0.tags.1 invalid_type') &&
        !/kim/.test(error.message),
    );
  });

  it('takes a request id, but none that repeats what was sent', async () => {
    const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
    const call: HttpRequest = { ...get, headers: { authorization: 'Bearer 0f8fad5b-d9cb-469f-a165-70867728950f' } };
    answer = (_, response) => sendJson(response, {}, 200, { 'x-request-id': uuid });
    assert.equal((await client.send(call)).requestId, uuid);
    for (const id of ['0f8fad5b-d9cb-469f-a165-70867728950f', 'kim@example.com', '46701740605', 'a'.repeat(32)]) {
      answer = (_, response) => sendJson(response, {}, 200, { 'x-request-id': id });
      assert.equal((await client.send(call)).requestId, undefined, id);
    }
  });

  for (const baseUrl of [
    '',
    'rule.io',
    'ftp://rule.io',
    'https://key@rule.io',
    'https://rule.io/api?apikey=1',
    'https://rule.io/#a',
  ]) {
    it(`refuses ${JSON.stringify(baseUrl)} as a base URL without repeating it`, () => {
      assert.throws(
        () => open({ baseUrl }),
        (error: Error) => error instanceof TypeError && (baseUrl === '' || !error.message.includes(baseUrl)),
      );
    });
  }
});

describe('VendorError', () => {
  const error = new VendorError({
    type: 'rule/invalid',
    next: 'fix-data',
    reason: 'Rule refuses a value',
    method: 'PUT',
    path: '/v2/subscribers/{id}',
    status: 400,
    requestId: 'abc',
    fields: { 'Subscriber.Phone': 'refused' },
  });

  it('says in one sentence what was tried, what happened and what to do', () => {
    assert.equal(
      error.message,
      'PUT /v2/subscribers/{id}: Rule refuses a value (status 400; request abc; fields Subscriber.Phone); mend the data',
    );
  });

  it('says how long to wait', () => {
    const wait = new VendorError({ type: 'rule/blocked', next: 'wait', reason: 'blocked', waitMs: 1_400 });
    assert.equal(wait.message, 'blocked; try again in 2 s');
  });

  it('becomes JSON with all that a reader needs', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(error)), {
      name: 'VendorError',
      message: error.message,
      type: 'rule/invalid',
      next: 'fix-data',
      status: 400,
      requestId: 'abc',
      method: 'PUT',
      path: '/v2/subscribers/{id}',
      fields: { 'Subscriber.Phone': 'refused' },
      unknownOutcome: false,
    });
  });
});
