import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import fc from 'fast-check';
import { readPerson } from '../src/activities/read-person.js';
import type { LifecycleEvent, LifecycleEventType } from '../src/contract/index.js';
import { defaultLifecycleSettings } from '../src/lifecycle/index.js';
import { eventTag, type Source } from '../src/mapping/index.js';
import { LivedLife, type Plan, type Trouble } from './support/lived-life.js';
import { type Act, day, type Fact, hour, iso, minute } from './support/reader-life.js';

/** A failing life is lived again by the seed and path that fast-check prints: `FC_SEED=… FC_PATH=… npx mocha …`. */
const replay = {
  ...(process.env.FC_SEED ? { seed: Number(process.env.FC_SEED) } : {}),
  ...(process.env.FC_PATH ? { path: process.env.FC_PATH } : {}),
};

const { maxEventAgeMs, endedWaitMs, cancelWaitMs, renewalNoticeDays, winBackDays } = defaultLifecycleSettings;

// --- what lives are made of

const kind = fc.constantFrom('monthly' as const, 'monthly' as const, 'yearly' as const, 'term' as const);
const which = fc.nat(3);

function acts(lates: number[]): fc.Arbitrary<Act> {
  const doing = <const D extends string>(...what: D[]) => fc.record({ do: fc.constantFrom(...what), which });
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('buy' as const), kind }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('buy' as const), kind: fc.constant('single' as const) }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'article' as const }) },
    { weight: 3, arbitrary: doing('cancel') },
    { weight: 3, arbitrary: doing('regret') },
    { weight: 3, arbitrary: doing('fail', 'failNextBill') },
    { weight: 3, arbitrary: doing('recover') },
    { weight: 2, arbitrary: doing('end') },
    { weight: 2, arbitrary: doing('resume') },
    { weight: 1, arbitrary: doing('renewTerm') },
    { weight: 1, arbitrary: doing('refund') },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('changePlan' as const),
        which,
        kind,
        gapMs: fc.constantFrom(0, 2 * minute, 8 * minute),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('billLate' as const), which, lateMs: fc.constantFrom(...lates) }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'touch' as const }) },
  );
}

const soon = fc.integer({ min: 1, max: 8 }).map((minutes) => minutes * minute);
const later = fc.oneof(
  fc.integer({ min: 1, max: 48 }).map((hours) => hours * hour),
  fc.integer({ min: 2, max: 60 }).map((days) => days * day),
);

/** Every webhook comes, soon, perhaps twice; both vendors are well. */
const calmLife: fc.Arbitrary<Plan> = fc.record({
  guest: fc.constant(false),
  datedAccess: fc.boolean(),
  recheckDays: fc.constantFrom(3, 20),
  backfilled: fc.constantFrom(undefined, undefined, 'nobody' as const, 'monthly' as const, 'yearly' as const),
  steps: fc.array(
    fc.record({
      afterMs: fc.oneof({ weight: 1, arbitrary: soon }, { weight: 4, arbitrary: later }),
      what: fc.oneof(
        { weight: 8, arbitrary: acts([2 * hour, 2 * day, 5 * day]) },
        {
          weight: 1,
          arbitrary: fc.constantFrom<Trouble>({ do: 'resync' }, { do: 'syncNow' }),
        },
      ),
    }),
    { minLength: 4, maxLength: 22, size: 'max' },
  ),
  fates: fc.array(fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 2 }), {
    minLength: 3,
    maxLength: 3,
  }),
  chance: fc.integer(),
});

const calls = fc.record({ do: fc.constant('crash' as const), atCall: fc.nat(6), effect: fc.boolean() });
const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Trouble>({ do: 'resync' }, { do: 'syncNow' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('empty' as const),
      forMs: fc.integer({ min: 1, max: 14 }).map((m) => m * minute),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('outage' as const),
      forMs: fc.constantFrom(minute, 20 * minute, 5 * hour, 5 * hour, day, 9 * day),
      effect: fc.constantFrom('none' as const, 'done' as const, 'either' as const),
    }),
  },
  { weight: 8, arbitrary: calls },
  { weight: 1, arbitrary: fc.constant<Trouble>({ do: 'deleteInRule' }) },
);

const wildLife: fc.Arbitrary<Plan> = fc.record({
  guest: fc.boolean(),
  datedAccess: fc.boolean(),
  recheckDays: fc.constantFrom(3, 20),
  backfilled: fc.constantFrom(undefined, undefined, 'nobody' as const, 'monthly' as const, 'yearly' as const),
  steps: fc.array(
    fc.record({
      afterMs: fc.oneof(
        { weight: 3, arbitrary: soon },
        { weight: 3, arbitrary: fc.integer({ min: 15, max: 12 * 60 }).map((minutes) => minutes * minute) },
        { weight: 2, arbitrary: later },
      ),
      what: fc.oneof(
        { weight: 5, arbitrary: acts([2 * hour, 2 * day, 5 * day, 12 * day]) },
        { weight: 3, arbitrary: trouble },
        { weight: 1, arbitrary: fc.constant<Act>({ do: 'confirm' }) },
      ),
    }),
    { minLength: 6, maxLength: 26, size: 'max' },
  ),
  fates: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<number[]>([1_000]) },
      { weight: 2, arbitrary: fc.constant<number[]>([]) },
      { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 10 * minute }), { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 3 * day }), { minLength: 1, maxLength: 2 }) },
    ),
    { minLength: 1, maxLength: 8 },
  ),
  chance: fc.integer(),
});

// --- what is true at Sesamy, from the facts alone

interface Span {
  from: number;
  /** Infinite while it goes on. */
  to: number;
  endedBy?: Fact['what'];
}

/** When there was at least one running subscription. */
function subscribedSpans(facts: readonly Fact[]): Span[] {
  const running = new Set<string>();
  const spans: Span[] = [];
  for (const { at, what, contractId = '' } of facts) {
    const before = running.size;
    if (what === 'bought' || what === 'resumed') running.add(contractId);
    if (what === 'ended') running.delete(contractId);
    if (before === 0 && running.size > 0) {
      const last = spans.at(-1);
      // In one and the same moment: nobody can see a gap.
      if (last?.to === at) last.to = Number.POSITIVE_INFINITY;
      else spans.push({ from: at, to: Number.POSITIVE_INFINITY });
    }
    const last = spans.at(-1);
    if (before > 0 && running.size === 0 && last) last.to = at;
  }
  return spans;
}

/** When a contract was in a state. */
function stateSpans(facts: readonly Fact[], contractId: string, begins: Fact['what'], ends: Fact['what']): Span[] {
  const spans: Span[] = [];
  for (const fact of facts.filter((one) => one.contractId === contractId)) {
    const last = spans.at(-1);
    const isOn = last && last.to === Number.POSITIVE_INFINITY;
    if (fact.what === begins && !isOn) spans.push({ from: fact.at, to: Number.POSITIVE_INFINITY });
    if ([ends, 'ended'].includes(fact.what) && isOn) Object.assign(last, { to: fact.at, endedBy: fact.what });
  }
  return spans;
}

/** Whether the event is true of what Sesamy showed. */
function isTrueOf({ type, contractId }: LifecycleEvent, { contracts }: Omit<Source, 'cancelRequestedAt'>): boolean {
  const running = contracts.filter((one) => one.isActive && one.duration !== 'PERPETUAL');
  const contract = running.find(({ id }) => id === contractId);
  switch (type) {
    case 'subscribed':
    case 'returned':
      return running.length > 0;
    case 'ended':
    case 'win-back':
      return running.length === 0;
    case 'payment-failed':
      return contract?.status === 'OVERDUE';
    case 'payment-recovered':
      return contract !== undefined && contract.status !== 'OVERDUE';
    case 'cancel-requested':
      return contract?.willCancelAt !== undefined;
    case 'cancel-regretted':
      return contract !== undefined && contract.willCancelAt === undefined;
    case 'renewed':
      return contract !== undefined;
    case 'renewal-due':
      return contract !== undefined && contract.status !== 'OVERDUE' && contract.willCancelAt === undefined;
    case 'single-purchase':
    case 'receipt':
      return true;
  }
}

// --- what must hold of any life

function judgeAny(life: LivedLife): void {
  const { rows, fires, found, taken, reader, state } = life;
  const events = eventsOf(life);

  for (const { live, input, result } of found) {
    if (live) continue;
    assert.deepEqual(result.events ?? [], [], 'a quiet sync finds nothing to tell');
    const gained = (result.gained ?? []).filter((tag) => !input.gained.includes(tag));
    assert.deepEqual(gained, [], 'a quiet sync starts no flow by a state tag');
  }

  assert.deepEqual(doubles(rows.map(({ id }) => id)), [], 'no event has two rows');
  const fired = fires.flatMap(({ event, tags }) => (event && tags.includes(eventTag(event.type)) ? [event] : []));
  assert.deepEqual(doubles(fired.map(({ id }) => id)), [], 'no event is fired twice');
  const order = taken.filter((id) => rows.some((row) => rowOf(row.id) === rowOf(id)));
  assert.deepEqual(
    rows.map(({ id }) => rowOf(id)),
    order.map(rowOf),
    'rows are in the order in which events were found',
  );
  for (const { event, tags, held, lookAt, seen } of fires) {
    assert.ok(!Number.isNaN(lookAt), 'a sync fires nothing');
    assert.deepEqual(
      tags.filter((tag) => held.includes(tag)),
      [],
      'nothing is fired that is there',
    );
    if (!event || !tags.includes(eventTag(event.type))) continue;
    assert.equal(event.rowOnly, undefined, `${event.id} is recorded only`);
    assert.ok(isTrueOf(event, seen), `${event.id} is fired while it is not true`);
    if (event.type === 'receipt') continue;
    assert.ok(lookAt - Date.parse(event.at) <= maxEventAgeMs, `${event.id} is fired when it is old`);
  }

  const spans = subscribedSpans(reader.facts);
  const told = rows.map(({ id }) => events.get(id)).filter((event) => event !== undefined);
  increases(
    told.flatMap((event) => placeOf(event, spans)),
    'subscribed, ended, win-back and returned are told in the order of life',
  );
  for (const contractId of new Set(told.map((event) => event.contractId ?? ''))) {
    const mine = told.filter((event) => event.contractId === contractId);
    const overdue = stateSpans(reader.facts, contractId, 'failed', 'recovered');
    const cancelled = stateSpans(reader.facts, contractId, 'cancelled', 'regretted');
    increases(
      mine.flatMap((event) => stateOf(event, overdue, 'payment-failed', 'payment-recovered')),
      'payment-failed comes before payment-recovered',
    );
    increases(
      mine.flatMap((event) => stateOf(event, cancelled, 'cancel-requested', 'cancel-regretted')),
      'cancel-requested comes before cancel-regretted',
    );
  }

  for (const { at, group, id } of rows.filter((row) => row.group === 'Sesamy_Receipt')) {
    const refund = reader.facts.find(({ what, billId }) => what === 'refunded' && billId === id);
    assert.ok(!refund || refund.at >= at, `${group}: ${id} had been refunded`);
  }

  // Things are quiet: nothing is left over.
  assert.deepEqual(state.outbox.entries, [], 'everything is told');
  assert.deepEqual(state.outbox.gained, [], 'every state tag is given');
  // Who was never written is a guest still, or was one for so long that nobody looks any more.
  const { ruleId, deletedInRule, notInRuleSince } = state.known;
  if (ruleId !== undefined && !deletedInRule && !notInRuleSince) {
    const wanted = readPerson(life.vendor, { ...reader.source(), cancelRequestedAt: {} }, new Date(life.now));
    const kept = (tag: string) => tag !== 'sesamy_made_single_purchase' && !tag.startsWith('sesamy_event_');
    const held = life.rule.byEmail('one@example.com');
    assert.deepEqual([...(held?.tags ?? [])].filter(kept).sort(), wanted.tags.filter(kept).sort());
  }
  for (const [id, { outcome }] of life.outcomes) {
    if (outcome !== 'told' && outcome !== 'recorded') continue;
    assert.ok(
      rows.some((row) => rowOf(row.id) === rowOf(id)),
      `${id} has its row`,
    );
  }

  // Titles and ids are short here, so that what grows is seen.
  assert.ok(life.largest.state < 30_000, `the state had ${life.largest.state} characters`);
  assert.ok(life.largest.lifecycle < 4_000, `the memory had ${life.largest.lifecycle} characters`);
  assert.ok(life.largest.entries <= 40, `${life.largest.entries} events waited`);
}

/** As they were found first: of the same one nothing is told again. */
function eventsOf({ found }: LivedLife): Map<string, LifecycleEvent> {
  const all = found.flatMap(({ result }) => result.events ?? []);
  return new Map(all.reverse().map((event) => [event.id, event]));
}

/** A receipt's row has the id of its bill. */
function rowOf(id: string): string {
  return id.replace(/^receipt\./, '');
}

function doubles(ids: readonly string[]): string[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}

function increases(places: readonly { place: number; id: string }[], what: string): void {
  for (const [index, { place, id }] of places.entries()) {
    const before = places[index - 1];
    if (before) assert.ok(before.place < place, `${what}: ${id} after ${before.id}`);
  }
}

const slack = 1_000;

/** Which beginning, end or gap of being a subscriber an event tells of. */
function placeOf(event: LifecycleEvent, spans: readonly Span[]): { place: number; id: string }[] {
  const at = Date.parse(event.at);
  const { id } = event;
  const part = ['subscribed', 'returned'].includes(event.type)
    ? 0
    : event.type === 'ended'
      ? 1
      : event.type === 'win-back'
        ? 2
        : undefined;
  if (part === undefined) return [];
  const index =
    part === 1
      ? spans.findIndex(({ from, to }) => from <= at + slack && to >= at - slack)
      : spans.findLastIndex(({ from }) => from <= at + slack);
  const span = spans[index];
  assert.ok(span, `${id} tells of something that has happened`);
  if (part === 0) assert.ok(at <= span.to + slack, `${id} tells of a beginning`);
  if (part === 2) assert.ok(at >= span.to, `${id} tells of somebody who is away`);
  const nth = part === 2 ? winBackDays.findIndex((days) => id.endsWith(`.${days}`)) : 0;
  return [{ place: index * 10 + part + nth, id }];
}

/** Which time of a state an event tells of. */
function stateOf(
  event: LifecycleEvent,
  spans: readonly Span[],
  begins: LifecycleEventType,
  ends: LifecycleEventType,
): { place: number; id: string }[] {
  const at = Date.parse(event.at);
  const { id } = event;
  if (event.type === begins) {
    const index = spans.findIndex(({ from, to }) => from <= at + slack && to >= at - slack);
    assert.ok(index >= 0, `${id} tells of something that has happened`);
    return [{ place: index * 2, id }];
  }
  if (event.type !== ends) return [];
  const index = spans.findLastIndex(({ to }) => to <= at + slack);
  assert.ok(index >= 0, `${id} tells of something that has happened`);
  return [{ place: index * 2 + 1, id }];
}

// --- what a calm life must have brought

interface Expected {
  types: LifecycleEventType[];
  contractId?: string;
  billId?: string;
  at: number;
  /** Else it may have been told, any time in the days after. */
  must: boolean;
}

/** Two changes closer than this may be seen as one. */
const blinkMs = 7 * minute;
/** Whether a wait was over is not certain in between: webhooks, looks and timers have their delays. */
const surelyNotMs = 12 * minute;
const surelyMs = 40 * minute;

function expectations(life: LivedLife, since: number): Expected[] {
  const { facts } = life.reader;
  const expected: Expected[] = [];
  const expect = (
    must: boolean,
    at: number,
    type: LifecycleEventType | LifecycleEventType[],
    rest: Pick<Expected, 'contractId' | 'billId'> = {},
  ) => expected.push({ types: [type].flat(), at, must, ...rest });

  let sure = true;
  const spans = subscribedSpans(facts);
  for (const [index, { from, to }] of spans.entries()) {
    const before = spans[index - 1];
    const gap = before ? from - before.to : Number.POSITIVE_INFINITY;
    // A contract that ends, or comes back, twice in a day is told of once.
    const sameDay = [before?.from, before?.to].some((at) => at !== undefined && Math.min(from, to) - at < day);
    if (sameDay || to - from < blinkMs || (gap > surelyNotMs && gap < surelyMs)) sure = false;
    if (from >= since && gap > surelyNotMs) {
      const type = sure ? (before ? 'returned' : 'subscribed') : (['returned', 'subscribed'] as LifecycleEventType[]);
      expect(sure, from, type);
    }
    if (to === Number.POSITIVE_INFINITY) continue;
    const away = (spans[index + 1]?.from ?? life.now) - to;
    if (to < since) {
      sure = false;
      continue;
    }
    if (away > surelyNotMs && away < surelyMs) sure = false;
    if (away > surelyNotMs) expect(sure, to + endedWaitMs, 'ended');
    for (const days of winBackDays) {
      if (away > days * day - hour) expect(sure && away > days * day + hour, to + days * day, 'win-back');
    }
  }

  for (const contractId of new Set(facts.map((fact) => fact.contractId ?? ''))) {
    const mine = facts.filter((fact) => fact.contractId === contractId && !['paid', 'refunded'].includes(fact.what));
    const alone = (fact: Fact) =>
      mine.every((other) => other === fact || Math.abs(other.at - fact.at) > blinkMs || other.what === 'single');
    // Back before its end was told: what had been true of it has been undone.
    const backSoon = (ended: number) =>
      mine.find(({ what, at }) => what === 'resumed' && at >= ended && at - ended < surelyMs)?.at;
    const stays = (at: number) => mine.every((other) => other.at <= at || other.at - at > blinkMs);
    for (const { from, to, endedBy } of stateSpans(facts, contractId, 'failed', 'recovered')) {
      if (from < since) continue;
      // What is true at first sight is no news.
      const isNew = mine.some(({ what, at }) => /bought|resumed/.test(what) && at <= from && from - at < blinkMs);
      const must = to - from > blinkMs && !isNew;
      expect(must, from, 'payment-failed', { contractId });
      // Nobody saw that it had failed: then it was paid as ever.
      if (!must && endedBy === 'recovered') expect(false, to, 'renewed', { contractId });
      const back = backSoon(to);
      if (endedBy === 'ended' && back) expect(false, back, 'payment-recovered', { contractId });
      if (endedBy === 'recovered') expect(must && stays(to), to, 'payment-recovered', { contractId });
    }
    for (const { from, to, endedBy } of stateSpans(facts, contractId, 'cancelled', 'regretted')) {
      if (from < since || to - from < surelyNotMs) continue;
      // Resumed and cancelled again before anybody looked: for all that could be seen it has stayed cancelled.
      const isAgain = mine.some(({ what, at }) => what === 'resumed' && at <= from && from - at < blinkMs);
      const must = to - from > surelyMs && !isAgain;
      expect(must, from + cancelWaitMs, 'cancel-requested', { contractId });
      const back = backSoon(to);
      if (endedBy === 'ended' && back) expect(false, back, 'cancel-regretted', { contractId });
      if (endedBy === 'regretted') expect(must && stays(to), to, 'cancel-regretted', { contractId });
    }
    for (const fact of mine) {
      if (fact.at < since) continue;
      if (fact.what === 'renewed') expect(alone(fact), fact.at, 'renewed', { contractId });
      const back = fact.what === 'ended' ? backSoon(fact.at) : undefined;
      if (back) expect(false, back, 'renewed', { contractId });
      if (fact.what === 'single') expect(true, fact.at, 'single-purchase', { contractId });
    }
    // Notices, by the paid time as it stood.
    const contract = life.reader.contracts.find(({ id }) => id === contractId);
    if (!contract || contract.duration === 'PERPETUAL' || contract.recurringInterval === 'MONTH') continue;
    for (const [index, { at, until, what }] of mine.entries()) {
      if (until === undefined) continue;
      const next = mine[index + 1]?.at ?? life.now;
      const isOverdue = stateSpans(facts, contractId, 'failed', 'recovered').some(
        (span) => span.from <= at && at < span.to,
      );
      for (const days of renewalNoticeDays) {
        const due = until - days * day;
        if (due < since || due > next || due < at - 7 * day || isOverdue) continue;
        const standing = due > at + hour && next > due + hour && what !== 'regretted';
        expect(standing, due, 'renewal-due', { contractId });
      }
    }
  }

  for (const { what, at, contractId, billId } of facts) {
    if (what !== 'paid' || at < since || !billId) continue;
    const refund = facts.find((fact) => fact.what === 'refunded' && fact.billId === billId);
    expect(!refund || refund.at - at > blinkMs, at, 'receipt', { billId, ...(contractId ? { contractId } : {}) });
  }
  return expected;
}

function judgeCalm(life: LivedLife, since: number): void {
  const events = eventsOf(life);
  const left = life.rows.map(({ id, at, group }) => {
    const event = events.get(group === 'Sesamy_Receipt' ? `receipt.${id}` : id);
    assert.ok(event, `${id} was found`);
    return { at, event };
  });
  for (const { event } of left) {
    const isFired = life.fires.some(
      ({ event: fired, tags }) => fired?.id === event.id && tags.includes(eventTag(event.type)),
    );
    assert.ok(isFired, `${event.id} is fired`);
  }
  const take = (expected: Expected, fits: (at: number) => boolean): boolean => {
    const index = left.findIndex(
      ({ at, event }) =>
        expected.types.includes(event.type) &&
        (expected.contractId === undefined || expected.contractId === event.contractId) &&
        (expected.billId === undefined || expected.billId === event.billId) &&
        fits(at),
    );
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  };
  const expected = expectations(life, since);
  for (const one of expected.filter(({ must, at }) => must && at < life.now - hour)) {
    const isTold = take(one, (at) => at >= one.at - minute && at <= one.at + surelyMs);
    assert.ok(isTold, `${one.types.join(' or ')} of ${one.contractId ?? 'the reader'} at ${iso(one.at)} is told`);
  }
  for (const one of expected.filter(({ must, at }) => !must || at >= life.now - hour))
    take(one, (at) => at >= one.at - hour && at <= one.at + 8 * day);
  assert.deepEqual(
    left.map(({ event }) => event.id),
    [],
    'nothing else is told',
  );
}

async function lived(plan: Plan, judge: (life: LivedLife, since: number) => void): Promise<LivedLife> {
  const life = new LivedLife(plan);
  const since = life.now + (plan.backfilled === undefined ? 0 : 20 * day);
  try {
    await life.live(10 * day);
    judge(life, since);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new Error(`${error.message}\n\nThe life:\n${life.story.join('\n')}\n\n${error.stack}`);
  }
  return life;
}

describe('a random life of a subscriber', function () {
  this.timeout(Number(process.env.FC_RUNS ?? 200) * 600);

  // Between its looks at a removal of tags a sync waits for real; here nothing is slow.
  const wait = timers.setTimeout;
  before(() => {
    timers.setTimeout = (async (_ms: number, value: unknown) => value) as typeof wait;
    syncBuiltinESMExports();
  });
  after(() => {
    timers.setTimeout = wait;
    syncBuiltinESMExports();
  });

  it('A9: calm: everything that happens is told, once, when it should be, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(calmLife, async (plan) => {
        await lived(plan, (life, since) => {
          judgeAny(life);
          judgeCalm(life, since);
        });
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 150), ...replay },
    );
  });

  it('A2, A13, A14: wild: lost and doubled webhooks, outages, deaths of workers and empty lists tell nobody twice, late or wrongly', async () => {
    const sum = { syncs: 0, rows: 0, fires: 0, state: 0, lifecycle: 0, entries: 0 };
    await fc.assert(
      fc.asyncProperty(wildLife, async (plan) => {
        const life = await lived(plan, judgeAny);
        sum.syncs += life.syncs;
        sum.rows += life.rows.length;
        sum.fires += life.fires.length;
        for (const what of ['state', 'lifecycle', 'entries'] as const)
          sum[what] = Math.max(sum[what], life.largest[what]);
      }),
      { numRuns: Number(process.env.FC_RUNS ?? 300), ...replay },
    );
    if (process.env.FC_SUM) console.log(sum);
  });
});
