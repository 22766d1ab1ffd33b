/**
 * The worker is a process that is killed at every HTTP call of a sync and of a delivery. Each reader below has a kill of their own;
 * one process serves them all, is killed when each of them has come to their point, and is followed by the next.
 */
import assert from 'node:assert/strict';
import type { SubscriberStatus } from '../src/client.js';
import { eventually } from './support/eventually.js';
import { KillableSystem, type Point } from './support/killing.js';
import { addressOf, anEntitlement, aProfile, nextId } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import type { System } from './support/system.js';

const dayMs = 24 * 60 * 60_000;

/** How many activities of a vendor a worker process does at once: so many may be held at one time. */
const slots = 40;

/** Calls of a delivery, and of the sync before it, for the Rule id of a reader. */
const calls = {
  'look at who it is': { method: 'GET', path: (id) => `/v2/subscribers/${id}\\?` },
  'look for the row': { method: 'GET', path: (id) => `/v3/custom-field-data/${id}/search` },
  "removal of the event's own tag": {
    method: 'DELETE',
    path: (id) => `/v3/subscribers/${id}/tags/sesamy_event_(renewed|payment-recovered)\\?`,
  },
  "removal of the other event's tag": {
    method: 'DELETE',
    path: (id) => `/v3/subscribers/${id}/tags/sesamy_event_payment-failed\\?`,
  },
  row: { method: 'POST', path: (id) => `/v3/custom-field-data/${id}$` },
  fire: { method: 'POST', path: (id) => `/v2/subscribers/${id}/tags\\?` },
  'recalculation of segments': { method: 'PUT', path: (id) => `/v3/subscribers/${id}/tags\\?` },
  'write of the fields': { method: 'PUT', path: (id) => `/v2/subscribers/${id}$` },
  'look at the tags': { method: 'GET', path: (id) => `/v2/subscribers/${id}/tags\\?` },
  // These two do not tell in their path whom they are about.
  'first write': { method: 'POST', path: () => '/v2/subscribers$' },
  'removal of old tags': { method: 'DELETE', path: () => '/v3/subscribers/tags$' },
} satisfies Record<string, { method: Point['method']; path: (ruleId: number | undefined) => string }>;

type Call = keyof typeof calls;
type When = Point['when'];
type Kill = readonly [Call, When];

const sides = { before: 'before it takes effect', after: 'before its answer' } as const;
const inWords = (kills: readonly Kill[]) =>
  kills.map(([call, when]) => `at the ${call} ${sides[when]}`).join(', then ');

interface Reader {
  id: string;
  /** Absent for somebody whom Rule does not know yet. */
  ruleId?: number;
}

/** One reader's story: what happens to them in which round, and at which calls the worker dies. */
interface Scene {
  /** What must hold, with the danger in it; the points of the kill are put before it. */
  it: string;
  prepare: (system: System) => Promise<Reader>;
  /** By round, from 0, in which nobody is killed: what happens at Sesamy, if anything, and where the worker is killed then. */
  rounds: Record<
    number,
    { happens?: (system: System, reader: Reader) => Promise<unknown>; kill?: Kill; sesamy?: Point }
  >;
  /** How many events are told at the end of a round. */
  told: Record<number, number>;
  check: (system: System, reader: Reader, status: SubscriberStatus) => void;
}

/** A reader in step whose term ended yesterday. */
async function known(system: System): Promise<Reader> {
  const id = aReader(system, { contract: { nextBillAt: at(-1) } });
  await system.subscribers.resync(system.person(id));
  // All come at once, and asking their workflows in vain would be most of the work.
  await eventually(() => void inRule(system, id), { timeoutMs: 30_000 });
  await system.attempted(id);
  return inRule(system, id);
}

function inRule(system: System, id: string): Reader {
  const ruleId = system.rule.subscriber(addressOf(id))?.id;
  assert.ok(ruleId, 'Rule knows the reader');
  return { id, ruleId };
}

function at(days: number): string {
  return new Date(Date.now() + days * dayMs).toISOString();
}

async function changeContract(system: System, { id }: Reader, change: Record<string, unknown>): Promise<void> {
  const held = system.sesamy.person(id);
  const contracts = (held?.contracts ?? []).map((one) => ({ ...one, updatedAt: at(0), ...change }));
  system.sesamy.setPerson({ ...held, contracts });
  assert.equal((await system.nudge(id, 'contract.1#update', { contractId: contractOf(id) })).status, 202);
}

const renew = (days: number) => (system: System, reader: Reader) =>
  changeContract(system, reader, { nextBillAt: at(days) });
// A term that ends soon counts as renewed when it is billed a little early.
const renewFirst = renew(1);
const renewAgain = renew(31);

const starts = (system: System, { id }: Reader, automation: string) =>
  system.rule
    .automationsStarted()
    .filter((one) => one.automation === automation && one.subscriberId === inRule(system, id).ruleId);
const rows = (system: System, { id }: Reader) =>
  (system.rule.subscriber(addressOf(id))?.rows ?? []).filter(({ group }) => group === 'Sesamy_Event');
const mails = (system: System, { id }: Reader) =>
  system.rule.mails(addressOf(id)).filter(({ state }) => state === 'sent');
const rowIds = (system: System, reader: Reader) => rows(system, reader).map(({ values }) => String(values.Id));
const renewalIn = (days: number, { id }: Reader) =>
  `renewed.${contractOf(id)}.${at(days).slice(0, 10).replaceAll('-', '')}`;

/** Two renewals: the worker is killed during the first, or during the second, there up to three times. */
function twoRenewals(first: Kill | undefined, ...second: Kill[]): Scene {
  const where = first
    ? `killed in the first of two renewals ${inWords([first])}`
    : second.length > 0
      ? `killed in the second of two renewals ${inWords(second)}`
      : 'two renewals and no kill';
  const [kill, ...more] = second;
  const firstRound = first ? 1 : 0;
  // What is killed once is so when there is room for it.
  const secondRound = second.length === 1 ? 2 : firstRound + 1;
  return {
    it: `${where}: two starts and two rows, in order, no third`,
    async prepare(system) {
      const reader = await known(system);
      const newest = { field: 'Sesamy_Event.Id', equals: renewalIn(31, reader) };
      system.rule.addSegment({ name: `renewed twice ${reader.id}`, condition: newest });
      return reader;
    },
    rounds: {
      [firstRound]: { happens: renewFirst, ...(first ? { kill: first } : {}) },
      [secondRound]: { happens: renewAgain, ...(kill ? { kill } : {}) },
      ...Object.fromEntries(more.map((one, index) => [secondRound + 1 + index, { kill: one }])),
    },
    told: { [firstRound]: 1, [secondRound + more.length]: 2 },
    check(system, reader, status) {
      const ids = [renewalIn(1, reader), renewalIn(31, reader)];
      assert.deepEqual(rowIds(system, reader), ids);
      assert.deepEqual(
        status.told.map(({ event, outcome }) => [event.id, outcome]),
        ids.map((id) => [id, 'told']),
      );
      const begun = starts(system, reader, 'Renewed');
      assert.deepEqual(
        begun.map(({ pass, mode }) => [pass, mode]),
        [
          ['first', 'reset'],
          ['again', 'reset'],
        ],
      );
      assert.equal(mails(system, reader).length, 2);
      const [row1, row2] = rows(system, reader).map(({ createdAt }) => createdAt);
      const order = [row1, begun[0]?.at, row2, begun[1]?.at];
      assert.deepEqual(order, [...order].sort(), 'each row before its start, the first before the second');
      const segments = system.rule.subscriber(addressOf(reader.id))?.segments ?? [];
      assert.ok(segments.includes(`renewed twice ${reader.id}`), 'segments are recalculated after all');
    },
  };
}

/** A product more, and with it tags that start a flow, but no event. */
function gain(system: System, { id }: Reader) {
  const held = system.sesamy.person(id);
  const weekend = anEntitlement(`w-${id.slice(-6)}`, contractOf(id), { sku: 'sid:weekend', title: 'Weekend' });
  system.sesamy.setPerson({ ...held, entitlements: [...(held?.entitlements ?? []), weekend] });
  return system.nudge(id, 'entitlement.1#new', { entitlementId: `w-${id.slice(-6)}` });
}

function gainedTag(...kills: Kill[]): Scene {
  return {
    it: `killed ${inWords(kills)}: a gained state tag starts its flow once, though no row tells of it`,
    async prepare(system) {
      const reader = await known(system);
      const name = `weekend ${reader.id}`;
      system.rule.addSegment({ name, condition: { tag: 'sesamy_active_entitlement_weekend' } });
      return reader;
    },
    rounds: Object.fromEntries(kills.map((kill, index) => [1 + index, { ...(index ? {} : { happens: gain }), kill }])),
    told: {},
    check(system, reader, status) {
      assert.equal(starts(system, reader, 'Weekend').length, 1);
      assert.equal(mails(system, reader).length, 1);
      assert.deepEqual(rows(system, reader), []);
      assert.ok(status.tags.includes('sesamy_active_entitlement_weekend'));
      assert.ok(system.rule.subscriber(addressOf(reader.id))?.segments.includes(`weekend ${reader.id}`));
    },
  };
}

/** A payment fails and goes through: the second event takes the first one's tag away. */
function recovered(...kills: Kill[]): Scene {
  const [kill, ...more] = kills as [Kill, ...Kill[]];
  return {
    it: `killed ${inWords(kills)}: a recovered payment is told once, and the tag of its failure has left`,
    prepare: known,
    rounds: {
      0: { happens: (system, reader) => changeContract(system, reader, { status: 'OVERDUE' }) },
      1: { happens: (system, reader) => changeContract(system, reader, { status: 'ACTIVE' }), kill },
      ...Object.fromEntries(more.map((one, index) => [2 + index, { kill: one }])),
    },
    told: { 0: 1, [1 + more.length]: 2 },
    check(system, reader) {
      assert.deepEqual(
        rows(system, reader).map(({ values }) => values.Type),
        ['payment-failed', 'payment-recovered'],
      );
      assert.equal(starts(system, reader, 'Payment failed').length, 1);
      assert.equal(starts(system, reader, 'Payment recovered').length, 1);
      const { tags = [] } = system.rule.subscriber(addressOf(reader.id)) ?? {};
      assert.ok(tags.includes('sesamy_event_payment-recovered'));
      assert.ok(!tags.includes('sesamy_event_payment-failed'));
    },
  };
}

/** A renewal that changes the product too, so that the sync writes fields, removes tags, and finds an event and a gained tag. */
function killedSync(where: string, round: { kill?: Kill; sesamy?: Point }): Scene {
  return {
    it: `killed in the sync, ${where}: what it found is told once, neither lost nor doubled`,
    prepare: known,
    rounds: {
      2: {
        async happens(system, reader) {
          const held = system.sesamy.person(reader.id);
          const weekend = anEntitlement(`w-${reader.id.slice(-6)}`, contractOf(reader.id), {
            sku: 'sid:weekend',
            title: 'Weekend',
          });
          const profile = aProfile(reader.id, { firstName: 'Changed' });
          system.sesamy.setPerson({ ...held, profile, entitlements: [weekend] });
          await renewFirst(system, reader);
        },
        ...round,
      },
    },
    told: { 2: 1 },
    check(system, reader) {
      assert.deepEqual(rowIds(system, reader), [renewalIn(1, reader)]);
      assert.equal(starts(system, reader, 'Renewed').length, 1);
      assert.equal(starts(system, reader, 'Weekend').length, 1);
      assert.equal(mails(system, reader).length, 2);
      const { tags = [], fields } = system.rule.subscriber(addressOf(reader.id)) ?? {};
      assert.equal(fields?.['Subscriber.FirstName']?.value, 'Changed');
      assert.ok(!tags.includes('sesamy_active_entitlement_daily-example-digital'), tags.join(' '));
    },
  };
}

/** Somebody new: the first write, the event and the state tags that go along with it. */
function newSubscriber(inRuleAlready: boolean, kill: Kill): Scene {
  return {
    it: `killed ${inWords([kill])}: a new subscriber is welcomed once, by event and by state tag`,
    async prepare(system) {
      const id = nextId();
      if (!inRuleAlready) return { id };
      system.rule.addSubscriber({ email: addressOf(id) });
      return inRule(system, id);
    },
    rounds: {
      1: {
        happens(system, { id }) {
          aReader(system, { profile: { createdAt: at(0) }, contract: { createdAt: at(0), nextBillAt: at(30) } }, id);
          return system.nudge(id, 'contract.1#purchased', { contractId: contractOf(id) });
        },
        kill,
      },
    },
    told: { 1: 1 },
    check(system, reader) {
      assert.equal(system.rule.subscribers().filter(({ email }) => email === addressOf(reader.id)).length, 1);
      assert.deepEqual(rowIds(system, reader), [`subscribed.${contractOf(reader.id)}`]);
      assert.equal(starts(system, reader, 'Subscribed').length, 1);
      assert.equal(starts(system, reader, 'Active').length, 1);
      assert.equal(mails(system, reader).length, 2);
    },
  };
}

const bothSides = (all: readonly Call[]): Kill[] =>
  all.flatMap((call) => [[call, 'before'] as const, [call, 'after'] as const]);
const firstTime: Call[] = ['look at who it is', 'row', 'fire', 'recalculation of segments'];
const secondTime: Call[] = ['look at who it is', "removal of the event's own tag", ...firstTime.slice(1)];
const ofSesamy = (resource: string): { sesamy: Point } => ({
  sesamy: { method: 'GET', path: `/management/${resource}\\b.*USER`, when: 'before' },
});

const renewals: Scene[] = [
  ...bothSides(firstTime).map((kill) => twoRenewals(kill)),
  ...bothSides(secondTime).map((kill) => twoRenewals(undefined, kill)),
  twoRenewals(undefined, ['look at who it is', 'after'], ['fire', 'after']),
  twoRenewals(undefined, ["removal of the event's own tag", 'before'], ["removal of the event's own tag", 'after']),
  twoRenewals(undefined, ["removal of the event's own tag", 'after'], ['row', 'after']),
  twoRenewals(undefined, ['row', 'before'], ['row', 'after']),
  twoRenewals(undefined, ['row', 'after'], ['look for the row', 'before']),
  twoRenewals(undefined, ['row', 'after'], ['fire', 'before']),
  twoRenewals(undefined, ['row', 'after'], ['fire', 'after']),
  twoRenewals(undefined, ['fire', 'before'], ['fire', 'after']),
  twoRenewals(undefined, ['fire', 'after'], ['look for the row', 'after']),
  twoRenewals(undefined, ['fire', 'after'], ['recalculation of segments', 'before']),
  twoRenewals(undefined, ['recalculation of segments', 'after'], ['recalculation of segments', 'after']),
  // The third attempt is the activity's last: the workflow takes over.
  twoRenewals(undefined, ['row', 'after'], ['fire', 'after'], ['recalculation of segments', 'before']),
  twoRenewals(undefined, ["removal of the event's own tag", 'after'], ['row', 'before'], ['row', 'after']),
];
const unharmed = twoRenewals(undefined);

const others: Scene[] = [
  ...bothSides(['look at who it is', 'fire', 'recalculation of segments']).map((kill) => gainedTag(kill)),
  gainedTag(['fire', 'before'], ['fire', 'after']),
  gainedTag(['fire', 'after'], ['recalculation of segments', 'before']),
  recovered(["removal of the other event's tag", 'before']),
  recovered(["removal of the other event's tag", 'after'], ['row', 'after']),
  ...bothSides(['fire']).map((kill) => newSubscriber(true, kill)),
  ...['users', 'contracts', 'entitlements', 'transactions'].map((one) =>
    killedSync(`while Sesamy is asked for ${one}`, ofSesamy(one)),
  ),
  ...bothSides(['write of the fields', 'look at the tags']).map((kill) => killedSync(inWords([kill]), { kill })),
];
/** Their calls do not name the reader, so they begin when nobody else is on the way there. */
const late: Scene[][] = [
  bothSides(['removal of old tags']).map((kill) => killedSync(inWords([kill]), { kill })),
  bothSides(['first write']).map((kill) => newSubscriber(false, kill)),
];
const all: Scene[] = [unharmed, ...renewals, ...others, ...late.flat()];

describe('a worker is killed in the middle of its work', function () {
  this.timeout(240_000);
  let killable: KillableSystem;
  let system: System;
  const readers = new Map<Scene, Reader>();
  const marks: Record<number, number> = {};
  const readerOf = (scene: Scene) => readers.get(scene) as Reader;

  function hold(scene: Scene, round: number): void {
    const { kill, sesamy } = scene.rounds[round] ?? {};
    const { id, ruleId } = readerOf(scene);
    if (kill) {
      const [call, when] = kill;
      killable.hold({ method: calls[call].method, path: calls[call].path(ruleId ?? 0), when });
    }
    if (sesamy) killable.hold({ ...sesamy, path: sesamy.path.replace('USER', id.slice(-6)) }, 'sesamy');
  }

  /** Lets happen what happens in a round, each reader held at their point. */
  async function begin(scenes: readonly Scene[], round: number): Promise<void> {
    const beginning = scenes.filter(({ rounds }) => rounds[round]?.happens);
    for (const scene of beginning) hold(scene, round);
    await Promise.all(beginning.map((scene) => scene.rounds[round]?.happens?.(system, readerOf(scene))));
    await killable.untilHeld();
  }

  /** Kills the worker; those who are to be killed in the next round without anything new are held as soon as there is another. */
  async function kill(round: number): Promise<void> {
    await killable.kill();
    for (const scene of all) {
      const next = scene.rounds[round + 1];
      if (next && !next.happens) hold(scene, round + 1);
    }
    await killable.startWorker();
  }

  async function settled(round: number, scenes: readonly Scene[] = all): Promise<void> {
    for (const scene of scenes) {
      const told = scene.told[round];
      if (told === undefined) continue;
      const { id } = readerOf(scene);
      const check = async () => {
        const status = await system.status(id);
        // After its last attempt an activity is the workflow's to try again, half a minute later unless a person asks.
        if (status?.state === 'retrying') await system.subscribers.sync(system.person(id));
        quiet(status, told);
      };
      await eventually(check, { timeoutMs: 60_000, what: `${id}: ${scene.it}` });
    }
  }

  function quiet(status: SubscriberStatus | undefined, told: number): asserts status {
    assert.ok(status);
    assert.equal(status.told.length, told);
    assert.deepEqual([status.pending, status.gained, status.waiting], [[], [], []]);
  }

  before(async () => {
    killable = await KillableSystem.start();
    system = killable.system;
    for (const [name, tag] of [
      ['Renewed', 'sesamy_event_renewed'],
      ['Payment failed', 'sesamy_event_payment-failed'],
      ['Payment recovered', 'sesamy_event_payment-recovered'],
      ['Subscribed', 'sesamy_event_subscribed'],
      ['Active', 'sesamy_active_subscriber'],
      ['Weekend', 'sesamy_active_entitlement_weekend'],
    ] as const) {
      system.rule.addAutomation({
        name,
        trigger: { type: 'TAG', name: tag },
        mails: [{ subject: name, afterDays: 0 }],
      });
    }
    await Promise.all(all.map(async (scene) => readers.set(scene, await scene.prepare(system))));

    const killedIn = (round: number) => all.filter(({ rounds: { [round]: one } }) => one?.kill || one?.sesamy).length;
    const rounds = Math.max(...all.flatMap(({ rounds: own }) => Object.keys(own).map(Number)));
    for (let round = 0; round <= rounds; round += 1) {
      assert.ok(killedIn(round) <= slots, `${killedIn(round)} are to be held in round ${round}`);
      marks[round] = system.rule.recorder.requests.length;
      // Those whose worker is not to die are at rest when it does, and out of the way of those who must come to their points soon.
      const unkilled = all.filter((scene) => {
        const { happens, kill: point, sesamy } = scene.rounds[round] ?? {};
        return happens && !point && !sesamy;
      });
      await begin(unkilled, round);
      await settled(round, unkilled);
      if (round === 0) continue;
      await begin(
        all.filter((scene) => !unkilled.includes(scene) && !late.flat().includes(scene)),
        round,
      );
      for (const scenes of late) await begin(scenes, round);
      await kill(round);
      await settled(round);
    }
  });
  after(() => killable?.close());

  it('the points of the kill are all the calls that a delivery makes', () => {
    const { ruleId } = readerOf(unharmed);
    const made = (from: number, to?: number) => {
      const own = system.rule.recorder.requests.slice(from, to).filter(({ path }) => path.includes(`/${ruleId}`));
      const names = own.map(
        ({ method, path }) =>
          Object.entries(calls).find(
            ([, one]) => one.method === method && new RegExp(one.path(ruleId)).test(path),
          )?.[0],
      );
      return names.slice(names.indexOf('look at who it is'));
    };
    assert.deepEqual(made(marks[0] ?? 0, marks[1]), firstTime);
    assert.deepEqual(made(marks[1] ?? 0), secondTime);
  });

  for (const scene of all) {
    it(scene.it, async () => {
      const { id } = readerOf(scene);
      let status: SubscriberStatus | undefined;
      await eventually(
        async () => {
          const now = await system.status(id);
          quiet(now, Math.max(0, ...Object.values(scene.told)));
          status = now;
        },
        { timeoutMs: 60_000 },
      );
      assert.ok(status);
      scene.check(system, inRule(system, id), status);
    });
  }
});
