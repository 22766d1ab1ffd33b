import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ControlRefusal } from '../sandbox/common/controls.js';
import { type Fault, Faults } from '../sandbox/common/faults.js';
import { action, html, page } from '../sandbox/common/html.js';
import { Recorder } from '../sandbox/common/recorder.js';
import { createSandboxServer, listen } from '../sandbox/common/server.js';
import { Store } from '../sandbox/common/store.js';
import { eventually } from './support/eventually.js';
import { control } from './support/sesamy-api.js';

describe('the server of the stand-ins', () => {
  let app: FastifyInstance;
  let url: string;
  let recorder: Recorder;
  let faults: Faults;
  let effects: number;

  beforeEach(async () => {
    recorder = new Recorder();
    faults = new Faults();
    effects = 0;
    app = createSandboxServer({
      recorder,
      faults,
      isPage: (path) => path === '/page',
      bodyLimit: 1_000,
      controls: (scope) => {
        scope.post('/echo', (request) => request.body);
        scope.get('/refused', () => {
          throw new ControlRefusal('There is no such thing.', 404);
        });
        scope.get('/malformed', () => z.strictObject({ name: z.string() }).parse({ nome: 1 }));
      },
    });
    app.get('/page', (_request, reply) => reply.type('text/html').send('<p>page</p>'));
    app.get('/thing', () => ({ effects: ++effects }));
    app.post('/echo', (request) => ({ got: request.body ?? null, type: typeof request.body }));
    url = await listen(app);
  });
  afterEach(() => app.close());

  const status = async (path: string) => (await fetch(url + path)).status;

  describe('faults', () => {
    it('status: answers with the given status, headers and body, and the request has no effect', async () => {
      faults.add({ kind: 'status', status: 503, headers: { 'retry-after': '7' }, body: 'away' });
      const answer = await fetch(`${url}/thing`);
      assert.deepEqual([answer.status, answer.headers.get('retry-after'), await answer.text()], [503, '7', 'away']);
      assert.equal(effects, 0);
    });

    it('status: 500 and a JSON body unless told otherwise', async () => {
      faults.add({ kind: 'status' });
      const answer = await fetch(`${url}/thing`);
      assert.equal(answer.status, 500);
      assert.match(answer.headers.get('content-type') ?? '', /json/);
      assert.ok(await answer.json());
    });

    it('latency: the answer comes late, and is the usual one', async () => {
      faults.add({ kind: 'latency', ms: 50 });
      const begin = performance.now();
      assert.deepEqual(await (await fetch(`${url}/thing`)).json(), { effects: 1 });
      assert.ok(performance.now() - begin >= 45);
    });

    it('latency: a request whose client has gone meanwhile is not carried out, neither then nor later', async () => {
      faults.add({ kind: 'latency', ms: 150, times: 2 });
      const client = new AbortController();
      const { signal } = client;
      const held = [fetch(`${url}/thing`, { signal }), fetch(`${url}/echo`, { method: 'POST', body: 'text', signal })];
      await eventually(() => assert.deepEqual(faults.list(), []));
      client.abort();
      await Promise.all(held.map((one) => assert.rejects(one)));
      await delay(300);
      assert.equal(effects, 0);
      const seen = recorder.requests.map(({ status, body }) => ({ status, body }));
      assert.deepEqual(seen, Array(2).fill({ status: 0, body: undefined }), 'neither body was even read');
      assert.deepEqual(await (await fetch(`${url}/thing`)).json(), { effects: 1 });
    });

    it('latency after: the effect is there before the answer', async () => {
      faults.add({ kind: 'latency', ms: 200, when: 'after' });
      const answer = fetch(`${url}/thing`).then((one) => one.json());
      let answered = false;
      const done = answer.then(() => {
        answered = true;
      });
      await eventually(() => assert.equal(effects, 1));
      assert.equal(answered, false);
      await done;
      assert.deepEqual(await answer, { effects: 1 });
    });

    for (const when of ['before', 'after'] as const) {
      it(`hang-up ${when}: the connection ends without an answer${when === 'after' ? ', the effect stays' : ''}`, async () => {
        faults.add({ kind: 'hang-up', when });
        await assert.rejects(fetch(`${url}/thing`));
        assert.equal(effects, when === 'after' ? 1 : 0);
        assert.equal(recorder.requests[0]?.status, 0);
      });

      it(`cut-body ${when}: less arrives than Content-Length says`, async () => {
        faults.add({ kind: 'cut-body', when });
        const answer = await fetch(`${url}/thing`);
        assert.equal(answer.status, 200);
        await assert.rejects(answer.text());
        assert.equal(effects, when === 'after' ? 1 : 0);
      });

      it(`slow-body ${when}: headers first, then the body piece by piece`, async () => {
        faults.add({ kind: 'slow-body', when, ms: 5 });
        const answer = await fetch(`${url}/thing`);
        let pieces = 0;
        let text = '';
        for await (const piece of answer.body ?? []) {
          pieces += 1;
          text += Buffer.from(piece).toString();
        }
        assert.ok(pieces > 3, `${pieces} pieces`);
        assert.ok(JSON.parse(text));
        if (when === 'after') assert.deepEqual(JSON.parse(text), { effects: 1 });
      });
    }

    it('html: a login page with 200 unless told otherwise', async () => {
      faults.add({ kind: 'html', times: 1 });
      faults.add({ kind: 'html', status: 502 });
      const answer = await fetch(`${url}/thing`);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type') ?? '', /text\/html/);
      assert.match(await answer.text(), /^<!doctype html>/);
      assert.equal(await status('/thing'), 502);
    });

    it('wrong-shape: JSON of another form', async () => {
      faults.add({ kind: 'wrong-shape' });
      const answer = await fetch(`${url}/thing`);
      assert.equal(answer.status, 200);
      assert.deepEqual(await answer.json(), { result: { unexpected: true } });
    });

    it('status after: the effect takes place, its answer is replaced', async () => {
      faults.add({ kind: 'status', status: 502, when: 'after' });
      assert.equal(await status('/thing'), 502);
      assert.equal(effects, 1);
    });

    it('times and skip: lets the first pass, hits some, and is gone', async () => {
      faults.add({ kind: 'status', status: 503, skip: 1, times: 2 });
      const seen = [];
      for (let count = 0; count < 5; count += 1) seen.push(await status('/thing'));
      assert.deepEqual(seen, [200, 503, 503, 200, 200]);
      assert.deepEqual(faults.list(), []);
    });

    it('method and path choose whom a fault meets; the path is tested with its query', async () => {
      faults.add({ kind: 'status', status: 503, method: 'post' });
      faults.add({ kind: 'status', status: 418, path: '^/thing\\?.*a=1' });
      assert.equal(await status('/thing'), 200);
      assert.equal(await status('/thing?a=1'), 418);
      assert.equal((await fetch(`${url}/echo`, { method: 'POST' })).status, 503);
    });

    it('remove and clear end a fault', async () => {
      const id = faults.add({ kind: 'status', status: 503 });
      assert.equal(faults.remove(id), true);
      assert.equal(faults.remove(id), false);
      faults.add({ kind: 'status', status: 503 });
      faults.clear();
      assert.equal(await status('/thing'), 200);
    });

    it('refuses a fault that is not well formed', () => {
      assert.throws(() => faults.add({ kind: 'status', path: '(' }), /regular expression/);
      assert.throws(() => faults.add({ kind: 'explode' } as unknown as Fault));
    });

    it('meets neither pages nor control routes', async () => {
      faults.add({ kind: 'status', status: 503 });
      assert.equal(await status('/page'), 200);
      assert.equal(await status('/_sandbox/faults'), 200);
    });
  });

  describe('the request log', () => {
    it('keeps method, path with query, status and body; pages and controls are not in it', async () => {
      await fetch(`${url}/thing?a=%7C`);
      await fetch(`${url}/echo`, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } });
      await fetch(`${url}/page`);
      await fetch(`${url}/_sandbox/requests`);
      assert.deepEqual(
        recorder.requests.map(({ method, path, status: answered, body }) => [method, path, answered, body]),
        [
          ['GET', '/thing?a=%7C', 200, undefined],
          ['POST', '/echo', 200, '{"a":1}'],
        ],
      );
    });

    it('is bounded: the oldest requests fall out', () => {
      for (let count = 0; count < 20_001; count += 1) recorder.begin('GET', `/${count}`);
      assert.ok(recorder.requests.length <= 20_000);
      assert.equal(recorder.requests.at(-1)?.path, '/20000');
    });

    it('tells the busiest second, wherever it begins', () => {
      for (const ms of [0, 600, 900, 1_100, 1_500, 1_599, 3_000]) {
        const entry = recorder.begin('GET', ms === 900 ? '/other' : '/thing');
        entry.at = new Date(1_000_000 + ms).toISOString();
      }
      assert.equal(recorder.busiestSecond(), 5);
      assert.equal(
        recorder.busiestSecond(({ path }) => path === '/thing'),
        4,
      );
      assert.equal(new Recorder().busiestSecond(), 0);
    });

    it('clear forgets requests and violations', () => {
      recorder.begin('GET', '/thing');
      recorder.recordViolation('GET', '/thing', 'for the test');
      recorder.clear();
      assert.deepEqual([recorder.requests, recorder.violations], [[], []]);
    });
  });

  describe('bodies', () => {
    const send = async (body: string, type: string) => {
      const answer = await fetch(`${url}/echo`, { method: 'POST', body, headers: { 'content-type': type } });
      return [answer.status, await answer.json()] as [number, Record<string, unknown>];
    };

    it('JSON is parsed where the content type says so, anything else is text', async () => {
      assert.deepEqual(await send('{"a":1}', 'application/json; charset=utf-8'), [
        200,
        { got: { a: 1 }, type: 'object' },
      ]);
      assert.deepEqual(await send('a=1', 'application/x-www-form-urlencoded'), [200, { got: 'a=1', type: 'string' }]);
      assert.deepEqual(await send('{"a":1}', 'text/plain'), [200, { got: '{"a":1}', type: 'string' }]);
    });

    it('broken JSON is 400 and a body over the limit 413', async () => {
      assert.equal((await send('{"a":', 'application/json'))[0], 400);
      assert.equal((await send(JSON.stringify('x'.repeat(2_000)), 'application/json'))[0], 413);
    });
  });

  describe('control routes', () => {
    it('list, add and remove faults', async () => {
      const { status: created, body } = await control(url, 'POST', '/faults', { kind: 'status', status: 503 });
      assert.equal(created, 201);
      const { id } = body as { id: string };
      assert.deepEqual((await control(url, 'GET', '/faults')).body, [{ kind: 'status', status: 503, id, seen: 0 }]);
      assert.equal((await control(url, 'DELETE', `/faults/${id}`)).status, 204);
      assert.equal((await control(url, 'DELETE', `/faults/${id}`)).status, 404);
      await control(url, 'POST', '/faults', { kind: 'hang-up' });
      assert.equal((await control(url, 'DELETE', '/faults')).status, 204);
      assert.deepEqual(faults.list(), []);
    });

    it('show requests and violations, and forget them', async () => {
      await fetch(`${url}/thing`);
      recorder.recordViolation('GET', '/thing', 'for the test');
      assert.equal(((await control(url, 'GET', '/requests')).body as unknown[]).length, 1);
      assert.equal(((await control(url, 'GET', '/violations')).body as unknown[]).length, 1);
      assert.equal((await control(url, 'DELETE', '/requests')).status, 204);
      assert.deepEqual((await control(url, 'GET', '/violations')).body, []);
    });

    it('take JSON whatever the content type says', async () => {
      const answer = await fetch(`${url}/_sandbox/echo`, { method: 'POST', body: '{"a":1}' });
      assert.deepEqual(await answer.json(), { a: 1 });
    });

    it('answer a refusal, a malformed input and an unknown route in words', async () => {
      assert.deepEqual((await control(url, 'GET', '/refused')).body, { error: 'There is no such thing.' });
      const malformed = await control(url, 'GET', '/malformed');
      assert.equal(malformed.status, 400);
      assert.match(JSON.stringify(malformed.body), /name/);
      const unknown = await control(url, 'GET', '/nothing');
      assert.equal(unknown.status, 404);
      assert.match(JSON.stringify(unknown.body), /no control GET/);
      assert.equal((await control(url, 'POST', '/faults', { kind: 'explode' })).status, 400);
    });
  });

  it('closes at once although a client keeps its connection', async () => {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.write('GET /thing HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    await app.close();
    await ended;
  });
});

describe('the store of the stand-ins', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sandbox-store-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('saves soon after a change and at the end, and loads it again', async () => {
    const file = join(folder, 'deep', 'state.json');
    const state = { count: 0 };
    const store = new Store(file, () => state);
    assert.equal(await store.load(), undefined);
    state.count = 1;
    store.changed();
    await eventually(async () => assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), { count: 1 }));
    state.count = 2;
    await store.close();
    assert.deepEqual(await new Store(file, () => state).load(), { count: 2 });
    assert.deepEqual(await readdir(join(folder, 'deep')), ['state.json'], 'nothing half written is left');
  });

  it('says which file it cannot read', async () => {
    const file = join(folder, 'state.json');
    await writeFile(file, '{');
    await assert.rejects(new Store(file, () => ({})).load(), /state\.json/);
  });

  it('does nothing without a file', async () => {
    const store = new Store(undefined, () => ({}));
    store.changed();
    assert.equal(await store.load(), undefined);
    await store.close();
  });
});

describe('the pages of the stand-ins', () => {
  it('escape every value, in text and in attributes', () => {
    const name = `<script>alert("1")</script>&'`;
    const text = page({
      brand: 'Rule',
      title: name,
      links: [],
      here: '/',
      content: html`<p title="${name}">${name}</p>`,
    });
    assert.ok(!text.includes(name));
    assert.ok(text.includes('<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;">'));
  });

  it('join lists, keep markup and leave out what is not there', () => {
    assert.equal(html`<ul>${['a', html`<b>b</b>`]}${undefined}${null}${false}${0}</ul>`.text, '<ul>a<b>b</b>0</ul>');
  });

  it('mark the page that is shown, and escape what a button sends', () => {
    const links = [
      { to: '/', text: 'One' },
      { to: '/two', text: 'Two' },
    ];
    assert.match(
      page({ brand: 'Rule', title: 'Two', links, here: '/two', content: html`` }),
      /"\/two" class="here">Two/,
    );
    assert.match(action('Go', 'POST', '/x', { name: '"' }).text, /data-body="{&quot;name&quot;:&quot;\\&quot;&quot;}"/);
  });
});
