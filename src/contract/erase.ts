/** Erasing a reader: the update that asks for it, and what the activity `eraseSubscriber` is told and answers. Ids and keyed hashes only. */
import { defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PersonId } from './ids.js';
import type { FailureDetails } from './sync.js';

/** What came of a request to erase somebody. */
export interface Erasure {
  /** When it was asked for, ISO instant. */
  askedAt: string;
  /** When the reader was gone from Rule; absent while that is being tried. */
  erasedAt?: string;
  /** Ids of the subscribers that were deleted in Rule. */
  deleted: number[];
  /** Subscribers in Rule that may be theirs and are another Sesamy user's by Rule's field: they were left alone. */
  leftAlone: number[];
  /** Other Sesamy users who have the same address, or one of those subscribers: they are not erased by this. */
  sharedWith: string[];
  /** Why the last try failed; it is tried again by itself. */
  failure?: FailureDetails;
}

/** Delete the reader in Rule, forget them, and ignore what comes from now on. Needs no input. */
export const eraseSignal = defineSignal('erase');

/** The same; answers after the next try, whatever its outcome. */
export const eraseUpdate = defineUpdate<Erasure, []>('erase');

/** The erasure is taken back: the next message about the reader begins anew. Needs no input. */
export const liftErasureSignal = defineSignal('liftErasure');

export interface EraseInput extends PersonId {
  /** First only who it is is found out, so that the hashes of all addresses are kept before anything that shows them is deleted. */
  step: 'look' | 'delete';
  /** Subscribers in Rule that are, or once were, theirs. */
  ruleIds: number[];
  /** Keyed hashes of their addresses as far as they are known. */
  addressKeys: string[];
}

export interface EraseResult {
  /** Subscribers to be deleted after a look; deleted, or gone already, after a deletion. */
  ruleIds: number[];
  leftAlone: number[];
  /** Keyed hashes of all their addresses: none of them is written again under another id. */
  addressKeys: string[];
  sharedWith: string[];
  /** Sesamy could not be asked which address the person has now: another look is needed. */
  incomplete?: FailureDetails;
}
