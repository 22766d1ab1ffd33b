import assert from 'node:assert/strict';
import { defaultStageSettings, type StageSettings, stageFacts, stageOf } from '../src/lifecycle/stage.js';
import type { StageContract, StageEntitlement } from '../src/lifecycle/subscriptions.js';

const now = '2026-06-01T12:00:00.000Z';
const dayMs = 24 * 60 * 60 * 1000;

/** So many days from now; days that have passed are negative. */
function day(offset: number): string {
  return new Date(Date.parse(now) + offset * dayMs).toISOString();
}

/** A monthly subscription of a year ago that goes on by itself. */
function monthly(overrides: Partial<StageContract> = {}): StageContract {
  return {
    id: 'c1',
    status: 'ACTIVE',
    isActive: true,
    duration: 'RECURRING',
    createdAt: day(-365),
    updatedAt: day(-10),
    nextBillAt: day(10),
    ...overrides,
  };
}

/** A term of a year that ends, unless the reader renews it. */
function term(overrides: Partial<StageContract> = {}): StageContract {
  return monthly({
    duration: 'RENEWABLE',
    nextBillAt: undefined,
    createdAt: day(-265),
    expiresAt: day(100),
    ...overrides,
  });
}

function ended(overrides: Partial<StageContract> = {}): StageContract {
  return monthly({
    id: 'c0',
    status: 'EXPIRED',
    isActive: false,
    expiresAt: day(-60),
    nextBillAt: undefined,
    ...overrides,
  });
}

const article: StageEntitlement = { type: 'article', origin: { type: 'PAYMENTS' } };

interface Row {
  name: string;
  contracts?: StageContract[];
  entitlements?: StageEntitlement[];
  settings?: Partial<StageSettings>;
  expect: { stage: string; until?: string };
}

const groups: Record<string, Row[]> = {
  'without a running subscription': [
    { name: 'nothing at all', expect: { stage: 'none' } },
    {
      name: 'external access and gifts make no subscriber',
      entitlements: [
        { type: 'pass', origin: { type: 'EXTERNAL' } },
        { type: 'pass', origin: { type: 'PAYMENTS' } },
      ],
      expect: { stage: 'none' },
    },
    { name: 'an ended subscription', contracts: [ended()], expect: { stage: 'lapsed' } },
    {
      name: 'an ended subscription without any date',
      contracts: [{ id: 'c0', status: 'CANCELED', isActive: false }],
      expect: { stage: 'lapsed' },
    },
    {
      name: 'bought once, by duration',
      contracts: [monthly({ duration: 'PERPETUAL' })],
      expect: { stage: 'single-purchase' },
    },
    {
      name: 'bought once, by status in any letter case',
      contracts: [monthly({ status: 'Closed', isActive: false })],
      expect: { stage: 'single-purchase' },
    },
    { name: 'a paid article', entitlements: [article], expect: { stage: 'single-purchase' } },
    {
      name: 'lapsed before single purchase',
      contracts: [ended(), monthly({ id: 'c2', duration: 'PERPETUAL' })],
      expect: { stage: 'lapsed' },
    },
  ],
  'onboarding and active': [
    { name: 'a subscription of a year ago', contracts: [monthly()], expect: { stage: 'active' } },
    {
      name: 'a new one, until it is no longer new',
      contracts: [monthly({ createdAt: day(-10) })],
      expect: { stage: 'onboarding', until: day(20) },
    },
    {
      name: 'onboarding ends to the second',
      contracts: [monthly({ createdAt: day(-30) })],
      expect: { stage: 'active' },
    },
    {
      name: 'onboarding of another length',
      contracts: [monthly({ createdAt: day(-30) })],
      settings: { onboardingDays: 60 },
      expect: { stage: 'onboarding', until: day(30) },
    },
    {
      name: 'a subscription that does not say when it began is not new',
      contracts: [monthly({ createdAt: undefined })],
      expect: { stage: 'active' },
    },
    {
      name: 'a second subscription makes no new reader',
      contracts: [monthly(), monthly({ id: 'c2', createdAt: day(-1) })],
      expect: { stage: 'active' },
    },
    {
      name: 'a change of plan makes no new reader',
      contracts: [ended({ createdAt: day(-300), expiresAt: day(-3) }), monthly({ createdAt: day(-2) })],
      expect: { stage: 'active' },
    },
    {
      name: 'nor does a chain of them',
      contracts: [
        ended({ id: 'a', createdAt: day(-300), expiresAt: day(-25) }),
        ended({ id: 'b', createdAt: day(-24), expiresAt: day(-3) }),
        monthly({ createdAt: day(-2) }),
      ],
      expect: { stage: 'active' },
    },
    {
      name: 'one who comes back after a break is welcomed again',
      contracts: [ended({ expiresAt: day(-60) }), monthly({ createdAt: day(-2) })],
      expect: { stage: 'onboarding', until: day(28) },
    },
    {
      name: 'a running subscription before an article',
      contracts: [monthly()],
      entitlements: [article],
      expect: { stage: 'active' },
    },
    {
      name: 'an unknown status is judged by isActive',
      contracts: [monthly({ status: 'PAUSED' })],
      expect: { stage: 'active' },
    },
  ],
  'renewal due': [
    {
      name: 'a term, until the notice begins',
      contracts: [term()],
      expect: { stage: 'active', until: day(86) },
    },
    {
      name: 'a term within the notice, until it ends',
      contracts: [term({ expiresAt: day(14) })],
      expect: { stage: 'renewal-due', until: day(14) },
    },
    {
      name: 'a notice of another length',
      contracts: [term({ expiresAt: day(14) })],
      settings: { renewalNoticeDays: [7, 3] },
      expect: { stage: 'active', until: day(7) },
    },
    {
      name: 'a term that should be over but still runs: Sesamy will say',
      contracts: [term({ expiresAt: day(-1) })],
      expect: { stage: 'renewal-due' },
    },
    {
      name: 'a renewable term without an end: its next bill',
      contracts: [term({ expiresAt: undefined, nextBillAt: day(5) })],
      expect: { stage: 'renewal-due', until: day(5) },
    },
    {
      name: 'a monthly subscription that renews by itself is never due',
      contracts: [monthly({ nextBillAt: day(1), recurringInterval: 'MONTH', recurringTime: 1 })],
      expect: { stage: 'active' },
    },
    {
      name: 'nor is it where Sesamy shows the end of the paid month as its end',
      contracts: [monthly({ nextBillAt: day(10), expiresAt: day(10) })],
      expect: { stage: 'active', until: day(10) },
    },
    {
      name: 'nor where its interval is not known',
      contracts: [monthly({ nextBillAt: day(1) })],
      expect: { stage: 'active' },
    },
    {
      name: 'a yearly one that renews by itself is due before it is billed',
      contracts: [monthly({ nextBillAt: day(10), recurringInterval: 'YEAR', recurringTime: 1 })],
      expect: { stage: 'renewal-due', until: day(10) },
    },
    {
      name: 'twelve months are as long as a year',
      contracts: [monthly({ nextBillAt: day(20), recurringInterval: 'month', recurringTime: 12 })],
      expect: { stage: 'active', until: day(6) },
    },
    {
      name: 'a recurring one that is billed no more ends',
      contracts: [monthly({ nextBillAt: undefined, expiresAt: day(3) })],
      expect: { stage: 'renewal-due', until: day(3) },
    },
    {
      name: 'a trial of two weeks is onboarding in its first half',
      contracts: [term({ createdAt: day(-4), expiresAt: day(10) })],
      expect: { stage: 'onboarding', until: day(3) },
    },
    {
      name: 'and due in its second: the end of a trial matters more than its welcome',
      contracts: [term({ createdAt: day(-8), expiresAt: day(6) })],
      expect: { stage: 'renewal-due', until: day(6) },
    },
    {
      name: 'another subscription that goes on: nothing is due',
      contracts: [term({ expiresAt: day(5) }), monthly({ id: 'c2' })],
      expect: { stage: 'active' },
    },
  ],
  'overdue and cancelling': [
    { name: 'a failed payment', contracts: [monthly({ status: 'Overdue' })], expect: { stage: 'overdue' } },
    {
      name: 'overdue before cancelling',
      contracts: [monthly({ status: 'OVERDUE', willCancelAt: day(3) })],
      expect: { stage: 'overdue', until: day(3) },
    },
    {
      name: 'overdue before onboarding',
      contracts: [monthly({ status: 'OVERDUE', createdAt: day(-5) })],
      expect: { stage: 'overdue' },
    },
    {
      name: 'another subscription is paid: not overdue',
      contracts: [monthly({ status: 'OVERDUE' }), monthly({ id: 'c2' })],
      expect: { stage: 'active' },
    },
    {
      name: 'cancelled with time left, until it ends',
      contracts: [monthly({ willCancelAt: day(20) })],
      expect: { stage: 'cancelling', until: day(20) },
    },
    {
      name: 'cancelled is not due for renewal',
      contracts: [term({ expiresAt: day(5), willCancelAt: day(5) })],
      expect: { stage: 'cancelling', until: day(5) },
    },
    {
      name: 'cancelled in the first days is not onboarding',
      contracts: [monthly({ createdAt: day(-2), willCancelAt: day(20) })],
      expect: { stage: 'cancelling', until: day(20) },
    },
    {
      name: 'a status CANCELLING without a date',
      contracts: [monthly({ status: 'Cancelling' })],
      expect: { stage: 'cancelling' },
    },
    {
      name: 'regretted: the date is gone',
      contracts: [monthly({ willCancelAt: undefined })],
      expect: { stage: 'active' },
    },
    {
      name: 'another subscription goes on: not cancelling',
      contracts: [monthly({ willCancelAt: day(20) }), monthly({ id: 'c2' })],
      expect: { stage: 'active' },
    },
    {
      name: 'the cancellation took effect: Sesamy says when it is over',
      contracts: [monthly({ willCancelAt: day(-1) })],
      expect: { stage: 'cancelling' },
    },
    {
      name: 'dates that are none count as absent',
      contracts: [monthly({ createdAt: '12:30', expiresAt: 'never', nextBillAt: '' })],
      expect: { stage: 'active' },
    },
  ],
};

describe('lifecycle: the stage', () => {
  for (const [group, rows] of Object.entries(groups)) {
    describe(group, () => {
      for (const row of rows) {
        it(row.name, () => {
          const facts = stageFacts(row.contracts ?? [], row.entitlements ?? []);
          const settings = { ...defaultStageSettings, ...row.settings };
          assert.deepEqual(stageOf(facts, new Date(now), settings), row.expect);
          assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts, 'the facts can be kept as JSON');
        });
      }
    });
  }

  it('a stage holds until the time that it names, and is another then', () => {
    const facts = stageFacts([term({ createdAt: day(-1), expiresAt: day(364) })], []);
    const seen: string[] = [];
    let at: string | undefined = now;
    while (at !== undefined && seen.length < 10) {
      const { stage, until } = stageOf(facts, new Date(at), defaultStageSettings);
      const last = until && stageOf(facts, new Date(Date.parse(until) - 1), defaultStageSettings).stage;
      if (last) assert.equal(last, stage);
      seen.push(stage);
      at = until;
    }
    // The last look is at the end itself: Sesamy then says what became of it.
    assert.deepEqual(seen, ['onboarding', 'active', 'renewal-due', 'renewal-due']);
  });
});
