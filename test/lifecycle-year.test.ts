/**
 * Lives of invented readers, told by what a marketer sees in Rule: which automations start, which mails go out and when, which rows
 * and tags are there. The automations are the stand-in's example journeys.
 */
import assert from 'node:assert/strict';
import { eventually } from './support/eventually.js';
import { type Lifetime, startLifetime } from './support/lifetime.js';
import { addressOf, nextId } from './support/people.js';

/** The default. */
const recheckMs = 3 * 24 * 60 * 60_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Temporal suggests to continue as new from here on; a run of ours ends long before. */
const suggestedAtEvents = 4_096;
const suggestedAtBytes = 4 * 1024 * 1024;

const monthly = 'po-digital-manad';
const yearly = 'po-digital-ar';
const fixedYear = 'po-komplett-fast';

describe('a life in Rule, on a server that skips time', function () {
  this.timeout(60_000);
  let life: Lifetime;

  before(async () => {
    life = await startLifetime();
  });
  after(() => life.close());
  beforeEach(() => {
    // Rarely, which is quick, and shows that nothing here hangs on the regular recheck.
    life.vendor.timings.recheckMs = 60 * dayMs;
  });
  afterEach(async () => {
    life.rule.faults.clear();
    life.sesamy.switches.emptyLists = false;
    await life.part();
  });

  /** Buys; answers the contract's id. The webhooks go out and are not waited for. */
  function buy(id: string, option = monthly): string {
    const product = life.sesamy.world.products.find(({ options }) => options.some((one) => one.id === option));
    return life.sesamy.purchase(id, { productSku: product?.sku ?? '', purchaseOptionId: option }).contract.id;
  }

  /** Somebody who has just subscribed, and has been greeted. */
  async function aSubscriber(option = monthly): Promise<{ id: string; contract: string }> {
    const id = await life.signUp();
    const contract = buy(id, option);
    await life.settle();
    return { id, contract };
  }

  /** The next bill of the contract is due and its payment fails. */
  async function failNextBill(contract: string): Promise<void> {
    await life.liveUntil(billedAt(contract) - minuteMs);
    life.sesamy.failPayment(contract);
    await life.settle();
  }

  const billedAt = (contract: string) => Date.parse(life.sesamy.contract(contract).nextBillAt ?? '');
  const endOf = (contract: string) => Date.parse(life.sesamy.contract(contract).expiresAt ?? '');
  const types = (id: string) => life.rows(id).map(({ type }) => type);
  const subjects = (id: string) => life.mails(id).map(({ subject }) => subject);
  const receiptRows = (id: string) =>
    life.rule.subscriber(addressOf(id))?.rows.filter(({ group }) => group === 'Sesamy_Receipt') ?? [];
  const receiptStarts = (id: string) =>
    life.rule
      .automationsStarted()
      .filter(
        ({ automation, subscriberId }) =>
          automation === 'Receipt' && subscriberId === life.rule.subscriber(addressOf(id))?.id,
      ).length;
  const eventTags = (id: string) =>
    life
      .tags(id)
      .filter((tag) => tag.startsWith('sesamy_event_') && tag !== 'sesamy_event_receipt')
      .map((tag) => tag.slice('sesamy_event_'.length));
  const rowTime = (date: string) => date.slice(0, 19).replace('T', ' ');
  const asDay = (date: string | number) => new Date(date).toISOString().slice(0, 10);
  const inDays = (from: number, to: string) => Math.round((Date.parse(to) - from) / dayMs) + 0;

  describe('a subscription that goes on', () => {
    it('a year by the month: welcomed once, renewed twelve times with the right dates, no notice, one receipt for each bill', async () => {
      life.vendor.timings.recheckMs = recheckMs;
      const march = new Date(Date.UTC(life.now().getUTCFullYear() + 1, 2, 15, 10));
      await life.liveUntil(march.getTime());
      const { id, contract } = await aSubscriber();
      const begin = await life.cost(id);
      assert.equal(life.stage(id), 'onboarding');
      await life.live({ days: 29 });
      assert.equal(life.stage(id), 'onboarding');
      await life.live({ days: 1, hours: 1 });
      assert.equal(life.stage(id), 'active', 'the onboarding ends by time');
      await life.liveUntil(march.getTime() + 366 * dayMs);

      assert.deepEqual(types(id), ['subscribed', ...Array(12).fill('renewed')]);
      const bills = life.sesamy.person(id)?.bills ?? [];
      assert.deepEqual(
        life.rows(id).map(({ at }) => at),
        bills.map(({ createdAt }) => rowTime(createdAt)),
      );
      assert.deepEqual(
        life.rows(id).map(({ at }) => at.slice(8, 10)),
        Array(13).fill('15'),
      );
      assert.deepEqual(life.starts(id), ['Onboarding', ...Array(12).fill('Renewal thanks')]);
      assert.equal(life.mails(id).length, 3 + 12);
      assert.deepEqual(
        receiptRows(id).map(({ values }) => values.Id),
        bills.map((bill) => bill.id),
      );
      assert.equal(receiptStarts(id), 13);
      assert.equal(life.stage(id), 'active');
      assert.equal(asDay(billedAt(contract)), asDay(Date.UTC(march.getUTCFullYear() + 1, 3, 15)));

      const all = await life.cost(id);
      const year = { events: all.events - begin.events, bytes: all.bytes - begin.bytes };
      console.log(`      a year of a monthly subscriber: ${year.events} events, ${year.bytes} bytes, ${all.runs} runs`);
      const busiestMonth = Math.max(
        ...all.eventTimes.map((from) => all.eventTimes.filter((at) => at >= from && at < from + 31 * dayMs).length),
      );
      assert.ok(busiestMonth < suggestedAtEvents / 16, `${busiestMonth} events in the busiest month`);
      assert.ok(year.bytes / 12 < suggestedAtBytes / 50, `${year.bytes} bytes in the year`);
    });

    it('a term of a year has its notices 14 and 3 days before it is billed, and a fixed one before it ends', async () => {
      const { id, contract } = await aSubscriber(yearly);
      const fixed = await aSubscriber(fixedYear);
      const billed = billedAt(contract);
      const ends = endOf(fixed.contract);
      await life.liveUntil(billed - 14 * dayMs - 60 * minuteMs);
      for (const one of [id, fixed.id]) {
        assert.deepEqual(life.starts(one), ['Onboarding']);
        assert.equal(life.stage(one), 'active');
      }
      await life.live({ hours: 2 });
      assert.equal(life.stage(id), 'renewal-due');
      assert.deepEqual(life.starts(id), ['Onboarding', 'Renewal notice']);
      await life.liveUntil(billed + dayMs);

      assert.deepEqual(types(id), ['subscribed', 'renewal-due', 'renewal-due', 'renewed']);
      assert.deepEqual(life.starts(id), ['Onboarding', 'Renewal notice', 'Renewal notice', 'Renewal thanks']);
      assert.deepEqual(
        life
          .mails(id)
          .filter(({ automation }) => automation === 'Renewal notice')
          .map(({ subject, dueAt }) => [subject, inDays(billed, dueAt)]),
        [
          ['Your Daily Example subscription is soon up for renewal', -14],
          ['Your Daily Example subscription is soon up for renewal', -3],
        ],
      );
      assert.equal(life.stage(id), 'active');

      assert.deepEqual(types(fixed.id), ['subscribed', 'renewal-due', 'renewal-due', 'ended']);
      assert.deepEqual(
        life
          .mails(fixed.id)
          .filter(({ automation }) => automation === 'Renewal notice')
          .map(({ dueAt }) => inDays(ends, dueAt)),
        [-14, -3],
      );
      assert.equal(life.stage(fixed.id), 'lapsed');
    });
  });

  describe('what may happen to it', () => {
    it('A9: purchase, renewal, cancellation, expiry, return, failed payment and win-back each start their automation once and in order', async () => {
      const { id, contract } = await aSubscriber();
      await life.liveUntil(billedAt(contract) + 10 * dayMs);
      life.sesamy.cancel(contract);
      await life.settle();
      const end = Date.parse(life.sesamy.contract(contract).willCancelAt ?? '');
      await life.live({ minutes: 30 });
      assert.equal(life.stage(id), 'cancelling');
      await life.liveUntil(end + 10 * dayMs);
      assert.equal(life.stage(id), 'lapsed');
      const second = buy(id);
      await life.live({ days: 1 });
      assert.equal(life.stage(id), 'onboarding');
      await failNextBill(second);
      assert.equal(life.stage(id), 'overdue');
      await life.live({ days: 10 });
      assert.equal(life.stage(id), 'lapsed');
      await life.live({ days: 120 });

      assert.deepEqual(life.starts(id), [
        'Onboarding',
        'Renewal thanks',
        'Cancellation save',
        'Goodbye',
        'Welcome back',
        'Payment reminder',
        'Goodbye',
        'Win-back',
        'Win-back',
      ]);
      assert.deepEqual(types(id), [
        'subscribed',
        'renewed',
        'cancel-requested',
        'ended',
        'returned',
        'payment-failed',
        'ended',
        'win-back',
        'win-back',
      ]);
      const rows = life.rows(id);
      assert.deepEqual(
        rows.map(({ at }) => at),
        rows.map(({ at }) => at).sort(),
      );
      assert.equal(new Set(rows.map((row) => row.id)).size, rows.length);
      assert.equal(receiptRows(id).length, 3, 'two bills of the first, one of the second subscription');
    });

    it('a payment that fails and goes through: reminders until then, and thanks', async () => {
      const { id, contract } = await aSubscriber();
      await life.live({ days: 20 });
      await failNextBill(contract);
      const failed = life.now().getTime();
      assert.equal(life.stage(id), 'overdue');
      await life.live({ days: 4 });
      life.sesamy.recoverPayment(contract);
      await life.settle();
      assert.equal(life.stage(id), 'active');
      await life.live({ days: 20 });

      assert.deepEqual(life.starts(id), ['Onboarding', 'Payment reminder', 'Payment thanks']);
      assert.deepEqual(
        life
          .mails(id)
          .slice(3)
          .map(({ subject, dueAt }) => [subject, inDays(failed, dueAt)]),
        [
          ['Your payment to The Daily Example did not go through', 0],
          ['A reminder: please look at your card', 3],
          ['Thank you, your payment has arrived', 4],
        ],
      );
      assert.deepEqual(eventTags(id), ['payment-recovered', 'subscribed']);
      assert.equal(receiptRows(id).length, 2);
    });

    it('a payment that fails for good: three reminders, then goodbye, and no renewal', async () => {
      const { id, contract } = await aSubscriber();
      await failNextBill(contract);
      await life.live({ days: 11 });
      assert.deepEqual(life.starts(id), ['Onboarding', 'Payment reminder', 'Goodbye']);
      assert.equal(life.mails(id).filter(({ automation }) => automation === 'Payment reminder').length, 3);
      assert.equal(life.stage(id), 'lapsed');
      assert.ok(!life.tags(id).includes('sesamy_active_subscriber'));
      assert.deepEqual(eventTags(id), ['ended']);
      assert.equal(receiptRows(id).length, 1);
    });

    it('A11: a cancellation that is regretted inside the wait is never heard of', async () => {
      const { id, contract } = await aSubscriber();
      await life.live({ days: 40 });
      const before = subjects(id);
      life.sesamy.cancel(contract);
      await life.live({ minutes: 14 });
      life.sesamy.regret(contract);
      await life.live({ days: 14 });
      assert.deepEqual(types(id), ['subscribed', 'renewed']);
      assert.deepEqual(subjects(id), before);
      assert.equal(life.stage(id), 'active');
    });

    it('a cancellation that is regretted after the wait ends its journey; a new one begins it anew', async () => {
      const { id, contract } = await aSubscriber();
      await life.live({ days: 40 });
      life.sesamy.cancel(contract);
      await life.live({ days: 2 });
      life.sesamy.regret(contract);
      await life.live({ hours: 1 });
      assert.equal(life.stage(id), 'active');
      life.sesamy.cancel(contract);
      await life.live({ days: 6 });
      assert.deepEqual(life.starts(id).slice(2), ['Cancellation save', 'Glad you stay', 'Cancellation save']);
      assert.deepEqual(subjects(id).slice(4), [
        'Your cancellation is noted',
        'We are glad that you stay',
        'Your cancellation is noted',
        'Would you like to stay with The Daily Example?',
      ]);
    });

    it('won back 30 and 90 days after the end, and never after the return', async () => {
      const { id, contract } = await aSubscriber();
      life.sesamy.endNow(contract);
      const ended = life.now().getTime();
      await life.live({ days: 29 });
      assert.deepEqual(life.starts(id), ['Onboarding', 'Goodbye']);
      await life.live({ days: 62 });
      buy(id);
      await life.live({ days: 40 });
      assert.deepEqual(life.starts(id), [
        'Onboarding',
        'Goodbye',
        'Win-back',
        'Win-back',
        'Welcome back',
        'Renewal thanks',
      ]);
      assert.deepEqual(
        life
          .mails(id)
          .filter(({ automation }) => automation === 'Win-back')
          .map(({ dueAt }) => inDays(ended, dueAt)),
        [30, 37, 90],
        'the last mail is stopped by the return',
      );
      assert.deepEqual(eventTags(id), ['renewed', 'returned']);
    });

    it('A10: who renews one minute before the win-back is due gets no win-back mail', async () => {
      const { id, contract } = await aSubscriber();
      life.sesamy.endNow(contract);
      const ended = endOf(contract);
      await life.liveUntil(ended + 30 * dayMs - minuteMs);
      life.sesamy.renew(contract);
      await life.live({ days: 70 });
      assert.deepEqual(life.starts(id).slice(0, 3), ['Onboarding', 'Goodbye', 'Welcome back']);
      assert.ok(!types(id).includes('win-back'));
    });

    it('A10: so also when no webhook told of it', async () => {
      const { id, contract } = await aSubscriber();
      life.sesamy.endNow(contract);
      const ended = endOf(contract);
      await life.liveUntil(ended + 30 * dayMs - minuteMs);
      await life.unheard(() => life.sesamy.renew(contract));
      await life.live({ days: 1 });
      assert.deepEqual(types(id), ['subscribed', 'ended', 'returned']);
    });
  });

  describe('guests', () => {
    it('A31: bought as a guest, the webhook lost, confirmed two days later: one onboarding, and never won back', async () => {
      const same = await life.signUp({ emailVerified: false });
      await life.unheard(() => buy(same));
      const guest = await life.signUp({ emailVerified: false });
      const contract = await life.unheard(() => buy(guest));
      await life.live({ days: 2 });
      assert.equal(life.rule.subscriber(addressOf(same)), undefined);
      assert.equal(life.rule.subscriber(addressOf(guest)), undefined);

      life.sesamy.confirm(same);
      // Sesamy moves what a guest holds to the account that is made at the confirmation.
      const account = moveTo(guest, contract);
      life.sesamy.announce('userVendor.1#new', account);
      await life.settle();
      for (const one of [same, guest]) {
        assert.deepEqual(life.starts(one), ['Onboarding']);
        assert.equal(life.stage(one), 'onboarding');
        assert.equal(receiptStarts(one), 1);
      }
      await life.live({ days: 130 });
      for (const one of [same, guest]) {
        assert.deepEqual(life.starts(one), ['Onboarding', ...Array(4).fill('Renewal thanks')]);
        assert.equal(life.rule.subscribers().filter(({ email }) => email === addressOf(one)).length, 1);
      }
    });

    /** The guest's contract and access, under a new user id with the guest's address. */
    function moveTo(guest: string, contract: string): string {
      const held = life.sesamy.person(guest);
      assert.ok(held);
      const account = life.expect(nextId());
      const { profile, contracts, entitlements, bills, transactions } = held;
      life.sesamy.setPerson({ id: guest, contracts: [], entitlements: [], bills: [], transactions: [] });
      life.sesamy.setPerson({
        id: account,
        profile: { ...profile, userId: account, sub: account, emailVerified: true },
        contracts: contracts.map((one) => ({ ...one, userId: account })),
        entitlements,
        bills,
        transactions: transactions.map((one) => ({ ...one, userId: account })),
      });
      assert.equal(life.sesamy.contract(contract).userId, account);
      return account;
    }
  });

  describe('when something goes wrong', () => {
    it('A32: Sesamy answers with empty lists for ten minutes: no tag removed, no event, the brake reports it, and all is as before', async () => {
      // More than may seem to leave within an hour before the brake takes hold.
      const readers = Array.from({ length: 22 }, () => life.expect(nextId()));
      for (const id of readers) {
        life.sesamy.addPerson({ id, profile: { email: addressOf(id) } });
        buy(id);
      }
      await life.live({ days: 2 });
      const seen = () => readers.map((id) => [life.tags(id), life.rows(id), life.starts(id), subjects(id)]);
      const before = seen();
      const writes = life.writes();
      life.sesamy.switches.emptyLists = true;
      life.sesamy.announceEveryone();
      await life.live({ minutes: 10 });
      assert.equal((await life.subscribers.brake('daily'))?.on, true);
      assert.deepEqual(seen(), before);
      life.sesamy.switches.emptyLists = false;
      await life.live({ hours: 2 });
      assert.equal(life.writes(), writes, 'Rule was not written to');
      assert.deepEqual(seen(), before);
      for (const id of readers) assert.equal((await life.status(id)).state, 'ok');
      await life.live({ hours: 20 });
      assert.deepEqual(seen(), before);
      const [first] = readers;
      assert.ok(first);
      life.sesamy.endNow(life.sesamy.person(first)?.contracts[0]?.id ?? '');
      await life.live({ hours: 1 });
      assert.equal(life.starts(first).at(-1), 'Goodbye', 'a true end is told again');
    });

    it('two events within one second keep their order, each once', async () => {
      const { id, contract } = await aSubscriber();
      await life.live({ days: 10 });
      const second = life.sesamy.world.timestamp();
      life.sesamy.world.at(second, () => life.sesamy.failPayment(contract));
      await life.settle();
      life.sesamy.world.at(second, () => life.sesamy.recoverPayment(contract));
      await life.settle();
      await life.live({ days: 5 });
      assert.deepEqual(types(id), ['subscribed', 'payment-failed', 'payment-recovered']);
      assert.equal(life.rows(id)[1]?.at, life.rows(id)[2]?.at);
      assert.deepEqual(life.starts(id), ['Onboarding', 'Payment reminder', 'Payment thanks']);

      const other = await life.signUp();
      const now = life.sesamy.world.timestamp();
      life.sesamy.world.at(now, () => {
        const bought = buy(other);
        life.sesamy.buyArticle(other);
        life.sesamy.cancel(bought);
      });
      await life.live({ hours: 1 });
      assert.deepEqual(types(other), ['single-purchase', 'subscribed', 'cancel-requested']);
      assert.deepEqual(life.starts(other), ['After a single purchase', 'Onboarding', 'Cancellation save']);
    });

    it('a renewal of which no webhook told is found at its date, and told once', async () => {
      const { id, contract } = await aSubscriber();
      await life.liveUntil(billedAt(contract) - minuteMs);
      await life.unheard(() => life.sesamy.renew(contract));
      await life.live({ minutes: 10 });
      assert.deepEqual(types(id), ['subscribed', 'renewed']);
      await life.live({ days: 10 });
      assert.deepEqual(life.starts(id), ['Onboarding', 'Renewal thanks']);
    });

    it('A13: the same webhook fifty times starts one automation', async () => {
      const id = await life.signUp();
      const contract = await life.unheard(() => buy(id));
      const event = { eventType: 'contract.1#purchased', userId: id, contractId: contract };
      const occured_at = life.sesamy.world.timestamp();
      await life.post(...Array.from({ length: 50 }, () => ({ ...event, occured_at })));
      await life.live({ days: 3 });
      await life.post(...Array.from({ length: 50 }, () => ({ ...event, occured_at })));
      assert.deepEqual(types(id), ['subscribed']);
      assert.deepEqual(life.starts(id), ['Onboarding']);
      assert.equal(receiptStarts(id), 1);
    });

    it('an event during a block of Rule is told after it, once, and the block is respected', async () => {
      const { id, contract } = await aSubscriber();
      await life.liveUntil(billedAt(contract) - 30 * minuteMs);
      life.rule.blockAccount({ seconds: 3_600, why: 'count' });
      const mark = life.rule.recorder.requests.length;
      await life.live({ minutes: 55 });
      assert.ok(life.rule.recorder.requests.length - mark <= 1, 'one call finds out about the block');
      assert.deepEqual(types(id), ['subscribed']);
      await life.live({ hours: 2 });
      assert.equal(life.rule.accountBlock(), null);
      assert.deepEqual(types(id), ['subscribed', 'renewed']);
      assert.deepEqual(life.starts(id), ['Onboarding', 'Renewal thanks']);
      assert.equal(receiptStarts(id), 2);
    });

    /** Rule does not answer for a while; meanwhile this happens. */
    async function duringOutage(days: number, happens: () => Promise<void>): Promise<void> {
      const end = life.now().getTime() + days * dayMs;
      const fault = life.rule.faults.add({ kind: 'status', status: 503, path: '^/api/' });
      await happens();
      await life.liveUntil(end);
      life.rule.faults.remove(fault);
      await life.live({ hours: 1 });
    }

    it('an outage of a day that spans a renewal notice: mailed late where it is still true, only recorded where it is not', async () => {
      const stays = await aSubscriber(yearly);
      const leaves = await aSubscriber(yearly);
      await life.liveUntil(billedAt(stays.contract) - 3.5 * dayMs);
      const before = [subjects(stays.id), subjects(leaves.id)];
      await duringOutage(1, async () => {
        await life.live({ hours: 14 });
        life.sesamy.cancel(leaves.contract);
        await life.settle();
      });
      assert.deepEqual(types(stays.id), ['subscribed', 'renewal-due', 'renewal-due']);
      assert.deepEqual(life.starts(stays.id), ['Onboarding', 'Renewal notice', 'Renewal notice']);
      assert.deepEqual(subjects(stays.id).length, (before[0]?.length ?? 0) + 1);
      assert.deepEqual(types(leaves.id), ['subscribed', 'renewal-due', 'renewal-due', 'cancel-requested']);
      assert.deepEqual(life.starts(leaves.id), ['Onboarding', 'Renewal notice', 'Cancellation save']);
      assert.equal(life.stage(leaves.id), 'cancelling');
    });

    it('an outage of a day that spans a failed payment and its recovery: both are recorded, nobody is mailed of either', async () => {
      const { id, contract } = await aSubscriber();
      await life.live({ days: 20 });
      const before = subjects(id);
      await duringOutage(1, async () => {
        await life.live({ hours: 4 });
        life.sesamy.failPayment(contract);
        await life.live({ hours: 8 });
        life.sesamy.recoverPayment(contract);
        await life.settle();
      });
      assert.deepEqual(types(id), ['subscribed', 'payment-failed', 'payment-recovered']);
      assert.deepEqual(life.starts(id), ['Onboarding']);
      assert.deepEqual(subjects(id), before);
      assert.equal(life.stage(id), 'onboarding');
      await failNextBill(contract);
      assert.deepEqual(life.starts(id), ['Onboarding', 'Payment reminder'], 'the next failure is told');
    });

    it('an outage that begins just after a reminder was started, its answer lost: the recovery ends the reminders', async () => {
      const { id, contract } = await aSubscriber();
      await life.live({ days: 20 });
      const fire = { method: 'POST', path: '/v2/subscribers/\\d+/tags' };
      life.rule.faults.add({ ...fire, kind: 'latency', ms: 500, times: 1 });
      life.rule.faults.add({ ...fire, kind: 'hang-up', when: 'after', times: 1 });
      const mark = life.rule.recorder.requests.length;
      life.sesamy.failPayment(contract);
      await eventually(() => {
        const { method, path } = life.rule.recorder.requests.slice(mark).at(-1) ?? {};
        assert.match(`${method} ${path}`, /^POST .*\/tags/);
      });
      await duringOutage(0.5, async () => {
        await life.live({ hours: 6 });
        life.sesamy.recoverPayment(contract);
        await life.settle();
      });
      await life.live({ days: 10 });
      assert.deepEqual(types(id), ['subscribed', 'payment-failed', 'payment-recovered']);
      assert.deepEqual(life.starts(id), ['Onboarding', 'Payment reminder', 'Payment thanks']);
      assert.deepEqual(subjects(id).slice(3), [
        'Your payment to The Daily Example did not go through',
        'Thank you, your payment has arrived',
      ]);
    });

    it('one end during an outage of Rule is counted once by the brake, and told afterwards', async () => {
      const { id, contract } = await aSubscriber();
      await life.live({ days: 5 });
      await duringOutage(0.5, async () => {
        life.sesamy.endNow(contract);
        await life.settle();
        await life.live({ minutes: 30 });
        assert.ok(((await life.subscribers.brake('daily'))?.count ?? 0) <= 1);
      });
      assert.deepEqual(types(id), ['subscribed', 'ended']);
      assert.deepEqual(life.starts(id), ['Onboarding', 'Goodbye']);
      assert.equal(life.rows(id).at(-1)?.at, rowTime(life.sesamy.contract(contract).expiresAt ?? ''));
    });
  });

  describe('consent and quiet', () => {
    it('A2: who is suppressed or opted out has rows and state and no event tag, who is blocked has no mail, and all stay so', async () => {
      const suppressed = await life.signUp();
      const blocked = await life.signUp();
      life.rule.suppress(addressOf(suppressed));
      life.rule.block(addressOf(blocked));
      const optedOut = nextId();
      life.rule.addSubscriber({ email: addressOf(optedOut), optedIn: false });
      life.expect(optedOut);
      life.sesamy.addPerson({ id: optedOut, profile: { email: addressOf(optedOut) } });
      await life.settle();
      const all = [suppressed, blocked, optedOut];
      const contracts = all.map((id) => buy(id));
      await life.live({ days: 31 });
      for (const contract of contracts) life.sesamy.cancel(contract);
      await life.live({ days: 62 });
      await life.live({ hours: 1 });
      for (const id of all) {
        assert.deepEqual(types(id), ['subscribed', 'renewed', 'cancel-requested', 'ended', 'win-back'], id);
        assert.equal(life.rule.mails(addressOf(id)).filter(({ state }) => state === 'sent').length, 0);
        assert.equal(life.stage(id), 'lapsed');
      }
      for (const id of [suppressed, optedOut]) {
        assert.deepEqual(life.starts(id), []);
        assert.deepEqual(eventTags(id), []);
        assert.equal(receiptStarts(id), 0);
        assert.equal(receiptRows(id).length, 2);
      }
      assert.deepEqual(life.rule.subscriber(addressOf(suppressed))?.suppressed, ['campaign/email']);
      assert.equal(life.rule.subscriber(addressOf(blocked))?.blocked, true);
      assert.equal(life.rule.subscriber(addressOf(optedOut))?.optedIn, false);
    });

    it('a quiet sync starts nothing, and swallows nothing of which a live look learns right after it', async () => {
      const { id, contract } = await aSubscriber();
      const resync = async () => {
        await life.subscribers.resync(life.person(id));
        await life.settle();
        await life.subscribers.sync(life.person(id), { force: true });
        await life.settle();
      };
      const happens = async (act: () => void, told: string[]) => {
        const [starts, rows] = [life.starts(id), types(id)];
        await life.unheard(act);
        await resync();
        assert.deepEqual([life.starts(id), types(id)], [starts, rows], 'quiet');
        await life.post({ eventType: 'userVendor.1#update', userId: id });
        assert.deepEqual(types(id).slice(rows.length), told);
        await resync();
        assert.equal(types(id).length, rows.length + told.length);
      };
      await life.live({ days: 10 });
      await happens(() => life.sesamy.buyArticle(id), ['single-purchase']);
      await happens(() => life.sesamy.failPayment(contract), ['payment-failed']);
      await happens(() => life.sesamy.recoverPayment(contract), ['payment-recovered']);
      await life.live({ days: 1 });
      await life.unheard(() => life.sesamy.endNow(contract));
      await resync();
      await life.post({ eventType: 'contract.1#update', userId: id });
      await resync();
      await life.live({ minutes: 20 });
      assert.equal(types(id).at(-1), 'ended');
      await happens(() => buy(id), ['returned']);
      assert.deepEqual(life.starts(id), [
        'Onboarding',
        'After a single purchase',
        'Payment reminder',
        'Payment thanks',
        'Goodbye',
        'Welcome back',
      ]);
    });
  });
});
