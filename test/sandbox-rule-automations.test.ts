import assert from 'node:assert/strict';
import { RuleCalls } from './support/rule-calls.js';

const email = 'kim@example.com';
const tagsPath = `/subscribers/${encodeURIComponent(email)}/tags?identified_by=email`;

describe('Rule stand-in: automations', () => {
  const rule = RuleCalls.forEach();
  const started = () => rule.sandbox.automationsStarted();
  const passes = () => started().map(({ mode, pass }) => `${mode} ${pass}`);
  const automation = (name: string) => rule.sandbox.addAutomation({ name, trigger: { type: 'TAG', name } });

  describe('v3 PUT tags, by mode and state of the person (rule-api §7)', () => {
    const states = {
      'lacks the tag': () => rule.sandbox.addSubscriber({ email }),
      'has the tag, never triggered': () => rule.sandbox.addSubscriber({ email, tags: ['welcome'] }),
      'has the tag, in progress': () => {
        rule.sandbox.addSubscriber({ email, tags: ['welcome'] });
        rule.sandbox.setProgress(email, 'welcome', 'in-progress');
      },
      'has the tag, completed': () => {
        rule.sandbox.addSubscriber({ email, tags: ['welcome'] });
        rule.sandbox.setProgress(email, 'welcome', 'completed');
      },
    };
    const table: [keyof typeof states, string | undefined, string | null][] = [
      ['lacks the tag', undefined, null],
      ['lacks the tag', 'send', 'first'],
      ['lacks the tag', 'force', 'first'],
      ['lacks the tag', 'reset', 'first'],
      ['has the tag, never triggered', undefined, null],
      ['has the tag, never triggered', 'send', 'first'],
      ['has the tag, never triggered', 'force', 'first'],
      ['has the tag, never triggered', 'reset', 'first'],
      ['has the tag, in progress', undefined, null],
      ['has the tag, in progress', 'send', null],
      ['has the tag, in progress', 'force', 'on-top'],
      ['has the tag, in progress', 'reset', 'restart'],
      ['has the tag, completed', undefined, null],
      ['has the tag, completed', 'send', null],
      ['has the tag, completed', 'force', 'again'],
      ['has the tag, completed', 'reset', 'again'],
    ];
    for (const [state, mode, pass] of table) {
      it(`${state}, ${mode ?? 'no mode'}: ${pass ?? 'nothing fires'}`, async () => {
        automation('welcome');
        states[state]();
        const body = { tags: ['welcome'], ...(mode ? { automation: mode } : {}) };
        assert.equal((await rule.v3('PUT', tagsPath, body)).status, 204);
        assert.deepEqual(passes(), pass ? [`${mode} ${pass}`] : []);
        assert.ok(rule.sandbox.subscriber(email)?.tags.includes('welcome'));
      });
    }

    it('says who, what, by which call', async () => {
      automation('welcome');
      const { id } = rule.sandbox.addSubscriber({ email });
      await rule.v3('PUT', tagsPath, { tags: ['welcome'], automation: 'send' });
      const [{ at, ...start } = { at: '' }] = started();
      assert.ok(!Number.isNaN(Date.parse(at)));
      assert.deepEqual(start, {
        subscriberId: id,
        automation: 'welcome',
        trigger: { type: 'TAG', name: 'welcome' },
        call: 'PUT /v3/subscribers/{identifier}/tags',
        mode: 'send',
        pass: 'first',
        withheld: null,
      });
    });

    it('applies the mode to every tag of the call, held ones too', async () => {
      automation('old');
      automation('new');
      rule.sandbox.addSubscriber({ email, tags: ['old'] });
      rule.sandbox.setProgress(email, 'old', 'completed');
      await rule.v3('PUT', tagsPath, { tags: ['old', 'new'], automation: 'reset' });
      assert.deepEqual(
        started().map((start) => start.automation),
        ['old', 'new'],
      );
    });

    it('fires again with send for a tag that was removed and added again', async () => {
      automation('welcome');
      rule.sandbox.addSubscriber({ email });
      const add = () => rule.v3('PUT', tagsPath, { tags: ['welcome'], automation: 'send' });
      await add();
      await rule.v3('DELETE', tagsPath.replace('?', '/welcome?'));
      await add();
      assert.deepEqual(passes(), ['send first', 'send again']);
    });

    it('unblocks a blocked person along with any mode and records it', async () => {
      automation('welcome');
      const { id } = rule.sandbox.addSubscriber({ email, blocked: true });
      await rule.v3('PUT', tagsPath, { tags: ['welcome'] });
      assert.equal(rule.sandbox.subscriber(email)?.blocked, true, 'silent tagging leaves the block');
      await rule.v3('PUT', tagsPath, { tags: ['welcome'], automation: 'send' });
      assert.equal(rule.sandbox.subscriber(email)?.blocked, false);
      assert.deepEqual(
        rule.sandbox.unblocks().map(({ subscriberId, mode }) => [subscriberId, mode]),
        [[id, 'send']],
      );
      assert.equal(started()[0]?.withheld, null);
    });

    it('does not start an inactive automation', async () => {
      rule.sandbox.addAutomation({ name: 'off', trigger: { type: 'TAG', name: 'welcome' }, active: false });
      rule.sandbox.addSubscriber({ email });
      await rule.v3('PUT', tagsPath, { tags: ['welcome'], automation: 'send' });
      assert.deepEqual(started(), []);
    });
  });

  describe('v2 upsert', () => {
    const many = (count: number, more: object) =>
      rule.v2('POST', '/subscribers', {
        tags: ['sesamy'],
        update_on_duplicate: true,
        subscribers: Array.from({ length: count }, (_, index) => ({ email: `p${index}@example.com` })),
        ...more,
      });
    beforeEach(() => automation('sesamy'));

    for (const [what, more, expected] of [
      ['sync_subscribers omitted', {}, ['new first']],
      ['automation:false', { automation: false }, ['new first']],
      ['sync_subscribers:true', { sync_subscribers: true }, ['new first']],
      ['sync_subscribers:false', { sync_subscribers: false, automation: 'reset' }, []],
    ] as const) {
      it(`a new person, ${what}: ${expected.length > 0 ? 'fires' : 'nothing fires'}`, async () => {
        await rule.upsert(email, more);
        assert.deepEqual(passes(), expected);
      });
    }

    for (const [what, more, expected] of [
      ['no automation', {}, []],
      ['automation:false', { automation: false }, []],
      ['reset', { automation: 'reset' }, ['reset restart']],
      ['force', { automation: 'force' }, ['force on-top']],
      ['reset, sync_subscribers:false', { automation: 'reset', sync_subscribers: false }, []],
    ] as const) {
      it(`an existing person in progress, ${what}: ${expected[0] ?? 'nothing fires'}`, async () => {
        rule.sandbox.addSubscriber({ email, tags: ['sesamy'] });
        rule.sandbox.setProgress(email, 'sesamy', 'in-progress');
        await rule.upsert(email, more);
        assert.deepEqual(passes(), expected);
      });
    }

    it('an existing person who gains the tag under automation:false fires only when told so', async () => {
      rule.sandbox.addSubscriber({ email });
      await rule.upsert(email, { automation: false });
      assert.deepEqual(passes(), []);
      rule.sandbox.removeTag(email, 'sesamy');
      rule.sandbox.switches.automationFalseFiresGainedTags = true;
      await rule.upsert(email, { automation: false });
      assert.deepEqual(passes(), ['gained first']);
    });

    for (const [count, more, fired] of [
      [19, {}, 19],
      [20, {}, 0],
      [120, { sync_subscribers: true }, 100],
      [5, { sync_subscribers: false }, 0],
    ] as const) {
      it(`${count} new people, ${JSON.stringify(more)}: ${fired} fire`, async () => {
        await many(count, more);
        await rule.sandbox.settled();
        assert.equal(started().length, fired);
      });
    }

    it('withholds mail from suppressed, blocked and not opted-in people, but starts', async () => {
      rule.sandbox.addSubscriber({ email: 's@example.com', suppressed: ['campaign/email'] });
      rule.sandbox.addSubscriber({ email: 'b@example.com', blocked: true });
      await rule.upsert('s@example.com', { automation: 'reset' });
      await rule.upsert('b@example.com', { automation: 'reset' });
      await rule.upsert('n@example.com', { require_opt_in: true });
      assert.deepEqual(
        started().map(({ withheld }) => withheld),
        ['suppressed', 'blocked', 'not-opted-in'],
      );
    });
  });

  it('v2 POST tags fires only with a mode', async () => {
    automation('welcome');
    rule.sandbox.addSubscriber({ email });
    assert.equal((await rule.v2('POST', tagsPath, { tags: ['welcome'] })).status, 200);
    assert.deepEqual(passes(), []);
    await rule.v2('POST', tagsPath, { tags: ['welcome'], automation: 'reset' });
    assert.deepEqual(passes(), ['reset first']);
  });

  it('v3 bulk tags fire nothing', async () => {
    automation('welcome');
    rule.sandbox.addSubscriber({ email });
    await rule.v3('POST', '/subscribers/tags', { subscribers: [{ email }], tags: ['welcome'] });
    await rule.sandbox.settled();
    assert.deepEqual(rule.sandbox.subscriber(email)?.tags, ['welcome']);
    assert.deepEqual(started(), []);
  });

  it('a person tagging in the UI fires nothing unless asked for', () => {
    automation('welcome');
    rule.sandbox.addSubscriber({ email });
    rule.sandbox.addTag(email, 'welcome');
    assert.deepEqual(passes(), []);
    rule.sandbox.addTag(email, 'welcome', { automation: 'send' });
    assert.deepEqual(passes(), ['send first']);
    assert.equal(started()[0]?.call, 'UI');
  });

  describe('segments', () => {
    const segments = () => rule.sandbox.subscriber(email)?.segments;
    const segment = (condition: Parameters<typeof rule.sandbox.addSegment>[0]['condition']) => {
      rule.sandbox.addSegment({ name: 'audience', condition });
      rule.sandbox.addAutomation({ name: 'on entry', trigger: { type: 'SEGMENT', name: 'audience' } });
    };
    const inSegment = () => {
      segment({ tag: 'gold' });
      rule.sandbox.addSubscriber({ email });
      rule.sandbox.addTag(email, 'gold', { segments: true });
      assert.deepEqual(segments(), ['audience']);
    };

    it('a v2 upsert enters a person and starts the automation once', async () => {
      segment({ tag: 'gold' });
      await rule.upsert(email, { tags: ['gold'] });
      await rule.upsert(email, { tags: ['gold'] });
      assert.deepEqual(segments(), ['audience']);
      assert.deepEqual(
        started().map(({ trigger, mode, call }) => [trigger.type, mode, call]),
        [['SEGMENT', 'segment', 'POST /v2/subscribers']],
      );
    });

    it('a v2 upsert with sync_subscribers:false does not', async () => {
      segment({ tag: 'gold' });
      await rule.upsert(email, { tags: ['gold'], sync_subscribers: false });
      assert.deepEqual(segments(), []);
    });

    it('v3 PUT tags recalculates without any mode, unless sync_subscriber is false', async () => {
      segment({ tag: 'gold' });
      rule.sandbox.addSubscriber({ email });
      await rule.v3('PUT', tagsPath, { tags: ['gold'], sync_subscriber: false });
      assert.deepEqual(segments(), []);
      await rule.v3('PUT', tagsPath, { tags: ['other'] });
      assert.deepEqual(segments(), ['audience']);
      assert.equal(started().length, 1);
    });

    it('v2 DELETE tag queues the recalculation', async () => {
      inSegment();
      await rule.v2('DELETE', tagsPath.replace('?', '/gold?'));
      await rule.sandbox.settled();
      assert.deepEqual(segments(), []);
    });

    for (const [what, remove] of [
      ['v3 DELETE tag', () => rule.v3('DELETE', tagsPath.replace('?', '/gold?'))],
      ['v3 bulk removal', () => rule.v3('DELETE', '/subscribers/tags', { subscribers: [{ email }], tags: ['gold'] })],
      ['v2 clear', () => rule.v2('DELETE', tagsPath.replace('?', '/clear?'))],
    ] as const) {
      it(`${what} leaves the segment as it was`, async () => {
        inSegment();
        await remove();
        await rule.sandbox.settled();
        assert.deepEqual(rule.sandbox.subscriber(email)?.tags, []);
        assert.deepEqual(segments(), ['audience']);
      });
    }

    it('v2 PUT, v2 POST tags and v3 field data leave segments as they were', async () => {
      segment({ any: [{ tag: 'gold' }, { field: 'A.B', equals: 'x' }] });
      const { id } = rule.sandbox.addSubscriber({ email });
      await rule.v2('PUT', `/subscribers/${id}`, { fields: [{ key: 'A.B', value: 'x' }] });
      await rule.v2('POST', tagsPath, { tags: ['gold'], automation: 'reset' });
      await rule.v3('POST', `/custom-field-data/${id}`, {
        groups: [{ group: 'A', values: [{ field: 'B', value: 'x' }] }],
      });
      assert.deepEqual(segments(), []);
    });

    it('judges fields, lists and combinations', async () => {
      segment({ all: [{ field: 'A.List', equals: 'b' }, { not: { field: 'A.Gone', filled: true } }] });
      await rule.upsert(email, {}, { fields: [{ key: 'A.List', value: ['a', 'b'], type: 'multiple' }] });
      assert.deepEqual(segments(), ['audience']);
      await rule.upsert(email, {}, { fields: [{ key: 'A.Gone', value: 'x' }] });
      assert.deepEqual(segments(), []);
    });

    it('force takes the person out of segments on the tag first when told so, so that entry fires again', async () => {
      inSegment();
      await rule.v3('PUT', tagsPath, { tags: ['gold'], automation: 'force' });
      assert.equal(started().length, 1);
      rule.sandbox.switches.forceLeavesTagSegments = true;
      await rule.v3('PUT', tagsPath, { tags: ['gold'], automation: 'force' });
      assert.equal(started().length, 2);
    });
  });
});
