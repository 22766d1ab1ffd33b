/**
 * Signals, the update and the query of the workflow `subscriber`. Signals are named for what happened and carry when and which ids:
 * they tell whom to look at, the truth is fetched.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BackfillKind } from './backfill.js';
import type { DeliverOutcome } from './deliver.js';
import type { Erasure } from './erase.js';
import type { LifecycleDue, LifecycleEvent, RowOnlyReason } from './lifecycle.js';
import type { Stage } from './stage.js';
import type { FailureDetails, SyncChanges, SyncProblem, SyncReason, Verdict } from './sync.js';

/** One webhook, reduced to what may be stored. */
export interface Nudge {
  /** The vendor's name of the event, for example `contract.1#purchased`. */
  event: string;
  /** When it happened by the sender's word, ISO instant. */
  occurredAt: string;
  contractId?: string;
  entitlementId?: string;
  checkoutId?: string;
}

export const nudgeSignals = {
  /** `userVendor.1#new`, `userVendor.1#update`, and event types that we do not know. */
  profileChanged: defineSignal<[Nudge]>('profileChanged'),
  /** `contract.1#purchased`, `checkout.1#confirm`. */
  purchased: defineSignal<[Nudge]>('purchased'),
  /** `contract.1#update`: renewal, overdue, plan change and end all look alike. */
  contractChanged: defineSignal<[Nudge]>('contractChanged'),
  /** `contract#cancelRequest`. */
  cancelRequested: defineSignal<[Nudge]>('cancelRequested'),
  /** `entitlement.1#new`, `entitlement.1#update`. */
  accessChanged: defineSignal<[Nudge]>('accessChanged'),
} as const;

export type NudgeName = keyof typeof nudgeSignals;

/** Which signal each documented webhook becomes (sesamy-api §4.2). Exact names: the `.1` is a version, one event has none. */
export const signalOfEvent: Readonly<Record<string, NudgeName>> = {
  'userVendor.1#new': 'profileChanged',
  'userVendor.1#update': 'profileChanged',
  'contract.1#purchased': 'purchased',
  'checkout.1#confirm': 'purchased',
  'contract.1#update': 'contractChanged',
  'contract#cancelRequest': 'cancelRequested',
  'entitlement.1#new': 'accessChanged',
  'entitlement.1#update': 'accessChanged',
};

export interface ResyncRequest {
  /** Who asks, in a word: `operator`, `backfill`. Shown in the trail. */
  by?: string;
  /** Write a person again who was deleted in Rule by hand. */
  recreate?: boolean;
  /** Another Sesamy user who has, or takes, the person's address: may be too new to be found by a search. */
  sharesAddressWith?: string;
}

/** Write everything again, quietly, whatever the hashes say. Callable from the Temporal UI without any input. */
export const resyncSignal = defineSignal<[ResyncRequest?]>('resync');

export interface SyncNowRequest {
  /** As `resync`: write everything again. Without it an unchanged person costs no call to Rule. */
  force?: boolean;
  recreate?: boolean;
  /** A walk through everybody asks, not a person: its name is in the trail, and live work goes first. */
  by?: BackfillKind;
}

/** One attempt now, quietly; answers when it is over, whatever its outcome. */
export const syncNowUpdate = defineUpdate<TrailEntry, [SyncNowRequest?]>('syncNow');

/** What is held: ends of subscriptions while the brake is on, and receipts of which nobody knows whether they went out. */
export type HeldKind = 'ended' | 'receipt';

/** The value of the search attribute `FailureType` by which what is held is found. */
export const heldTypes: Readonly<Record<HeldKind, string>> = {
  ended: 'lifecycle/held',
  receipt: 'receipt/in-doubt',
};

export interface HeldRequest {
  what: HeldKind;
}

/** Tell of what is held after all, if it is still true; a receipt is sent again. Without input: all that is held. */
export const releaseSignal = defineSignal<[HeldRequest?]>('release');

/** Never tell of what is held. Without input: all of it. */
export const discardSignal = defineSignal<[HeldRequest?]>('discard');

export const statusQuery = defineQuery<SubscriberStatus>('status');

/**
 * - `new`: nothing has been tried yet
 * - `ok`: Rule holds what Sesamy says
 * - `retrying`: an attempt failed in a way that time or a working key mends; the next attempt is due by itself
 * - `failed`: other data is needed; waits for a message or a resync
 * - `skipped`: not to be written, see the reason
 * - `erased`: erased on request, or about to be; nothing is written and no message changes that
 */
export type SyncState = 'new' | 'ok' | 'retrying' | 'failed' | 'skipped' | 'erased';

/** One attempt, as people read it later. */
export interface TrailEntry {
  /** When the attempt ended, ISO instant. */
  at: string;
  /** Why it was made: signal names, `resync`, `recheck`, … */
  why: string[];
  verdict?: Verdict;
  reason?: SyncReason;
  changes?: SyncChanges;
  problems?: SyncProblem[];
  failure?: FailureDetails;
}

/** An event of the reader's life and what became of it. */
export interface ToldEvent {
  event: LifecycleEvent;
  outcome: DeliverOutcome | 'discarded' | 'dropped';
  reason?: RowOnlyReason;
  /** When that was settled, ISO instant. */
  at: string;
}

/** An event that is to be told yet. */
export interface WaitingEvent {
  event: LifecycleEvent;
  /** Why it waits for a person. */
  held?: HeldKind;
}

export interface SubscriberStatus {
  vendorId: string;
  userId: string;
  state: SyncState;
  reason?: SyncReason;
  failure?: FailureDetails;
  /** Since when attempts have been failing, ISO instant. */
  failedAt?: string;
  ruleId?: number;
  stage?: Stage;
  tags: string[];
  /** When Rule was last known to hold what Sesamy says, ISO instant. */
  syncedAt?: string;
  /** Syncs so far, failed attempts included. */
  attempts: number;
  /** What happens next by itself. */
  next?: { at: string; why: string };
  /** What time alone brings next in the reader's life: the end of a wait, a notice, a win-back; often after `next`. */
  due?: LifecycleDue;
  /** Messages that have arrived and are not acted on yet. */
  pending: string[];
  /** Events that are to be told yet, the next one first. */
  waiting: WaitingEvent[];
  /** State tags that are to be given yet, so that their flows start. */
  gained: string[];
  /** The last events of the reader's life and what became of them, oldest first. */
  told: ToldEvent[];
  /** The last attempts, oldest first. */
  trail: TrailEntry[];
  /** Of somebody who is, or is being, erased. */
  erasure?: Erasure;
}
