/** What the workflow asks of the activity `deliverEvent` and what it gets back: ids, tag names and verdicts. */
import type { PersonId } from './ids.js';
import type { LifecycleEvent, RowOnlyReason } from './lifecycle.js';

export interface DeliverInput extends PersonId {
  ruleId: number;
  /** Absent: only state tags are to be given. */
  event?: LifecycleEvent;
  /** State tags that the person has gained and that are to start their flows. */
  gained: string[];
  /** It was tried before: what may have been done is looked up first. */
  again: boolean;
  /** It was tried while it was still to start its flow, and may have done so; since then it is to be recorded only. */
  begun?: boolean;
  /** Of a receipt that was tried before: it is certain that no mail went out. */
  notSent: boolean;
  /** A person said that it is to be told: neither the brake nor a doubt holds it. */
  released: boolean;
  /** Nothing else follows: Rule's segments are to be recalculated. */
  last: boolean;
}

/**
 * - `told`: recorded, and its flow was started
 * - `recorded`: recorded without starting anything, see the reason
 * - `sent`: a receipt went out as a mail of its own
 * - `nothing`: nothing to tell, for example a bill that was refunded meanwhile
 * - `held`: the brake is on; to be released or discarded by a person
 * - `in-doubt`: nobody knows whether the receipt went out; the same
 * - `no-subscriber`: Rule does not know the person any more
 */
export type DeliverOutcome = 'told' | 'recorded' | 'sent' | 'nothing' | 'held' | 'in-doubt' | 'no-subscriber';

export interface DeliverResult {
  outcome: DeliverOutcome;
  reason?: RowOnlyReason;
  /** Tags that were given so that their flows start. */
  started: string[];
}
