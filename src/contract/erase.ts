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
  /** Other Sesamy users who have the same address: they are not erased by this. */
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
  /** Subscribers in Rule that are, or once were, theirs. */
  ruleIds: number[];
  /** Keyed hashes of their addresses as far as they are known. */
  addressKeys: string[];
}

export interface EraseResult {
  /** Ids of the subscribers that were deleted in Rule by this attempt, or were gone already. */
  deleted: number[];
  /** Keyed hashes of all their addresses: none of them is written again under another id. */
  addressKeys: string[];
  sharedWith: string[];
}
