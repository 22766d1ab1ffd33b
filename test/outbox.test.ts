import assert from 'node:assert/strict';
import type { DeliverResult, LifecycleEvent, RowOnlyReason, SyncResult } from '../src/contract/index.js';
import {
  type Delivery,
  discard,
  dropAll,
  freshOutbox,
  heldBy,
  nextDelivery,
  type Outbox,
  putFound,
  recordDelivered,
  recordUndelivered,
  release,
  waitingEvents,
  waitingOf,
} from '../src/workflows/outbox.js';

const now = '2026-11-10T12:00:00.000Z';

function anEvent(id: string, overrides: Partial<LifecycleEvent> = {}): LifecycleEvent {
  return { id, type: 'renewed', at: '2026-11-10T11:00:00.000Z', contractId: 'c1', stage: 'active', ...overrides };
}

function outboxOf(...events: LifecycleEvent[]): Outbox {
  const outbox = freshOutbox();
  putFound(outbox, { events });
  return outbox;
}

function next(outbox: Outbox): Delivery {
  const delivery = nextDelivery(outbox);
  assert.ok(delivery, 'there is something to deliver');
  return delivery;
}

/** Delivers the next one. */
function deliver(outbox: Outbox, outcome: DeliverResult['outcome'] = 'told', reason?: RowOnlyReason): string[] {
  return recordDelivered(outbox, next(outbox), { outcome, ...(reason ? { reason } : {}), started: [] }, now);
}

/** The next one fails. */
function fail(outbox: Outbox, notSent = false): number {
  return recordUndelivered(outbox, next(outbox), notSent, now);
}

const ids = (outbox: Outbox) => waitingEvents(outbox).map(({ id }) => id);

describe('outbox: what is taken up', () => {
  const cases: {
    name: string;
    before: LifecycleEvent[];
    told?: number;
    found: Partial<SyncResult>;
    waits: string[];
  }[] = [
    { name: 'nothing', before: [], found: {}, waits: [] },
    {
      name: 'several, in their order',
      before: [],
      found: { events: [anEvent('b'), anEvent('a')] },
      waits: ['b', 'a'],
    },
    {
      name: 'more, after what waits',
      before: [anEvent('b')],
      found: { events: [anEvent('a')] },
      waits: ['b', 'a'],
    },
    { name: 'what waits already: once', before: [anEvent('a')], found: { events: [anEvent('a')] }, waits: ['a'] },
    {
      name: 'what was told: never again',
      before: [anEvent('a')],
      told: 1,
      found: { events: [anEvent('a'), anEvent('b')] },
      waits: ['b'],
    },
  ];
  for (const { name, before, told = 0, found, waits } of cases) {
    it(name, () => {
      const outbox = outboxOf(...before);
      for (let count = 0; count < told; count += 1) deliver(outbox);
      putFound(outbox, found);
      assert.deepEqual(ids(outbox), waits);
    });
  }

  it('state tags of the last look are the ones that count', () => {
    const outbox = freshOutbox();
    putFound(outbox, { gained: ['sesamy_stage_active'] });
    putFound(outbox, { gained: ['sesamy_stage_overdue'] });
    assert.deepEqual(next(outbox).gained, ['sesamy_stage_overdue']);
    putFound(outbox, {});
    assert.equal(nextDelivery(outbox), undefined);
  });
});

describe('outbox: what is delivered next', () => {
  const plain = { again: false, notSent: false, released: false };

  it('one event at a time, in order, the state tags with the first, segments with the last', () => {
    const outbox = outboxOf(anEvent('a'), anEvent('b'));
    outbox.gained = ['sesamy_stage_active'];
    assert.deepEqual(next(outbox), { event: anEvent('a'), gained: ['sesamy_stage_active'], ...plain, last: false });
    assert.deepEqual(deliver(outbox), ['sesamy_stage_active']);
    assert.deepEqual(next(outbox), { event: anEvent('b'), gained: [], ...plain, last: true });
    assert.deepEqual(deliver(outbox), []);
    assert.equal(nextDelivery(outbox), undefined);
    assert.deepEqual(
      outbox.told.map(({ event, outcome, at }) => [event.id, outcome, at]),
      [
        ['a', 'told', now],
        ['b', 'told', now],
      ],
    );
  });

  it('state tags alone, where there is no event', () => {
    const outbox = freshOutbox();
    putFound(outbox, { gained: ['sesamy_stage_active'] });
    assert.deepEqual(next(outbox), { gained: ['sesamy_stage_active'], ...plain, last: true });
    assert.deepEqual(deliver(outbox, 'nothing'), ['sesamy_stage_active']);
    assert.equal(nextDelivery(outbox), undefined);
    assert.deepEqual(outbox.told, []);
  });

  it('a state tag that is gained while another is given is not forgotten', () => {
    const outbox = freshOutbox();
    putFound(outbox, { gained: ['one'] });
    const delivery = next(outbox);
    outbox.gained = ['one', 'two'];
    recordDelivered(outbox, delivery, { outcome: 'nothing', started: [] }, now);
    assert.deepEqual(outbox.gained, ['two']);
  });

  it('what failed is tried again before anything else, and says that it was tried', () => {
    const outbox = outboxOf(anEvent('a'), anEvent('b'));
    assert.deepEqual([fail(outbox), fail(outbox), fail(outbox)], [1, 2, 3]);
    assert.deepEqual(outbox.failing, { count: 3, since: now });
    assert.deepEqual([next(outbox).event?.id, next(outbox).again], ['a', true]);
    deliver(outbox);
    assert.equal(outbox.failing, undefined);
    assert.deepEqual([next(outbox).event?.id, next(outbox).again], ['b', false]);
  });
});

describe('outbox: what is over before it is told', () => {
  it('is recorded only', () => {
    const outbox = outboxOf(anEvent('a'));
    putFound(outbox, { rowOnly: { a: 'over' } });
    assert.equal(next(outbox).event?.rowOnly, 'over');
    assert.equal(next(outbox).begun, undefined);
  });

  it('also where it was tried before, since it may never have come to its flow: what may have begun is said', () => {
    const outbox = outboxOf(anEvent('a'));
    fail(outbox);
    putFound(outbox, { rowOnly: { a: 'over' } });
    const { event, again, begun } = next(outbox);
    assert.deepEqual([event?.rowOnly, again, begun], ['over', true, true]);
  });

  it('was never begun where it was over at the first try', () => {
    const outbox = outboxOf(anEvent('a'));
    putFound(outbox, { rowOnly: { a: 'over' } });
    fail(outbox);
    const { again, begun } = next(outbox);
    assert.deepEqual([again, begun], [true, undefined]);
  });

  const failed = anEvent('f', { type: 'payment-failed' });
  const recovered = anEvent('r', { type: 'payment-recovered', rowOnly: 'countered', answers: 'f' });
  const cases: [name: string, outcome: DeliverResult['outcome'], rowOnly: RowOnlyReason | undefined][] = [
    ['what undoes it is told where it turns out to have been told after all', 'told', undefined],
    ['what undoes it is recorded only where it was not told', 'recorded', 'countered'],
  ];
  for (const [name, outcome, rowOnly] of cases) {
    it(name, () => {
      const outbox = outboxOf(failed);
      fail(outbox);
      putFound(outbox, { events: [recovered], rowOnly: { f: 'countered' } });
      assert.equal(next(outbox).event?.rowOnly, 'countered');
      deliver(outbox, outcome);
      assert.deepEqual([next(outbox).event?.id, next(outbox).event?.rowOnly], ['r', rowOnly]);
    });
  }

  it('what undoes it and is over by now itself stays so', () => {
    const outbox = outboxOf(failed);
    fail(outbox);
    putFound(outbox, { events: [recovered], rowOnly: { f: 'countered' } });
    putFound(outbox, { rowOnly: { r: 'over' } });
    deliver(outbox, 'told');
    assert.equal(next(outbox).event?.rowOnly, 'over');
  });
});

describe('outbox: what waits for a person', () => {
  const ended = anEvent('e', { type: 'ended' });
  const receipt = anEvent('receipt.b1', { type: 'receipt', billId: 'b1' });

  it('the brake lets later events pass, and the state tags', () => {
    const outbox = outboxOf(ended, anEvent('a'));
    outbox.gained = ['sesamy_stage_lapsed'];
    assert.deepEqual(deliver(outbox, 'held'), [], 'nothing was given with what is held');
    assert.deepEqual(heldBy(outbox), { what: 'ended', since: ended.at });
    assert.deepEqual([next(outbox).event?.id, next(outbox).gained, next(outbox).last], ['a', outbox.gained, true]);
    deliver(outbox);
    assert.equal(nextDelivery(outbox), undefined);
    assert.deepEqual(waitingOf(outbox), [{ event: ended, held: 'ended' }]);
  });

  it('the brake holds nothing that is over', () => {
    const outbox = outboxOf(ended);
    deliver(outbox, 'held');
    putFound(outbox, { rowOnly: { e: 'over' } });
    assert.equal(heldBy(outbox), undefined);
    assert.equal(next(outbox).event?.rowOnly, 'over');
  });

  it('a receipt in doubt stays so when it is found to be over', () => {
    const outbox = outboxOf(receipt);
    deliver(outbox, 'in-doubt');
    putFound(outbox, { rowOnly: { [receipt.id]: 'over' } });
    assert.equal(nextDelivery(outbox), undefined);
  });

  it('what is released is tried with that word, and held again only by a new reason', () => {
    const outbox = outboxOf(ended);
    deliver(outbox, 'held');
    assert.equal(release(outbox, 'receipt'), false, 'of another kind');
    assert.equal(release(outbox, 'ended'), true);
    assert.deepEqual([next(outbox).released, heldBy(outbox)], [true, undefined]);
    deliver(outbox, 'held');
    assert.equal(nextDelivery(outbox), undefined);
    release(outbox, undefined);
    deliver(outbox);
    assert.deepEqual(ids(outbox), []);
  });

  const tries: [name: string, notSent: boolean, again: Pick<Delivery, 'again' | 'notSent' | 'released'>][] = [
    ['no mail went out: the release stands', true, { again: true, notSent: true, released: true }],
    ['a mail may have gone out: released no more', false, { again: true, notSent: false, released: false }],
  ];
  for (const [name, notSent, expected] of tries) {
    it(`a receipt that was released and failed, ${name}`, () => {
      const outbox = outboxOf(receipt);
      deliver(outbox, 'in-doubt');
      release(outbox, undefined);
      fail(outbox, notSent);
      const { again, notSent: certain, released } = next(outbox);
      assert.deepEqual({ again, notSent: certain, released }, expected);
    });
  }

  it('a doubt ends the certainty that no mail went out', () => {
    const outbox = outboxOf(receipt);
    fail(outbox, true);
    deliver(outbox, 'in-doubt');
    release(outbox, 'receipt');
    assert.deepEqual([next(outbox).again, next(outbox).notSent], [true, false]);
  });

  it('what is discarded is never told, and others are left alone', () => {
    const outbox = outboxOf(ended, receipt);
    deliver(outbox, 'held');
    deliver(outbox, 'in-doubt');
    assert.equal(discard(outbox, 'ended', now), true);
    assert.deepEqual(ids(outbox), [receipt.id]);
    assert.equal(discard(outbox, undefined, now), true);
    assert.equal(discard(outbox, undefined, now), false);
    assert.deepEqual(
      outbox.told.map(({ outcome }) => outcome),
      ['discarded', 'discarded'],
    );
    putFound(outbox, { events: [ended, receipt] });
    assert.deepEqual(ids(outbox), []);
  });
});

describe('outbox: its end and its size', () => {
  it('drops everything where there is nobody to tell', () => {
    const outbox = outboxOf(anEvent('a'), anEvent('b'));
    outbox.gained = ['sesamy_stage_active'];
    fail(outbox);
    dropAll(outbox, now);
    assert.equal(nextDelivery(outbox), undefined);
    assert.equal(outbox.failing, undefined);
    assert.deepEqual(
      outbox.told.map(({ event, outcome }) => [event.id, outcome]),
      [
        ['a', 'dropped'],
        ['b', 'dropped'],
      ],
    );
  });

  it('remembers the last twenty that were told, and the ids of the last hundred', () => {
    const outbox = freshOutbox();
    for (let index = 0; index < 150; index += 1) {
      putFound(outbox, { events: [anEvent(`e${index}`)] });
      deliver(outbox, 'recorded', 'no-mail');
    }
    assert.equal(outbox.told.length, 20);
    assert.equal(outbox.toldIds.length, 100);
    assert.deepEqual(outbox.told.at(-1), { event: anEvent('e149'), outcome: 'recorded', reason: 'no-mail', at: now });
    putFound(outbox, { events: [anEvent('e60')] });
    assert.deepEqual(ids(outbox), []);
  });
});
