/**
 * Going through everybody of one vendor: the workflow `backfill`, of two kinds. Ids, counts, verdicts and dates only.
 */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { FailureDetails, Verdict } from './sync.js';

/**
 * - `backfill`: every reader is written, quietly
 * - `reconcile`: readers whom no workflow looks after are found and written, quietly; with `full` everybody
 */
export type BackfillKind = 'backfill' | 'reconcile';

export const backfillWorkflowType = 'backfill';

/** One for each kind and vendor, so that a second start finds the first. */
export function backfillWorkflowId(kind: BackfillKind, vendorId: string): string {
  return `${kind}/${vendorId}`;
}

/** Started by the vendor's schedule; runs a `backfill` of the kind `reconcile` unless one is running already. */
export const scheduledReconcileWorkflowType = 'scheduledReconcile';

export function reconcileScheduleId(vendorId: string): string {
  return `reconcile/${vendorId}`;
}

export interface BackfillRequest {
  /** Who asks, in a word: `operator`, `activate`, `schedule`. */
  by?: string;
  /** Of a `reconcile`: those who have a workflow too. */
  full?: boolean;
}

/** No new readers are begun; those under way are finished, within half a minute or so. */
export const pauseSignal = defineSignal('pause');
export const resumeSignal = defineSignal('resume');
/** Like `pause`, for good: the report is of what was done until then. */
export const stopSignal = defineSignal('stop');

/** What became of a reader: the sync's verdict, or how it failed. */
export type BackfillVerdict = Verdict | 'retrying' | 'failed';

export interface FailedPerson {
  userId: string;
  /** `retrying`: goes on by itself; `failed`: waits for other data. */
  verdict: 'retrying' | 'failed';
  /** The failure's type: `rule/invalid`. */
  type: string;
  /** The status of the vendor's answer, where there was one. */
  status?: number;
}

/**
 * - `running`, `paused`
 * - `waiting`: a vendor does not take anything at the moment; goes on by itself
 * - `done`: everybody has been gone through
 * - `stopped`: ended before its end, by a person
 */
export type BackfillStage = 'running' | 'paused' | 'waiting' | 'done' | 'stopped';

/** How far it is; after its end, the report. */
export interface BackfillProgress {
  vendorId: string;
  kind: BackfillKind;
  full: boolean;
  by?: string;
  stage: BackfillStage;
  /** ISO instants. */
  startedAt: string;
  endedAt?: string;
  /** How many users Sesamy says there are, and never fewer than were gone through; absent where it does not say. */
  total?: number;
  /** Users that Sesamy has listed so far, each once. */
  listed: number;
  /** Of them, those who are settled: written, skipped, failed, or left alone. */
  done: number;
  /** Of them, those whom a workflow looks after already and who are left alone for that; of a `reconcile` that is not full. */
  leftAlone: number;
  verdicts: Partial<Record<BackfillVerdict, number>>;
  /** Why: reasons of what was skipped, types of what failed. */
  reasons: Record<string, number>;
  /** The first of those who failed. */
  failed: FailedPerson[];
  /** How many more failed than are listed. */
  failedMore: number;
  /** Users whose ids are not taken as ids, because they could be an address or a telephone number; they are not synced. */
  unusableIds: number;
  /** Sesamy listed far fewer than it says there are, or gave the same page again and again: not everybody was seen. */
  incomplete: boolean;
  /** What it waits for: a failure type, or `list-ended-early`. */
  waiting?: { why: string; since: string; until: string };
  /** Readers settled in a second, of late. */
  perSecond?: number;
  /** By that rate and `total`. */
  secondsLeft?: number;
  /**
   * Starts of automations by our tags. It is 0 by construction and not by counting: all that it does are quiet syncs, a quiet sync
   * finds no events and gives its tags silently, and `fire`, the only call that starts an automation, is made by deliveries alone. What
   * a live look before it has found, and could not be told until now, is told after the quiet look as after any other.
   */
  automationsStarted: 0;
}

export const progressQuery = defineQuery<BackfillProgress>('progress');

export interface ListUsersInput {
  vendorId: string;
  /** The row to begin at. */
  offset: number;
}

/** One page of the vendor's users. */
export interface ListUsersResult {
  ids: string[];
  /** Keyed hashes of the ids that are not to be taken as ids: to count each once. */
  unusable: string[];
  rows: number;
  total?: number;
  /** The vendor's budget: Sesamy requests a second. */
  requestsPerSecond: number;
  /** The share of it that a `reconcile` may use. */
  reconcileShare: number;
}

export interface SyncPeopleInput {
  vendorId: string;
  userIds: string[];
  /** What their trails say. */
  by: BackfillKind;
  /** How many may be under way at once. */
  atOnce: number;
  /** So many failures for the account's sake since both vendors last answered for anybody are an outage: nobody new is begun. */
  outageFrom: number;
  /** They have met an outage before: whoever fails again is counted as they are. */
  final: boolean;
}

export interface SyncPeopleResult {
  verdicts: Partial<Record<BackfillVerdict, number>>;
  reasons: Record<string, number>;
  failed: FailedPerson[];
  /** Those who failed for the account's sake, most likely because a vendor takes nothing from anybody; not counted unless it is final. */
  again: FailedPerson[];
  /** It ended because a vendor takes nothing. */
  outage?: { why: string; waitMs?: number };
  /** Those who were not begun, because of the outage or because the activity was cancelled. */
  left: string[];
}

export interface PeopleInput {
  vendorId: string;
  userIds: string[];
}

/** Called by the workflow on the vendor's queue: it costs a call of the vendor's budget. */
export interface ListingActivities {
  listUsers(input: ListUsersInput): Promise<ListUsersResult>;
}

/** Called by the workflow on the queue of workflow tasks: they only talk to Temporal. */
export interface BackfillActivities {
  syncPeople(input: SyncPeopleInput): Promise<SyncPeopleResult>;
  /** Of these people, those whom no workflow looks after. */
  withoutWorkflow(input: PeopleInput): Promise<string[]>;
}

/** Whether both vendors were asked and answered: who was skipped or waits may not have come as far as Rule. */
export function provesAnswers(verdict: BackfillVerdict): boolean {
  return verdict !== 'skipped' && verdict !== 'waiting' && verdict !== 'retrying';
}

/** Failures that a vendor's whole account meets, as opposed to one reader's data. */
export function isOfAccount({ next }: Pick<FailureDetails, 'next'>): boolean {
  return next === 'wait' || next === 'fix-key';
}
