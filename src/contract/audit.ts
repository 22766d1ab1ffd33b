/**
 * The audit of one vendor: a workflow that reads Rule back, compares it with Sesamy, and keeps what differs. All of it is stored in
 * Temporal: ids, keys of fields, names of our tags and counts, never a value.
 */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { PersonId } from './ids.js';
import type { SyncState } from './messages.js';
import type { FailureDetails, Known, SyncReason } from './sync.js';

export const auditWorkflowType = 'audit';

/** One for each vendor: whoever asks for an audit while one runs finds that one. */
export function auditWorkflowId(vendorId: string): string {
  return `audit/${vendorId}`;
}

/**
 * How what Rule holds of a person can differ from what it should hold.
 * - `edited-field`: a field has another value than Sesamy's data gives
 * - `refused-field`: the same of a field that Rule refused when it was written last
 * - `lost-tag`: a tag that is due is not there
 * - `surplus-tag`: a tag of ours, by name and family, is there and is not due
 * - `other-address`: Rule has the person under another e-mail address
 * - `missing`: confirmed at Sesamy and not in Rule, although it is believed to be there or was never written
 * - `deleted-in-rule`: somebody deleted the person in Rule; not written again unless asked for
 * - `surplus`: in Rule with our tag `sesamy`, and nobody whom we look after and Sesamy knows
 */
export const differenceKinds = [
  'edited-field',
  'refused-field',
  'lost-tag',
  'surplus-tag',
  'other-address',
  'missing',
  'deleted-in-rule',
  'surplus',
] as const;

export type DifferenceKind = (typeof differenceKinds)[number];

export interface Difference {
  kind: DifferenceKind;
  /** Keys of the fields that differ. */
  fields?: string[];
  /** Names of the tags that are lost or surplus. */
  tags?: string[];
  /** Of a `surplus` person: only the tag `sesamy` is left, as it should be, so there is nothing to mend. */
  settled?: true;
}

/** One difference of one person. */
export interface AuditFinding extends Difference {
  /** Absent where Rule holds no id of Sesamy's form. */
  userId?: string;
  ruleId?: number;
  /** How the person's own workflow stands, where that is not `ok`; absent where there is none. */
  state?: SyncState;
}

export interface AuditRequest {
  /** Look at so many people, drawn at random and spread evenly, instead of all; `surplus` people are not looked for. */
  sample?: AuditSample;
  /** Mend what was found as soon as the audit is done. */
  repair?: boolean;
}

export interface AuditSample {
  size: number;
  /** The same seed draws the same places in the list of people. */
  seed: number;
}

/**
 * - `idle`: nothing was asked for yet
 * - `people`: those whom we look after are compared, one by one
 * - `rule`: everybody in Rule is gone through, for those whom we do not look after
 * - `repair`: what was found is mended
 * - `done`, `stopped`: the report stands
 */
export type AuditPhase = 'idle' | 'people' | 'rule' | 'repair' | 'done' | 'stopped';

/** How far the audit is; when it is over, its report. */
export interface AuditProgress {
  vendorId: string;
  phase: AuditPhase;
  /** ISO instants. */
  startedAt?: string;
  finishedAt?: string;
  sample?: AuditSample;
  /** People whom we look after, as counted at the start. */
  total?: number;
  /** Of them, those who were looked at. */
  people: number;
  /** Subscribers in Rule that were gone through, for those whom we do not look after. */
  inRule: number;
  /** People by kind of difference; one person may have several. */
  counts: Record<DifferenceKind, number>;
  /** People with a difference, `settled` ones left out. */
  differing: number;
  /** `surplus` people of whom only the tag `sesamy` is left. */
  settled: number;
  /** Not to be in Rule, or not yet, and rightly not compared: guests, those who share an address, erased. */
  notDue: number;
  /** Not compared, because Sesamy's answer lacks what was there, or because they were being written. */
  unclear: number;
  /** In Rule and at Sesamy, without a workflow. */
  unwatched: number;
  /** Could not be looked at, by type of failure. */
  unread: Record<string, number>;
  /** The first of them. */
  unreadPeople: UnreadPerson[];
  /** A list ended before its end by a failure of this type: not everybody was seen. */
  incomplete?: string;
  /** People whom a repair would mend; none after it. */
  toMend: { resync: number; surplus: number };
  /** Findings that are kept; of the others only the counts are. */
  kept: number;
  leftOut: number;
  /** An outage or a refused key, which is waited out. */
  waiting?: AuditWait;
  repair?: AuditRepair;
}

export interface UnreadPerson {
  userId?: string;
  ruleId?: number;
  type: string;
}

export interface AuditWait {
  since: string;
  /** When it is tried again. */
  until: string;
  failure: FailureDetails;
}

export interface AuditRepair {
  startedAt: string;
  finishedAt?: string;
  /** People who were told to write everything again, quietly. */
  told: number;
  /** `surplus` people whose status tags were taken away. */
  cleared: number;
  /** `surplus` people of the audit who turned out to be nobody's to mend any more. */
  leftAlone: number;
}

/** Begin an audit; without input one of everybody. Ignored while one runs. */
export const beginAuditSignal = defineSignal<[AuditRequest?]>('begin');
/** End the audit, or the repair, where it is. The report is of what was looked at. Needs no input. */
export const stopAuditSignal = defineSignal('stop');
/** Mend what the last audit found, quietly. Needs no input. */
export const repairAuditSignal = defineSignal('repair');

export const auditProgressQuery = defineQuery<AuditProgress>('progress');
/** Part of the findings, in the order in which they were made; at most {@link mostFindingsAtOnce}. */
export const auditFindingsQuery = defineQuery<AuditFinding[], [FindingsRange?]>('findings');

export interface FindingsRange {
  /** Default 0. */
  offset?: number;
  limit?: number;
}

/** Answers to queries stay far below Temporal's limits by it. */
export const mostFindingsAtOnce = 200;

/** What is remembered of a person, as the activities of an audit need it. */
export interface SubscriberMemory {
  state: SyncState;
  reason?: SyncReason;
  known: Known;
  /** State tags that are to be given yet. */
  gained: string[];
  /** A sync or a delivery is being made, or is next. */
  underWay: boolean;
  attempts: number;
  /** Gone from Sesamy, or erased. */
  over: boolean;
}

/** For audits. */
export const memoryQuery = defineQuery<SubscriberMemory>('memory');

/** A subscriber in Rule whom nobody is known to look after. */
export interface StrayId {
  vendorId: string;
  ruleId: number;
}

/**
 * What a look at one person found.
 * - `compared`: Rule was read; without differences it holds what it should
 * - `not-due`, `unclear`: see {@link AuditProgress}
 * - `nobody`: not in Rule any more, or without our tag by now
 */
export interface Inspection {
  verdict: 'compared' | 'not-due' | 'unclear' | 'nobody';
  userId?: string;
  ruleId?: number;
  state?: SyncState;
  /** Nobody looks after the person although Sesamy knows them. */
  unwatched?: true;
  differences: Difference[];
}

export interface TaggedInput {
  vendorId: string;
  /** As the answer before gave it; the first page without. */
  page?: Readonly<Record<string, string | number>>;
}

export interface TaggedPage {
  /** Ids of those who carry our tag `sesamy`. */
  ruleIds: number[];
  /** How many subscribers the page had. */
  listed: number;
  next?: Readonly<Record<string, string | number>>;
}

/** What became of a `surplus` person whose turn to be mended came. */
export interface StrayMended {
  outcome: 'cleared' | 'left-alone';
  /** It is somebody whom Sesamy knows: to be told to write everything again. */
  resync?: string;
}

/** Activities on the vendor's own queue: each counts as one sync in the vendor's budget. */
export interface AuditActivities {
  inspectSubscriber(input: PersonId): Promise<Inspection>;
  listTagged(input: TaggedInput): Promise<TaggedPage>;
  inspectStray(input: StrayId): Promise<Inspection>;
  mendStray(input: StrayId): Promise<StrayMended>;
}

export interface ListPeopleInput {
  vendorId: string;
  /** As the answer before gave it; the first page without. */
  page?: string;
  /** How many were listed before this page. */
  offset: number;
  sample?: AuditSample & { total: number };
}

export interface PeoplePage {
  userIds: string[];
  /** How many were listed, before any were drawn. */
  listed: number;
  next?: string;
}

export interface TellPeopleInput {
  vendorId: string;
  userIds: string[];
}

/** Activities on the queue of workflow tasks: they cost no vendor call. */
export interface PeopleActivities {
  countPeople(input: { vendorId: string }): Promise<number>;
  listPeople(input: ListPeopleInput): Promise<PeoplePage>;
  /** Tells each to write everything again, quietly. */
  resyncPeople(input: TellPeopleInput): Promise<void>;
}
