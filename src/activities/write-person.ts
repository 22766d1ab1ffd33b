import { setTimeout as delay } from 'node:timers/promises';
import type { Known, SyncChanges, SyncInput, SyncProblem, SyncReason, Verdict } from '../contract/index.js';
import { userIdPattern } from '../contract/index.js';
import { VendorError } from '../http/errors.js';
import {
  baseTag,
  fieldsToWrite,
  fieldTable,
  mappingVersion,
  missingTags,
  type RuleFieldValue,
  stageTag,
  tagsToRemove,
} from '../mapping/index.js';
import type { RuleSubscriber } from '../rule/index.js';
import { type AddressClaim, claimAddress } from './address-owner.js';
import { requireOurAccount } from './field-types.js';
import { changedSlots, personHashes } from './hashes.js';
import { neverWritten } from './known.js';
import { type Person, subscribes } from './read-person.js';
import type { Vendor } from './vendor.js';

/** Of the subscribers that somebody had before: all of a lifetime, nearly. */
const mostFormerIds = 10;

/** More refused fields than this are no slip of one value: somebody should look at them. */
const mostRefusedFields = 4;

export interface Written {
  verdict: Verdict;
  reason?: SyncReason;
  known: Known;
  changes: SyncChanges;
  problems: SyncProblem[];
  /** State tags that are still to be given, so that their flows start. */
  gained?: string[];
}

interface Job {
  vendor: Vendor;
  input: SyncInput;
  person: Person;
  /** Whose the address is is to be found out before anything is written. */
  asksWhose: boolean;
  /** Tags that are gained are left to be delivered, which starts their flows; else they are given silently. */
  startsFlows: boolean;
  /** Something is going to be delivered after this, and recalculates the segments then. */
  tells: boolean;
  signal: AbortSignal;
  step: (name: string) => void;
  now: Date;
  /** Told the subscriber's id as soon as it is known, so that a failure after it does not lose it. */
  wrote?: (ruleId: number) => void;
  problems: SyncProblem[];
  /** Other Sesamy users from whom a subscriber was taken over: filled while it is done. */
  takenFrom: string[];
}

/**
 * Brings one person's subscriber in Rule in line, silently: no call here starts a tag automation. Costs no call when the hashes say
 * that nothing changed. Every step may be repeated, so a retry of the whole is safe.
 */
export async function writePerson(job: Omit<Job, 'problems' | 'takenFrom'>): Promise<Written> {
  const { vendor, input, person } = job;
  const { known } = input;
  const problems: SyncProblem[] = [...person.mapped.problems];
  const hashes = personHashes(vendor.hashKey, input.vendorId, input.userId);
  const keepsMissing = fieldTable.map((row) => row.missing === 'keep');
  const {
    notInRuleSince: _since,
    unsettled: _unsettled,
    refusedFields: _refused,
    sharedSince: _shared,
    movingSince: _moving,
    leftBehind: _left,
    segmentsStale: _stale,
    ...kept
  } = known;
  const next: Known = {
    ...kept,
    mappingVersion,
    fieldHashes: hashes.fields(
      person.mapped.fields.map((field, index) => ({ ...field, kept: keepsMissing[index] === true })),
      known.fieldHashes,
    ),
    tags: person.tags,
    stage: person.stage.stage,
  };
  if (person.mapped.email) next.addressHash = hashes.of('address', person.mapped.email);

  // An id that is known from a first write that broke off says nothing of what was written.
  const first = known.fieldHashes === undefined;
  const changes: SyncChanges = {
    fields: changedFields(known, next, input.force || first),
    tagsAdded: person.tags.filter((tag) => !known.tags?.includes(tag)),
    tagsRemoved: [],
    addressChanged: !first && next.addressHash !== known.addressHash,
  };
  const full: Job = { ...job, problems, takenFrom: [] };
  const isHeld = !first && next.addressHash === known.addressHash;

  try {
    const claim = job.asksWhose || !isHeld ? await claimFor(full) : undefined;
    const unowned = claim && (await notOurs(full, claim, isHeld));
    if (unowned) return unowned;
    const written = await write(full, next, changes);
    // Whoever had the address, or the subscriber, before: they find out that it is not theirs any more, and move or are skipped.
    const others = claim?.kind === 'ours' && !isHeld ? [...claim.rivals, ...claim.unsure] : [];
    await vendor.addressBook?.lookAgain([...new Set([...others, ...full.takenFrom])], input.userId);
    return written;
  } catch (error) {
    if (error instanceof SharedAddress) return error.moving ? awaitsMove(full, known) : sharesAddress(full, known);
    const isMissing =
      error instanceof VendorError &&
      error.type === 'rule/not-found' &&
      /\/subscribers?\/\{id\}/.test(error.path ?? '');
    if (known.ruleId === undefined || !isMissing) throw error;
    if (input.recreate) {
      return writePerson({ ...job, startsFlows: false, input: { ...input, known: neverWritten(known), gained: [] } });
    }
    return await notInRule(full, known);
  }
}

async function write(job: Job, next: Known, changes: SyncChanges): Promise<Written> {
  const { known } = job.input;
  if (known.ruleId !== undefined) return update(job, known.ruleId, next, changes);
  const created = await create(job);
  job.wrote?.(created.id);
  await takeConsentAlong(job, created);
  const gained = missingTags(created.tags, job.person.tags);
  const settled = await settle(job, created.id, created.tags, gained, changes);
  return {
    verdict: 'created',
    known: { ...next, ruleId: created.id, ...settled, ...refused(job.problems) },
    changes,
    problems: job.problems,
    ...toDeliver(job, gained),
  };
}

/** Whoever had a subscriber before, and asked there to be left alone, is left alone here too. */
async function takeConsentAlong({ vendor, input, signal }: Job, created: RuleSubscriber): Promise<void> {
  const former = input.known.formerRuleIds?.at(-1);
  if (former === undefined || former === created.id) return;
  const old = await vendor.rule.get(former, { signal });
  if (old && !old.mailable) await vendor.rule.suppress(created.id, { signal });
}

async function claimFor(
  { vendor, input, person, signal, now }: Job,
  holders: string[] = [],
): Promise<AddressClaim | undefined> {
  const { addressKey } = input.known;
  const also = { holders, tellers: input.sharesWith ?? [] };
  return addressKey === undefined ? undefined : claimAddress(vendor, person, addressKey, also, { signal, now });
}

/** What becomes of somebody who does not own their address; `undefined` for who does. Nothing is written to Rule. */
async function notOurs(job: Job, claim: AddressClaim, isHeld: boolean): Promise<Written | undefined> {
  const { vendor, input } = job;
  const { known } = input;
  switch (claim.kind) {
    case 'erased':
      // Who was written before is another person of that address, and stays.
      return isHeld ? undefined : { ...sharesAddress(job, known), reason: 'erased-address', known };
    case 'theirs':
      if (!isHeld) return sharesAddress(job, await leaveBehind(job));
      // The subscriber is the other one's from now on: they write it, and we forget it.
      await vendor.addressBook?.lookAgain([claim.owner], input.userId);
      return sharesAddress(job, handedOver(known));
    case 'ours':
      if (isHeld || claim.unsure.length === 0 || mayTake(job)) return undefined;
      // Are they about to leave it? Then both keep their subscriber; and one answer of Sesamy is not enough to take anybody's.
      if (known.movingSince === undefined) await vendor.addressBook?.lookAgain(claim.unsure, input.userId);
      return awaitsMove(job, known);
  }
}

/** Whether an address that another one seems to have left at Sesamy, and not in Rule, has been waited for long enough. */
function mayTake({ vendor, input, now }: Job): boolean {
  const since = Date.parse(input.known.movingSince ?? '');
  return now.getTime() - since >= vendor.timings.missingRowsMs;
}

function awaitsMove(job: Job, known: Known): Written {
  return sharesAddress(job, { ...known, movingSince: known.movingSince ?? job.now.toISOString() });
}

/** Nobody is to be written to as a subscriber under an address that they have left, though there is no other subscriber for them. */
async function leaveBehind({ vendor, input, signal, step }: Job): Promise<Known> {
  const { known } = input;
  if (known.ruleId === undefined || known.leftBehind) return known;
  step('rule: status tags at an address that was left');
  await takeStatusTags(vendor, input, signal);
  return { ...known, leftBehind: true };
}

/**
 * Our status tags leave a subscriber; the base tag, the fields and the subscriber stay (they are the publisher's). Nothing is taken from
 * one that is another Sesamy user's by now, as after a merge of accounts.
 *
 * @returns the tags that left
 */
export async function takeStatusTags(
  vendor: Vendor,
  { userId, known }: Pick<SyncInput, 'userId' | 'known'>,
  signal: AbortSignal,
): Promise<string[]> {
  if (known.ruleId === undefined) return [];
  const subscriber = await vendor.rule.get(known.ruleId, { signal });
  const owner = subscriber && (await ownerOf(vendor, known.ruleId, signal));
  const isOurs = owner === undefined || owner === userId;
  const lost = subscriber && isOurs ? tagsToRemove(subscriber.tags ?? known.tags ?? [], []) : [];
  if (lost.length > 0) await vendor.rule.removeTags(known.ruleId, lost, { signal });
  return lost;
}

/** The subscriber is another one's now; an erasure, and the consent that goes along with a move, still have to know of it. */
function handedOver(known: Known): Known {
  const { movingSince: _moving, leftBehind: _left, ...rest } = neverWritten(known);
  if (known.ruleId === undefined) return rest;
  return { ...rest, formerRuleIds: withFormer(known.formerRuleIds, known.ruleId) };
}

function withFormer(former: readonly number[] = [], id: number): number[] {
  return [...former.filter((one) => one !== id), id].slice(-mostFormerIds);
}

/** Nobody is written; the address may be free as soon as its owner has moved on. */
function sharesAddress({ now, problems }: Job, known: Known): Written {
  const changes: SyncChanges = { fields: [], tagsAdded: [], tagsRemoved: [], addressChanged: false };
  const sharedSince = known.sharedSince ?? now.toISOString();
  return { verdict: 'skipped', reason: 'shared-address', known: { ...known, sharedSince }, changes, problems };
}

/**
 * Rule does not know the subscriber. Most likely somebody deleted the person there, which is a decision about consent and stands until
 * somebody asks; but one answer is not enough to believe it for ever.
 */
async function notInRule({ vendor, now, problems }: Job, known: Known): Promise<Written> {
  const changes: SyncChanges = { fields: [], tagsAdded: [], tagsRemoved: [], addressChanged: false };
  const since = known.notInRuleSince ?? now.toISOString();
  if (now.getTime() - Date.parse(since) < vendor.timings.missingRowsMs) {
    return {
      verdict: 'waiting',
      reason: 'missing-in-rule',
      known: { ...known, notInRuleSince: since },
      changes,
      problems,
    };
  }
  vendor.fieldTypes.forget();
  requireOurAccount(await vendor.fieldTypes.get());
  const { notInRuleSince: _since, ...rest } = known;
  return { verdict: 'skipped', reason: 'deleted-in-rule', known: { ...rest, deletedInRule: true }, changes, problems };
}

async function update(job: Job, ruleId: number, next: Known, changes: SyncChanges): Promise<Written> {
  const { vendor, input, person, signal, step, problems } = job;
  const { known } = input;
  const { email } = person.mapped;
  const writesFields = input.force || changes.fields.length > 0 || changes.addressChanged;
  let id = ruleId;
  let held = known.leftBehind ? [baseTag] : (known.tags ?? []);
  const isTaken = await isSomebodyElses(job, ruleId, changes.addressChanged || email === undefined);
  if (isTaken && !changes.addressChanged) throw new SharedAddress();

  if (writesFields) {
    step('rule: fields');
    const put = (address: string | undefined) =>
      orTaken(
        writeFields(job, (fields) =>
          vendor.rule.update(ruleId, { ...(address ? { email: address } : {}), fields }, { signal }),
        ),
      );
    let reply = isTaken ? undefined : await put(changes.addressChanged ? email : undefined);
    // Edited by hand in Rule, or written by an attempt that broke off.
    if (input.force && reply?.email && email && reply.email.toLowerCase() !== email) {
      changes.addressChanged = true;
      reply = await put(email);
    }
    const now = reply ?? (await moveToAddress(job, ruleId));
    if (now.id !== ruleId) {
      id = now.id;
      changes.addressChanged = false;
      changes.movedFrom = ruleId;
      next.formerRuleIds = withFormer(
        known.formerRuleIds?.filter((one) => one !== id),
        ruleId,
      );
    }
    if (input.force || !reply) held = now.tags ?? (await vendor.rule.listTags(id, { signal }));
  }
  const gained = missingTags(held, person.tags);
  changes.tagsAdded = gained;
  const changed = writesFields || gained.length > 0 || tagsToRemove(held, person.tags).length > 0;
  if (!changed) {
    problems.push(...(known.refusedFields ?? []).map((field) => ({ field, code: 'refused-by-rule' })));
    if (known.segmentsStale && input.live && !job.tells) {
      step('rule: segments');
      await vendor.rule.addTags(id, [baseTag], { recalculateSegments: true, signal });
    } else if (known.segmentsStale && !input.live) {
      next.segmentsStale = true;
    }
    return { verdict: 'unchanged', known: { ...next, ...refused(problems) }, changes, problems };
  }
  const settled = await settle(job, id, held, gained, changes);
  return {
    verdict: 'updated',
    known: { ...next, ruleId: id, ...settled, ...refused(problems) },
    changes,
    problems,
    ...toDeliver(job, gained),
  };
}

/**
 * Given silently, always: the base tag tells of nothing that happened, and the events of these stages wait before they are told, which
 * flows on their tags would not.
 */
export const silentTags: readonly string[] = [baseTag, stageTag('cancelling'), stageTag('lapsed')];

/**
 * Of the tags that are missing in Rule those that start flows when they are given: all of a live look, else those that wait for it. One
 * that Rule held by our hand was taken away there, and is put back silently.
 */
function flowTags({ startsFlows, input }: Job, gained: readonly string[]): string[] {
  const { known, gained: waiting } = input;
  return gained
    .filter((tag) => !silentTags.includes(tag) && !known.tags?.includes(tag))
    .filter((tag) => startsFlows || waiting.includes(tag));
}

function toDeliver(job: Job, gained: readonly string[]): Pick<Written, 'gained'> {
  const tags = flowTags(job, gained);
  return tags.length > 0 ? { gained: tags } : {};
}

/** `undefined` where the address belongs to another subscriber. */
async function orTaken(written: Promise<RuleSubscriber>): Promise<RuleSubscriber | undefined> {
  return written.catch((error: unknown) => {
    if (error instanceof VendorError && error.type === 'rule/email-taken') return undefined;
    throw error;
  });
}

/** What is remembered of refusals: a field that Rule did not take is shown until it is written. */
function refused(problems: readonly SyncProblem[]): Pick<Known, 'refusedFields'> {
  const fields = problems.filter(({ code }) => code === 'refused-by-rule').map(({ field }) => field);
  return fields.length > 0 ? { refusedFields: fields } : {};
}

/** The first write: by address, which gives Rule's id and the tags that the subscriber has. */
async function create(job: Job): Promise<RuleSubscriber & { tags: string[] }> {
  const { vendor, person, signal, step } = job;
  const { email } = person.mapped;
  if (!email) throw new Error('a person without an address cannot be written');
  step('rule: first write');
  const later = flowTags(job, person.tags);
  const tags = person.tags.filter((tag) => !later.includes(tag));
  const subscriber = await writeFields(job, (fields) => vendor.rule.upsertByEmail({ email, fields, tags }, { signal }));
  return { ...subscriber, tags: subscriber.tags ?? (await vendor.rule.listTags(subscriber.id, { signal })) };
}

/**
 * The new address belongs to another Rule subscriber, or the old subscriber to another Sesamy user by now. Nobody is deleted: the
 * subscriber at the new address becomes ours with all its history, our tags leave the old one if it is still ours, and a suppression of
 * the old one goes along, so that the stricter consent stays.
 */
async function moveToAddress(job: Job, oldId: number): Promise<RuleSubscriber> {
  const { vendor, signal, step } = job;
  step('rule: address taken');
  const owners = await ownersOf(job, oldId);
  const old = await vendor.rule.get(oldId, { signal });
  if (!old) {
    const reason = 'the subscriber is gone';
    throw new VendorError({
      type: 'rule/not-found',
      next: 'give-up',
      reason,
      status: 404,
      method: 'GET',
      path: '/v2/subscribers/{id}',
    });
  }
  if (owners.taken !== undefined && owners.taken !== job.input.userId) {
    const claim = await claimFor(job, [owners.taken]);
    if (claim?.kind !== 'ours') throw new SharedAddress();
    if (claim.unsure.length > 0 && !mayTake(job)) throw new SharedAddress(true);
    job.takenFrom.push(owners.taken);
  }
  // The state is not new, only the place where it is kept.
  const taken = await create({ ...job, startsFlows: false, input: { ...job.input, gained: [] } });
  // Rule called the subscriber's own address taken: an attempt that broke off had changed it already.
  if (taken.id === oldId) return taken;
  // Whatever the new one is suppressed for already: it may be another channel.
  if (!old.mailable) await vendor.rule.suppress(taken.id, { signal });
  const ours = tagsToRemove(old.tags ?? job.input.known.tags ?? [], []);
  const isOurs = owners.old === undefined || owners.old === job.input.userId;
  if (isOurs && ours.length > 0) {
    await vendor.rule.removeTags(oldId, ours, { signal });
    // Whoever takes that one over next must not lose their tags by a removal that is still queued.
    await untilRemoved(vendor, oldId, ours, signal);
  }
  return taken;
}

/**
 * Whether the subscriber is another Sesamy user's by now: somebody took over the old address of who moves on, or accounts were merged and
 * who loses tags lost them to the other one. Asked for only then, since it costs a call.
 */
async function isSomebodyElses(
  { vendor, input, person, signal }: Job,
  ruleId: number,
  moves: boolean,
): Promise<boolean> {
  const { tags = [] } = input.known;
  if (!moves && (subscribes(person) || tagsToRemove(tags, person.tags).length === 0)) return false;
  const owner = await ownerOf(vendor, ruleId, signal);
  return owner !== undefined && owner !== input.userId;
}

/** The address, or the subscriber, is another Sesamy user's: theirs is not touched, and ours stays where it is. */
class SharedAddress extends Error {
  override name = 'SharedAddress';
  /** @param moving the other one seems to be leaving it */
  constructor(readonly moving = false) {
    super();
  }
}

/** Sesamy user ids that Rule holds of the subscriber we know and of the one who has the address; absent where it holds none. */
async function ownersOf({ vendor, person, signal }: Job, oldId: number): Promise<{ old?: string; taken?: string }> {
  const taken = person.mapped.email && (await vendor.rule.findByEmail(person.mapped.email, { signal }));
  const old = await ownerOf(vendor, oldId, signal);
  const other = taken ? await ownerOf(vendor, taken.id, signal) : undefined;
  return { ...(old === undefined ? {} : { old }), ...(other === undefined ? {} : { taken: other }) };
}

/** Which Sesamy user a subscriber of Rule is, by the field that we write; `undefined` where none is said. */
export async function ownerOf(vendor: Vendor, ruleId: number, signal?: AbortSignal): Promise<string | undefined> {
  const value = (await vendor.rule.readFields(ruleId, { signal }))['Sesamy_User.ID']?.value;
  // Whatever else somebody typed there names no user, and must not get into an address or an id.
  return typeof value === 'string' && userIdPattern.test(value) ? value : undefined;
}

/**
 * Tags and segments, after the fields. Removal is a job that Rule does a little later (rule-api §4.3), so the sync waits until it
 * is done: segments that are recalculated before would stay wrong, and a tag gained again meanwhile would be taken off.
 */
async function settle(
  job: Job,
  id: number,
  held: readonly string[],
  gained: readonly string[],
  changes: SyncChanges,
): Promise<Pick<Known, 'unsettled' | 'tags' | 'segmentsStale'>> {
  const { vendor, input, person, signal, step } = job;
  const later = flowTags(job, gained);
  const now = gained.filter((tag) => !later.includes(tag));
  const lost = tagsToRemove(held, person.tags);
  changes.tagsRemoved = lost;
  let unsettled = false;
  if (lost.length > 0) {
    step('rule: tags that no longer apply');
    await vendor.rule.removeTags(id, lost, { signal });
    unsettled = !(await untilRemoved(vendor, id, lost, signal));
  }
  if (input.live && later.length === 0 && !job.tells) {
    step('rule: tags and segments');
    // Putting on again what is there is how segments are recalculated (rule-api §4.3).
    await vendor.rule.addTags(id, [...new Set([baseTag, ...now])], { recalculateSegments: true, signal });
  } else if (now.length > 0) {
    step('rule: tags');
    await vendor.rule.addTags(id, now, { recalculateSegments: false, signal });
  }
  const tags = person.tags.filter((tag) => !later.includes(tag));
  // A quiet write leaves the marketer's audiences as they were; the next live look brings them up to date.
  return { tags, ...(unsettled ? { unsettled } : {}), ...(input.live ? {} : { segmentsStale: true }) };
}

/** Bounded: a sync must not hang on another's queue. Answers whether the tags are gone. */
async function untilRemoved(
  vendor: Vendor,
  id: number,
  lost: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const pause of [50, 150, 400, 1_000]) {
    await delay(pause, undefined, { signal });
    const held = await vendor.rule.listTags(id, { signal });
    if (!lost.some((tag) => held.includes(tag))) return true;
  }
  return false;
}

/** Writes the fields; those that Rule blames are left out and reported, so that a bad field costs only itself. */
async function writeFields<T>(job: Job, write: (fields: RuleFieldValue[]) => Promise<T>): Promise<T> {
  const { vendor, person, problems } = job;
  const { fields, problems: misfits } = fieldsToWrite(person.mapped, await vendor.fieldTypes.get());
  problems.push(...misfits);
  for (let left = fields; ; ) {
    try {
      return await write(left);
    } catch (error) {
      const blamed =
        error instanceof VendorError && error.type === 'rule/invalid' ? Object.keys(error.fields ?? {}) : [];
      const innocent = left.filter(({ key }) => !blamed.includes(key));
      // Each refusal is an error on Rule's account, whose share is limited: people with many bad fields are given up.
      if (innocent.length === left.length || fields.length - innocent.length > mostRefusedFields) throw error;
      vendor.fieldTypes.forget();
      problems.push(...blamed.map((field) => ({ field, code: 'refused-by-rule' })));
      left = innocent;
    }
  }
}

function changedFields(before: Known, now: Known, all: boolean): string[] {
  const old = all || before.mappingVersion !== now.mappingVersion ? undefined : before.fieldHashes;
  return changedSlots(old, now.fieldHashes ?? '').map((index) => fieldTable[index]?.key ?? `field ${index}`);
}
