import assert from 'node:assert/strict';
import { RuleCalls, type WireSubscriber } from './support/rule-calls.js';

const email = 'kim@example.com';
const person = `/subscribers/${encodeURIComponent(email)}`;

describe('Rule stand-in: v2 calls', () => {
  const rule = RuleCalls.forEach();
  const tags = () => rule.sandbox.subscriber(email)?.tags;

  describe('key', () => {
    it('is taken from the header, the query or the body', async () => {
      const body = { tags: ['a'], subscribers: { email } };
      const bare = async (path: string, sent?: object) =>
        (
          await fetch(`${rule.sandbox.url}${path}`, {
            ...(sent
              ? { method: 'POST', body: JSON.stringify(sent), headers: { 'content-type': 'application/json' } }
              : {}),
          })
        ).status;
      assert.equal(await bare(`/v2/tags?apikey=${rule.sandbox.apiKey}`), 200);
      assert.equal(await bare('/v2/subscribers', { ...body, apikey: rule.sandbox.apiKey }), 200);
      assert.equal(await bare('/v2/subscribers', body), 401);
      assert.equal(await bare('/v2/tags'), 401);
      assert.equal(await bare(`/v3/api-keys?apikey=${rule.sandbox.apiKey}`), 401);
      assert.deepEqual(rule.sandbox.recorder.violations, []);
    });

    it('is judged before anything else, with the documented body', async () => {
      const { status, json } = await rule.v2('POST', '/nothing', '{', { authorization: 'Bearer wrong' });
      assert.deepEqual([status, json], [401, { error: 'NotAuthorized' }]);
    });

    it('can be revoked and replaced', async () => {
      rule.sandbox.revokeKey();
      assert.equal((await rule.v2('GET', '/tags')).status, 401);
      rule.sandbox.setApiKey('another');
      assert.equal((await rule.v2('GET', '/tags', undefined, { authorization: 'Bearer another' })).status, 200);
    });
  });

  describe('one person', () => {
    it('is found by each identity', async () => {
      const { id } = rule.sandbox.addSubscriber({ email, phone_number: '+46701740605', custom_identifier: 'user|1' });
      for (const [kind, value] of [
        ['email', 'KIM@example.com'],
        ['phone_number', '+46701740605'],
        ['id', String(id)],
        ['custom_identifier', 'user|1'],
      ]) {
        const { json } = await rule.v2<{ subscriber: WireSubscriber }>(
          'GET',
          `/subscribers/${encodeURIComponent(String(value))}?identified_by=${kind}`,
        );
        assert.equal(json.subscriber?.id, id, kind);
        assert.equal(json.subscriber?.custom_identifier, 'user|1');
      }
    });

    it('is a 404 when unknown, which is no violation', async () => {
      assert.equal((await rule.v2('GET', `${person}?identified_by=email`)).status, 404);
      assert.deepEqual(rule.sandbox.recorder.violations, []);
    });

    it('PUT changes address, phone, language and fields by id', async () => {
      const { id } = rule.sandbox.addSubscriber({ email });
      const { status, json } = await rule.v2<{ subscriber: WireSubscriber }>('PUT', `/subscribers/${id}`, {
        email: 'New@example.com',
        phone_number: '0701740605',
        language: 'en',
        fields: [{ key: 'A.B', value: 'x' }],
      });
      assert.equal(status, 200);
      assert.deepEqual(
        [json.subscriber.id, json.subscriber.email, json.subscriber.language],
        [id, 'new@example.com', 'en'],
      );
      assert.equal(rule.sandbox.subscriber(email), undefined);
      assert.equal(rule.sandbox.subscriber('new@example.com')?.phone_number, '+46701740605');
      assert.equal(rule.sandbox.subscriber(id)?.fields['A.B']?.value, 'x');
    });

    it('PUT answers 404 for a deleted person', async () => {
      const { id } = rule.sandbox.addSubscriber({ email });
      rule.sandbox.deleteSubscriber(id);
      assert.equal((await rule.v2('PUT', `/subscribers/${id}`, { language: 'en' })).status, 404);
    });

    for (const status of [409, 400, 422] as const) {
      it(`PUT answers ${status} when the address is taken and changes nothing`, async () => {
        rule.sandbox.switches.putTakenStatus = status;
        const { id } = rule.sandbox.addSubscriber({ email });
        rule.sandbox.addSubscriber({ email: 'taken@example.com' });
        const body = { email: 'taken@example.com', language: 'en' };
        assert.equal((await rule.v2('PUT', `/subscribers/${id}`, body)).status, status);
        assert.equal(rule.sandbox.subscriber(id)?.language, 'sv');
      });
    }

    it('PUT refuses an address altogether when told so', async () => {
      rule.sandbox.switches.putEmail = 'refuse';
      const { id } = rule.sandbox.addSubscriber({ email });
      assert.equal((await rule.v2('PUT', `/subscribers/${id}`, { email: 'new@example.com' })).status, 400);
    });

    it('is deleted at once, and a later upsert makes a new id', async () => {
      const { id } = rule.sandbox.addSubscriber({ email });
      assert.equal((await rule.v2('DELETE', `${person}?identified_by=email`)).status, 200);
      const { json } = await rule.upsert(email);
      assert.notEqual(json.subscriber.id, id);
    });

    it('several are deleted by a body', async () => {
      rule.sandbox.addSubscriber({ email });
      const { status } = await rule.v2('DELETE', '/subscribers', { subscribers: [{ email }] });
      assert.equal(status, 200);
      assert.equal(rule.sandbox.subscribers().length, 0);
    });
  });

  describe('lists', () => {
    it('page by limit with a full address of the next page', async () => {
      for (let index = 0; index < 5; index += 1) rule.sandbox.addSubscriber({ email: `p${index}@example.com` });
      const seen: (string | null)[] = [];
      let next: string | null = '/subscribers?limit=2';
      while (next) {
        type Page = { subscribers: WireSubscriber[]; meta: { next: string | null } };
        const { json }: { json: Page } = await rule.v2<Page>('GET', next.slice(next.indexOf('/subscribers')));
        seen.push(...json.subscribers.map((one) => one.email));
        assert.equal(json.subscribers[0]?.suppressed, false);
        next = json.meta.next;
        if (next) assert.ok(next.startsWith(rule.sandbox.url));
      }
      assert.deepEqual(
        seen,
        [0, 1, 2, 3, 4].map((index) => `p${index}@example.com`),
      );
    });

    it('answer LimitExceed above 100', async () => {
      const { status, json } = await rule.v2('GET', '/tags?limit=101');
      assert.deepEqual([status, json], [400, { error: 'LimitExceed', message: "Limit can't exceed 100." }]);
    });
  });

  describe('tags of a person', () => {
    beforeEach(() => rule.sandbox.addSubscriber({ email, tags: ['a', 'å ä/ö|%', 'c'] }));

    it('are listed, added, removed by encoded name or id, and cleared', async () => {
      const { json } = await rule.v2<{ tags: { id: number; name: string }[] }>(
        'GET',
        `${person}/tags?identified_by=email`,
      );
      assert.deepEqual(
        json.tags.map(({ name }) => name),
        ['a', 'å ä/ö|%', 'c'],
      );
      const remove = (tag: string) => rule.v2('DELETE', `${person}/tags/${tag}?identified_by=email`);
      assert.equal((await remove(encodeURIComponent('å ä/ö|%'))).status, 200);
      assert.equal((await remove(String(json.tags[0]?.id))).status, 200);
      assert.deepEqual(tags(), ['c']);
      assert.equal((await rule.v2('POST', `${person}/tags?identified_by=email`, { tags: ['d'] })).status, 200);
      assert.deepEqual(tags(), ['c', 'd']);
      await remove('clear');
      assert.deepEqual(tags(), []);
    });

    it('unknown to the account are a 404; not held ones too, unless told otherwise', async () => {
      rule.sandbox.addSubscriber({ email: 'other@example.com', tags: ['elsewhere'] });
      const remove = async (tag: string) =>
        (await rule.v2('DELETE', `${person}/tags/${tag}?identified_by=email`)).status;
      assert.equal(await remove('unknown'), 404);
      assert.equal(await remove('elsewhere'), 404);
      rule.sandbox.switches.tagNotHeld = 'success';
      assert.equal(await remove('elsewhere'), 200);
      assert.equal(await remove('unknown'), 404);
    });

    it('may have names as long as 99 characters', async () => {
      const name = `å${'x'.repeat(97)}|`;
      await rule.v2('POST', `${person}/tags?identified_by=email`, { tags: [name] });
      const { status } = await rule.v2('DELETE', `${person}/tags/${encodeURIComponent(name)}?identified_by=email`);
      assert.equal(status, 200);
    });
  });

  it('the tag catalogue counts, renames, clears and deletes', async () => {
    rule.sandbox.addSubscriber({ email, tags: ['a', 'b'] });
    const get = (query: string) => rule.v2<{ id: number; recipient_count?: number }>('GET', `/tags/${query}`);
    const { json } = await get('a?identified_by=name&with_count=true');
    assert.equal(json.recipient_count, 1);
    assert.equal((await get(`${json.id}?identified_by=id`)).json.recipient_count, undefined);
    const clash = await rule.v2('PUT', `/tags/${json.id}?identified_by=id`, { name: 'b' });
    assert.deepEqual([clash.status, clash.json.error], [409, 'DuplicateTag']);
    assert.equal((await rule.v2('PUT', '/tags/a?identified_by=name', { name: 'z' })).status, 200);
    assert.deepEqual(tags(), ['z', 'b']);
    assert.equal((await rule.v2('DELETE', '/tags/z/clear?identified_by=name')).status, 200);
    assert.deepEqual(tags(), ['b']);
    assert.equal((await rule.v2('DELETE', '/tags/b?identified_by=name')).status, 200);
    assert.deepEqual(tags(), []);
    assert.equal((await get('b?identified_by=name')).status, 404);
  });

  it('suppressions are made by channel, listed, seen on the person and lifted by channel', async () => {
    rule.sandbox.addSubscriber({ email });
    await rule.v2('POST', '/suppressions', {
      subscribers: [{ email }],
      suppress_on: { campaign: ['email'], transaction: ['text_message'] },
    });
    assert.deepEqual(rule.sandbox.subscriber(email)?.suppressed, ['campaign/email', 'transaction/text_message']);
    const list = await rule.v2<{ suppressions: { dispatcher_type: string }[] }>('GET', '/suppressions');
    assert.deepEqual(
      list.json.suppressions.map((one) => one.dispatcher_type),
      ['campaign', 'transactional'],
    );
    const read = await rule.v2<{ subscriber: { suppressed: unknown[] } }>('GET', `${person}?identified_by=email`);
    assert.equal(read.json.subscriber.suppressed.length, 2);
    const query = 'identified_by=email&dispatcher_type=campaign&message_type=email';
    await rule.v2('DELETE', `/suppressions/${encodeURIComponent(email)}?${query}`);
    assert.deepEqual(rule.sandbox.subscriber(email)?.suppressed, ['transaction/text_message']);
  });

  describe('transactionals', () => {
    const mail = {
      transaction_type: 'email',
      transaction_name: 'Receipt',
      subject: 'Your receipt',
      from: { name: 'Example AB', email: 'no-reply@example.com' },
      to: { name: 'Kim', email },
      content: { plain: 'SGVsbG8=', html: 'PGI+SGVsbG88L2I+' },
    };

    it('takes an e-mail in base64 and a text message as plain text', async () => {
      const { status, json } = await rule.v2('POST', '/transactionals', mail);
      assert.deepEqual([status, json], [200, { transaction_id: 1 }]);
      const sms = {
        transaction_type: 'text_message',
        from: { name: 'Example' },
        to: { phone_number: '+46701740605' },
        content: 'Hello',
      };
      assert.deepEqual((await rule.v2('POST', '/transactionals', sms)).json, { transaction_id: 2 });
      assert.deepEqual(
        rule.sandbox.transactions().map(({ to, subject }) => [to, subject]),
        [
          [email, 'Your receipt'],
          ['+46701740605', null],
        ],
      );
    });

    it('takes template blocks', async () => {
      const content = [{ block_id: 'b1', block_content: [{ title: 'Hello', body: 'Text' }] }];
      assert.equal((await rule.v2('POST', '/transactionals', { ...mail, content })).status, 200);
    });

    it('refuses content that is not base64', async () => {
      const content = { plain: 'Hello!', html: '<b>Hello</b>' };
      assert.equal((await rule.v2('POST', '/transactionals', { ...mail, content })).status, 400);
    });
  });

  it('answers timestamps as ISO 8601 when told so', async () => {
    rule.sandbox.switches.timestamps = 'iso';
    assert.match((await rule.upsert(email)).json.subscriber.created_at, /^\d{4}-\d\d-\d\dT.*Z$/);
  });
});
