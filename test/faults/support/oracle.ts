/** What must be true at the end of a schedule, whatever has gone wrong in it. */
import assert from 'node:assert/strict';
import type { SubscriberView } from '../../../sandbox/rule/views.js';
import { readPerson } from '../../../src/activities/read-person.js';
import type { SubscriberStatus } from '../../../src/client.js';
import { fieldTable } from '../../../src/mapping/index.js';
import { openVendors } from '../../../src/vendors.js';
import type { Lane } from './lane.js';
import type { PlanReader } from './readers-of-a-plan.js';
import { at } from './readers-of-a-plan.js';

export async function judge(
  lane: Lane,
  readers: readonly PlanReader[],
  untouched: SubscriberView | undefined,
): Promise<void> {
  const { rule } = lane.system;
  assert.deepEqual(rule.subscriber('nobody@foreign.example.com'), untouched, 'somebody foreign was touched');
  assert.deepEqual(rule.unblocks(), [], 'a block was lifted');
  for (const reader of readers) {
    const status = await lane.system.status(reader.id);
    assert.ok(status, `${reader.id} has no workflow`);
    const own = rule.subscribers().filter(({ email }) => reader.addresses.some((one) => one === email));
    try {
      if (reader.isErased) assertErased(reader, status, own);
      else {
        await assertSame(lane, reader, status, own);
        assertConsent(reader, own);
        assertEvents(lane, reader, status, own);
      }
      await assertHistory(lane, reader);
    } catch (error) {
      if (error instanceof Error)
        error.message = `${reader.id} (${reader.lived.join(', ')}): ${error.message}\n${JSON.stringify({ status, own })}`;
      throw error;
    }
  }
}

function assertErased({ addresses, planned }: PlanReader, status: SubscriberStatus, own: SubscriberView[]): void {
  assert.ok(status.erasure?.erasedAt, 'the erasure is over');
  // Whoever was at the second address before, and was never theirs, stays.
  const theirs = own.filter(
    ({ email, tags }) => !(planned.secondIsTaken && email === addresses[1] && !tags.includes('sesamy')),
  );
  assert.deepEqual(theirs, [], 'an erased reader is in Rule');
}

async function assertSame(
  lane: Lane,
  reader: PlanReader,
  status: SubscriberStatus,
  own: SubscriberView[],
): Promise<void> {
  const holders = own.filter(({ fields }) => fields['Sesamy_User.ID']?.value === reader.id);
  if (reader.isDeletedInRule && status.state === 'skipped') {
    assert.equal(status.reason, 'deleted-in-rule');
    assert.equal(holders.filter(({ email }) => email === reader.email).length, 0, 'a deleted reader came back');
    return;
  }
  assert.equal(status.state, 'ok', JSON.stringify(status.failure ?? status.reason));
  const vendors = openVendors([lane.system.config]);
  const [vendor] = vendors.all;
  assert.ok(vendor);
  const user = await vendor.sesamy.getUser(reader.id);
  assert.ok(user);
  const source = {
    user,
    contracts: await vendor.sesamy.listContracts(reader.id),
    entitlements: await vendor.sesamy.listEntitlements(reader.id),
    cancelRequestedAt: {},
  };
  await vendors.close();
  const wanted = readPerson(vendor, source, new Date());
  const held = own.find(({ email }) => email === reader.email);
  assert.ok(held, 'the reader is in Rule under the last address');
  assert.deepEqual(ourStateTags(held), wanted.tags.toSorted(), 'tags');
  for (const [index, { key, value }] of wanted.mapped.fields.entries()) {
    // By the webhook that told of it, which may have been lost.
    if (key === 'Sesamy_Subscription.CanceledAt') continue;
    const written: unknown = held.fields[key]?.value;
    const isBlank = value === undefined || value.length === 0;
    if (!isBlank) assert.deepEqual(written, value, key);
    else if (fieldTable[index]?.missing === 'clear')
      assert.ok(['', '[]', '""', 'null', undefined].includes(JSON.stringify(written)), key);
  }
  for (const other of own.filter((one) => one !== held))
    assert.deepEqual(
      ourStateTags(other).filter((tag) => tag !== 'sesamy'),
      [],
      `tags of ours are left at ${other.id}`,
    );
  if (reader.planned.isKnown && !reader.isDeletedInRule) {
    const first = own.filter(({ tags, fields }) => tags.includes('Newsletter') && fields['Shop.Size']?.value === 'M');
    assert.equal(first.length, 1, 'what is the marketer’s was touched');
    assert.ok(first[0]?.tags.includes('sesamy_vip'), 'a tag of the marketer’s was removed');
  }
}

function ourStateTags({ tags }: SubscriberView): string[] {
  return tags
    .filter((tag) => /^sesamy(_|$)/.test(tag) && tag !== 'sesamy_vip' && !tag.startsWith('sesamy_event_'))
    .toSorted();
}

/** Whoever did not want mail is not mailed now: under the address that counts. */
function assertConsent({ refuses, email, isDeletedInRule }: PlanReader, own: SubscriberView[]): void {
  const held = own.find((one) => one.email === email);
  if (!held || isDeletedInRule) return;
  if (refuses.suppressed) assert.ok(held.suppressed.length > 0, 'a suppression was lost');
  if (refuses.blocked) assert.ok(held.blocked || held.suppressed.length > 0, 'a block was lost');
}

function assertEvents(lane: Lane, reader: PlanReader, status: SubscriberStatus, own: SubscriberView[]): void {
  const { rule } = lane.system;
  const rows = own
    .flatMap((one) => one.rows.filter(({ group }) => group === 'Sesamy_Event'))
    .map(({ values }) => values);
  const ids = rows.map(({ Id }) => String(Id));
  assert.deepEqual(ids.toSorted(), [...new Set(ids)].toSorted(), 'an event is recorded twice');
  if (reader.isDeletedInRule) return;

  const told = status.told.filter(({ outcome }) => outcome === 'told' || outcome === 'recorded');
  assert.deepEqual(
    ids.toSorted(),
    told.map(({ event }) => event.id).toSorted(),
    'rows and what is told are not the same',
  );
  const starts = rule
    .automationsStarted()
    .filter(
      ({ subscriberId, trigger }) =>
        own.some(({ id }) => id === subscriberId) && trigger.name.startsWith('sesamy_event_'),
    )
    .map(({ trigger }) => trigger.name.slice('sesamy_event_'.length));
  const begun = told.filter(({ outcome }) => outcome === 'told').map(({ event }) => event.type);
  assert.deepEqual(starts.toSorted(), begun.toSorted(), 'flows and what is told are not the same');

  const count = (type: string) => rows.filter(({ Type }) => Type === type).length;
  const { became, renewals, status: last, planned, lived } = reader;
  // Who was gone again before anybody looked was never a subscriber to us.
  if (became.ended === 0 || planned.isKnown) assert.equal(count('subscribed'), planned.isKnown ? 0 : 1, 'subscribed');
  else assert.ok(count('subscribed') <= 1, 'subscribed twice');
  assert.ok(count('renewed') <= renewals, 'renewed more often than it happened');
  assert.ok(count('payment-failed') <= became.overdue, 'payment-failed more often than it happened');
  assert.ok(count('ended') <= became.ended, 'ended more often than it happened');
  const overdue = count('payment-failed') - count('payment-recovered');
  const hasEnded = became.ended > 0;
  // What was so at first sight is no news.
  if (last === 'OVERDUE' && !hasEnded && planned.isKnown) assert.equal(overdue, 1, 'a failed payment is told');
  if (last === 'ACTIVE' && !hasEnded && planned.isKnown) assert.equal(overdue, 0, 'a recovered payment is told');
  if (last === 'EXPIRED' && became.running === 0 && planned.isKnown) assert.equal(count('ended'), 1, 'an end is told');
  if (last !== 'EXPIRED' && planned.isKnown)
    assert.equal(count('ended'), count('returned'), 'who came back is told of');
  const onlyRenewed = lived.every((turn) => !['payment fails', 'cancels', 'ends'].includes(turn));
  if (renewals > 0 && onlyRenewed && planned.isKnown) {
    const id = `renewed.${reader.contractId}.${at(renewals).slice(0, 10).replaceAll('-', '')}`;
    assert.ok(ids.includes(id), `the last renewal is lost: ${id}`);
  }
}

/** However much goes wrong: what is remembered for ever stays small. */
async function assertHistory({ system }: Lane, { id }: PlanReader): Promise<void> {
  const handle = system.client.workflow.getHandle(`subscriber/${system.vendorId}/${id}`);
  const { historyLength } = await handle.describe();
  assert.ok(historyLength < 700, `${historyLength} events`);
}
