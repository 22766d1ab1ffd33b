/** How a subscriber's workflow comes to hold nothing of its reader any more. Pure, without Temporal. */
import type { EraseInput, EraseResult, FailureDetails, PersonId, TrailEntry } from '../contract/index.js';
import { retryWaitMs } from './attempts.js';
import { freshState, type SubscriberState } from './subscriber-state.js';

/** Somebody asks for the reader to be erased. Asked again, the next try does not wait; who is erased is looked for anew. */
export function recordErase(state: SubscriberState, now: number): void {
  const { addressKey } = state.known;
  state.erasure ??= {
    askedAt: iso(now),
    deleted: [],
    leftAlone: [],
    sharedWith: [],
    addressKeys: addressKey === undefined ? [] : [addressKey],
    at: 0,
    tries: 0,
  };
  delete state.erasure.erasedAt;
  state.erasure.at = 0;
  // From now on: the address is not to be written by anybody else meanwhile.
  state.state = 'erased';
  delete state.reason;
  // Neither timers nor messages that wait: what was to be done for the reader is not done any more.
  delete state.pending;
  delete state.retry;
  delete state.look;
  delete state.due;
  delete state.endsAt;
}

/** Only somebody who is erased can be given back; whoever is being erased is erased first. */
export function recordLift(state: SubscriberState): void {
  if (state.erasure?.erasedAt) state.lifted = true;
}

/** Whether the next try is due. */
export function mustErase({ erasure }: SubscriberState, now: number): boolean {
  return erasure !== undefined && erasure.erasedAt === undefined && erasure.at <= now;
}

/** The input of the first step. */
export function lookInput({ known, erasure }: SubscriberState, person: PersonId): EraseInput {
  const ruleIds = [...(known.formerRuleIds ?? []), ...(known.ruleId === undefined ? [] : [known.ruleId])];
  return {
    ...person,
    step: 'look',
    ruleIds: ruleIds.filter((id) => !erasure?.deleted.includes(id)),
    addressKeys: erasure?.addressKeys ?? [],
  };
}

/** Who it is has been found out; kept before anything is deleted. */
export function recordLooked({ erasure }: SubscriberState, found: EraseResult): void {
  if (!erasure) return;
  erasure.addressKeys = found.addressKeys;
  erasure.leftAlone = found.leftAlone;
  erasure.sharedWith = found.sharedWith;
}

/** The input of the second step. */
export function deleteInput({ erasure }: SubscriberState, person: PersonId, found: EraseResult): EraseInput {
  return { ...person, step: 'delete', ruleIds: found.ruleIds, addressKeys: erasure?.addressKeys ?? [] };
}

export function recordDeleted({ erasure }: SubscriberState, done: EraseResult): void {
  if (!erasure) return;
  erasure.deleted = union(erasure.deleted, done.ruleIds);
  erasure.sharedWith = union(erasure.sharedWith, done.sharedWith);
}

function union<T>(a: readonly T[], b: readonly T[]): T[] {
  return [...new Set([...a, ...b])];
}

/** Gone from Rule: of all that was remembered only the fact stays, and the keyed hashes that keep the address from coming back. */
export function recordErased(state: SubscriberState, now: number): void {
  const { published, erasure } = state;
  if (!erasure) return;
  const { failure: _failure, ...rest } = erasure;
  for (const name of Object.keys(state) as (keyof SubscriberState)[]) delete state[name];
  Object.assign(state, freshState(), {
    published,
    state: 'erased',
    erasure: { ...rest, erasedAt: iso(now), at: 0, tries: rest.tries + 1 },
  } satisfies Partial<SubscriberState>);
}

/** It could not be done: tried again by itself, for as long as it takes. */
export function recordNotErased(state: SubscriberState, failure: FailureDetails, now: number, chance: number): void {
  const { erasure } = state;
  if (!erasure) return;
  erasure.tries += 1;
  erasure.failure = failure;
  erasure.at = now + retryWaitMs(erasure.tries, failure, chance);
  state.failure = failure;
  state.failedAt ??= iso(now);
}

/** What those hear who ask for a sync of somebody who is erased, or about to be. */
export function erasedEntry({ erasure }: SubscriberState, now: number): TrailEntry {
  return { at: erasure?.erasedAt ?? iso(now), why: ['erase'], verdict: 'skipped', reason: 'erased' };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
