import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exampleJourneys, type JourneyMail, startRuleSandbox } from '../sandbox/rule/index.js';
import type { LifecycleEventType } from '../src/contract/index.js';
import { takenAwayBy } from '../src/lifecycle/index.js';
import { RuleCalls } from './support/rule-calls.js';

const email = 'kim@example.com';
const tagsPath = `/subscribers/${encodeURIComponent(email)}/tags?identified_by=email`;
const begin = '2026-06-01T10:00:00.000Z';
const day = (count: number) => new Date(Date.parse(begin) + count * 86_400_000).toISOString();

/** A mail in one line: `2 planned`, `0 cancelled: restarted`, the number being the day on which it is due. */
function line({ dueAt, state, why }: JourneyMail): string {
  const days = (Date.parse(dueAt) - Date.parse(begin)) / 86_400_000;
  return `${days} ${state}${why ? `: ${why}` : ''}`;
}

describe('Rule stand-in: journeys', () => {
  let clock = new Date(begin);
  const rule = RuleCalls.forEach({ now: () => new Date(clock) });
  beforeEach(() => {
    clock = new Date(begin);
  });
  const goTo = (days: number) => {
    clock = new Date(day(days));
  };
  const mails = () => rule.sandbox.mails().map(line);
  const progress = () => rule.sandbox.progress(email);
  const fire = (automation: 'send' | 'force' | 'reset', tag = 'welcome') =>
    rule.v3('PUT', tagsPath, { tags: [tag], automation });
  const gain = (tag: string) => rule.v3('PUT', tagsPath, { tags: [tag] });
  const lose = (tag: string) => rule.v3('DELETE', tagsPath.replace('?', `/${tag}?`));
  const journey = (
    afterDays: number[],
    endsOn: { tagGained?: string[]; tagLost?: string[] } = {},
    tag = 'welcome',
    name = tag,
  ) =>
    rule.sandbox.addAutomation({
      name,
      trigger: { type: 'TAG', name: tag },
      mails: afterDays.map((after) => ({ subject: `${name} after ${after}`, afterDays: after })),
      endsOn,
    });
  const control = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(new URL(`/_sandbox${path}`, rule.sandbox.pageUrl), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    return { status: answer.status, json: JSON.parse(await answer.text()) };
  };
  const page = async (path: string) => {
    const answer = await fetch(new URL(path, rule.sandbox.pageUrl));
    return { status: answer.status, text: await answer.text(), policy: answer.headers.get('content-security-policy') };
  };

  describe('a pass', () => {
    beforeEach(() => {
      journey([0, 3, 14]);
      rule.sandbox.addSubscriber({ email });
    });

    it('plans every mail from the start, and sends the one that is to go at once', async () => {
      await fire('send');
      const { id } = rule.sandbox.subscriber(email) ?? {};
      assert.deepEqual(rule.sandbox.mails()[1], {
        id: 2,
        subscriberId: id,
        automation: 'welcome',
        automationId: 1,
        start: 0,
        trigger: { type: 'TAG', name: 'welcome' },
        subject: 'welcome after 3',
        plannedAt: begin,
        dueAt: day(3),
        state: 'planned',
      });
      assert.deepEqual(mails(), ['0 sent', '3 planned', '14 planned']);
      assert.deepEqual(progress(), { welcome: 'in-progress' });
    });

    it('sends nothing a moment early, and each mail when its time has come', async () => {
      await fire('send');
      goTo(2.999);
      assert.deepEqual(mails(), ['0 sent', '3 planned', '14 planned']);
      goTo(3);
      assert.deepEqual(mails(), ['0 sent', '3 sent', '14 planned']);
    });

    it('is completed when its last mail has gone out, and not before', async () => {
      await fire('send');
      goTo(3);
      assert.deepEqual(progress(), { welcome: 'in-progress' });
      goTo(14);
      assert.deepEqual(progress(), { welcome: 'completed' });
    });

    it('of one mail at once is completed by its start', async () => {
      journey([0], {}, 'thanks');
      await fire('send', 'thanks');
      assert.deepEqual(progress(), { thanks: 'completed' });
    });

    it('is not planned by a tag given silently', async () => {
      await gain('welcome');
      assert.deepEqual(mails(), []);
    });

    it('of an automation without mails stays in progress until somebody sets it', async () => {
      rule.sandbox.addAutomation({ name: 'bare', trigger: { type: 'TAG', name: 'bare' } });
      await fire('send', 'bare');
      goTo(400);
      assert.deepEqual(mails(), []);
      assert.deepEqual(progress(), { bare: 'in-progress' });
    });

    it('started by entry into a segment is planned too', async () => {
      rule.sandbox.addSegment({ name: 'audience', condition: { tag: 'gold' } });
      rule.sandbox.addAutomation({
        name: 'entry',
        trigger: { type: 'SEGMENT', name: 'audience' },
        mails: [{ subject: 'Welcome to gold', afterDays: 1 }],
      });
      await gain('gold');
      assert.deepEqual(
        rule.sandbox.mails().map(({ trigger, state }) => [trigger.type, trigger.name, state]),
        [['SEGMENT', 'audience', 'planned']],
      );
    });

    it('ends where its progress is set by hand', async () => {
      await fire('send');
      rule.sandbox.setProgress(email, 'welcome', 'completed');
      assert.deepEqual(mails(), ['0 sent', '3 cancelled: progress set', '14 cancelled: progress set']);
    });

    it('ends with the person who is deleted', async () => {
      await fire('send');
      rule.sandbox.deleteSubscriber(email);
      goTo(20);
      assert.deepEqual(mails(), ['0 sent', '3 cancelled: deleted', '14 cancelled: deleted']);
    });
  });

  describe('a further start (rule-api §7)', () => {
    beforeEach(async () => {
      journey([0, 3]);
      rule.sandbox.addSubscriber({ email });
      await fire('send');
      goTo(1);
    });

    it('send in progress changes nothing, and pending mails go out on schedule', async () => {
      await fire('send');
      assert.deepEqual(mails(), ['0 sent', '3 planned']);
      goTo(3);
      assert.deepEqual(mails(), ['0 sent', '3 sent']);
    });

    it('reset in progress cancels what is pending and plans anew', async () => {
      await fire('reset');
      assert.deepEqual(mails(), ['0 sent', '3 cancelled: restarted', '1 sent', '4 planned']);
      assert.equal(rule.sandbox.mails()[1]?.cancelledAt, day(1));
      assert.equal(rule.sandbox.automationsStarted()[1]?.pass, 'restart');
    });

    it('reset cancels nothing of another automation', async () => {
      journey([5], {}, 'other');
      await fire('send', 'other');
      await fire('reset');
      assert.ok(mails().includes('6 planned'));
    });

    it('force in progress plans a second set beside the first, and the person is in progress until both are out', async () => {
      await fire('force');
      assert.deepEqual(mails(), ['0 sent', '3 planned', '1 sent', '4 planned']);
      goTo(3);
      assert.deepEqual(progress(), { welcome: 'in-progress' });
      goTo(4);
      assert.deepEqual(mails(), ['0 sent', '3 sent', '1 sent', '4 sent']);
      assert.deepEqual(progress(), { welcome: 'completed' });
    });

    it('reset after completion plans a new full pass', async () => {
      goTo(3);
      await fire('reset');
      assert.deepEqual(mails(), ['0 sent', '3 sent', '3 sent', '6 planned']);
      assert.equal(rule.sandbox.automationsStarted()[1]?.pass, 'again');
    });

    it('send after completion does nothing while the tag is held', async () => {
      goTo(3);
      await fire('send');
      assert.deepEqual(mails(), ['0 sent', '3 sent']);
    });

    it('send of a tag lost and regained plans a second pass and leaves the first alone', async () => {
      await lose('welcome');
      await fire('send');
      assert.deepEqual(mails(), ['0 sent', '3 planned', '1 sent', '4 planned']);
    });

    for (const [cancels, second] of [
      [true, '3 cancelled: restarted'],
      [false, '3 planned'],
    ] as const) {
      it(`reset of a tag lost and regained ${cancels ? 'cancels' : 'leaves'} what is pending, as the switch says`, async () => {
        rule.sandbox.switches.resetCancelsAfterTagLost = cancels;
        await lose('welcome');
        await fire('reset');
        assert.deepEqual(mails(), ['0 sent', second, '1 sent', '4 planned']);
      });
    }
  });

  describe('the end of a journey', () => {
    beforeEach(() => rule.sandbox.addSubscriber({ email, tags: ['held', 'other'] }));
    const ended = (why: string) => {
      assert.deepEqual(mails(), ['0 sent', `3 cancelled: ${why}`, `6 cancelled: ${why}`]);
      assert.deepEqual(progress(), { welcome: 'completed' });
    };
    const started = async () => {
      journey([0, 3, 6], { tagGained: ['over'], tagLost: ['held'] });
      await fire('send');
      goTo(1);
    };

    for (const [what, act] of [
      ['v2 upsert', () => rule.upsert(email, { tags: ['over'], sync_subscribers: false })],
      ['v2 POST tags', () => rule.v2('POST', tagsPath, { tags: ['over'] })],
      ['v3 PUT tags, silent', () => gain('over')],
      ['v3 bulk tags', () => rule.v3('POST', '/subscribers/tags', { subscribers: [{ email }], tags: ['over'] })],
      ['a person in the UI', async () => rule.sandbox.addTag(email, 'over')],
    ] as const) {
      it(`comes with a tag gained by ${what}`, async () => {
        await started();
        await act();
        await rule.sandbox.settled();
        ended('gained over');
      });
    }

    for (const [what, act] of [
      ['v2 DELETE tag', () => rule.v2('DELETE', tagsPath.replace('?', '/held?'))],
      ['v2 clear', () => rule.v2('DELETE', tagsPath.replace('?', '/clear?'))],
      ['v3 DELETE tag', () => lose('held')],
      ['v3 bulk removal', () => rule.v3('DELETE', '/subscribers/tags', { subscribers: [{ email }], tags: ['held'] })],
      ['the tag cleared of everybody', () => rule.v2('DELETE', '/tags/held/clear?identified_by=name')],
      ['deletion of the tag', () => rule.v2('DELETE', '/tags/held?identified_by=name')],
      ['a person in the UI', async () => rule.sandbox.setTags(email, ['welcome'])],
    ] as const) {
      it(`comes with a tag lost by ${what}`, async () => {
        await started();
        await act();
        await rule.sandbox.settled();
        ended('lost held');
      });
    }

    it('does not come with other tags, with a tag held already, or with removal of one not held', async () => {
      rule.sandbox.addTag(email, 'over');
      await started();
      await gain('over');
      await lose('other');
      rule.sandbox.removeTag(email, 'never held');
      assert.deepEqual(mails(), ['0 sent', '3 planned', '6 planned']);
    });

    it('leaves other journeys and other people alone', async () => {
      journey([9], {}, 'long');
      await started();
      await fire('send', 'long');
      rule.sandbox.addSubscriber({ email: 'robin@example.com' });
      rule.sandbox.addTag('robin@example.com', 'welcome', { automation: 'send' });
      await gain('over');
      assert.deepEqual(rule.sandbox.mails('robin@example.com').map(line), ['1 sent', '4 planned', '7 planned']);
      assert.ok(mails().includes('10 planned'));
    });

    it('may be the loss of the very tag that started it, and the next start is a whole new pass', async () => {
      journey([0, 3], { tagLost: ['welcome'] });
      await fire('reset');
      goTo(1);
      await lose('welcome');
      await fire('reset');
      assert.deepEqual(mails(), ['0 sent', '3 cancelled: lost welcome', '1 sent', '4 planned']);
    });

    it('completes an automation without mails', async () => {
      journey([], { tagGained: ['over'] });
      await fire('send');
      await gain('over');
      assert.deepEqual(progress(), { welcome: 'completed' });
    });

    it('comes too late for a mail that was due before, though nobody had looked', async () => {
      await started();
      goTo(4);
      await gain('over');
      assert.deepEqual(mails(), ['0 sent', '3 sent', '6 cancelled: gained over']);
    });
  });

  describe('who gets no mail', () => {
    beforeEach(() => journey([0, 3, 6]));

    const barred = {
      blocked: { blocked: true },
      suppressed: { suppressed: ['campaign/email'] },
      'not-opted-in': { optedIn: false },
    };
    for (const [why, state] of Object.entries(barred)) {
      it(`${why}: mails are withheld, and the journey is completed all the same`, async () => {
        rule.sandbox.addSubscriber({ email, ...state });
        rule.sandbox.addTag(email, 'welcome', { automation: 'reset' });
        assert.deepEqual(mails(), [`0 withheld: ${why}`, '3 planned', '6 planned']);
        goTo(6);
        assert.deepEqual(mails(), [`0 withheld: ${why}`, `3 withheld: ${why}`, `6 withheld: ${why}`]);
        assert.deepEqual(progress(), { welcome: 'completed' });
      });
    }

    it('somebody without an address', () => {
      const { id } = rule.sandbox.addSubscriber({ phone_number: '+46701740605' });
      rule.sandbox.addTag(id, 'welcome', { automation: 'send' });
      assert.equal(mails()[0], '0 withheld: no-address');
    });

    it('is judged when each mail goes out: suppressed in between, and back again', async () => {
      rule.sandbox.addSubscriber({ email });
      await fire('send');
      goTo(1);
      rule.sandbox.suppress(email);
      goTo(4);
      rule.sandbox.unsuppress(email);
      goTo(6);
      assert.deepEqual(mails(), ['0 sent', '3 withheld: suppressed', '6 sent']);
    });

    it('a mail that was due before the block has gone out, though nobody had looked', async () => {
      const { id } = rule.sandbox.addSubscriber({ email });
      await fire('send');
      goTo(4);
      await rule.v3('POST', '/subscribers/block', { subscribers: [{ id }] });
      await rule.sandbox.settled();
      goTo(6);
      assert.deepEqual(mails(), ['0 sent', '3 sent', '6 withheld: blocked']);
    });

    it('a transactional suppression alone withholds nothing', async () => {
      rule.sandbox.addSubscriber({ email, suppressed: ['transaction/email'] });
      await fire('send');
      assert.equal(mails()[0], '0 sent');
    });
  });

  describe('the clock', () => {
    it('may jump over several passes: every mail goes out at its own time, and completion comes before the next start', async () => {
      journey([0, 30, 60]);
      rule.sandbox.addSubscriber({ email });
      await fire('send');
      goTo(100);
      await fire('force');
      assert.deepEqual(mails(), ['0 sent', '30 sent', '60 sent', '100 sent', '130 planned', '160 planned']);
      assert.equal(rule.sandbox.automationsStarted()[1]?.pass, 'again', 'the first pass was over by then');
    });

    it('is looked at by any call, the page and the controls', async () => {
      journey([3]);
      rule.sandbox.addSubscriber({ email });
      await fire('send');
      for (const look of [
        () => rule.v2('GET', '/tags'),
        () => page('/'),
        () => control('GET', '/subscribers'),
        async () => rule.sandbox.deliverDue(),
      ]) {
        goTo(0);
        await fire('reset');
        goTo(3);
        await look();
        goTo(0);
        assert.equal(rule.sandbox.mails().at(-1)?.state, 'sent', 'it was sent by then, not only now');
      }
    });

    it('decides what goes first, not the order of planning', async () => {
      journey([9], {}, 'slow');
      journey([2], {}, 'quick');
      rule.sandbox.addSubscriber({ email });
      await fire('send', 'slow');
      goTo(1);
      await fire('send', 'quick');
      goTo(5);
      assert.deepEqual(mails(), ['9 planned', '3 sent']);
      goTo(9);
      assert.deepEqual(mails(), ['9 sent', '3 sent']);
    });

    it('goes on while the stand-in is down: started again, it sends what was due in between', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'rule-journeys-'));
      const dataFile = join(folder, 'rule.json');
      try {
        const first = await startRuleSandbox({ dataFile, now: () => new Date(begin) });
        first.addExampleJourneys();
        first.addSubscriber({ email });
        first.addTag(email, 'sesamy_event_subscribed', { automation: 'reset' });
        const before = first.mails();
        await first.close();

        const second = await startRuleSandbox({ dataFile, now: () => new Date(clock) });
        assert.deepEqual(second.mails(), before);
        assert.deepEqual(second.automations(), first.automations());
        assert.deepEqual(second.addExampleJourneys(), []);
        goTo(5);
        second.removeTag(email, 'sesamy_event_subscribed');
        assert.deepEqual(second.mails().map(line), ['0 sent', '3 sent', '14 cancelled: lost sesamy_event_subscribed']);
        second.addTag(email, 'sesamy_event_ended', { automation: 'reset' });
        assert.equal(second.mails().at(-1)?.id, 4, 'numbers go on');
        await second.close();
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('a file saved before automations had mails still loads', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'rule-journeys-'));
      const dataFile = join(folder, 'rule.json');
      try {
        const first = await startRuleSandbox({ dataFile });
        first.addAutomation({ name: 'welcome', trigger: { type: 'TAG', name: 'welcome' } });
        await first.close();
        const { mails: _, automations, ...saved } = JSON.parse(await readFile(dataFile, 'utf8'));
        for (const automation of automations) {
          delete automation.mails;
          delete automation.endsOn;
        }
        await writeFile(dataFile, JSON.stringify({ ...saved, automations }));
        const second = await startRuleSandbox({ dataFile });
        assert.deepEqual(second.mails(), []);
        assert.deepEqual(second.automations(), first.automations());
        await second.close();
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  describe('controls over HTTP', () => {
    it('add an automation with mails and ends, and list the mails of all and of one', async () => {
      const { status } = await control('POST', '/automations', {
        name: 'welcome',
        trigger: { type: 'TAG', name: 'welcome' },
        mails: [{ subject: 'Welcome', afterDays: 0 }],
        endsOn: { tagGained: ['over'] },
      });
      assert.equal(status, 200);
      rule.sandbox.addSubscriber({ email });
      rule.sandbox.addSubscriber({ email: 'robin@example.com' });
      await fire('send');
      assert.equal((await control('GET', '/mails')).json.length, 1);
      const own = await control('GET', `/subscribers/${encodeURIComponent(email)}/mails`);
      assert.deepEqual(own.json, rule.sandbox.mails(email));
      assert.deepEqual((await control('GET', '/subscribers/robin@example.com/mails')).json, []);
      assert.equal((await control('GET', '/subscribers/nobody@example.com/mails')).status, 404);
      const listed = await control('GET', '/automations');
      assert.deepEqual(listed.json[0].endsOn, { tagGained: ['over'], tagLost: [] });
    });

    it('refuse a mail before the start and one without a subject', async () => {
      for (const mail of [
        { subject: 'Early', afterDays: -1 },
        { subject: '', afterDays: 0 },
      ]) {
        const trigger = { type: 'TAG', name: 'a' };
        assert.equal((await control('POST', '/automations', { name: 'a', trigger, mails: [mail] })).status, 400);
      }
    });

    it('add the example journeys once', async () => {
      rule.sandbox.addAutomation({ name: 'Goodbye', trigger: { type: 'TAG', name: 'own' } });
      const first = await control('POST', '/example-journeys');
      assert.equal(first.json.added.length, exampleJourneys.length - 1);
      assert.deepEqual((await control('POST', '/example-journeys')).json, { added: [] });
      assert.equal(rule.sandbox.automations().length, exampleJourneys.length);
    });
  });

  describe('the page', () => {
    const rows = (text: string) => [...text.matchAll(/<tr>.*?<\/tr>/gs)].map(([row]) => plain(row));
    const plain = (markup: string) =>
      markup
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim();
    const person = async () => plain((await page(`/subscribers/${rule.sandbox.subscriber(email)?.id}`)).text);

    beforeEach(async () => {
      journey([0, 3, 14], { tagGained: ['over'] });
      rule.sandbox.addSubscriber({ email });
      await fire('send');
    });

    it('of a person tells which automation started when and by which call, and when its mails went and will go', async () => {
      goTo(3);
      const text = await person();
      for (const part of [
        'welcome in progress started 2026-06-01 10:00 by tag welcome · PUT /v3/subscribers/{identifier}/tags · send · first',
        '2026-06-04 10:00 sent welcome after 3',
        '2026-06-15 10:00 to come welcome after 14 in 11 days',
      ]) {
        assert.ok(text.includes(part), part);
      }
    });

    it('of a person tells why a mail was cancelled or withheld', async () => {
      rule.sandbox.suppress(email);
      goTo(4);
      await gain('over');
      const text = await person();
      assert.ok(text.includes('2026-06-04 10:00 withheld welcome after 3 suppressed'));
      assert.ok(text.includes('2026-06-15 10:00 cancelled welcome after 14 on 2026-06-05 10:00: gained over'));
      assert.ok(text.includes('welcome completed started'));
    });

    it('of a person lists rows of a historical group newest first, a column for each field', async () => {
      for (const field of ['Event.type', 'Event.id']) rule.sandbox.defineField(field, 'text', { historical: true });
      for (const [id, type] of [
        ['e1', 'subscribed'],
        ['e2', 'ended'],
      ] as const) {
        await rule.fields(email, [
          { key: 'Event.id', value: id },
          { key: 'Event.type', value: type },
        ]);
      }
      rule.sandbox.setField(email, 'Event.id', 'e3');
      const { text } = await page(`/subscribers/${rule.sandbox.subscriber(email)?.id}`);
      const at = '2026-06-01 10:00:00';
      const [, ...table] = text.split('class="rows"');
      assert.deepEqual(rows(table.join()), ['Written type id', `${at} – e3`, `${at} ended e2`, `${at} subscribed e1`]);
    });

    it('that comes first shows the latest mails and the time in the account', async () => {
      goTo(3);
      const { text } = await page('/');
      assert.match(plain(text), /today in this account: 2026-06-04 10:00:00 UTC/);
      assert.deepEqual(rows(text).slice(0, 2), [
        `2026-06-04 10:00 sent welcome after 3 ${email} welcome`,
        `2026-06-01 10:00 sent welcome after 0 ${email} welcome`,
      ]);
      assert.ok(text.includes('1 of them to come'));
      assert.ok(!(await page('/?q=kim')).text.includes('Latest mails'), 'who searches looks for people');
    });

    it('of mails lists what is to come, soonest first, and what a deleted person got', async () => {
      rule.sandbox.deleteSubscriber(email);
      rule.sandbox.addSubscriber({ email });
      await fire('send');
      const { text } = await page('/mails');
      const listed = rows(text);
      assert.match(listed[0] ?? '', /^2026-06-04 10:00 to come welcome after 3 in 3 days/);
      assert.match(listed[1] ?? '', /^2026-06-15/);
      assert.ok(listed.some((row) => row.includes('cancelled') && row.includes('9001, deleted')));
    });

    it('of automations says what they would do, and offers the example journeys until they are there', async () => {
      const before = await page('/automations');
      assert.ok(rows(before.text).some((row) => row.includes('day 14 welcome after 14 gained over')));
      assert.ok(before.text.includes('/_sandbox/example-journeys'));
      rule.sandbox.addExampleJourneys();
      assert.ok(!(await page('/automations')).text.includes('/_sandbox/example-journeys'));
    });

    it('shows a transactional mail as it was written, and lets it run nothing', async () => {
      const encode = (text: string) => Buffer.from(text).toString('base64');
      const written = '<h1>Tack för köpet</h1><script>alert(1)</script>';
      await rule.v2('POST', '/transactionals', {
        transaction_type: 'email',
        transaction_name: 'Receipt',
        subject: 'Your receipt <1>',
        from: { name: 'The Daily Example', email: 'no-reply@example.com' },
        to: { email },
        content: { plain: encode('Tack'), html: encode(written) },
      });
      await rule.v2('POST', '/transactionals', {
        transaction_type: 'text_message',
        from: { name: 'Daily' },
        to: { phone_number: '+46701740605' },
        content: 'Hej',
      });
      const read = await page('/mails/transactional/1?part=html');
      assert.equal(read.text, written);
      assert.match(read.policy ?? '', /^sandbox; default-src 'none'/);
      assert.equal((await page('/mails/transactional/1?part=plain')).text, 'Tack');
      assert.equal((await page('/mails/transactional/2')).text, 'Hej');
      assert.equal((await page('/mails/transactional/3')).status, 404);
      for (const path of ['/', '/mails', `/subscribers/${rule.sandbox.subscriber(email)?.id}`]) {
        const { text } = await page(path);
        assert.ok(text.includes('Your receipt &lt;1&gt;') && text.includes('/mails/transactional/1?part=html'), path);
      }
    });
  });

  describe('the example journeys', () => {
    /** As the program tells it: what the event undoes leaves, then its own tag comes. */
    const occurs = (event: LifecycleEventType) => {
      for (const undone of takenAwayBy(event)) rule.sandbox.removeTag(email, `sesamy_event_${undone}`);
      rule.sandbox.addTag(email, `sesamy_event_${event}`, { automation: 'reset' });
    };
    const subjects = (state: JourneyMail['state']) =>
      rule.sandbox
        .mails()
        .filter((mail) => mail.state === state)
        .map(({ automation, dueAt }) => `${automation} ${(Date.parse(dueAt) - Date.parse(begin)) / 86_400_000}`);
    beforeEach(() => {
      rule.sandbox.addExampleJourneys();
      rule.sandbox.addSubscriber({ email });
    });

    for (const [event, otherEvent, sent, cancelled] of [
      ['subscribed', 'ended', ['Onboarding 0', 'Goodbye 1'], ['Onboarding 3', 'Onboarding 14']],
      [
        'payment-failed',
        'payment-recovered',
        ['Payment reminder 0', 'Payment thanks 1'],
        ['Payment reminder 3', 'Payment reminder 6'],
      ],
      ['payment-failed', 'ended', ['Payment reminder 0', 'Goodbye 1'], ['Payment reminder 3', 'Payment reminder 6']],
      ['cancel-requested', 'cancel-regretted', ['Cancellation save 0', 'Glad you stay 1'], ['Cancellation save 5']],
      ['cancel-requested', 'ended', ['Cancellation save 0', 'Goodbye 1'], ['Cancellation save 5']],
      ['win-back', 'returned', ['Win-back 0', 'Welcome back 1'], ['Win-back 7']],
    ] as const) {
      it(`${event}, then ${otherEvent}: the first journey stops`, () => {
        occurs(event);
        goTo(1);
        occurs(otherEvent);
        assert.deepEqual(subjects('sent'), sent);
        assert.deepEqual(subjects('cancelled'), cancelled);
      });
    }

    for (const event of ['win-back', 'cancel-requested'] as const) {
      it(`${event} stops when its tag is taken away quietly`, () => {
        occurs(event);
        rule.sandbox.removeTag(email, `sesamy_event_${event}`);
        assert.equal(subjects('cancelled').length, 1);
        assert.equal(subjects('planned').length, 0);
      });
    }
  });
});
