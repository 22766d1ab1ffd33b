/** Small stories that together make every HTTP call of every activity of a person: what goes wrong in them must not show in their end. */
import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.js';
import { aContract, addressOf, anEntitlement, aProfile, nextId } from '../../support/people.js';
import { aReader, contractOf } from '../../support/readers.js';
import type { SystemOptions } from '../../support/system.js';
import type { Lane } from './lane.js';

const dayMs = 24 * 60 * 60_000;
const at = (days: number) => new Date(Date.now() + days * dayMs).toISOString();
const second = (id: string) => `second-${addressOf(id)}`;

export interface Story {
  name: string;
  /** How the publisher is set up. */
  options?: SystemOptions;
  /** What is there before, undisturbed. */
  prepare: (lane: Lane, id: string) => Promise<void>;
  /** What happens then. */
  happens: (lane: Lane, id: string) => Promise<void>;
  /** Until all is over; by default until the reader is at rest, after this many attempts. */
  ends?: (lane: Lane, id: string) => Promise<void>;
  /** Where more than one end is right: brings it to the one of the undisturbed story, or fails. */
  settles?: (lane: Lane, id: string) => Promise<void>;
}

async function known(lane: Lane, id: string): Promise<void> {
  aReader(lane.system, { contract: { nextBillAt: at(-1) } }, id);
  await lane.system.subscribers.resync(lane.system.person(id));
  await lane.atRest(id);
  lane.system.rule.addTag(addressOf(id), 'Newsletter');
}

function renews(lane: Lane, id: string, profile: Record<string, unknown> = {}): Promise<Response> {
  const contract = { ...aContract(id, contractOf(id)), updatedAt: at(0), nextBillAt: at(30) };
  const weekend = anEntitlement(`w-${id.slice(-6)}`, contractOf(id), { sku: 'sid:weekend', title: 'Weekend' });
  lane.system.sesamy.setPerson({ profile: aProfile(id, profile), contracts: [contract], entitlements: [weekend] });
  return lane.system.nudge(id, 'contract.1#update', { contractId: contractOf(id) });
}

const attemptsOf = async (lane: Lane, id: string) => (await lane.system.status(id))?.attempts ?? 0;

/** Until a nudge that has been sent already is worked off: it makes a further attempt. */
const afterOneMore = new WeakMap<Lane, number>();

async function oneMore(lane: Lane, id: string, act: () => Promise<unknown>): Promise<void> {
  afterOneMore.set(lane, (await attemptsOf(lane, id)) + 1);
  await act();
}

/** One bill is paid; the reader's own webhook tells of it, and no other. */
const billIsPaid: Pick<Story, 'prepare' | 'happens'> = {
  async prepare(lane, id) {
    await known(lane, id);
    lane.system.sesamy.webhooks.setTarget(undefined);
  },
  async happens(lane, id) {
    lane.system.sesamy.renew(contractOf(id));
    await oneMore(lane, id, () => lane.system.nudge(id, 'contract.1#update', { contractId: contractOf(id) }));
  },
};

export const stories: readonly Story[] = [
  {
    name: 'somebody buys',
    prepare: async () => {},
    async happens(lane, id) {
      const fresh = { profile: { createdAt: at(0) }, contract: { createdAt: at(0), nextBillAt: at(30) } };
      aReader(lane.system, fresh, id);
      await lane.system.nudge(id, 'contract.1#purchased', { contractId: contractOf(id) });
    },
  },
  {
    name: 'somebody renews, has another name and other products',
    prepare: known,
    happens: (lane, id) => oneMore(lane, id, () => renews(lane, id, { firstName: 'Changed' })),
  },
  {
    name: 'a payment fails, and goes through',
    async prepare(lane, id) {
      await known(lane, id);
      await oneMore(lane, id, () => pays(lane, id, 'OVERDUE'));
      await lane.atRest(id, afterOneMore.get(lane));
    },
    happens: (lane, id) => oneMore(lane, id, () => pays(lane, id, 'ACTIVE')),
  },
  {
    name: 'somebody moves to another address',
    prepare: known,
    happens: (lane, id) => oneMore(lane, id, () => renews(lane, id, { email: second(id) })),
  },
  {
    name: 'somebody who is suppressed moves to an address that is in Rule already',
    async prepare(lane, id) {
      await known(lane, id);
      lane.system.rule.addSubscriber({ email: second(id), tags: ['Offers'] });
      lane.system.rule.suppress(addressOf(id));
    },
    happens: (lane, id) => oneMore(lane, id, () => renews(lane, id, { email: second(id) })),
  },
  {
    name: 'an operator resyncs somebody who was edited by hand in Rule',
    async prepare(lane, id) {
      await known(lane, id);
      lane.system.rule.setField(addressOf(id), 'Subscriber.FirstName', 'Edited');
      lane.system.rule.removeTag(addressOf(id), 'sesamy_active_subscriber');
      lane.system.rule.addTag(addressOf(id), 'sesamy_stage_lapsed');
    },
    happens: (lane, id) => oneMore(lane, id, () => lane.system.subscribers.resync(lane.system.person(id))),
  },
  {
    name: 'a bill is paid, and the receipt is a mail of its own',
    options: {
      receipts: { mode: 'transactional', from: { name: 'Daily Example', email: 'no-reply@example.com' } },
    },
    ...billIsPaid,
    // A mail in doubt is a person's to decide: who looks whether it is there, and sends it if it is not.
    async settles(lane, id) {
      const status = await lane.atRest(id);
      if (!status.waiting.some(({ held }) => held === 'receipt')) return;
      const mails = lane.system.rule.transactions().filter(({ to }) => to === addressOf(id)).length;
      assert.ok(mails <= 1, `${mails} mails for one bill`);
      await lane.system.subscribers.decide(lane.system.person(id), mails === 0 ? 'release' : 'discard');
      await eventually(async () => assert.deepEqual((await lane.atRest(id)).waiting, []), { timeoutMs: 30_000 });
    },
  },
  {
    name: 'a bill is paid, and the receipt is an automation',
    options: { receipts: { mode: 'automation' } },
    ...billIsPaid,
  },
  {
    name: 'somebody is erased',
    prepare: known,
    happens: (lane, id) => lane.system.subscribers.erase(lane.system.person(id)).then(() => {}),
    async ends(lane, id) {
      await eventually(async () => assert.ok((await lane.system.status(id))?.erasure?.erasedAt), { timeoutMs: 60_000 });
    },
  },
  {
    name: 'somebody is gone from Sesamy',
    options: { timings: { missingUserMs: 0 } },
    prepare: known,
    async happens(lane, id) {
      lane.system.sesamy.deletePerson(id);
      await lane.system.nudge(id, 'userVendor.1#update');
    },
    async ends(lane, id) {
      await eventually(async () => assert.equal(await lane.system.subscribers.exists(lane.system.person(id)), false), {
        timeoutMs: 60_000,
      });
      await lane.system.rule.settled();
    },
  },
];

function pays(lane: Lane, id: string, status: string): Promise<Response> {
  const held = lane.system.sesamy.person(id);
  const contracts = (held?.contracts ?? []).map((one) => ({ ...one, updatedAt: at(0), status }));
  lane.system.sesamy.setPerson({ ...held, contracts });
  return lane.system.nudge(id, 'contract.1#update', { contractId: contractOf(id) });
}

/** Somebody nobody has met before. */
export const somebody = nextId;

/** Waits for the end of a story. */
export async function untilOver(story: Story, lane: Lane, id: string): Promise<void> {
  if (story.ends) await story.ends(lane, id);
  else await lane.atRest(id, afterOneMore.get(lane) ?? 1);
  afterOneMore.delete(lane);
  await story.settles?.(lane, id);
  await lane.system.rule.settled();
}

/** All that can be seen of a reader in Rule at the end, ids and times left out, so that two readers of one story look the same. */
export function seenInRule({ system: { rule } }: Lane, id: string): unknown {
  const emails = [addressOf(id), second(id)];
  const subscribers = rule.subscribers().filter(({ email }) => emails.includes(email ?? ''));
  const ids = subscribers.map((one) => one.id);
  const seen = {
    subscribers: subscribers.map(({ email, fields, tags, rows, optedIn, blocked, suppressed, segments }) => ({
      email,
      fields: Object.fromEntries(Object.entries(fields).map(([key, { value }]) => [key, value])),
      tags: [...tags].sort(),
      rows: rows.map(({ group, values }) => `${group} ${String(values.Type ?? 'receipt')}`).sort(),
      optedIn,
      blocked,
      suppressed,
      segments,
    })),
    starts: rule
      .automationsStarted()
      .filter(({ subscriberId }) => ids.includes(subscriberId))
      .map(({ trigger }) => trigger.name)
      .sort(),
    mails: rule.transactions().filter(({ to }) => emails.includes(to)).length,
    unblocks: rule.unblocks().length,
  };
  return JSON.parse(JSON.stringify(seen).replaceAll(id.slice(-24), '<id>').replaceAll(id.slice(-6), '<id>'));
}
