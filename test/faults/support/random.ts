/** Random schedules: a seed becomes a plan, the plan is lived, and an oracle looks at what has become of it. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { type Hub, startHub } from './hub.js';
import { Lane } from './lane.js';
import { judge } from './oracle.js';
import { PlanReader } from './readers-of-a-plan.js';
import { inWords, type Plan, planOf, type Step, turns } from './schedule.js';

/** Lives of the seeds at one time. */
const atOnce = Number(process.env.FAULT_LANES || 8);

/** Adds a test for each seed. `FAULT_SEED` replays one. */
export function describeRandomSchedules(first: number, count: number): void {
  const one = process.env.FAULT_SEED;
  const seeds = one ? [Number(one)] : Array.from({ length: count }, (_none, index) => first + index);
  const problems = new Map<number, unknown>();

  before(async () => {
    const left = [...seeds];
    const hub = await startHub();
    try {
      const live = async () => {
        for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
          await liveThrough(hub, planOf(seed)).then(
            () => problems.set(seed as number, undefined),
            (error: unknown) => {
              problems.set(seed as number, error);
              // At once: whoever watches a long run wants to know it now.
              console.error(
                `${inWords(planOf(seed as number))}\n${error instanceof Error ? error.message : String(error)}`,
              );
            },
          );
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, seeds.length) }, () => live()));
    } finally {
      await hub.close();
    }
  });

  for (const seed of seeds) {
    it(`seed ${seed} ends as Sesamy says, with no event lost or doubled`, () => {
      assert.ok(problems.has(seed), 'the seed was not lived');
      const problem = problems.get(seed);
      if (problem) throw problem;
    });
  }
}

async function liveThrough(hub: Hub, plan: Plan): Promise<void> {
  const lane = await Lane.start(hub, `seed-${plan.seed}`, {
    timings: { missingRowsMs: 500, missingUserMs: 500 },
    // Nobody waits: what the waits are for is tested where time can be skipped.
    lifecycle: { cancelWaitMs: 0, endedWaitMs: 0, brake: { share: 1, atLeast: 1_000_000 } },
    automations: true,
  });
  const readers = plan.readers.map((one) => new PlanReader(one));
  let judged = false;
  try {
    prepareRule(lane);
    await Promise.all(readers.map((reader) => settleIn(lane, reader)));
    const untouched = lane.system.rule.subscriber('nobody@foreign.example.com');
    // A new worker: everything that it has to find out first is part of the plan.
    await lane.die();
    for (const { account, number, mishap } of plan.mishaps) lane.plan(account, number, mishap);
    await liveSteps(lane, readers, plan.steps);
    await lane.heal();
    await comeToRest(lane, readers);
    await judge(lane, readers, untouched);
    judged = true;
  } finally {
    await lane.close().catch((error: unknown) => {
      // What went wrong first is what is told.
      if (judged) throw error;
    });
  }
}

export const eventTypes = [
  'subscribed',
  'returned',
  'renewed',
  'payment-recovered',
  'cancel-regretted',
  'payment-failed',
  'cancel-requested',
  'ended',
] as const;

function prepareRule({ system: { rule } }: Lane): void {
  for (const type of eventTypes) {
    const trigger = { type: 'TAG' as const, name: `sesamy_event_${type}` };
    rule.addAutomation({ name: type, trigger, mails: [{ subject: type, afterDays: 0 }] });
  }
  rule.defineField('Shop.Size');
  rule.addSubscriber({
    email: 'nobody@foreign.example.com',
    tags: ['Newsletter', 'sesamy_vip'],
    fields: { 'Shop.Size': 'L' },
    suppressed: ['campaign/email'],
  });
}

async function settleIn(lane: Lane, reader: PlanReader): Promise<void> {
  const { rule, subscribers, person } = lane.system;
  if (reader.planned.secondIsTaken) rule.addSubscriber({ email: reader.addresses[1], tags: ['Offers'] });
  if (!reader.planned.isKnown) return;
  reader.show(lane.system);
  await subscribers.resync(person(reader.id));
  await lane.atRest(reader.id);
  rule.setTags(reader.email, ['Newsletter', 'sesamy_vip']);
  rule.setField(reader.email, 'Shop.Size', 'M');
}

async function liveSteps(lane: Lane, readers: PlanReader[], steps: readonly Step[]): Promise<void> {
  const { system } = lane;
  const underWay: Promise<unknown>[] = [];
  const later = (ms: number, act: () => unknown) => {
    underWay.push(
      delay(ms)
        .then(act)
        .catch(() => {}),
    );
  };
  for (const reader of readers) {
    if (reader.planned.isKnown) continue;
    reader.show(system);
    later(0, () => system.nudge(reader.id, 'contract.1#purchased', { contractId: reader.contractId }));
  }
  for (const { afterMs, reader: number, what, webhooksMs } of steps) {
    await delay(afterMs);
    const reader = number === undefined ? undefined : readers[number];
    if (!reader) trouble(lane, what, later);
    else if (isTurn(what)) {
      if (!reader.live(what, system)) continue;
      const type = what === 'cancels' ? 'contract#cancelRequest' : 'contract.1#update';
      for (const ms of webhooksMs) later(ms, () => system.nudge(reader.id, type, { contractId: reader.contractId }));
    } else await hand(lane, reader, what, underWay);
  }
  await Promise.all(underWay);
}

const isTurn = (what: Step['what']): what is (typeof turns)[number] => (turns as readonly string[]).includes(what);

function trouble(lane: Lane, what: Step['what'], later: (ms: number, act: () => unknown) => void): void {
  const { sesamy, rule } = lane.system;
  const down = (account: 'sesamy' | 'rule') => {
    const { faults } = lane.system[account];
    const id = faults.add({ kind: 'status', status: 503 });
    later(1_200, () => faults.remove(id));
  };
  switch (what) {
    case 'the worker dies':
      later(0, () => lane.die());
      return;
    case 'Rule is down for a while':
      down('rule');
      return;
    case 'Sesamy is down for a while':
      down('sesamy');
      return;
    case 'Rule blocks the account':
      rule.blockAccount({ seconds: 2, why: 'count' });
      return;
    case 'Sesamy lists nothing for a while':
      sesamy.switches.emptyLists = true;
      later(300, () => {
        sesamy.switches.emptyLists = false;
      });
      return;
  }
}

async function hand(lane: Lane, reader: PlanReader, what: Step['what'], underWay: Promise<unknown>[]): Promise<void> {
  const { rule, subscribers, person } = lane.system;
  const held = rule
    .subscribers()
    .find(({ fields, email }) => fields['Sesamy_User.ID']?.value === reader.id || email === reader.email);
  switch (what) {
    case 'unsubscribes in Rule':
      if (!held) return;
      rule.suppress(held.id);
      reader.refuses.suppressed = true;
      return;
    case 'is blocked in Rule':
      if (!held) return;
      rule.block(held.id);
      reader.refuses.blocked = true;
      return;
    case 'is tagged by the marketer':
      if (held) rule.addTag(held.id, 'Marketing');
      return;
    case 'is edited in Rule':
      if (held) rule.setField(held.id, 'Subscriber.FirstName', 'Edited');
      return;
    case 'is deleted in Rule':
      if (!held || !reader.planned.isKnown) return;
      rule.deleteSubscriber(held.id);
      reader.isDeletedInRule = true;
      return;
    case 'is resynced':
      await subscribers.resync(person(reader.id));
      return;
    case 'is synced now':
      underWay.push(subscribers.sync(person(reader.id)).catch(() => {}));
      return;
    case 'is erased':
      reader.isErased = true;
      underWay.push(subscribers.erase(person(reader.id)).catch(() => {}));
      return;
  }
}

/** Everything works again, and each reader is heard of once more, as they would be sooner or later. */
async function comeToRest(lane: Lane, readers: readonly PlanReader[]): Promise<void> {
  const { system } = lane;
  await Promise.all(
    readers.map(async ({ id, contractId }) => {
      await system.subscribers.resync(system.person(id));
      await lane.atRest(id);
      for (const _round of [1, 2]) {
        const { attempts = 0, erasure } = (await system.status(id)) ?? {};
        await system.nudge(id, 'contract.1#update', { contractId, occured_at: new Date().toISOString() });
        await lane.atRest(id, erasure ? 0 : attempts + 1);
        // Second looks at what is missing come after half a second, and nobody is believed to be gone before.
        await delay(700);
      }
    }),
  );
  await system.rule.settled();
}
