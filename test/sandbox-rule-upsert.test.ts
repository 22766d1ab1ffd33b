import assert from 'node:assert/strict';
import { RuleCalls } from './support/rule-calls.js';

describe('Rule stand-in: v2 upsert', () => {
  const rule = RuleCalls.forEach();
  const view = (email: string) => rule.sandbox.subscriber(email);

  describe('identity', () => {
    it('creates a person and answers id, address and tags with numeric ids', async () => {
      const { status, json } = await rule.upsert('kim@example.com', {
        tags: ['sesamy', 'sesamy_user'],
        language: 'en',
      });
      assert.equal(status, 200);
      assert.equal(json.subscriber.email, 'kim@example.com');
      assert.equal(typeof json.subscriber.id, 'number');
      assert.match(json.subscriber.created_at, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
      assert.deepEqual(
        json.subscriber.tags.map(({ id, name }) => [typeof id, name]),
        [
          ['number', 'sesamy'],
          ['number', 'sesamy_user'],
        ],
      );
      assert.equal(view('kim@example.com')?.language, 'en');
    });

    it('updates the person found by address, whatever its case, and stores it in lower case', async () => {
      const first = await rule.upsert('Kim@Example.com');
      const second = await rule.upsert('kim@EXAMPLE.com');
      assert.equal(first.json.subscriber.id, second.json.subscriber.id);
      assert.equal(second.json.subscriber.email, 'kim@example.com');
    });

    it('keeps addresses of different case apart when told so', async () => {
      rule.sandbox.switches.emailCaseInsensitive = false;
      await rule.upsert('Kim@example.com');
      await rule.upsert('kim@example.com');
      assert.equal(rule.sandbox.subscribers().length, 2);
    });

    it('refuses an existing person without update_on_duplicate with 409, which is no violation', async () => {
      await rule.upsert('kim@example.com');
      const { status, json } = await rule.upsert('kim@example.com', { update_on_duplicate: false });
      assert.equal(status, 409);
      assert.equal(Object.hasOwn(json, 'error'), true);
      assert.deepEqual(rule.sandbox.recorder.violations, []);
    });

    it('reads a phone number without country code as Swedish', async () => {
      await rule.upsert('kim@example.com', {}, { phone_number: '070-174 06 05' });
      assert.equal(view('kim@example.com')?.phone_number, '+46701740605');
    });

    it('refuses the whole call with 400 on an invalid phone number and writes nothing', async () => {
      const { status, text } = await rule.upsert('kim@example.com', {}, { phone_number: '12' });
      assert.equal(status, 400);
      assert.match(text, /"subscribers\.phone_number"/);
      assert.equal(view('kim@example.com'), undefined);
    });

    it('matches by e-mail and leaves the phone when both belong to different people', async () => {
      await rule.upsert('a@example.com', {}, { phone_number: '+46701740605' });
      await rule.upsert('b@example.com', {}, { phone_number: '+46701740606' });
      const { json } = await rule.upsert('a@example.com', {}, { phone_number: '+46701740606' });
      assert.equal(json.subscriber.email, 'a@example.com');
      assert.equal(view('a@example.com')?.phone_number, '+46701740605');
      assert.equal(view('b@example.com')?.phone_number, '+46701740606');
    });

    it('refuses that with 409 when told so', async () => {
      rule.sandbox.switches.emailPhoneConflict = 'refuse';
      await rule.upsert('a@example.com', {}, { phone_number: '+46701740605' });
      await rule.upsert('b@example.com', {}, { phone_number: '+46701740606' });
      assert.equal((await rule.upsert('a@example.com', {}, { phone_number: '+46701740606' })).status, 409);
    });

    it('finds a person by phone alone', async () => {
      const first = await rule.upsert('a@example.com', {}, { phone_number: '+46701740605' });
      const { json } = await rule.v2<{ subscriber: { id: number } }>('POST', '/subscribers', {
        update_on_duplicate: true,
        tags: ['sesamy'],
        subscribers: { phone_number: '0701740605' },
      });
      assert.equal(json.subscriber.id, first.json.subscriber.id);
    });

    it('does not lift a block, with automation neither', async () => {
      rule.sandbox.addSubscriber({ email: 'kim@example.com', blocked: true });
      await rule.upsert('kim@example.com', { automation: 'reset' });
      assert.equal(view('kim@example.com')?.blocked, true);
    });

    it('lifts a block along with automation when told so', async () => {
      rule.sandbox.switches.v2AutomationUnblocks = true;
      rule.sandbox.addSubscriber({ email: 'kim@example.com', blocked: true });
      await rule.upsert('kim@example.com', { automation: 'reset' });
      assert.equal(view('kim@example.com')?.blocked, false);
      assert.equal(rule.sandbox.unblocks()[0]?.call, 'POST /v2/subscribers');
    });

    it('reports a suppressed address, keeps the suppression and writes fields and tags', async () => {
      rule.sandbox.addSubscriber({ email: 'kim@example.com', suppressed: ['campaign/email'] });
      const { json } = await rule.upsert('kim@example.com');
      assert.equal(json.suppressed.length, 1);
      assert.deepEqual(view('kim@example.com')?.suppressed, ['campaign/email']);
      assert.deepEqual(view('kim@example.com')?.tags, ['sesamy']);
    });

    it('writes nothing to a suppressed person when told so', async () => {
      rule.sandbox.switches.writesToSuppressed = false;
      rule.sandbox.addSubscriber({ email: 'kim@example.com', suppressed: ['campaign/email'] });
      await rule.upsert('kim@example.com');
      assert.deepEqual(view('kim@example.com')?.tags, []);
    });

    it('leaves a new person with require_opt_in unconfirmed', async () => {
      await rule.upsert('kim@example.com', { require_opt_in: true });
      assert.equal(view('kim@example.com')?.optedIn, false);
    });
  });

  describe('tags', () => {
    it('adds tags and never removes any', async () => {
      await rule.upsert('kim@example.com', { tags: ['a'] });
      const { json } = await rule.upsert('kim@example.com', { tags: ['b'] });
      assert.deepEqual(
        json.subscriber.tags.map(({ name }) => name),
        ['a', 'b'],
      );
    });

    for (const [switched, expected] of [
      ['sent', ['b']],
      ['none', []],
    ] as const) {
      it(`lists ${switched} tags in the reply when told so`, async () => {
        rule.sandbox.switches.upsertReplyTags = switched;
        await rule.upsert('kim@example.com', { tags: ['a'] });
        const { json } = await rule.upsert('kim@example.com', { tags: ['b'] });
        assert.deepEqual(
          json.subscriber.tags.map(({ name }) => name),
          expected,
        );
      });
    }

    it('reads a digits-only tag as an id, also as a string', async () => {
      const { json } = await rule.upsert('kim@example.com', { tags: ['first'] });
      const id = json.subscriber.tags[0]?.id;
      await rule.upsert('robin@example.com', { tags: [String(id)] });
      assert.deepEqual(view('robin@example.com')?.tags, ['first']);
    });

    it('answers 404 for an unknown tag id and writes nothing', async () => {
      assert.equal((await rule.upsert('kim@example.com', { tags: ['new', '48213'] })).status, 404);
      assert.equal(view('kim@example.com'), undefined);
      assert.equal((await rule.v2('GET', '/tags/new?identified_by=name')).status, 404);
    });

    for (const [what, tags, path] of [
      ['empty', [], 'refuseEmptyTags'],
      ['repeating', ['a', 'a'], 'refuseDuplicateTags'],
    ] as const) {
      it(`refuses ${what} tags with 400 and fields, and takes them when told so`, async () => {
        const { status, json } = await rule.v2<{ fields: object }>('POST', '/subscribers', {
          tags,
          subscribers: { email: 'kim@example.com' },
        });
        assert.equal(status, 400);
        assert.deepEqual(Object.keys(json.fields), ['tags']);
        rule.sandbox.switches[path] = false;
        assert.equal((await rule.upsert('kim@example.com', { tags })).status, 200);
      });
    }

    it('takes a name and the id of the same tag for a duplicate', async () => {
      const { json } = await rule.upsert('kim@example.com', { tags: ['a'] });
      assert.equal((await rule.upsert('kim@example.com', { tags: ['a', json.subscriber.tags[0]?.id] })).status, 400);
    });
  });

  describe('several people in one call', () => {
    const people = (count: number) => Array.from({ length: count }, (_, index) => ({ email: `p${index}@example.com` }));
    const send = (subscribers: unknown, more = {}) =>
      rule.v2('POST', '/subscribers', { tags: ['sesamy'], update_on_duplicate: true, subscribers, ...more });

    it('answers counts', async () => {
      await rule.upsert('p0@example.com');
      const { json } = await send(people(3));
      assert.deepEqual(json, {
        success: true,
        message: 'Success',
        subscribers_created: 2,
        subscribers_updated: 1,
        subscribers_suppressed: 0,
      });
    });

    it('points at the bad entry', async () => {
      const { status, text } = await send([{ email: 'a@example.com' }, { email: 'b' }]);
      assert.equal(status, 400);
      assert.match(text, /"subscribers\.1\.email"/);
      assert.equal(rule.sandbox.subscribers().length, 0);
    });

    it('does a large call as a job and only acknowledges it', async () => {
      rule.sandbox.switches.asyncBatchFrom = 5;
      assert.deepEqual((await send(people(5))).json, { success: true, message: 'Success' });
      await rule.sandbox.settled();
      assert.equal(rule.sandbox.subscribers().length, 5);
    });

    it('takes 1000 people and answers 413 above', async () => {
      assert.equal((await send(people(1000))).status, 200);
      assert.equal((await send(people(1001))).status, 413);
      await rule.sandbox.settled();
      assert.equal(rule.sandbox.subscribers().length, 1000);
    });
  });
});
