/**
 * Lifecycle events and what is remembered to find them. All of it is stored in Temporal's history: ids, dates, flags and titles of the
 * publisher's products, nothing about who the reader is.
 */
import type { Stage } from './stage.js';

/** In the order in which they are told when several are found at once. */
export const lifecycleEventTypes = [
  'single-purchase',
  'subscribed',
  'returned',
  'renewed',
  'payment-recovered',
  'cancel-regretted',
  'renewal-due',
  'payment-failed',
  'cancel-requested',
  'ended',
  'win-back',
  'receipt',
] as const;

export type LifecycleEventType = (typeof lifecycleEventTypes)[number];

/** Why an event is recorded in Rule without its tag, so that no flow starts. */
export type RowOnlyReason =
  /** No longer true, or too old, by the time it could be told. */
  | 'over'
  /** Undone before it was told. */
  | 'countered'
  /** The reader has opted out, or is suppressed. */
  | 'no-mail';

/** Something that happened to a reader. */
export interface LifecycleEvent {
  /** The same for the same happening, whoever finds it and however often: `renewed.{contract}.20261201`. */
  id: string;
  type: LifecycleEventType;
  /** When it happened, by Sesamy's dates as far as they tell; ISO instant. */
  at: string;
  contractId?: string;
  /** Title of the product. */
  product?: string;
  /** The reader's stage when it was found. */
  stage: Stage;
  /** Of a `receipt`. */
  billId?: string;
  rowOnly?: RowOnlyReason;
  /** Of one that is `countered`: the id of the event that it undoes. Should that one turn out to have been told, so is this. */
  answers?: string;
}

/** What is remembered of one running subscription. */
export interface ContractMemory {
  product?: string;
  /** End of the paid time as it was seen last; ISO instant. */
  paidUntil?: string;
  overdue?: true;
  /** A cancellation: since when, and whether it was told (or is older than we are). */
  cancelling?: { since: string; told: boolean };
  /** The nearest notice before this renewal that was given or has passed, in days before it. */
  notice?: { renewsAt: string; days: number };
}

/** The reader as a live look saw them last: the state that the next look is compared with. */
export interface LifecycleMemory {
  /** Running subscriptions, by contract id. */
  contracts: Record<string, ContractMemory>;
  /** The last subscription has ended, and the wait before that is told has not. */
  leaving?: { at: string; since: string; contractId: string; product?: string };
  /** No subscription since then; the last win-back that was told or has passed, in days; 0 = none. */
  lapsed?: { at: string; contractId: string; product?: string; told: boolean; winBack: number };
  /** Single purchases of the last days, with their dates: older ones cannot be news. */
  singles: Record<string, string>;
  /** Bills of the last days that have had their receipt, with their dates; older ones than `since` are not ours. */
  receipts: { since: string; done: Record<string, string> };
}

/** The nearest moment at which time alone changes something, and what. */
export interface LifecycleDue {
  at: string;
  why: string;
}
