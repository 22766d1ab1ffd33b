/** Subscribers in Rule who carry our tag and whom nobody is known to look after. */
import type { Inspection, StrayId, StrayMended, TaggedInput, TaggedPage } from '../contract/index.js';
import { baseTag, type Source } from '../mapping/index.js';
import { differencesOf, inspectSubscriber, rememberedOf, sesamyAnswers, surplus } from './inspect.js';
import { fetchSource, readPerson } from './read-person.js';
import type { Attempt } from './sync-subscriber.js';
import type { Vendor } from './vendor.js';
import { ownerOf } from './write-person.js';

/** One page of everybody in Rule, reduced to who carries our tag. */
export async function listTagged(
  vendor: Vendor,
  { page }: TaggedInput,
  { signal, step }: Attempt,
): Promise<TaggedPage> {
  step('audit: a page of rule');
  vendor.gate.check();
  const { subscribers, next } = await vendor.rule.listSubscribers(page, { signal });
  // Where the list does not tell the tags, each is looked at.
  const tagged = subscribers.filter(({ tags }) => tags === undefined || tags.includes(baseTag));
  return { ruleIds: tagged.map(({ id }) => id), listed: subscribers.length, ...(next ? { next } : {}) };
}

/** Who a subscriber is, by the field that we write. */
type Who =
  /** Not in Rule any more, or without our tag. */
  | { kind: 'nobody' }
  /** Looked after by a workflow that knows this subscriber. */
  | { kind: 'reader'; userId: string }
  /** Known to a workflow that rightly does not write them. */
  | { kind: 'not-due'; userId: string }
  /** At Sesamy, and no workflow looks after them. */
  | { kind: 'unwatched'; userId: string; source: Source }
  | { kind: 'surplus'; userId?: string; tags: string[] };

async function whoIs(vendor: Vendor, ruleId: number, attempt: Attempt): Promise<Who> {
  const { signal, step } = attempt;
  vendor.gate.check();
  step('audit: rule');
  const subscriber = await vendor.rule.get(ruleId, { signal });
  const tags = subscriber && (subscriber.tags ?? (await vendor.rule.listTags(ruleId, { signal })));
  if (!tags?.includes(baseTag)) return { kind: 'nobody' };
  const userId = await ownerOf(vendor, ruleId, signal);
  if (userId === undefined) return { kind: 'surplus', tags };
  const memory = await rememberedOf(vendor, userId);
  const watched = memory && !memory.over ? memory : undefined;
  if (watched?.known.ruleId === ruleId) return { kind: 'reader', userId };
  // The person has another subscriber, or was erased: this one was left behind.
  if (watched?.known.ruleId !== undefined || memory?.state === 'erased') return { kind: 'surplus', userId, tags };
  if (watched?.state === 'skipped') return { kind: 'not-due', userId };
  step('audit: sesamy');
  const source = await fetchSource(vendor, userId, {}, signal);
  if (source) return { kind: 'unwatched', userId, source };
  await sesamyAnswers(vendor, attempt);
  return { kind: 'surplus', userId, tags };
}

/** Finds out who a subscriber is, and compares whoever is at Sesamy. Writes nothing. */
export async function inspectStray(
  vendor: Vendor,
  { vendorId, ruleId }: StrayId,
  attempt: Attempt,
): Promise<Inspection> {
  const who = await whoIs(vendor, ruleId, attempt);
  switch (who.kind) {
    case 'nobody':
      return { verdict: 'nobody', ruleId, differences: [] };
    case 'reader':
      return inspectSubscriber(vendor, { vendorId, userId: who.userId }, attempt);
    case 'not-due':
      return { verdict: 'not-due', ruleId, userId: who.userId, differences: [] };
    case 'unwatched': {
      const person = readPerson(vendor, who.source, attempt.now());
      const differences = await differencesOf(vendor, person, ruleId, { known: {}, gained: [] }, attempt);
      return { verdict: 'compared', ruleId, userId: who.userId, unwatched: true, differences };
    }
    case 'surplus': {
      const { userId } = who;
      return { verdict: 'compared', ruleId, ...(userId ? { userId } : {}), differences: [surplus(who.tags)] };
    }
  }
}

/**
 * Our status tags leave a surplus person, as they leave whoever is gone from Sesamy: the tag `sesamy`, the fields and the subscriber
 * stay. Who it is is found out anew, since time has passed and this is the look that counts.
 */
export async function mendStray(vendor: Vendor, { ruleId }: StrayId, attempt: Attempt): Promise<StrayMended> {
  const who = await whoIs(vendor, ruleId, attempt);
  if (who.kind === 'unwatched' || who.kind === 'reader') return { outcome: 'left-alone', resync: who.userId };
  if (who.kind !== 'surplus') return { outcome: 'left-alone' };
  const { tags = [] } = surplus(who.tags);
  if (tags.length === 0) return { outcome: 'left-alone' };
  attempt.step('rule: status tags of a surplus person');
  await vendor.rule.removeTags(ruleId, tags, { signal: attempt.signal });
  return { outcome: 'cleared' };
}
