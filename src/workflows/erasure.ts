/** How a subscriber's workflow comes to hold nothing of its reader any more. Pure, without Temporal. */
import type { EraseInput, EraseResult, FailureDetails, PersonId, TrailEntry } from '../contract/index.js';
import { retryWaitMs } from './attempts.js';
import { freshState, type SubscriberState } from './subscriber-state.js';

/** Somebody asks for the reader to be erased. Asked again, the next try does not wait. */
export function recordErase(state: SubscriberState, now: number): void {
  const { addressKey } = state.known;
  state.erasure ??= {
    askedAt: iso(now),
    deleted: [],
    sharedWith: [],
    addressKeys: addressKey === undefined ? [] : [addressKey],
    at: 0,
    tries: 0,
  };
  state.erasure.at = 0;
  // Neither timers nor messages that wait: what was to be done for the reader is not done any more.
  delete state.pending;
  delete state.retry;
  delete state.look;
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

/** The activity's input. */
export function eraseInput({ known, erasure }: SubscriberState, person: PersonId): EraseInput {
  const ruleIds = [...(known.formerRuleIds ?? []), ...(known.ruleId === undefined ? [] : [known.ruleId])];
  return { ...person, ruleIds, addressKeys: erasure?.addressKeys ?? [] };
}

/** Gone from Rule: of all that was remembered only the fact stays, and the keyed hashes that keep the address from coming back. */
export function recordErased(state: SubscriberState, result: EraseResult, now: number): void {
  const { published, erasure } = state;
  for (const name of Object.keys(state) as (keyof SubscriberState)[]) delete state[name];
  Object.assign(state, freshState(), {
    published,
    state: 'erased',
    erasure: {
      askedAt: erasure?.askedAt ?? iso(now),
      erasedAt: iso(now),
      deleted: result.deleted,
      sharedWith: result.sharedWith,
      addressKeys: result.addressKeys,
      at: 0,
      tries: (erasure?.tries ?? 0) + 1,
    },
  } satisfies Partial<SubscriberState>);
}

/** It could not be done: tried again by itself, for as long as it takes. */
export function recordNotErased(state: SubscriberState, failure: FailureDetails, now: number, chance: number): void {
  const { erasure } = state;
  if (!erasure) return;
  erasure.tries += 1;
  erasure.failure = failure;
  erasure.at = now + retryWaitMs(erasure.tries, failure, chance);
  state.state = 'retrying';
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
