/**
 * What the workflow asks of the activity `syncSubscriber` and what it gets back. All of it is stored in Temporal's history, so all of
 * it is ids, keyed hashes, tag names, dates and verdicts: never an address, a name, a number or a street.
 */
import type { DeliverInput, DeliverResult } from './deliver.js';
import type { EraseInput, EraseResult } from './erase.js';
import type { PersonId } from './ids.js';
import type { LifecycleDue, LifecycleEvent, LifecycleMemory, RowOnlyReason } from './lifecycle.js';
import type { Stage } from './stage.js';

/** What is remembered of a person between two syncs: made by the activity, kept by the workflow, handed back unread. */
export interface Known {
  /** The subscriber's numeric id in Rule, once written. */
  ruleId?: number;
  /** Keyed hash of the address under which Rule has the person: tells that the address changed without holding it. */
  addressHash?: string;
  /** Keyed hash of the address that Sesamy shows, the same for whoever has it; absent for guests. */
  addressKey?: string;
  /** Subscribers in Rule that were theirs before an address moved them to another; the latest last. */
  formerRuleIds?: number[];
  /** The mapping under which the hashes below were made. */
  mappingVersion?: number;
  /** Keyed hashes of the mapped fields in table order, eight characters each. */
  fieldHashes?: string;
  /** Our tags that Rule holds by our hand, sorted. */
  tags?: string[];
  /** Keyed hash of Sesamy's answers: tells that something is new even where the mapping does not show it. */
  sourceHash?: string;
  /** How many rows Sesamy listed: a drop to none is looked at twice before it is believed. */
  rows?: { contracts: number; entitlements: number };
  /** When a cancellation was asked for, by contract id (ISO instant); Sesamy's API does not keep it (sesamy-api §7 row 18). */
  cancelRequestedAt?: Record<string, string>;
  stage?: Stage;
  /** What the last live look saw; absent until somebody is first written. */
  lifecycle?: LifecycleMemory;
  /** Something that was there is missing from Sesamy's answer; believed once it has been missing long enough. */
  missing?: { what: 'user' | 'rows'; since: string };
  /** Since when Rule has not known the subscriber; believed once that has lasted (ISO instant). */
  notInRuleSince?: string;
  /** Somebody deleted the person in Rule by hand; not written again unless asked. */
  deletedInRule?: boolean;
  /** Keys of fields that Rule refused when they were written last: shown until they change or are written by a resync. */
  refusedFields?: string[];
  /** Since when the address has belonged to another Sesamy user (ISO instant). */
  sharedSince?: string;
  /** Since when another one seems to be leaving the address, or to be gone (ISO instant). */
  movingSince?: string;
  /** Our status tags were taken from the subscriber, whose address the person has left for one that is somebody else's. */
  leftBehind?: true;
  /** A quiet write changed something: the next live look recalculates the segments. */
  segmentsStale?: boolean;
  /** A removal of tags was still under way: the next sync compares with what Rule really holds. */
  unsettled?: boolean;
}

export interface SyncInput extends PersonId {
  known: Known;
  /** True when something happened (a webhook, an expiry): segments are recalculated. False for operator, backfill and recheck. */
  live: boolean;
  /** Write even if the hashes say that nothing changed, and compare with the tags that Rule really holds. */
  force: boolean;
  /** Write a person again who was deleted in Rule by hand. */
  recreate: boolean;
  /** Other Sesamy users who told that they have, or take, the person's address. */
  sharesWith?: string[];
  /** How many extra looks have been made for this reason; 0 = the first look. */
  look: number;
  /**
   * What a look that finds nothing new means: `none`: nothing was promised (a repeat, an operator), `late`: a message came shortly
   * after news and was most likely part of it, `full`: Sesamy's API has yet to show what the message told of.
   */
  expect: 'none' | 'late' | 'full';
  /** Ids that messages named; one that Sesamy does not list yet means that its API lags its events. */
  expectedIds: string[];
  /** Events that were found and are not told yet. */
  waiting: LifecycleEvent[];
  /** Some of them are told right after this. */
  tells: boolean;
  /** State tags that a live sync found gained and that start their flows when they are delivered: a quiet sync leaves them alone. */
  gained: string[];
}

/**
 * - `created`: written to Rule for the first time by this workflow
 * - `updated`: something was written
 * - `unchanged`: nothing to write
 * - `skipped`: not to be written, see the reason
 * - `waiting`: Sesamy's answer lacks what was there; a second look decides
 * - `gone`: no longer at Sesamy, our status tags have left
 */
export type Verdict = 'created' | 'updated' | 'unchanged' | 'skipped' | 'waiting' | 'gone';

export type SyncReason =
  | 'guest/no-email'
  | 'guest/email-not-verified'
  | 'deleted-in-rule'
  | 'shared-address'
  | 'erased-address'
  | 'erased'
  | 'not-at-sesamy'
  | 'missing-user'
  | 'missing-rows'
  | 'missing-in-rule';

/** Something about one field or tag that a person may want to mend; names and codes, never values. */
export interface SyncProblem {
  field: string;
  code: string;
}

export interface SyncChanges {
  /** Keys of the fields that were written because they changed (all of them when forced). */
  fields: string[];
  tagsAdded: string[];
  tagsRemoved: string[];
  /** The address changed and Rule's subscriber kept its id. */
  addressChanged: boolean;
  /** The new address belonged to another Rule subscriber, who is ours from now on. */
  movedFrom?: number;
}

export interface SyncResult {
  verdict: Verdict;
  reason?: SyncReason;
  known: Known;
  changes: SyncChanges;
  problems: SyncProblem[];
  /** Whether Sesamy showed something that was not seen before. */
  news: boolean;
  /** What has happened, to be told in this order. */
  events?: LifecycleEvent[];
  /** Which waiting events are not to start anything any more, and why; by id. */
  rowOnly?: Record<string, RowOnlyReason>;
  /** State tags to be given so that their flows start. */
  gained?: string[];
  /** What time alone brings next: the end of a wait, a notice, a win-back. */
  due?: LifecycleDue;
  /** When to look again if nothing happens. */
  next: NextLook;
  /** The workflow may end after this long without a message (guests). */
  endsAfterMs?: number;
}

/**
 * - `look`: Sesamy's API may lag its events
 * - `second-look`: something was missing
 * - `expiry`: an access or a contract ends by time alone
 * - `due`: a stage ends, or an event may be told, by time alone; `why` says which
 * - `recheck`: the regular look that finds changes no webhook told of
 */
export type NextLookKind = 'look' | 'second-look' | 'expiry' | 'due' | 'recheck';

export interface NextLook {
  kind: NextLookKind;
  afterMs: number;
  why?: string;
}

/** What a failed attempt tells the workflow; the details of the activity's `ApplicationFailure`. */
export interface FailureDetails {
  /** `sesamy/…`, `rule/…`, `mapping/…`, `internal/…` or `temporal/…`. */
  type: string;
  /** What helps: waiting, a working key, other data, or nothing. */
  next: 'wait' | 'fix-key' | 'fix-data' | 'give-up';
  waitMs?: number;
  status?: number;
  requestId?: string;
  method?: string;
  /** The path as a template, without ids. */
  path?: string;
  /** Which fields the vendor blamed. */
  fields?: string[];
  /** It failed after it had begun to write: Rule may hold more, or other things, than is remembered. */
  wrote?: boolean;
  /** The subscriber's id in Rule, where a first write got so far. */
  ruleId?: number;
  /** Of a receipt that was claimed: it is certain that no mail went out. */
  notSent?: boolean;
  /** What a live look saw before Rule could not be written: it may have passed by the time it can. */
  seen?: Seen;
}

/** What has happened to a reader, and what is remembered of it. */
export interface Seen extends Pick<SyncResult, 'events' | 'rowOnly'> {
  lifecycle: LifecycleMemory;
}

/** The activities a subscriber workflow calls. */
export interface SubscriberActivities {
  syncSubscriber(input: SyncInput): Promise<SyncResult>;
  deliverEvent(input: DeliverInput): Promise<DeliverResult>;
  eraseSubscriber(input: EraseInput): Promise<EraseResult>;
}
