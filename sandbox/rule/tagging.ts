import type { Account } from './account.js';
import { startOnTag, type TagMode } from './automations.js';
import type { Subscriber, Tag } from './model.js';
import { notFound } from './refusal.js';
import { leaveSegmentsOn } from './segments.js';

/**
 * Gives tags and starts their automations; the mode applies to every tag of the call (rule-api §7).
 *
 * @param modeFor the mode for a tag, given whether the person lacked it.
 */
export function giveTags(
  account: Account,
  subscriber: Subscriber,
  tags: readonly Tag[],
  modeFor: (lacked: boolean) => TagMode,
  call: string,
): void {
  for (const tag of tags) {
    const lacked = account.tags.give(subscriber, tag);
    const mode = modeFor(lacked);
    if (mode === 'force' && account.switches.forceLeavesTagSegments) leaveSegmentsOn(account, subscriber, tag.name);
    startOnTag(account, subscriber, tag, lacked, mode, call);
  }
  account.touch(subscriber);
}

/**
 * Takes one tag away, for the calls that remove one tag of one person.
 * @throws Refusal 404 for an unknown tag, and for one not held unless the switch `tagNotHeld` says otherwise.
 */
export function takeTag(account: Account, subscriber: Subscriber, reference: string): void {
  const tag = account.tags.find(reference);
  if (!tag) throw notFound('Tag');
  const held = account.tags.take(subscriber, tag);
  if (!held && account.switches.tagNotHeld === 'not-found') throw notFound('Tag');
  account.touch(subscriber);
}

/** Lifts a block as a side effect of a tag call with a mode, and records it (rule-api §4.3). */
export function unblockBy(
  account: Account,
  subscriber: Subscriber,
  mode: 'send' | 'force' | 'reset',
  call: string,
): void {
  if (!subscriber.blocked) return;
  subscriber.blocked = false;
  account.unblocks.push({ at: account.now().toISOString(), subscriberId: subscriber.id, call, mode });
}
