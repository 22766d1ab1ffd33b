import assert from 'node:assert/strict';
import fc from 'fast-check';
import { signalOfEvent } from '../src/contract/index.js';
import { createMetrics } from '../src/metrics.js';
import { eventually } from './support/eventually.js';
import { type Answer, type Listening, listening, secret, webhook } from './support/webhook-server.js';

describe('the webhook server', () => {
  let server: Listening;
  beforeEach(async () => {
    server = await listening();
  });
  afterEach(() => server.app.close());

  const refused = (answer: Answer, status: number, error: string, reason: RegExp) => {
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.error, error);
    assert.match(answer.body.reason ?? '', reason);
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
    assert.deepEqual(server.notified, []);
  };

  describe('takes', () => {
    for (const eventType of [...Object.keys(signalOfEvent), 'somethingNew.2#happened']) {
      it(`${eventType} with 202, once it is handed over`, async () => {
        const answer = await server.post(webhook({ eventType }));
        assert.equal(answer.status, 202);
        assert.deepEqual(answer.body, { accepted: true });
        assert.deepEqual(server.notified, [
          {
            person: { vendorId: 'daily', userId: 'email|84cccf985de28a2a84824786' },
            nudge: {
              event: eventType,
              occurredAt: '2026-11-10T12:00:00.000Z',
              contractId: '1d78271264b9c76d5842911dd70b4353',
            },
          },
        ]);
      });
    }

    const times: [given: string, read: string][] = [
      ['2026-11-10T12:00:00.123456Z', '2026-11-10T12:00:00.123Z'],
      ['2026-11-10T12:00:00+01:00', '2026-11-10T11:00:00.000Z'],
      ['2026-11-10T12:00:00', '2026-11-10T12:00:00.000Z'],
      ['2026-11-10', '2026-11-10T00:00:00.000Z'],
    ];
    for (const [given, read] of times) {
      it(`the time ${given} as ${read}`, async () => {
        await server.post(webhook({ occured_at: given }));
        assert.equal(server.notified[0]?.nudge.occurredAt, read);
      });
    }

    for (const odd of ['yesterday', '2026-02-30T00:00:00Z', '13:45', 1_762_776_000, undefined]) {
      it(`a time such as ${JSON.stringify(odd)} as the time of arrival: the event is not lost for it`, async () => {
        const before = Date.now();
        const answer = await server.post(webhook({ occured_at: odd }));
        assert.equal(answer.status, 202);
        const taken = Date.parse(server.notified.at(-1)?.nudge.occurredAt ?? '');
        assert.ok(taken >= before && taken <= Date.now());
      });
    }

    it('the right spelling of occured_at as well; the documented one wins', async () => {
      const { occured_at, ...rest } = webhook();
      await server.post({ ...rest, occurred_at: '2026-01-01T00:00:00Z' });
      await server.post({ ...rest, occured_at, occurred_at: '2026-01-01T00:00:00Z' });
      assert.deepEqual(
        server.notified.map(({ nudge }) => nudge.occurredAt),
        ['2026-01-01T00:00:00.000Z', '2026-11-10T12:00:00.000Z'],
      );
    });

    it('all three ids, and drops an id of another form without refusing the event', async () => {
      await server.post(webhook({ entitlementId: 'ent-1', checkoutId: 'co_1', extra: { deep: [1] } }));
      await server.post(webhook({ contractId: 'anna@example.com', entitlementId: 7, checkoutId: null }));
      assert.deepEqual(
        server.notified.map(({ nudge: { event, occurredAt, ...ids } }) => ids),
        [{ contractId: '1d78271264b9c76d5842911dd70b4353', entitlementId: 'ent-1', checkoutId: 'co_1' }, {}],
      );
    });

    for (const type of [
      'application/json; charset=utf-8',
      'text/plain',
      'application/x-www-form-urlencoded',
      ';;nonsense',
      '',
    ]) {
      it(`a JSON body that calls itself ${JSON.stringify(type)}`, async () => {
        assert.equal((await server.post(webhook(), { 'Content-Type': type })).status, 202);
      });
    }

    it('a body without a content type or a length', async () => {
      const headers = { Authorization: `bearer   ${secret}`, 'Transfer-Encoding': 'chunked' };
      const answer = await server.call('POST', '/webhooks/sesamy', { headers, body: JSON.stringify(webhook()) });
      assert.equal(answer.status, 202);
    });
  });

  describe('refuses with 400', () => {
    const bodies: [what: string, body: string, error: string, reason: RegExp][] = [
      ['no body', '', 'bad-request', /not valid JSON/],
      ['half a body', '{"eventType":"contr', 'bad-request', /not valid JSON/],
      ['HTML', '<!doctype html>', 'bad-request', /not valid JSON/],
      ['a prototype', '{"__proto__":{"vendorId":"daily"}}', 'bad-request', /not valid JSON/],
      ['a constructor', '{"a":{"constructor":{"prototype":{}}}}', 'bad-request', /not valid JSON/],
      ['a list', '[]', 'not-an-event', /not a JSON object/],
      ['null', 'null', 'not-an-event', /not a JSON object/],
      ['a number', '7', 'not-an-event', /not a JSON object/],
      ['nothing in it', '{}', 'not-an-event', /eventType .*vendorId .*userId /],
    ];
    for (const [what, body, error, reason] of bodies) {
      it(what, async () => refused(await server.post(body), 400, error, reason));
    }

    const members: [member: string, value: unknown][] = [
      ['eventType', 'two words'],
      ['eventType', `a${'b'.repeat(100)}`],
      ['eventType', 1],
      ['vendorId', 'The Daily'],
      ['vendorId', undefined],
      ['userId', 'anna@example.com'],
      ['userId', '../secrets'],
      ['userId', ''],
    ];
    for (const [member, value] of members) {
      it(`${member} = ${JSON.stringify(value)}, naming the member and not the value`, async () => {
        const answer = await server.post(webhook({ [member]: value }));
        refused(answer, 400, 'not-an-event', new RegExp(`webhook: ${member} must be`));
        assert.equal((answer.body.reason ?? '').split(';').length, 1);
        if (typeof value === 'string' && value !== '') assert.equal(answer.text.includes(value), false);
      });
    }
  });

  it('refuses a body over 64 KiB with 413, announced or not, and takes one below it', async () => {
    const large = JSON.stringify(webhook({ padding: 'x'.repeat(64 * 1024) }));
    refused(await server.post(large), 413, 'too-large', /64 KiB/);
    refused(await server.post(large, { 'Transfer-Encoding': 'chunked' }), 413, 'too-large', /64 KiB/);
    assert.equal((await server.post(webhook({ padding: 'x'.repeat(60 * 1024) }))).status, 202);
  });

  it('refuses an event of a vendor that is not configured with 404', async () => {
    refused(await server.post(webhook({ vendorId: 'weekly' })), 404, 'unknown-vendor', /not configured/);
  });

  it('answers other methods with 405, other paths with 404, and what is no HTTP with 400', async () => {
    const wrongMethod = await server.call('GET', '/webhooks/sesamy');
    refused(wrongMethod, 405, 'method-not-allowed', /POST only/);
    assert.equal(wrongMethod.headers.allow, 'POST');
    refused(await server.call('PUT', '/webhooks/sesamy?x=1', { body: 'not json' }), 405, 'method-not-allowed', /POST/);
    refused(await server.call('POST', '/healthz', { body: 'not json' }), 405, 'method-not-allowed', /GET/);
    refused(await server.call('POST', '/', { body: 'not json' }), 404, 'not-found', /no such path/);
    refused(await server.call('GET', '/%'), 404, 'not-found', /no such path/);
    refused(await server.call('GET', '/__proto__'), 404, 'not-found', /no such path/);
    const [head = '', body = ''] = (await server.raw('this is no HTTP\r\n\r\n')).split('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.1 400 /);
    assert.equal(JSON.parse(body).error, 'bad-request');
  });

  it('answers 503 with a time to come back when Temporal fails or is too slow, and survives what comes late', async () => {
    let fail: (error: Error) => void = () => {};
    const slow = () => new Promise<void>((_resolve, reject) => (fail = reject));
    for (const notify of [() => Promise.reject(new Error('UNAVAILABLE')), slow]) {
      const metrics = createMetrics();
      const away = await listening({ subscribers: { notify }, temporalTimeoutMs: 50, metrics });
      const answer = await away.post(webhook());
      assert.equal(answer.status, 503);
      assert.equal(answer.headers['retry-after'], '5');
      assert.equal(answer.body.error, 'temporal-away');
      assert.match(answer.body.reason ?? '', /send it again/);
      fail(new Error('late'));
      await eventually(async () =>
        assert.match(
          await metrics.text(),
          /sesamy_rule_webhooks_total\{vendor="daily",event="contract\.1#purchased",status="503"\} 1/,
        ),
      );
      await away.app.close();
    }
  });

  it('says whether it lives, and whether Temporal answers', async () => {
    assert.equal((await server.call('GET', '/healthz')).status, 200);
    assert.equal((await server.call('GET', '/readyz')).status, 200);
    const notReady = [async () => false, () => Promise.reject(new Error('away')), () => new Promise<boolean>(() => {})];
    for (const ready of notReady) {
      const away = await listening({ ready, temporalTimeoutMs: 50 });
      const answer = await away.call('GET', '/readyz');
      assert.equal(answer.status, 503);
      assert.match(answer.body.reason ?? '', /Temporal does not answer/);
      assert.equal((await away.call('GET', '/healthz')).status, 200);
      await away.app.close();
    }
  });

  it('never fails and never hands over anything but a valid event, whatever it is sent', async () => {
    const almost = fc
      .record(
        {
          eventType: fc.oneof(fc.constant('userVendor.1#new'), fc.string(), fc.anything()),
          vendorId: fc.oneof(fc.constant('daily'), fc.string(), fc.anything()),
          userId: fc.oneof(fc.constant('email|1'), fc.string({ unit: 'binary' }), fc.anything()),
          occured_at: fc.oneof(fc.constant('2026-11-10T12:00:00Z'), fc.date({ noInvalidDate: true }), fc.anything()),
          contractId: fc.anything(),
        },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? String(member) : member)));
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    const type = fc.oneof(fc.constant('application/json'), fc.stringMatching(/^[ -~]{0,30}$/));
    await fc.assert(
      fc.asyncProperty(fc.oneof(almost, bytes, fc.json()), type, async (body, contentType) => {
        const before = server.notified.length;
        const { status } = await server.post(body, { 'Content-Type': contentType });
        assert.ok([202, 400, 404].includes(status), String(status));
        assert.equal(server.notified.length - before, status === 202 ? 1 : 0);
      }),
      { numRuns: 400 },
    );
    for (const { person, nudge } of server.notified) {
      assert.equal(person.vendorId, 'daily');
      assert.match(person.userId, /^[\w.:|+~=-]{1,200}$/);
      assert.match(nudge.occurredAt, /^\d{4}-\d\d-\d\dT.*Z$/);
    }
    assert.equal((await server.post(webhook())).status, 202);
  });

  it('is not made for a vendor without a secret', async () => {
    const vendors = new Map([['daily', { secrets: [] }]]);
    await assert.rejects(listening({ vendors }), { name: 'TypeError', message: 'vendor daily has no webhook secret' });
  });
});
