import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { VendorError } from '../src/http/errors.js';
import { createAccountGate, createRuleClient, type RuleClient, type RuleMail } from '../src/rule/index.js';
import { type LocalServer, type SeenRequest, sendJson, startLocalServer } from './support/local-server.js';

const mail: RuleMail = {
  name: 'Kvitto',
  subject: 'Ditt kvitto på köpet',
  from: { name: 'Dagbladet', email: 'no-reply@example.com' },
  to: { name: 'Åsa Öberg', email: 'asa@example.com' },
  html: '<p>Tack för köpet, Åsa. 99 €</p>',
  text: 'Tack för köpet, Åsa. 99 €',
};
const where = { group: 'Sesamy_Event', field: 'ID', value: 'renewed/c1/2026-01-01' };
const row = { group: 'Sesamy_Event', values: { ID: where.value, Type: 'renewed' } };

type Answer = (request: SeenRequest, response: ServerResponse) => void;
const always =
  (body: unknown, status = 200): Answer =>
  (_, response) =>
    sendJson(response, body, status);
const done: Answer = (_, response) => response.writeHead(204).end();

describe("the Rule client's events and mails", () => {
  let server: LocalServer;
  let client: RuleClient;
  let answer: Answer;

  beforeEach(async () => {
    server = await startLocalServer((request, response) => answer(request, response));
    client = createRuleClient({
      apiUrl: server.url,
      apiKey: 'the-key',
      gate: createAccountGate({ random: () => 0 }),
      timeouts: { headersMs: 60, idleMs: 60 },
    });
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

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

  describe('fire', () => {
    it('adds tags by v2 with mode reset, each once', async () => {
      answer = always({ message: 'Success' });
      await client.fire(9001, ['sesamy_event_renewed', 'sesamy_stage_active', 'sesamy_event_renewed']);
      assert.deepEqual(sent(), {
        call: 'POST /v2/subscribers/9001/tags?identified_by=id',
        json: { tags: ['sesamy_event_renewed', 'sesamy_stage_active'], automation: 'reset' },
      });
    });

    it('makes no call without tags, nor with one that Rule would read as an id', async () => {
      await client.fire(9001, []);
      assert.equal((await failure(client.fire(9001, ['123']))).type, 'rule/invalid');
      assert.equal(server.seen.length, 0);
    });

    it('throws the reason of a caller who cancels when Rule may have started something already', async () => {
      const control = new AbortController();
      answer = () => control.abort(new Error('gone'));
      await assert.rejects(client.fire(9001, ['a'], { signal: control.signal }), /gone/);
      assert.equal(server.seen.length, 1);
    });
  });

  describe('removeTag', () => {
    it('names the tag in the path, encoded', async () => {
      answer = done;
      await client.removeTag(9001, 'sesamy_tag_å/b');
      const call = 'DELETE /v3/subscribers/9001/tags/sesamy_tag_%C3%A5%2Fb?identified_by=id';
      assert.deepEqual(sent(), { call, json: undefined });
    });

    it('takes a tag that is not held any more for removed, but no web page with the same status', async () => {
      answer = always({ error: 'NotFound' }, 404);
      await client.removeTag(9001, 'a');
      answer = (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html>');
      assert.equal((await failure(client.removeTag(9001, 'a'))).type, 'rule/not-json');
    });

    for (const tag of ['123', '']) {
      it(`does not remove ${JSON.stringify(tag)}: Rule would take another tag`, async () => {
        assert.equal((await failure(client.removeTag(9001, tag))).type, 'rule/invalid');
        assert.equal(server.seen.length, 0);
      });
    }
  });

  describe('findRow', () => {
    it('searches by group, field and value', async () => {
      answer = always({ data: { id: 1, values: [{ field_name: 'ID', field_value: where.value }] } });
      assert.equal(await client.findRow(9001, where), true);
      assert.equal(
        sent().call,
        'GET /v3/custom-field-data/9001/search?group=Sesamy_Event&field=ID&value=renewed%2Fc1%2F2026-01-01',
      );
    });

    const values = (value: unknown) => [{ field_id: 1, field_name: 'ID', field_type: 'text', field_value: value }];
    const answers: { name: string; reply: Answer; found: boolean }[] = [
      { name: 'a list with the row', reply: always({ data: [{ values: values(where.value) }] }), found: true },
      { name: 'a row without its values', reply: always({ data: { id: 1 } }), found: true },
      { name: '404', reply: always({ error: 'NotFound' }, 404), found: false },
      { name: 'an empty list', reply: always({ data: [] }), found: false },
      { name: 'nothing', reply: always({ data: null }), found: false },
      {
        name: 'a row of another value, the filter being ignored',
        reply: always({ data: { values: values('x') } }),
        found: false,
      },
      { name: 'a row with an empty field', reply: always({ data: { values: values(null) } }), found: false },
    ];
    for (const { name, reply, found } of answers) {
      it(`takes ${name} for a ${found ? 'hit' : 'miss'}`, async () => {
        answer = reply;
        assert.equal(await client.findRow(9001, where), found);
      });
    }

    it('takes an answer of somebody else for neither', async () => {
      answer = always({ login: 'please' });
      const error = await failure(client.findRow(9001, where));
      assert.deepEqual([error.type, error.unknownOutcome], ['rule/wrong-shape', false]);
    });
  });

  describe('appendRow', () => {
    for (const status of [201, 204]) {
      it(`writes texts into a historical group, made where it is missing, and takes ${status} for done`, async () => {
        answer = (_, response) => response.writeHead(status).end();
        await client.appendRow(9001, row);
        assert.deepEqual(sent(), {
          call: 'POST /v3/custom-field-data/9001',
          json: {
            groups: [
              {
                group: 'Sesamy_Event',
                create_if_not_exists: true,
                historical: true,
                values: [
                  { field: 'ID', create_if_not_exists: true, value: where.value },
                  { field: 'Type', create_if_not_exists: true, value: 'renewed' },
                ],
              },
            ],
          },
        });
      });
    }
  });

  describe('sendEmail', () => {
    it('sends both contents in base64 and answers the id', async () => {
      answer = always({ transaction_id: 123 });
      assert.equal(await client.sendEmail(mail), 123);
      const { call, json } = sent();
      assert.equal(call, 'POST /v2/transactionals');
      const { content, ...rest } = json;
      assert.deepEqual(rest, {
        transaction_type: 'email',
        transaction_name: mail.name,
        subject: mail.subject,
        from: mail.from,
        to: mail.to,
      });
      assert.equal(content.html, Buffer.from(mail.html).toString('base64'));
      assert.equal(content.plain, Buffer.from(mail.text).toString('base64'));
    });

    it('leaves out a name that is not known, and reads an id in quotes', async () => {
      answer = always({ message: 'Success', transaction_id: '123' });
      assert.equal(await client.sendEmail({ ...mail, to: { email: mail.to.email } }), 123);
      assert.deepEqual(sent().json.to, { email: mail.to.email });
    });

    it('names a refused address as a member of the call, without the address', async () => {
      answer = always({ error: 'X', fields: { 'to.email': `${mail.to.email} is not valid.` } }, 400);
      const error = await failure(client.sendEmail(mail));
      assert.deepEqual([error.type, error.fields], ['rule/invalid', { email: 'refused' }]);
      assert.doesNotMatch(JSON.stringify(error), /asa/);
    });
  });

  const writes: [string, () => Promise<unknown>][] = [
    ['fire', () => client.fire(9001, ['a'])],
    ['sendEmail', () => client.sendEmail(mail)],
    ['appendRow', () => client.appendRow(9001, row)],
    ['removeTag', () => client.removeTag(9001, 'a')],
    ['addTags', () => client.addTags(9001, ['a'], { recalculateSegments: false })],
  ];

  const lost: [string, Answer][] = [
    ['a hang-up', (_, response) => response.destroy()],
    [
      'an answer that broke off',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"message":', () => response.destroy());
      },
    ],
    ['no answer in time', () => undefined],
    ['an answer that stands still', (_, response) => void response.writeHead(200).write('{')],
    ['an answer that is too large', (_, response) => response.end('x'.repeat(6 * 1024 * 1024))],
    ['500', always({ error: 'UnexpectedError' }, 500)],
    ['502 of a proxy', (_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>')],
    ['a web page', (_, response) => response.end('<html>')],
    ['an answer of somebody else', always({ login: 'please' })],
  ];
  for (const [end, reply] of lost) {
    it(`says after ${end} that a write may have been done`, async () => {
      answer = reply;
      const errors = await Promise.all(writes.map(([, write]) => failure(write())));
      for (const [index, { unknownOutcome }] of errors.entries()) assert.ok(unknownOutcome, writes[index]?.[0]);
      assert.equal(server.seen.length, writes.length, 'one attempt each');
    });
  }

  for (const status of [301, 400, 401, 403, 404, 409, 413, 422, 429]) {
    it(`says after ${status} that a write was not done`, async () => {
      answer = always({ error: 'X' }, status);
      for (const [name, write] of writes) {
        if (name === 'removeTag' && status === 404) continue;
        // Each with an account of its own: a block and a refused key keep the next call from being sent.
        await client.close();
        const gate = createAccountGate();
        client = createRuleClient({ apiUrl: server.url, apiKey: 'the-key', gate });
        const error = await failure(write());
        assert.deepEqual([error.status, error.unknownOutcome], [status, false], name);
      }
    });
  }

  it('says of a write that the gate held back, or that found a closed port, that it was not done', async () => {
    answer = always({}, 429);
    await failure(client.checkKey());
    for (const [name, write] of writes) {
      const error = await failure(write());
      assert.deepEqual([error.type, error.unknownOutcome], ['rule/blocked', false], name);
    }
    await client.close();
    await server.close();
    client = createRuleClient({ apiUrl: server.url, apiKey: 'the-key', gate: createAccountGate() });
    for (const [name, write] of writes) {
      const error = await failure(write());
      assert.deepEqual([error.type, error.unknownOutcome], ['rule/unavailable', false], name);
    }
  });
});
