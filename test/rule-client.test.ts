import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { VendorError } from '../src/http/errors.js';
import { createAccountGate, createRuleClient, type RuleClient, type RuleField } from '../src/rule/index.js';
import { type LocalServer, type SeenRequest, sendJson, startLocalServer } from './support/local-server.js';

const email = 'kim+1@example.com';
const fields: RuleField[] = [
  { key: 'Subscriber.FirstName', value: 'Kim', type: 'text' },
  { key: 'Sesamy_ActiveProducts.SKU', value: ['a', 'b'], type: 'multiple' },
];

const subscriber = (overrides: object = {}) => ({
  id: 9001,
  email,
  phone_number: null,
  tags: [{ id: 77, name: 'sesamy' }],
  suppressed: [],
  created_at: '2026-06-01 10:00:00',
  ...overrides,
});

const read = { id: 9001, email, tags: ['sesamy'], suppressed: false, mailable: true, createdAt: '2026-06-01 10:00:00' };

type Answer = (request: SeenRequest, response: ServerResponse) => void;
const always =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    sendJson(response, body, status, headers);
const done: Answer = (_, response) => response.writeHead(204).end();

describe('the Rule client', () => {
  let server: LocalServer;
  let client: RuleClient;
  let answer: Answer;

  beforeEach(async () => {
    server = await startLocalServer((request, response) => answer(request, response));
    client = open(`${server.url}/api`);
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  function open(apiUrl: string, gate = createAccountGate({ random: () => 0 })): RuleClient {
    return createRuleClient({ apiUrl, apiKey: 'the-key', gate });
  }

  const sent = (index = 0) => {
    const request = server.seen[index];
    assert.ok(request);
    return { call: `${request.method} ${request.url}`, json: request.body ? JSON.parse(request.body) : undefined };
  };

  async function failure(work: Promise<unknown>): Promise<VendorError> {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof VendorError, `expected a VendorError, got ${error}`);
    return error;
  }

  for (const end of ['', '/', '/v2', '/v3/']) {
    it(`takes an address that ends in /api${end}, and sends the key in a header`, async () => {
      answer = always({ tags: [] });
      const other = open(`${server.url}/api${end}`);
      await other.checkKey();
      await other.close();
      assert.equal(sent().call, 'GET /api/v2/tags?limit=1');
      assert.equal(server.seen[0]?.headers.authorization, 'Bearer the-key');
    });
  }

  describe('upsertByEmail', () => {
    it('writes silently, in the object form', async () => {
      answer = always({ message: 'Success', subscriber: subscriber(), suppressed: [] });
      assert.deepEqual(await client.upsertByEmail({ email, fields, tags: ['sesamy', 'sesamy'] }), read);
      assert.deepEqual(sent(), {
        call: 'POST /api/v2/subscribers',
        json: {
          update_on_duplicate: true,
          automation: false,
          sync_subscribers: false,
          tags: ['sesamy'],
          subscribers: { email, fields },
        },
      });
    });

    it('looks for the subscriber where the answer names none', async () => {
      answer = (request, response) =>
        request.method === 'POST'
          ? sendJson(response, { message: 'Success', suppressed: [{ email }] })
          : sendJson(response, { subscriber: subscriber({ suppressed: [{ email }] }) });
      assert.deepEqual(await client.upsertByEmail({ email, fields, tags: ['sesamy'] }), {
        ...read,
        suppressed: true,
        mailable: false,
      });
      assert.equal(sent(1).call, 'GET /api/v2/subscribers/kim%2B1%40example.com?identified_by=email');
    });

    it('does not take a list of tags for whole that lacks what was just sent', async () => {
      answer = always({ subscriber: subscriber({ tags: [] }) });
      assert.equal((await client.upsertByEmail({ email, fields, tags: ['sesamy'] })).tags, undefined);
    });

    it('does not look for anybody after an answer that does not say that the write was done', async () => {
      for (const body of [{ something: 'else' }, { message: 'Success', subscriber: { id: 'x' } }]) {
        answer = always(body);
        const error = await failure(client.upsertByEmail({ email, fields, tags: ['sesamy'] }));
        assert.deepEqual([error.type, error.unknownOutcome], ['rule/wrong-shape', true]);
      }
      assert.equal(server.seen.length, 2);
    });

    for (const tags of [['123'], ['sesamy', '']]) {
      it(`does not send the tags ${JSON.stringify(tags)}: Rule would read digits as an id`, async () => {
        const error = await failure((async () => client.upsertByEmail({ email, fields, tags }))());
        assert.deepEqual([error.type, error.fields], ['rule/invalid', { tags: 'digits-only' }]);
        assert.equal(server.seen.length, 0);
      });
    }
  });

  const replies: { name: string; body: object; result: object }[] = [
    { name: 'an id in quotes', body: { id: '9001' }, result: { ...read } },
    { name: 'plain tag names', body: { tags: ['a', 'b'] }, result: { ...read, tags: ['a', 'b'] } },
    {
      name: 'no tags',
      body: { tags: undefined },
      result: { id: 9001, email, suppressed: false, mailable: true, createdAt: read.createdAt },
    },
    {
      name: 'null everywhere',
      body: { tags: null, email: null, created_at: null },
      result: { id: 9001, suppressed: false, mailable: true },
    },
    {
      name: 'suppression as a flag',
      body: { suppressed: true },
      result: { ...read, suppressed: true, mailable: false },
    },
    { name: 'no suppression as a flag', body: { suppressed: false }, result: read },
    { name: 'no word on suppression', body: { suppressed: undefined }, result: read },
    {
      name: 'suppressions',
      body: { suppressed: [{ type: 'email' }] },
      result: { ...read, suppressed: true, mailable: false },
    },
    { name: 'somebody who has opted out', body: { opted_in: false }, result: { ...read, mailable: false } },
  ];
  for (const { name, body, result } of replies) {
    it(`reads a subscriber with ${name}`, async () => {
      answer = always({ subscriber: subscriber(body) });
      assert.deepEqual(await client.get(9001), result);
    });
  }

  describe('update', () => {
    it('writes fields and address by id', async () => {
      answer = always({ subscriber: subscriber() });
      assert.deepEqual(await client.update(9001, { email, fields }), read);
      assert.deepEqual(sent(), { call: 'PUT /api/v2/subscribers/9001', json: { email, fields } });
      await client.update(9001, { fields });
      assert.deepEqual(sent(1).json, { fields });
    });

    const taken: [string, Answer][] = [
      ['409', always({ error: 'Conflict' }, 409)],
      ['a 422 that names the address', always({ errors: { email: ['The email has already been taken.'] } }, 422)],
      ['a 422 that says so in a sentence', always({ message: 'The email belongs to another subscriber.' }, 422)],
      ['a 400 that names the address', always({ error: 'X', fields: { email: 'Already exists' } }, 400)],
    ];
    for (const [name, reply] of taken) {
      it(`calls ${name} a taken address`, async () => {
        answer = reply;
        assert.equal((await failure(client.update(9001, { email, fields }))).type, 'rule/email-taken');
        const other = await failure(client.update(9001, { fields }));
        assert.notEqual(other.type, 'rule/email-taken');
      });
    }
  });

  it('does not call an address taken that is only wrong, nor one beside a field that is', async () => {
    answer = always({ fields: { email: 'The email is not valid.' } }, 400);
    assert.equal((await failure(client.update(9001, { email, fields }))).type, 'rule/invalid');
    answer = always({ fields: { 'fields.0': 'The email already exists here.' } }, 400);
    assert.equal((await failure(client.update(9001, { email, fields }))).type, 'rule/invalid');
  });

  describe('tags', () => {
    it('are added without automation, and with segments only where asked for', async () => {
      answer = done;
      await client.addTags(9001, ['a', 'b'], { recalculateSegments: true });
      await client.addTags(9001, ['a'], { recalculateSegments: false });
      const call = 'PUT /api/v3/subscribers/9001/tags?identified_by=id';
      assert.deepEqual(sent(0), { call, json: { tags: ['a', 'b'] } });
      assert.deepEqual(sent(1), { call, json: { tags: ['a'], sync_subscriber: false } });
      assert.equal(server.seen[0]?.headers['content-type'], 'application/json;charset=utf-8');
    });

    it('are removed in one call, and in none where there are none', async () => {
      answer = done;
      await client.removeTags(9001, ['a', 'b']);
      await client.removeTags(9001, []);
      assert.deepEqual(sent(), {
        call: 'DELETE /api/v3/subscribers/tags',
        json: { subscribers: [{ id: 9001 }], tags: ['a', 'b'] },
      });
      assert.equal(server.seen.length, 1);
    });

    it('are listed by name', async () => {
      answer = always({ tags: [{ id: 1, name: 'a' }, 'b'] });
      assert.deepEqual(await client.listTags(9001), ['a', 'b']);
      assert.equal(sent().call, 'GET /api/v2/subscribers/9001/tags?identified_by=id');
    });
  });

  const bodies: [string, string, string | undefined][] = [
    ['nothing', '', undefined],
    ['"Success"', '{"message":"SUCCESS"}', undefined],
    ['a flag', '{"success":true}', undefined],
    ['data', '{"data":{"id":1}}', undefined],
    ['an empty object', '{}', undefined],
    ['a web page', '<html></html>', 'rule/not-json'],
    ['an object of somebody else', '{"login":"please"}', 'rule/wrong-shape'],
  ];
  for (const [name, body, type] of bodies) {
    it(`${type ? 'does not take' : 'takes'} ${name} with status 200 for a write that was done`, async () => {
      answer = (_, response) => response.end(body);
      const work = client.removeTags(9001, ['a']);
      if (type) assert.equal((await failure(work)).type, type);
      else await work;
    });
  }

  it('suppresses a subscriber on all channels', async () => {
    answer = done;
    await client.suppress(9001);
    assert.deepEqual(sent(), { call: 'POST /api/v3/suppressions/', json: { subscribers: [{ id: 9001 }] } });
  });

  it('finds by address and by id, and answers undefined where Rule knows nobody', async () => {
    answer = always({ subscriber: subscriber() });
    assert.deepEqual(await client.findByEmail(email), read);
    assert.deepEqual(await client.get(9001), read);
    answer = always({ error: 'NotFound' }, 404);
    assert.equal(await client.findByEmail(email), undefined);
    assert.equal(await client.get(9001), undefined);
  });

  it('reads fields, whether a field is named by name or by key, without historical groups', async () => {
    answer = always({
      groups: [
        {
          name: 'Subscriber',
          historical: false,
          fields: [
            { id: 1, name: 'FirstName', type: 'text', value: 'Kim' },
            { key: 'LastName', value: null },
            { key: 'Subscriber.Source', type: 'text' },
          ],
        },
        { name: 'Sesamy_ActiveProducts', fields: [{ name: 'SKU', type: 'multiple', value: ['a', 1] }] },
        { name: 'Sesamy_User', fields: [{ name: 'ID', value: 7 }] },
        { name: 'Sesamy_Event', historical: true, fields: [{ name: 'At', value: 'x' }] },
      ],
    });
    assert.deepEqual(await client.readFields(9001), {
      'Subscriber.FirstName': { type: 'text', value: 'Kim' },
      'Subscriber.LastName': { value: null },
      'Subscriber.Source': { type: 'text', value: null },
      'Sesamy_ActiveProducts.SKU': { type: 'multiple', value: ['a', '1'] },
      'Sesamy_User.ID': { value: '7' },
    });
    assert.equal(sent().call, 'GET /api/v2/subscriber/9001/fields?identified_by=id');
  });

  describe('listFieldTypes', () => {
    const group = (name: string) => ({ id: 1, name, fields: [{ id: 2, name: 'A', type: 'text' }] });

    it('follows the pages without taking over a key from the address', async () => {
      answer = (request, response) =>
        request.query.get('page') === '2'
          ? sendJson(response, { groups: [group('Two')], meta: { next: null } })
          : sendJson(response, {
              groups: [group('One')],
              meta: { next: `${server.url}/api/v2/customizations?apikey=the-key&page=2&limit=100` },
            });
      assert.deepEqual(
        [...(await client.listFieldTypes())],
        [
          ['One.A', 'text'],
          ['Two.A', 'text'],
        ],
      );
      assert.deepEqual(
        [sent(0).call, sent(1).call],
        ['GET /api/v2/customizations?limit=100', 'GET /api/v2/customizations?limit=100&page=2'],
      );
    });

    for (const next of ['https://example.com/api/v2/customizations?page=2', '/api/v2/subscribers?page=2', 'http://[']) {
      it(`does not follow ${next}`, async () => {
        answer = always({ groups: [], meta: { next } });
        assert.equal((await failure(client.listFieldTypes())).type, 'rule/wrong-shape');
        assert.equal(server.seen.length, 1);
      });
    }

    it('ends when a page points to itself', async () => {
      answer = always({ groups: [], meta: { next: '/api/v2/customizations?page=2' } });
      assert.equal((await failure(client.listFieldTypes())).type, 'rule/wrong-shape');
      assert.equal(server.seen.length, 2);
    });
  });

  describe('listAutomations', () => {
    it('asks for the name of a tag that is left out, and takes what does not say so for active', async () => {
      const rows = [
        { id: 1, name: 'Named', active: true, trigger: { type: 'TAG', id: 7, name: 'sesamy' } },
        { id: '2', name: 'Unnamed', trigger: { type: 'tag', id: 8 } },
        { id: 3, name: 'Unknown', active: true, trigger: { type: 'TAG', id: 9 } },
        { id: 4, name: 'Segment', active: true, trigger: { type: 'SEGMENT', id: 7, name: '' } },
        { id: 5, name: 'Nothing', active: true, trigger: null },
        { id: 6, name: 'Other', active: true, trigger: { type: 'API', id: 1 } },
        { id: 7, name: 'Filter ignored', active: false, trigger: { type: 'TAG', id: 7, name: 'sesamy' } },
      ];
      answer = (request, response) => {
        if (request.path.endsWith('/tags/8')) sendJson(response, { id: 8, name: 'sesamy_event_ended' });
        else if (request.path.endsWith('/tags/9')) sendJson(response, { error: 'NotFound' }, 404);
        // The server caps its pages at four and says nothing of it.
        else sendJson(response, { data: rows.slice(...(request.query.get('page') === '1' ? [0, 4] : [4, 8])) });
      };
      assert.deepEqual(await client.listAutomations(), [
        { id: 1, name: 'Named', trigger: { type: 'TAG', id: 7, name: 'sesamy' } },
        { id: 2, name: 'Unnamed', trigger: { type: 'TAG', id: 8, name: 'sesamy_event_ended' } },
        { id: 3, name: 'Unknown', trigger: { type: 'TAG', id: 9 } },
        { id: 4, name: 'Segment', trigger: { type: 'SEGMENT', id: 7 } },
        { id: 5, name: 'Nothing' },
        { id: 6, name: 'Other' },
      ]);
      assert.equal(sent().call, 'GET /api/v3/editor/automail?active=true&page=1&per_page=50');
    });

    it('ends with an error where each page has others', async () => {
      answer = (request, response) =>
        sendJson(response, { data: [{ id: Number(request.query.get('page')), name: 'A' }] });
      assert.equal((await failure(client.listAutomations())).type, 'rule/wrong-shape');
    });
  });

  it('lists subscribers by the pages that the answers name, and never takes over a key', async () => {
    answer = always({ subscribers: [subscriber()], meta: { next: '/api/v2/subscribers?apikey=the-key&cursor=abc' } });
    const { subscribers, next } = await client.listSubscribers();
    assert.deepEqual(subscribers, [read]);
    await client.listSubscribers(next);
    assert.equal(sent(1).call, 'GET /api/v2/subscribers?limit=100&cursor=abc');
  });

  describe('failures', () => {
    const rows: { name: string; reply: Answer; type: string; next: string; waitMs?: number; unknown?: boolean }[] = [
      { name: '401', reply: always({ error: 'NotAuthorized' }, 401), type: 'rule/unauthorized', next: 'fix-key' },
      { name: '403', reply: always({}, 403), type: 'rule/forbidden', next: 'fix-key' },
      { name: '404', reply: always({ error: 'NotFound' }, 404), type: 'rule/not-found', next: 'give-up' },
      {
        name: 'a web page with 404',
        reply: (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>'),
        type: 'rule/not-json',
        next: 'wait',
      },
      { name: '409', reply: always({ error: 'Conflict' }, 409), type: 'rule/conflict', next: 'fix-data' },
      { name: '400', reply: always({ error: 'X' }, 400), type: 'rule/invalid', next: 'fix-data' },
      { name: '422', reply: always({ errors: {} }, 422), type: 'rule/invalid', next: 'fix-data' },
      { name: '413', reply: always({}, 413), type: 'rule/refused', next: 'fix-data' },
      {
        name: '429 in plain text',
        reply: (_, response) => {
          const headers = { date: 'Thu, 14 May 2026 12:12:16 GMT', 'retry-after': '2026-05-14 14:22:16' };
          response.writeHead(429, headers).end('Too Many Requests. You can continue at 2026-05-14 14:22:16.');
        },
        type: 'rule/rate-limited',
        next: 'wait',
        waitMs: 600_000,
      },
      { name: '429 without a word', reply: always({}, 429), type: 'rule/rate-limited', next: 'wait', waitMs: 60_000 },
      {
        name: '500',
        reply: always({ error: 'UnexpectedError' }, 500),
        type: 'rule/unavailable',
        next: 'wait',
        unknown: true,
      },
      {
        name: 'a hang-up',
        reply: (_, response) => response.destroy(),
        type: 'rule/unavailable',
        next: 'wait',
        unknown: true,
      },
      {
        name: 'HTML',
        reply: (_, response) => response.end('<html>'),
        type: 'rule/not-json',
        next: 'wait',
        unknown: true,
      },
      { name: 'a list', reply: always([]), type: 'rule/wrong-shape', next: 'wait', unknown: true },
      {
        name: 'no id',
        reply: always({ subscriber: { email } }),
        type: 'rule/wrong-shape',
        next: 'wait',
        unknown: true,
      },
    ];
    for (const { name, reply, type, next, waitMs, unknown } of rows) {
      it(`calls ${name} ${type}`, async () => {
        answer = reply;
        const error = await failure(client.update(9001, { fields }));
        assert.deepEqual(
          [error.type, error.next, error.waitMs, error.method, error.path, error.unknownOutcome],
          [type, next, waitMs, 'PUT', '/v2/subscribers/{id}', unknown ?? false],
        );
      });
    }

    const keys = ['Subscriber.FirstName', 'Sesamy_ActiveProducts.SKU'];
    const [firstName, sku] = keys as [string, string];
    const blames: { name: string; body: object; blamed: string[] | undefined }[] = [
      { name: 'an index of the single form', body: { fields: { 'subscribers.fields.1': 'bad' } }, blamed: [sku] },
      {
        name: 'an index with its member',
        body: { fields: { 'subscribers.fields.0.value': 'bad' } },
        blamed: [firstName],
      },
      {
        name: 'an index of the multiple form',
        body: { fields: { 'subscribers.0.fields.1.value': 'bad' } },
        blamed: [sku],
      },
      { name: 'an index in brackets', body: { fields: { 'subscribers[0][fields][1]': 'bad' } }, blamed: [sku] },
      { name: 'an index of an update', body: { fields: { 'fields.1': ['bad'] } }, blamed: [sku] },
      { name: 'a key', body: { fields: { 'Subscriber.FirstName': 'bad' } }, blamed: [firstName] },
      {
        name: 'a key in another case',
        body: { fields: { 'fields.subscriber.firstname': 'bad' } },
        blamed: [firstName],
      },
      { name: 'several', body: { fields: { 'fields.0': 'bad', 'fields.1': 'bad' } }, blamed: keys },
      { name: 'the errors of v3', body: { errors: { 'fields.1.value': ['bad'] } }, blamed: [sku] },
      { name: 'the address', body: { fields: { 'subscribers.email': 'bad' } }, blamed: ['email'] },
      { name: 'the tags', body: { fields: { 'tags.0': 'bad' } }, blamed: ['tags'] },
      { name: 'a key in a text', body: { fields: { x: `Bad value in ${sku}.` } }, blamed: [sku] },
      { name: 'a key in the message', body: { message: `Bad value in '${sku}'` }, blamed: [sku] },
      { name: 'a longer key', body: { message: `Bad value in ${sku}s` }, blamed: undefined },
      { name: 'an index beyond what was sent', body: { fields: { 'fields.9': 'bad' } }, blamed: undefined },
      { name: 'somebody', body: { fields: { [email]: email } }, blamed: undefined },
      { name: 'nothing', body: { error: 'X' }, blamed: undefined },
      { name: 'a text in place of entries', body: { fields: 'bad' }, blamed: undefined },
    ];
    for (const { name, body, blamed } of blames) {
      it(`understands a refusal that blames ${name}`, async () => {
        answer = always(body, 400);
        const error = await failure(client.update(9001, { fields }));
        assert.deepEqual(error.fields && Object.keys(error.fields), blamed);
      });
    }
  });

  describe('with the gate of its account', () => {
    let clock: number;
    let gate: ReturnType<typeof createAccountGate>;
    let gated: RuleClient;

    beforeEach(() => {
      clock = Date.now();
      gate = createAccountGate({ now: () => clock, random: () => 0 });
      gated = open(server.url, gate);
    });
    afterEach(() => gated.close());

    it('sends nothing during a block, and opens again by one probe', async () => {
      answer = (_, response) => response.writeHead(429, { 'retry-after': '600' }).end();
      assert.equal((await failure(gated.checkKey())).type, 'rule/rate-limited');
      assert.equal((await failure(gated.checkKey())).type, 'rule/blocked');
      assert.equal(server.seen.length, 1);
      clock += 600_000;
      answer = always({ tags: [] });
      const outcomes = await Promise.allSettled([gated.checkKey(), gated.checkKey(), gated.checkKey()]);
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
      await Promise.all([gated.checkKey(), gated.checkKey()]);
      assert.equal(server.seen.length, 4);
    });

    it('sends nothing with a refused key until its wait is over', async () => {
      answer = always({ error: 'NotAuthorized' }, 401);
      assert.equal((await failure(gated.checkKey())).type, 'rule/unauthorized');
      assert.equal((await failure(gated.checkKey())).type, 'rule/key-refused');
      clock += 60_000;
      answer = always({ tags: [] });
      await gated.checkKey();
      assert.equal(gate.snapshot().open, true);
    });

    it('gives the probe back when its caller cancels', async () => {
      answer = always({}, 401);
      await failure(gated.checkKey());
      clock += 60_000;
      const control = new AbortController();
      answer = () => control.abort(new Error('gone'));
      await assert.rejects(gated.checkKey({ signal: control.signal }), /gone/);
      answer = always({ tags: [] });
      await gated.checkKey();
    });

    it('takes an answer of the wrong shape or an unknown subscriber for an open account', async () => {
      answer = always({}, 429);
      await failure(gated.checkKey());
      clock += 60_000;
      answer = always({ error: 'NotFound' }, 404);
      assert.equal(await gated.get(9001), undefined);
      assert.equal(gate.snapshot().open, true);
    });

    it('brakes before the account is blocked, and shows what the headers say', async () => {
      const use = { 'requestscount-allowed': '2000', 'x-errorpercent-limit': '49', 'x-errorpercent-current': '3' };
      answer = always({ tags: [] }, 200, { ...use, 'requestscount-current': '1960' });
      await gated.checkKey();
      const error = await failure(gated.checkKey());
      assert.deepEqual([error.type, error.waitMs], ['rule/blocked', 5_000]);
      assert.deepEqual(gate.snapshot(), {
        open: false,
        probing: false,
        reason: 'braking',
        blockedUntil: clock + 5_000,
        allowed: 2000,
        current: 1960,
        errorShare: 3,
        errorShareLimit: 49,
      });
    });
  });
});
