/** Every HTTP call of a story, met by every mishap: the end is the undisturbed one. */
import assert from 'node:assert/strict';
import type { RequestEntry } from '../../../sandbox/common/recorder.js';
import { type Hub, startHub } from './hub.js';
import { type Account, Lane, type Mishap, mishaps } from './lane.js';
import { type Story, seenInRule, somebody, stories, untilOver } from './stories.js';

/** Automations for all events that the stories bring, so that a start can be lost or doubled. */
const events = ['subscribed', 'renewed', 'payment-failed', 'payment-recovered', 'receipt'];

interface Call {
  account: Account;
  number: number;
  /** Method and path of the undisturbed story, without ids. */
  what: string;
}

interface Undisturbed {
  calls: Call[];
  end: unknown;
}

export interface EveryCallOptions {
  /** Which of the mishaps a call meets; by default all. */
  choose?: (mishaps: readonly Mishap[], call: number, story: number) => readonly Mishap[];
  stories?: (name: string) => boolean;
  lanes?: number;
}

/** Adds the tests. */
export function describeEveryCall({ choose = (all) => all, stories: wanted, lanes = 8 }: EveryCallOptions = {}): void {
  let hub: Hub;
  before(async () => {
    hub = await startHub();
  });
  after(() => hub?.close());

  for (const [index, story] of stories.entries()) {
    if (wanted && !wanted(story.name)) continue;
    describe(`A21: ${story.name}`, () => {
      const pool: Lane[] = [];
      let undisturbed: Undisturbed;
      const outcomes = new Map<Mishap, string[]>();
      let done = 0;

      before(async () => {
        for (let number = 0; number < lanes; number += 1) pool.push(await startLane(hub, story, index, number));
        undisturbed = await live(pool[0] as Lane, story);
        const all = Object.keys(mishaps) as Mishap[];
        const cases = undisturbed.calls.flatMap((call, number) =>
          choose(all, number, index).map((mishap) => ({ call, mishap })),
        );
        await Promise.all(
          pool.map(async (lane) => {
            for (let one = cases.shift(); one; one = cases.shift()) {
              const { call, mishap } = one;
              done += 1;
              const problem = await disturbed(lane, story, call, mishap, undisturbed).catch(
                (error: unknown) => `${error instanceof Error ? error.message : String(error)}`,
              );
              const list = outcomes.get(mishap) ?? [];
              if (problem) list.push(`${call.account} call ${call.number} (${call.what}): ${problem}`);
              outcomes.set(mishap, list);
            }
          }),
        );
      });
      after(async () => {
        await Promise.all(pool.map((lane) => lane.close()));
      });

      for (const mishap of Object.keys(mishaps) as Mishap[]) {
        it(`a call ${mishap}: the end is the same, and nothing is doubled`, () => {
          assert.ok(done > 0, 'no call was met by anything');
          assert.deepEqual(outcomes.get(mishap) ?? [], []);
        });
      }

      it('the share of errors has stayed under the ceiling', () => {
        for (const { system } of pool) {
          const { byStatus } = system.rule.counts();
          const share = errorShare(byStatus);
          assert.ok(share < 49, `${share} % of the answers were errors: ${JSON.stringify(byStatus)}`);
        }
      });
    });
  }
}

/** As Rule counts: 5xx are its own. */
function errorShare(byStatus: Readonly<Record<string, number>>): number {
  const counted = Object.entries(byStatus).filter(([status]) => Number(status) < 500);
  const sum = (entries: [string, number][]) => entries.reduce((total, [, count]) => total + count, 0);
  const all = sum(counted);
  return all === 0 ? 0 : Math.round((100 * sum(counted.filter(([status]) => Number(status) >= 400))) / all);
}

async function startLane(hub: Hub, { options }: Story, story: number, number: number): Promise<Lane> {
  const lane = await Lane.start(hub, `story-${story}-${number}`, {
    receipts: { mode: 'off' },
    ...options,
    timings: { missingRowsMs: 1_000, ...options?.timings },
    lifecycle: { brake: { share: 1, atLeast: 1_000_000 } },
  });
  for (const event of events) {
    const trigger = { type: 'TAG' as const, name: `sesamy_event_${event}` };
    lane.system.rule.addAutomation({ name: event, trigger, mails: [{ subject: event, afterDays: 0 }] });
  }
  return lane;
}

/** Lives the story by a new worker, which has neither token nor field types yet. */
async function live(lane: Lane, story: Story): Promise<Undisturbed> {
  const id = somebody();
  await story.prepare(lane, id);
  await lane.die();
  const marks = {
    sesamy: lane.system.sesamy.recorder.requests.length,
    rule: lane.system.rule.recorder.requests.length,
  };
  await story.happens(lane, id);
  await untilOver(story, lane, id);
  const calls = (['sesamy', 'rule'] as const).flatMap((account) =>
    lane.system[account].recorder.requests
      .slice(marks[account])
      .map((entry, number) => ({ account, number, what: without(entry) })),
  );
  return { calls, end: seenInRule(lane, id) };
}

const without = ({ method, path }: RequestEntry) => `${method} ${path.replace(/email%7C\w+|\d+/g, '…')}`;

/** @returns what is wrong about the end, if anything */
async function disturbed(
  lane: Lane,
  story: Story,
  call: Call,
  mishap: Mishap,
  { end }: Undisturbed,
): Promise<string | undefined> {
  const id = somebody();
  await story.prepare(lane, id);
  await lane.die();
  lane.plan(call.account, call.number, mishap);
  await story.happens(lane, id);
  let unmet = 0;
  try {
    await untilOver(story, lane, id);
  } finally {
    unmet = await lane.heal();
  }
  if (unmet > 0) return 'the call has not come';
  try {
    assert.deepEqual(seenInRule(lane, id), end);
    return undefined;
  } catch (error) {
    return `${id} ${error instanceof Error ? error.message : String(error)}`;
  }
}
