import assert from 'node:assert/strict';
import type { LifecycleEvent, LifecycleMemory } from '../src/contract/index.js';
import {
  defaultLifecycleSettings,
  type LifecycleInput,
  type LifecycleResult,
  type LifecycleSettings,
  reduceLifecycle,
  standingRequests,
} from '../src/lifecycle/index.js';
import type { StageContract } from '../src/lifecycle/subscriptions.js';

const dayMs = 24 * 60 * 60 * 1000;
const start = Date.parse('2026-06-01T12:00:00Z');

/** So many days from the beginning. */
function day(offset: number): string {
  return new Date(start + offset * dayMs).toISOString();
}

function monthly(overrides: Partial<StageContract> = {}): StageContract {
  return {
    id: 'c1',
    status: 'ACTIVE',
    isActive: true,
    duration: 'RECURRING',
    recurringInterval: 'MONTH',
    recurringTime: 1,
    createdAt: day(-100),
    updatedAt: day(-10),
    nextBillAt: day(20),
    items: [{ name: 'Daily Example' }],
    ...overrides,
  };
}

function yearly(overrides: Partial<StageContract> = {}): StageContract {
  return monthly({ recurringInterval: 'YEAR', nextBillAt: day(200), ...overrides });
}

function over(overrides: Partial<StageContract> = {}): StageContract {
  return monthly({ status: 'EXPIRED', isActive: false, nextBillAt: undefined, expiresAt: day(-1), ...overrides });
}

type Look = Partial<Omit<LifecycleInput, 'settings' | 'now'>> & { at: number; settings?: Partial<LifecycleSettings> };

/** A reader who is looked at again and again; each look starts from what the one before remembered. */
class Reader {
  memory: LifecycleMemory | undefined;
  seen = false;
  last: LifecycleResult | undefined;

  look({ at, settings, ...input }: Look): string[] {
    return this.events({ at, ...(settings ? { settings } : {}), ...input }).map(({ type }) => type);
  }

  events({ at, settings, ...input }: Look): LifecycleEvent[] {
    const result = reduceLifecycle({
      contracts: [],
      entitlements: [],
      cancelRequestedAt: {},
      quiet: false,
      waiting: [],
      seenBefore: this.seen,
      ...input,
      before: this.memory,
      now: new Date(start + at * dayMs),
      settings: { ...defaultLifecycleSettings, ...settings },
    });
    this.memory = result.memory;
    this.seen = true;
    this.last = result;
    return result.events;
  }
}

const minutes = (count: number) => count / (24 * 60);

function subscriber(contract = monthly()): Reader {
  const reader = new Reader();
  reader.look({ at: 0, quiet: true, contracts: [contract] });
  return reader;
}

describe('lifecycle: the first look', () => {
  it('tells nobody anything in a quiet look, whatever there is', () => {
    const reader = new Reader();
    const contracts = [monthly({ createdAt: day(-1), status: 'OVERDUE', willCancelAt: day(3) })];
    assert.deepEqual(reader.look({ at: 0, quiet: true, contracts }), []);
    assert.deepEqual(reader.look({ at: 0, contracts }), [], 'nor in a live look after it');
  });

  it('a purchase of the last minutes is left to its webhook by a quiet look that overtakes it', () => {
    const contracts = [monthly({ createdAt: day(-minutes(2)) })];
    const overtaken = new Reader();
    assert.deepEqual(overtaken.look({ at: 0, quiet: true, contracts }), []);
    assert.deepEqual(overtaken.look({ at: minutes(1), contracts }), ['subscribed']);
    assert.deepEqual(overtaken.look({ at: minutes(2), contracts }), []);
    const older = new Reader();
    older.look({ at: minutes(20), quiet: true, contracts });
    assert.deepEqual(older.look({ at: minutes(21), contracts }), [], 'it was looked at long after the purchase');
  });

  it('a subscription of the last days is news to a live look, an older one is not', () => {
    assert.deepEqual(new Reader().look({ at: 0, contracts: [monthly({ createdAt: day(-6) })] }), ['subscribed']);
    assert.deepEqual(new Reader().look({ at: 0, contracts: [monthly({ createdAt: day(-8) })] }), []);
  });

  it('A31: a guest who confirms two days after a purchase whose webhook was lost is greeted once, and never won back', () => {
    const reader = new Reader();
    reader.seen = true;
    const contracts = [monthly({ createdAt: day(0) })];
    assert.deepEqual(reader.look({ at: 2, contracts }), ['subscribed']);
    assert.deepEqual(reader.look({ at: 3, contracts }), []);
    for (let at = 4; at < 120; at += 1)
      assert.deepEqual(
        reader
          .look({ at, contracts: [monthly({ createdAt: day(0), nextBillAt: day(200) })] })
          .filter((type) => type === 'win-back' || type === 'subscribed'),
        [],
      );
  });

  it('a guest who confirms and is found by a quiet look is greeted by the next live one, while it is news', () => {
    for (const [at, expected] of [
      [5, ['subscribed']],
      [9, []],
    ] as const) {
      const reader = new Reader();
      reader.seen = true;
      const contracts = [monthly({ createdAt: day(0) })];
      assert.deepEqual(reader.look({ at: 2, quiet: true, contracts }), []);
      assert.deepEqual(reader.look({ at, contracts }), expected);
    }
  });

  it('who had a subscription long ago and has a new one has returned', () => {
    const contracts = [over({ id: 'c0', createdAt: day(-400), expiresAt: day(-60) }), monthly({ createdAt: day(-1) })];
    assert.deepEqual(new Reader().look({ at: 0, contracts }), ['returned']);
  });

  it('a change of plan makes a new contract and no event', () => {
    const contracts = [over({ id: 'c0', createdAt: day(-400), expiresAt: day(-1) }), monthly({ createdAt: day(-1) })];
    assert.deepEqual(new Reader().look({ at: 0, contracts }), []);
  });

  it('who lapsed before is not told so, and is won back only at the distances to come', () => {
    const reader = new Reader();
    const contracts = [over({ expiresAt: day(-40) })];
    assert.deepEqual(reader.look({ at: 0, contracts }), []);
    assert.equal(reader.last?.due?.at, day(50));
    assert.deepEqual(reader.look({ at: 50.01, contracts }), ['win-back']);
  });

  it('a cancellation that was there already is not told, its regret is', () => {
    const reader = subscriber(monthly({ willCancelAt: day(20) }));
    assert.deepEqual(reader.look({ at: 1, contracts: [monthly({ willCancelAt: day(20) })] }), []);
    assert.deepEqual(reader.look({ at: 2, contracts: [monthly({ updatedAt: day(2) })] }), ['cancel-regretted']);
  });
});

describe('lifecycle: a subscription that goes on', () => {
  it('is renewed when the paid time moves on, once', () => {
    const reader = subscriber(monthly({ nextBillAt: day(5) }));
    const contracts = [monthly({ nextBillAt: day(35), updatedAt: day(5) })];
    const [event] = reader.events({ at: 5.01, contracts });
    assert.equal(event?.id, 'renewed.c1.20260706');
    assert.equal(event?.at, day(5));
    assert.equal(event?.product, 'Daily Example');
    assert.deepEqual(reader.look({ at: 5.02, contracts }), []);
  });

  it('a change of plan before the bill is due is no renewal', () => {
    const reader = subscriber(monthly({ nextBillAt: day(20) }));
    assert.deepEqual(reader.look({ at: 1, contracts: [monthly({ nextBillAt: day(366) })] }), []);
  });

  it('a term that the reader renews early is renewed', () => {
    const term = { duration: 'RENEWABLE' as const, nextBillAt: undefined };
    const reader = subscriber(monthly({ ...term, expiresAt: day(20) }));
    assert.deepEqual(
      reader.look({ at: 1, contracts: [monthly({ ...term, expiresAt: day(385), updatedAt: day(1) })] }),
      ['renewed'],
    );
  });

  it('a renewal that was missed for longer than news is news is not told', () => {
    const reader = subscriber(monthly({ nextBillAt: day(1) }));
    assert.deepEqual(reader.look({ at: 12, contracts: [monthly({ nextBillAt: day(31) })] }), []);
  });

  it('has its notices 14 and 3 days before a long term is billed, and none for a month', () => {
    const reader = subscriber(yearly());
    assert.equal(reader.last?.due?.at, day(186));
    assert.match(reader.last?.due?.why ?? '', /renewal notice, 14 days/);
    assert.deepEqual(reader.look({ at: 185.9, contracts: [yearly()] }), []);
    assert.deepEqual(reader.look({ at: 186, contracts: [yearly()] }), ['renewal-due']);
    assert.deepEqual(reader.look({ at: 187, contracts: [yearly()] }), []);
    assert.deepEqual(reader.look({ at: 197.01, contracts: [yearly()] }), ['renewal-due']);
    assert.deepEqual(reader.look({ at: 199.9, contracts: [yearly()] }), []);
    const other = subscriber(monthly());
    for (let at = 1; at < 20; at += 1) assert.deepEqual(other.look({ at, contracts: [monthly()] }), []);
  });

  it('of two notices that an outage spanned only the last is given, and none that is too old', () => {
    const reader = subscriber(yearly({ nextBillAt: day(20) }));
    const contracts = [yearly({ nextBillAt: day(20) })];
    assert.deepEqual(
      reader.events({ at: 17.5, contracts }).map(({ id }) => id),
      ['renewal-due.c1.20260621.3'],
    );
    const late = subscriber(yearly({ nextBillAt: day(20) }));
    assert.deepEqual(late.look({ at: 14, contracts, settings: { renewalNoticeDays: [14] } }), []);
  });

  it('has no notice while it is cancelled or overdue', () => {
    const reader = subscriber(yearly({ nextBillAt: day(20) }));
    const cancelled = [yearly({ nextBillAt: undefined, willCancelAt: day(20), expiresAt: day(20), updatedAt: day(5) })];
    assert.deepEqual(reader.look({ at: 5.5, contracts: cancelled }), ['cancel-requested']);
    assert.deepEqual(reader.look({ at: 6.1, contracts: cancelled }), []);
    assert.deepEqual(reader.look({ at: 17.1, contracts: cancelled }), []);
  });

  it('a payment fails and goes through: two events, and no renewal', () => {
    const reader = subscriber(monthly({ nextBillAt: day(5) }));
    const failed = [monthly({ status: 'OVERDUE', nextBillAt: day(35), updatedAt: day(5) })];
    assert.deepEqual(reader.look({ at: 5.01, contracts: failed }), ['payment-failed']);
    assert.deepEqual(reader.look({ at: 8, contracts: [{ ...(failed[0] as StageContract), updatedAt: day(8) }] }), []);
    const paid = [monthly({ nextBillAt: day(35), updatedAt: day(9) })];
    assert.deepEqual(reader.look({ at: 9.01, contracts: paid }), ['payment-recovered']);
    assert.deepEqual(reader.look({ at: 9.02, contracts: paid }), []);
  });
});

describe('lifecycle: cancellation', () => {
  const cancelled = (at: number) => [monthly({ willCancelAt: day(20), nextBillAt: undefined, updatedAt: day(at) })];

  it('is told after the wait, from when it was asked for', () => {
    const reader = subscriber();
    const cancelRequestedAt = { c1: day(1) };
    assert.deepEqual(reader.look({ at: 1 + minutes(1), contracts: cancelled(1), cancelRequestedAt }), []);
    assert.equal(reader.last?.due?.at, new Date(start + dayMs + 15 * 60_000).toISOString());
    assert.deepEqual(reader.look({ at: 1 + minutes(14), contracts: cancelled(1), cancelRequestedAt }), []);
    assert.deepEqual(reader.look({ at: 1 + minutes(16), contracts: cancelled(1), cancelRequestedAt }), [
      'cancel-requested',
    ]);
    assert.deepEqual(reader.look({ at: 2, contracts: cancelled(1), cancelRequestedAt }), []);
  });

  it('A11: regretted inside the wait, neither is told', () => {
    const reader = subscriber();
    assert.deepEqual(reader.look({ at: 1, contracts: cancelled(1) }), []);
    assert.deepEqual(reader.look({ at: 1 + minutes(10), contracts: [monthly({ updatedAt: day(1) })] }), []);
    assert.deepEqual(reader.look({ at: 1 + minutes(20), contracts: [monthly({ updatedAt: day(1) })] }), []);
  });

  it('regretted after it was told, the regret is told once; and it can be cancelled anew', () => {
    const reader = subscriber();
    reader.look({ at: 1, contracts: cancelled(1) });
    assert.deepEqual(reader.look({ at: 1.1, contracts: cancelled(1) }), ['cancel-requested']);
    assert.deepEqual(reader.look({ at: 2, contracts: [monthly({ updatedAt: day(2) })] }), ['cancel-regretted']);
    assert.deepEqual(reader.look({ at: 2.1, contracts: [monthly({ updatedAt: day(2) })] }), []);
    assert.deepEqual(reader.look({ at: 3, contracts: cancelled(3) }), []);
    assert.deepEqual(reader.look({ at: 3.1, contracts: cancelled(3) }), ['cancel-requested']);
  });

  it('a request of an earlier cancellation is not taken for the one that stands now', () => {
    const asked = { c1: day(1) };
    const stand = (at: number, contracts: StageContract[], before?: Partial<LifecycleMemory>) =>
      standingRequests(
        asked,
        contracts,
        before && { contracts: {}, singles: {}, receipts: { since: day(0), done: {} }, ...before },
        new Date(start + at * dayMs),
      );
    const known = { contracts: { c1: { cancelling: { since: day(1 - minutes(1)), told: true } } } };
    const leaving = { leaving: { at: day(1), since: day(1), contractId: 'c1' } };
    const lapsed = { lapsed: { at: day(2), contractId: 'c1', told: true, winBack: 0 } };
    const cases: [name: string, stands: boolean, got: Record<string, string>][] = [
      ['while it stands', true, stand(9, cancelled(1), known)],
      ['before the API shows it', true, stand(1 + minutes(5), [monthly()], { contracts: { c1: {} } })],
      ['of a contract that has ended', true, stand(30, [over({ status: 'CANCELED' })])],
      ['seen to be taken back', false, stand(1 + minutes(5), [monthly()], known)],
      ['taken back unseen', false, stand(2, [monthly()])],
      ['cancelled anew after the contract had ended and run again', false, stand(9, cancelled(9), lapsed)],
      ['the same, before the end was told', false, stand(1 + minutes(5), [monthly()], leaving)],
    ];
    for (const [name, stands, got] of cases) assert.deepEqual(got, stands ? asked : {}, name);
    assert.deepEqual(standingRequests({ c1: 'no date' }, [], undefined, new Date(start)), {});
  });

  it('of a second subscription, bought and cancelled between two looks, is told', () => {
    const reader = subscriber();
    const second = monthly({ id: 'c2', createdAt: day(1), updatedAt: day(1.01), willCancelAt: day(31) });
    assert.deepEqual(reader.look({ at: 1.011, contracts: [monthly(), second] }), []);
    assert.deepEqual(reader.look({ at: 1.1, contracts: [monthly(), second] }), ['cancel-requested']);
    const old = monthly({ id: 'c3', createdAt: day(-30), updatedAt: day(1.01), willCancelAt: day(31) });
    const other = subscriber();
    other.look({ at: 1.011, contracts: [monthly(), old] });
    assert.deepEqual(other.look({ at: 1.1, contracts: [monthly(), old] }), [], 'not of one that is only new to us');
  });

  it('of somebody who was looked at only long after is not told', () => {
    const reader = subscriber();
    assert.deepEqual(reader.look({ at: 9, contracts: cancelled(1) }), []);
    assert.deepEqual(reader.look({ at: 9.1, contracts: cancelled(1) }), []);
  });
});

describe('lifecycle: end and win-back', () => {
  it('the end is told after a wait, and not if another subscription shows by then', () => {
    const ended = [over({ expiresAt: day(1), updatedAt: day(1) })];
    const reader = subscriber();
    assert.deepEqual(reader.look({ at: 1 + minutes(1), contracts: ended }), []);
    assert.equal(reader.last?.leaves, true);
    assert.deepEqual(reader.look({ at: 1 + minutes(2), contracts: ended }), []);
    assert.equal(reader.last?.leaves, false);
    const [event] = reader.events({ at: 1 + minutes(17), contracts: ended });
    assert.equal(event?.id, 'ended.c1.20260602');
    const changing = subscriber();
    changing.look({ at: 1 + minutes(1), contracts: ended });
    const other = monthly({ id: 'c2', createdAt: day(1) });
    assert.deepEqual(changing.look({ at: 1 + minutes(10), contracts: [...ended, other] }), []);
    assert.deepEqual(changing.look({ at: 1 + minutes(30), contracts: [...ended, other] }), []);
  });

  it('one of two subscriptions ends: nobody has left', () => {
    const reader = new Reader();
    reader.look({ at: 0, quiet: true, contracts: [monthly(), monthly({ id: 'c2' })] });
    assert.deepEqual(reader.look({ at: 1, contracts: [over({ expiresAt: day(1) }), monthly({ id: 'c2' })] }), []);
    assert.deepEqual(reader.look({ at: 2, contracts: [over({ expiresAt: day(1) }), monthly({ id: 'c2' })] }), []);
  });

  it('an end that is older than news is remembered and not told; win-backs follow', () => {
    const reader = subscriber();
    const ended = [over({ expiresAt: day(1) })];
    assert.deepEqual(reader.look({ at: 10, contracts: ended }), []);
    assert.deepEqual(reader.look({ at: 31.1, contracts: ended }), ['win-back']);
    assert.deepEqual(reader.look({ at: 32, contracts: ended }), []);
    assert.deepEqual(reader.look({ at: 91.2, contracts: ended }), ['win-back']);
    assert.deepEqual(reader.look({ at: 400, contracts: ended }), []);
  });

  it('of two win-backs that are due at once only the last is told, and none that is too old', () => {
    const reader = subscriber();
    const ended = [over({ expiresAt: day(1) })];
    reader.look({ at: 1.1, contracts: ended });
    reader.look({ at: 1.2, contracts: ended });
    assert.deepEqual(
      reader
        .events({ at: 92, contracts: ended })
        .map(({ id }) => id)
        .at(-1),
      'win-back.c1.20260602.90',
    );
    const away = subscriber();
    away.look({ at: 1.1, contracts: ended });
    away.look({ at: 1.2, contracts: ended });
    assert.deepEqual(away.look({ at: 45, contracts: ended }), []);
  });

  it('who came back and left again unseen is won back only after that end', () => {
    const reader = subscriber();
    const ended = over({ expiresAt: day(1), updatedAt: day(1) });
    reader.look({ at: 1.1, contracts: [ended] });
    reader.look({ at: 1.2, contracts: [ended] });
    for (const contracts of [
      [over({ expiresAt: day(30), updatedAt: day(30) })],
      [ended, over({ id: 'c2', createdAt: day(10), expiresAt: day(30), updatedAt: day(30) })],
    ]) {
      const away = new Reader();
      away.memory = reader.memory;
      assert.deepEqual(away.look({ at: 31.1, contracts }), []);
      assert.equal(away.last?.due?.at, day(60));
      assert.deepEqual(away.look({ at: 60.1, contracts }), ['win-back']);
    }
    const cutShort = [over({ expiresAt: day(15), updatedAt: day(1) })];
    const early = subscriber();
    early.look({ at: 1.1, contracts: cutShort });
    assert.deepEqual(early.look({ at: 1.2, contracts: cutShort }), ['ended']);
    assert.deepEqual(early.look({ at: 31.1, contracts: cutShort }), ['win-back'], 'from when it was cut short');
  });

  it('A10: who renews before the win-back is due is not told to come back', () => {
    const reader = subscriber();
    const ended = [over({ expiresAt: day(1) })];
    reader.look({ at: 1.1, contracts: ended });
    assert.deepEqual(reader.look({ at: 1.2, contracts: ended }), ['ended']);
    const back = [monthly({ updatedAt: day(31), nextBillAt: day(61) })];
    assert.deepEqual(reader.look({ at: 31 - minutes(1), contracts: back }), ['returned']);
    assert.deepEqual(reader.look({ at: 31.1, contracts: back }), []);
  });

  it('who is found gone by a quiet look only is told nothing of it, and won back in time', () => {
    const reader = subscriber();
    const ended = [over({ expiresAt: day(1), updatedAt: day(1) })];
    for (const at of [2, 5, 7.9]) {
      assert.deepEqual(reader.look({ at, quiet: true, contracts: ended }), []);
      assert.equal(reader.last?.due?.at, new Date(start + 8 * dayMs + 1).toISOString());
    }
    assert.deepEqual(reader.look({ at: 8.01, contracts: ended }), []);
    assert.equal(reader.last?.due?.at, day(31));
    assert.deepEqual(reader.look({ at: 9, quiet: true, contracts: ended }), []);
    assert.equal(reader.last?.due?.at, day(31));
    assert.deepEqual(reader.look({ at: 31.01, contracts: ended }), ['win-back']);
  });

  it('who was told that it ended is told that it runs again, also where Sesamy gives no new date', () => {
    const reader = subscriber();
    const other = [over({ id: 'c0', expiresAt: day(-50), createdAt: day(-90) })];
    reader.look({ at: 1, contracts: other });
    assert.deepEqual(reader.look({ at: 1.1, contracts: other }), ['ended'], 'it was not listed for a while');
    assert.deepEqual(reader.look({ at: 1.2, contracts: [monthly()] }), ['returned']);
    assert.deepEqual(reader.look({ at: 1.3, contracts: [monthly()] }), []);
  });

  it('comes back by a new subscription: returned, and an end later is told again', () => {
    const reader = subscriber();
    const ended = over({ expiresAt: day(1) });
    reader.look({ at: 1.1, contracts: [ended] });
    assert.deepEqual(reader.look({ at: 1.2, contracts: [ended] }), ['ended']);
    const next = monthly({ id: 'c2', createdAt: day(2) });
    assert.deepEqual(reader.look({ at: 2.1, contracts: [ended, next] }), ['returned']);
    const again = over({ id: 'c2', createdAt: day(2), expiresAt: day(9) });
    reader.look({ at: 9.1, contracts: [ended, again] });
    assert.deepEqual(
      reader.events({ at: 9.2, contracts: [ended, again] }).map(({ id }) => id),
      ['ended.c2.20260610'],
    );
  });
});

describe('lifecycle: single purchases and receipts', () => {
  const single = (at: number, id = 's1') =>
    monthly({ id, duration: 'PERPETUAL', status: 'CLOSED', nextBillAt: undefined, createdAt: day(at) });

  it('each purchase is told once, whether the contract or the access shows it first', () => {
    const reader = new Reader();
    reader.look({ at: 0, quiet: true });
    const article = {
      type: 'article',
      title: 'An article',
      origin: { type: 'PAYMENTS', contractId: 's1' },
      createdAt: day(1),
    };
    assert.deepEqual(reader.look({ at: 1.1, entitlements: [article] }), ['single-purchase']);
    assert.deepEqual(reader.look({ at: 1.2, entitlements: [article], contracts: [single(1)] }), []);
    assert.deepEqual(reader.look({ at: 2, contracts: [single(1), single(2, 's2')] }), ['single-purchase']);
    assert.deepEqual(reader.look({ at: 20, contracts: [single(1), single(2, 's2')] }), []);
  });

  it('each bill has one receipt; those from before the first look have none', () => {
    const reader = subscriber();
    const payments = [
      { billId: 'b0', contractId: 'c1', at: day(-1) },
      { billId: 'b1', contractId: 'c1', at: day(1) },
    ];
    const [event] = reader.events({ at: 1.1, contracts: [monthly()], payments });
    assert.deepEqual([event?.id, event?.billId], ['receipt.b1', 'b1']);
    assert.deepEqual(reader.look({ at: 1.2, contracts: [monthly()], payments }), []);
    assert.deepEqual(reader.look({ at: 30, contracts: [monthly()], payments }), []);
  });

  it('the purchase that begins everything has its receipt, an older bill has none', () => {
    const payments = [
      { billId: 'b0', at: day(-3) },
      { billId: 'b1', at: day(-1) },
    ];
    const reader = new Reader();
    assert.deepEqual(reader.look({ at: 0, contracts: [monthly({ createdAt: day(-1) })], payments }), [
      'subscribed',
      'receipt',
    ]);
    assert.deepEqual(new Reader().look({ at: 0, contracts: [monthly()], payments }), []);
  });

  it('a purchase that Sesamy shows only after the first look has its receipt, a bill from before it has none', () => {
    const payments = [
      { billId: 'b0', at: day(-1) },
      { billId: 'b1', at: day(-0.001) },
    ];
    const bought = monthly({ createdAt: day(-0.001), nextBillAt: day(30) });
    const article = { ...monthly({ id: 's1', createdAt: day(-0.001) }), duration: 'PERPETUAL' as const };
    for (const [contract, told] of [
      [bought, 'subscribed'],
      [article, 'single-purchase'],
    ] as const) {
      const reader = new Reader();
      assert.deepEqual(reader.look({ at: 0, payments: [] }), [], 'only the account shows');
      assert.deepEqual(reader.look({ at: 0.001, contracts: [contract], payments: [] }), [told], 'then the contract');
      assert.deepEqual(reader.look({ at: 0.002, contracts: [contract], payments }), ['receipt'], 'then the bill');
      assert.deepEqual(reader.look({ at: 0.003, contracts: [contract], payments }), []);
    }
  });
});

describe('lifecycle: what waits to be told', () => {
  const failed = [monthly({ status: 'OVERDUE', updatedAt: day(1) })];

  it('a payment that fails and goes through before anybody could be told starts nothing', () => {
    const reader = subscriber();
    const waiting = reader.events({ at: 1.01, contracts: failed });
    const [recovered] = reader.events({ at: 1.5, contracts: [monthly({ updatedAt: day(1.4) })], waiting });
    assert.equal(recovered?.rowOnly, 'countered');
    assert.deepEqual(reader.last?.rowOnly, { [waiting[0]?.id ?? '']: 'countered' });
  });

  it('a notice that waits is over when the subscription is cancelled meanwhile', () => {
    const reader = subscriber(yearly({ nextBillAt: day(15) }));
    const waiting = reader.events({ at: 1.01, contracts: [yearly({ nextBillAt: day(15) })] });
    assert.deepEqual(
      waiting.map(({ type }) => type),
      ['renewal-due'],
    );
    reader.events({ at: 2, contracts: [yearly({ willCancelAt: day(15), updatedAt: day(2) })], waiting });
    assert.deepEqual(Object.values(reader.last?.rowOnly ?? {}), ['over']);
  });

  it('of two notices that wait the later one takes the place of the earlier', () => {
    const settings = { renewalNoticeDays: [5, 3] };
    const reader = new Reader();
    const contracts = [yearly({ nextBillAt: day(10) })];
    reader.look({ at: 0, quiet: true, settings, contracts });
    const waiting = reader.events({ at: 5.1, settings, contracts });
    assert.deepEqual(reader.look({ at: 7.1, settings, contracts, waiting }), ['renewal-due']);
    assert.deepEqual(reader.last?.rowOnly, { [waiting[0]?.id ?? '']: 'over' });
  });

  it('what waited for longer than news is news is over, a receipt is not', () => {
    const reader = subscriber();
    const payments = [{ billId: 'b1', at: day(1) }];
    const waiting = reader.events({ at: 1.01, contracts: failed, payments });
    assert.deepEqual(
      waiting.map(({ type }) => type),
      ['payment-failed', 'receipt'],
    );
    reader.events({ at: 9, contracts: failed, waiting, payments });
    assert.deepEqual(reader.last?.rowOnly, { [waiting[0]?.id ?? '']: 'over' });
  });

  it('a quiet look finds what is over, too', () => {
    const reader = subscriber();
    const waiting = reader.events({ at: 1.01, contracts: failed });
    reader.events({ at: 1.5, quiet: true, contracts: [monthly({ updatedAt: day(1.4) })], waiting });
    assert.deepEqual(Object.values(reader.last?.rowOnly ?? {}), ['over']);
  });

  it('who comes back on the same subscription before the end could be told hears of neither', () => {
    const reader = subscriber();
    const ended = [over({ expiresAt: day(1) })];
    reader.look({ at: 1.01, contracts: ended });
    const waiting = reader.events({ at: 1.1, contracts: ended });
    const [returned] = reader.events({ at: 1.2, contracts: [monthly({ updatedAt: day(1.2) })], waiting });
    assert.deepEqual([returned?.type, returned?.rowOnly], ['returned', 'countered']);
  });
});

describe('lifecycle: ids from outside', () => {
  for (const id of ['constructor', '__proto__', 'toString', 'a.b/c å|"', '0']) {
    it(`nothing is lost of what is called ${id}`, () => {
      const contract = (overrides: Partial<StageContract>) => monthly({ id, ...overrides });
      const reader = new Reader();
      reader.look({ at: 0, quiet: true });
      const payments = [{ billId: id, at: day(1) }];
      const look = (at: number, contracts: StageContract[]) => {
        reader.memory = JSON.parse(JSON.stringify(reader.memory)) as LifecycleMemory;
        return reader.look({ at, contracts, payments });
      };
      assert.deepEqual(look(1.1, [contract({ createdAt: day(1) })]), ['subscribed', 'receipt']);
      const cancelled = [contract({ createdAt: day(1), willCancelAt: day(20), updatedAt: day(2) })];
      assert.deepEqual(look(2.001, cancelled), []);
      assert.deepEqual(look(2.1, cancelled), ['cancel-requested']);
      const ended = [over({ id, createdAt: day(1), expiresAt: day(3), updatedAt: day(3) })];
      assert.deepEqual(look(3.1, ended), []);
      assert.deepEqual(look(3.2, ended), ['ended']);
      const bought = monthly({ id, duration: 'PERPETUAL', status: 'CLOSED', createdAt: day(4) });
      assert.deepEqual(look(4.1, [bought]), ['single-purchase']);
      assert.deepEqual(look(4.2, [bought]), []);
    });
  }
});

describe('lifecycle: events that are off', () => {
  it('are not told, and what they would have told is not told later', () => {
    const reader = subscriber(monthly({ nextBillAt: day(5) }));
    const contracts = [monthly({ nextBillAt: day(35), updatedAt: day(5) })];
    assert.deepEqual(reader.look({ at: 5.1, contracts, settings: { off: ['renewed'] } }), []);
    assert.deepEqual(reader.look({ at: 5.2, contracts }), []);
  });
});
