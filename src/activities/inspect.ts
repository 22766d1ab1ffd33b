import { setTimeout as delay } from 'node:timers/promises';
import type { Difference, Inspection, Known, PersonId, SubscriberMemory, SyncReason } from '../contract/index.js';
import { steadyNow } from '../http/steady-clock.js';
import { baseTag, compareFields, missingTags, tagsToRemove } from '../mapping/index.js';
import { requireOurAccount } from './field-types.js';
import { fetchStanding, isEmptied, type Person, readPerson } from './read-person.js';
import type { Attempt } from './sync-subscriber.js';
import type { Vendor } from './vendor.js';

/** Somebody who is written at the same moment is looked at once more. */
const mostLooks = 2;
const betweenLooksMs = 2_000;

/**
 * Reads one person at both vendors and compares; writes nothing. Three reads of Sesamy and two of Rule, and those again where
 * something differs while the person's own workflow is at work.
 */
export async function inspectSubscriber(vendor: Vendor, person: PersonId, attempt: Attempt): Promise<Inspection> {
  vendor.gate.check();
  const { userId } = person;
  for (let look = 1; ; look += 1) {
    attempt.step('audit: what is remembered');
    const memory = await rememberedOf(vendor, userId);
    if (!memory || memory.over) return { verdict: 'not-due', userId, differences: [] };
    const inspection = { ...(await lookAt(vendor, userId, memory, attempt)), ...stateOf(memory) };
    if (inspection.differences.length === 0) return inspection;
    const after = await rememberedOf(vendor, userId);
    if (after && !after.underWay && after.attempts === memory.attempts) return inspection;
    if (look === mostLooks) return { ...inspection, verdict: 'unclear', differences: [] };
    await delay(betweenLooksMs, undefined, { signal: attempt.signal });
  }
}

/** @throws Error where the process has no way to ask, which is a mistake of whoever made the vendor */
export async function rememberedOf(vendor: Vendor, userId: string): Promise<SubscriberMemory | undefined> {
  if (!vendor.remembered) throw new Error('an audit needs a vendor that was opened with a Temporal client');
  return vendor.remembered(userId);
}

function stateOf({ state }: SubscriberMemory): Pick<Inspection, 'state'> {
  return state === 'ok' ? {} : { state };
}

/** Reasons for which somebody confirmed is not written, and rightly. */
const rightlySkipped: readonly (SyncReason | undefined)[] = ['shared-address', 'erased-address'];

async function lookAt(vendor: Vendor, userId: string, memory: SubscriberMemory, attempt: Attempt): Promise<Inspection> {
  const { known } = memory;
  const { ruleId } = known;
  const about = { userId, ...(ruleId === undefined ? {} : { ruleId }) };
  const notDue: Inspection = { verdict: 'not-due', ...about, differences: [] };
  // Rule is not asked for what it does not have: its 404 would count as an error of the account (rule-api §8).
  if (known.deletedInRule) return { verdict: 'compared', ...about, differences: [{ kind: 'deleted-in-rule' }] };
  if (rightlySkipped.includes(memory.reason)) return notDue;
  attempt.step('audit: sesamy');
  const source = await fetchStanding(vendor, userId, known, { signal: attempt.signal, now: attempt.now() });
  if (!source) {
    return ruleId === undefined ? notDue : { ...(await goneFromSesamy(vendor, ruleId, attempt)), ...about };
  }
  // The person's own second look finds out whether that is true.
  if (isEmptied(known, source)) return { verdict: 'unclear', ...about, differences: [] };
  const person = readPerson(vendor, source, attempt.now());
  if (ruleId !== undefined) {
    return { verdict: 'compared', ...about, differences: await differencesOf(vendor, person, ruleId, memory, attempt) };
  }
  if (!person.mapped.standing.confirmed) return notDue;
  return { verdict: 'compared', ...about, differences: [{ kind: 'missing' }] };
}

/** What Rule holds of somebody, beside what it should. */
export async function differencesOf(
  vendor: Vendor,
  person: Person,
  ruleId: number,
  memory: { known: Known; gained: readonly string[] },
  { signal, step }: Attempt,
): Promise<Difference[]> {
  step('audit: rule');
  const subscriber = await vendor.rule.get(ruleId, { signal });
  const types = await vendor.fieldTypes.get();
  if (!subscriber) {
    requireOurAccount(types);
    return [{ kind: 'missing' }];
  }
  const held = await vendor.rule.readFields(ruleId, { signal });
  const tags = subscriber.tags ?? (await vendor.rule.listTags(ruleId, { signal }));
  const differing = compareFields(person.mapped, types, held)
    .fields.filter(({ differs }) => differs)
    .map(({ key }) => key);
  const isRefused = (key: string) => memory.known.refusedFields?.includes(key) === true;
  // What a live look has found gained waits for its delivery, which starts the flows.
  const lost = missingTags(tags, person.tags).filter((tag) => !memory.gained.includes(tag));
  const { email } = person.mapped;
  const isElsewhere = email !== undefined && subscriber.email?.trim().toLowerCase() !== email;
  return [
    ...named('edited-field', { fields: differing.filter((key) => !isRefused(key)) }),
    ...named('refused-field', { fields: differing.filter(isRefused) }),
    ...named('lost-tag', { tags: lost }),
    ...named('surplus-tag', { tags: tagsToRemove(tags, person.tags) }),
    ...(isElsewhere ? [{ kind: 'other-address' } as const] : []),
  ];
}

function named(kind: Difference['kind'], names: Pick<Difference, 'fields' | 'tags'>): Difference[] {
  return Object.values(names).some((list) => list.length > 0) ? [{ kind, ...names }] : [];
}

async function goneFromSesamy(vendor: Vendor, ruleId: number, attempt: Attempt): Promise<Inspection> {
  await sesamyAnswers(vendor, attempt);
  attempt.step('audit: rule');
  const subscriber = await vendor.rule.get(ruleId, { signal: attempt.signal });
  const tags = subscriber && (subscriber.tags ?? (await vendor.rule.listTags(ruleId, { signal: attempt.signal })));
  if (!tags?.includes(baseTag)) return { verdict: 'nobody', differences: [] };
  return { verdict: 'compared', differences: [surplus(tags)] };
}

/** Somebody who carries our tag and is nobody's. */
export function surplus(held: readonly string[]): Difference {
  const tags = tagsToRemove(held, []);
  return { kind: 'surplus', ...(tags.length > 0 ? { tags } : { settled: true }) };
}

const answeredUntil = new WeakMap<Vendor, number>();
const answeredMs = 60_000;

/** A wrong address answers 404 for everybody: that must not make everybody surplus. Asked once a minute, since it costs several reads. */
export async function sesamyAnswers(vendor: Vendor, { signal }: Pick<Attempt, 'signal'>): Promise<void> {
  if (steadyNow() < (answeredUntil.get(vendor) ?? 0)) return;
  await vendor.sesamy.checkAccess({ signal });
  answeredUntil.set(vendor, steadyNow() + answeredMs);
}
