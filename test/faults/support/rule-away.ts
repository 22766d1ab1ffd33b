/** Rule blocks the account, or is down, for a day that is skipped: many readers, several workers, and news all the while. */
import assert from 'node:assert/strict';
import type { Counts } from '../../../sandbox/rule/counts.js';
import { subscriberWorkflowId } from '../../../src/contract/index.js';
import { eventually } from '../../support/eventually.js';
import { type Lifetime, startLifetime } from '../../support/lifetime.js';
import { addressOf } from '../../support/people.js';

const workers = 3;
/** How many activities a worker of the test does at once, all of which may be under way when the block begins. */
const atOnce = 100;

function arrive(life: Lifetime, number: number): string {
  const id = `email|${(0xabc000000 + number).toString(16).padStart(24, '0')}`;
  life.sesamy.addPerson({ id, profile: { email: addressOf(id) } });
  return id;
}

function buy(life: Lifetime, id: string): void {
  const [product] = life.sesamy.world.products;
  life.sesamy.purchase(id, { productSku: product?.sku ?? '' });
}

async function untilAll(life: Lifetime, ids: readonly string[], state: string): Promise<void> {
  await eventually(
    async () => {
      const others = [];
      for (const id of ids) {
        const status = await life.subscribers.status(life.person(id));
        if (status?.state !== state || status.pending.length > 0) others.push(`${id} ${status?.state}`);
        if (others.length > 3) break;
      }
      assert.deepEqual(others, []);
    },
    { timeoutMs: 600_000 },
  );
}

/** Adds the tests, with so many readers. */
export function describeRuleAway(people: number): void {
  describe(`A22, A33: Rule blocks the account for a day: ${people} readers, ${workers} workers`, () => {
    let life: Lifetime;
    let ids: string[];
    /** Requests to Rule: until all readers are retrying, in the day after that, and at the end. */
    let asked: { first: number; meanwhile: number };
    let probes: number;

    before(async () => {
      life = await startLifetime({ workers });
      life.rule.blockAccount({ seconds: 24 * 60 * 60, why: 'count' });
      ids = Array.from({ length: people }, (_none, number) => arrive(life, number));
      await life.sesamy.webhooks.idle();
      await untilAll(life, ids, 'retrying');
      const first = life.rule.recorder.requests.length;
      const [one] = ids;
      assert.ok(one);
      for (let number = 0; number < 30; number += 1) {
        await life.live({ minutes: 45 });
        await life.subscribers.notify(life.person(one), {
          event: 'contract.1#update',
          occurredAt: life.now().toISOString(),
        });
      }
      asked = { first, meanwhile: life.rule.recorder.requests.length - first };
    });
    after(() => life?.close());

    it('only those who were under way when it began ran into it; nothing is sent in the day after that, by any worker', () => {
      assert.ok(asked.first <= workers * atOnce && asked.first < 400, `${asked.first} requests ran into the block`);
      assert.equal(asked.meanwhile, 0);
    });

    it('its end is Rule’s wall time: everybody is dated after it, and at most some minutes', async () => {
      const end = life.rule.accountBlock()?.until;
      assert.ok(end);
      for (const id of ids.slice(0, 20)) {
        const next = Date.parse((await life.subscribers.status(life.person(id)))?.next?.at ?? '');
        assert.ok(next >= Date.parse(end) - 2_000, 'before the end of the block');
        assert.ok(next <= Date.parse(end) + 20 * 60_000, 'long after the end of the block');
      }
    });

    it('syncNow answers meanwhile, and sends nothing', async () => {
      const [one = ''] = ids;
      const mark = life.rule.recorder.requests.length;
      const entry = await life.subscribers.sync(life.person(one));
      assert.equal(entry.failure?.type, 'rule/blocked');
      assert.equal(life.rule.recorder.requests.length, mark);
    });

    it('after it each worker sends one probe at most before the others, and everybody is in Rule', async () => {
      const mark = life.rule.recorder.requests.length;
      await life.live({ hours: 3 });
      await untilAll(life, ids, 'ok');
      probes = life.rule.recorder.requests.slice(mark).filter(({ status }) => status === 429).length;
      assert.ok(probes <= workers, `${probes} probes ran into the block`);
      for (const id of ids) assert.ok(life.rule.subscriber(addressOf(id)), `${id} is in Rule`);
    });

    it('thirty webhooks have left a short history', async () => {
      const handle = life.subscribers;
      const status = await handle.status(life.person(ids[0] ?? ''));
      assert.ok((status?.attempts ?? 0) < 10, `${status?.attempts} attempts`);
      const { events } = await life.cost(ids[0] ?? '');
      assert.ok(events < 200, `${events} events of ${subscriberWorkflowId(life.person(ids[0] ?? ''))}`);
    });
  });

  describe(`A19: Rule is down for a day: ${Math.ceil(people / 5)} readers, with news all the while`, () => {
    let life: Lifetime;
    const known: string[] = [];
    const fresh: string[] = [];

    before(async () => {
      life = await startLifetime({ workers });
      for (let number = 0; number < Math.ceil(people / 10); number += 1) known.push(arrive(life, number));
      for (const id of known) buy(life, id);
      await life.sesamy.webhooks.idle();
      await untilAll(life, known, 'ok');
      await life.live({ hours: 1 });
      const down = life.rule.faults.add({ kind: 'status', status: 503 });
      for (let hour = 0; hour < 24; hour += 1) {
        const turn = (list: readonly string[]) => list.filter((_id, index) => index % 24 === hour);
        for (const id of turn(known)) life.sesamy.updateProfile(id, { firstName: `Hour ${hour}` });
        for (const id of turn(known)) {
          const [contract] = life.sesamy.person(id)?.contracts ?? [];
          if (contract) life.sesamy.failPayment(contract.id);
        }
        for (const _one of turn(known)) {
          const id = arrive(life, 100_000 + fresh.length);
          buy(life, id);
          fresh.push(id);
        }
        await life.live({ hours: 1 });
      }
      life.rule.faults.remove(down);
      await life.live({ hours: 2 });
      await untilAll(life, [...known, ...fresh], 'ok');
    });
    after(() => life?.close());

    it('nothing is lost: what has happened is told once, when Rule is back', () => {
      for (const id of known) {
        const types = life.rows(id).map(({ type }) => type);
        assert.deepEqual(types, ['subscribed', 'payment-failed'], id);
        assert.match(String(life.rule.subscriber(addressOf(id))?.fields['Subscriber.FirstName']?.value), /^Hour \d+$/);
      }
      for (const id of fresh)
        assert.deepEqual(
          life.rows(id).map(({ type }) => type),
          ['subscribed'],
          id,
        );
    });

    it('it drains without breaking the limit of requests or of errors', () => {
      const counts: Counts = life.rule.counts();
      assert.equal(counts.byStatus['429'] ?? 0, 0, JSON.stringify(counts.byStatus));
      assert.equal(life.rule.accountBlock(), null);
    });
  });
}
