import type { DeliverInput, DeliverResult, LifecycleEvent } from '../contract/index.js';
import { takenAwayBy } from '../lifecycle/index.js';
import { baseTag, eventTag } from '../mapping/index.js';
import type { RuleSubscriber } from '../rule/index.js';
import { deliverReceipt, receiptRow } from './deliver-receipt.js';
import { type EventRow, eventRow } from './event-row.js';
import type { Attempt } from './sync-subscriber.js';
import type { Vendor } from './vendor.js';

/**
 * Tells Rule of one event: takes away the tags that it undoes, its own of an earlier time included, records it as a row, then gives its
 * tag, which starts the marketer's flow, once.
 *
 * The row is what makes that hold when a worker dies in between: it is written after the tags have left and before the tag is given. So
 * whoever comes later and finds the row knows that a tag which is there now has started its flow, and that one which is not there has
 * not; and whoever finds no row knows that nothing was started.
 */
export async function deliverEvent(vendor: Vendor, input: DeliverInput, attempt: Attempt): Promise<DeliverResult> {
  const { event, ruleId } = input;
  const { signal, step } = attempt;
  vendor.gate.check();
  if (event?.type === 'ended' && !event.rowOnly && !input.released && (await vendor.brake?.isOn())) {
    return { outcome: 'held', started: [] };
  }
  step('rule: who it is');
  const subscriber = await vendor.rule.get(ruleId, { signal });
  if (!subscriber) return { outcome: 'no-subscriber', started: [] };
  const held = new Set(subscriber.tags ?? (await vendor.rule.listTags(ruleId, { signal })));

  const told = await record(vendor, input, held, subscriber, attempt);
  const started = await give(vendor, input, held, subscriber, told, attempt);
  return { ...told.result, started };
}

interface Recorded {
  result: Omit<DeliverResult, 'started'>;
  /** The tag to be given for it. */
  tag?: string;
}

/** The row, and the tags that leave before it. */
async function record(
  vendor: Vendor,
  input: DeliverInput,
  held: Set<string>,
  subscriber: RuleSubscriber,
  attempt: Attempt,
): Promise<Recorded> {
  const { event } = input;
  if (!event) return { result: { outcome: 'nothing' } };
  if (event.type === 'receipt' && vendor.receipts.mode === 'transactional') {
    return { result: await deliverReceipt(vendor, input, event, attempt) };
  }
  const row = event.type === 'receipt' ? await receiptRow(vendor, event, attempt) : eventRow(event, vendor.mapping);
  if (!row) return { result: { outcome: 'nothing' } };
  const wasThere = await writeRow(vendor, input, event, row, held, attempt);
  const wasFired = wasThere && held.has(eventTag(event.type)) && (!event.rowOnly || input.begun === true);
  const reason = event.rowOnly ?? (subscriber.mailable ? undefined : 'no-mail');
  if (reason && !wasFired) return { result: { outcome: 'recorded', reason } };
  return { result: { outcome: 'told' }, tag: eventTag(event.type) };
}

/** @returns whether it was recorded before */
async function writeRow(
  vendor: Vendor,
  { ruleId, again }: DeliverInput,
  event: LifecycleEvent,
  { group, values }: EventRow,
  held: Set<string>,
  { signal, step }: Attempt,
): Promise<boolean> {
  if (again) {
    step('rule: whether it is recorded');
    const there = await vendor.rule.findRow(ruleId, { group, field: 'Id', value: values.Id }, { signal });
    if (there) return true;
  }
  // Its own tag leaves only if it is going to be given: for what is over, the flow of the last time may still be under way.
  const undone = [...takenAwayBy(event.type), ...(event.rowOnly ? [] : [event.type])].map((type) => eventTag(type));
  for (const tag of undone.filter((one) => held.has(one))) {
    step('rule: tags that it undoes');
    await vendor.rule.removeTag(ruleId, tag, { signal });
    held.delete(tag);
  }
  step('rule: row');
  await vendor.rule.appendRow(ruleId, { group, values }, { signal });
  return false;
}

/** @returns the tags that were given so that their flows start: those that the person does not have */
async function give(
  vendor: Vendor,
  { ruleId, gained, last }: DeliverInput,
  held: ReadonlySet<string>,
  { mailable }: RuleSubscriber,
  { tag }: Recorded,
  { signal, step }: Attempt,
): Promise<string[]> {
  const state = gained.filter((one) => !held.has(one));
  const started = [...(tag && !held.has(tag) ? [tag] : []), ...(mailable ? state : [])];
  if (started.length > 0) {
    step('rule: fire');
    await vendor.rule.fire(ruleId, started, { signal });
  }
  const silent = mailable ? [] : state;
  if (last) {
    step('rule: segments');
    await vendor.rule.addTags(ruleId, [baseTag, ...silent], { recalculateSegments: true, signal });
  } else if (silent.length > 0) {
    step('rule: tags');
    await vendor.rule.addTags(ruleId, silent, { recalculateSegments: false, signal });
  }
  return started;
}
