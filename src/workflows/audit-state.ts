/**
 * What the workflow `audit` keeps and how each answer changes it. Pure, without Temporal, so that a test can drive it by hand; time and
 * chance are handed in.
 */
import {
  type AuditFinding,
  type AuditPhase,
  type AuditProgress,
  type AuditRepair,
  type AuditRequest,
  type DifferenceKind,
  differenceKinds,
  type FailureDetails,
  type FindingsRange,
  type Inspection,
  mostFindingsAtOnce,
  type PeoplePage,
  type StrayMended,
  type TaggedPage,
} from '../contract/index.js';
import { decodeNumbers, encodeNumbers, numberOf } from './number-set.js';

const second = 1_000;
const minute = 60 * second;

/** Findings of each kind that are kept; a mass of one kind leaves room for the others. */
const mostFindings = 250;
/** Characters of all findings: what is carried over has to stay below Temporal's 2 MB, and readers with many long tags need more. */
const mostFindingsLength = 400_000;
/** Numbers in a set: beyond it the memory would outgrow what Temporal carries over. What that costs is said where the sets are used. */
const mostNumbers = 120_000;

/** So many failures one after another, and none between that went well, are an outage. */
const failuresOfOutage = 3;
/** Somebody who fails so often is left out and counted. */
const mostTries = 5;
const mostUnreadPeople = 20;
const firstPauseMs = 30 * second;
const longestPauseMs = 30 * minute;

/** Somebody to be looked at or mended: a person of ours, or a subscriber of Rule. */
export interface Target {
  userId?: string;
  ruleId?: number;
  tries: number;
}

type Reported = Pick<
  AuditProgress,
  | 'phase'
  | 'startedAt'
  | 'finishedAt'
  | 'total'
  | 'people'
  | 'inRule'
  | 'counts'
  | 'differing'
  | 'settled'
  | 'notDue'
  | 'unclear'
  | 'unwatched'
  | 'unread'
  | 'unreadPeople'
  | 'incomplete'
  | 'leftOut'
  | 'waiting'
>;

/** What the report shows is kept as it is shown; the rest is how the audit gets there. */
export interface AuditState extends Reported {
  version: 1;
  request: AuditRequest;
  /** Where the list that is gone through goes on; absent at its beginning. */
  page?: string | Readonly<Record<string, string | number>>;
  /** How many of that list there were so far. */
  listed: number;
  /** The list is at its end. */
  listedAll: boolean;
  /** Of the list's last pages, those whose turn is to come. */
  queue: Target[];
  findings: AuditFinding[];
  /** How many characters they are. */
  findingsLength: number;
  /** Rule ids of whom we look after: who else carries our tag is looked at. One that is not among them costs a look more, no more. */
  known: Set<number>;
  /** Stand for the user ids of who is to be written again. Too many to be kept: everybody is. */
  toResync: Set<number>;
  everybody: boolean;
  /** Rule ids of those without a workflow who are to be mended. */
  strays: Set<number>;
  /** Failures since something went well. */
  inARow: number;
  /** How often it was waited. */
  waits: number;
  repair?: AuditRepair;
  /** A person asked for the end. */
  stopping: boolean;
}

/** The sets as texts. */
export type CarriedAudit = Omit<AuditState, 'known' | 'toResync' | 'strays'> &
  Record<'known' | 'toResync' | 'strays', string>;

export function freshAudit(): AuditState {
  return {
    version: 1,
    phase: 'idle',
    request: {},
    listed: 0,
    listedAll: false,
    queue: [],
    people: 0,
    inRule: 0,
    counts: Object.fromEntries(differenceKinds.map((kind) => [kind, 0])) as Record<DifferenceKind, number>,
    differing: 0,
    settled: 0,
    notDue: 0,
    unclear: 0,
    unwatched: 0,
    unread: {},
    unreadPeople: [],
    findings: [],
    findingsLength: 0,
    leftOut: 0,
    known: new Set(),
    toResync: new Set(),
    everybody: false,
    strays: new Set(),
    inARow: 0,
    waits: 0,
    stopping: false,
  };
}

/** The state in the form that is carried over at continue-as-new. {@link restoreAudit} is the inverse. */
export function carryAudit(state: AuditState): CarriedAudit {
  const { known, toResync, strays } = state;
  return {
    ...state,
    known: encodeNumbers(known),
    toResync: encodeNumbers(toResync),
    strays: encodeNumbers(strays),
  };
}

export function restoreAudit(carried: CarriedAudit | undefined): AuditState {
  if (!carried) return freshAudit();
  if (carried.version !== 1) {
    throw new Error(`State version ${String(carried.version)} is newer than this build: deploy the newer build again.`);
  }
  const { known, toResync, strays } = carried;
  return {
    ...freshAudit(),
    ...carried,
    known: decodeNumbers(known),
    toResync: decodeNumbers(toResync),
    strays: decodeNumbers(strays),
  };
}

const atWork: readonly AuditPhase[] = ['people', 'rule', 'repair'];

export function isAtWork({ phase }: Pick<AuditState, 'phase'>): boolean {
  return atWork.includes(phase);
}

/** Somebody asks for an audit. While one runs that one goes on. */
export function recordBegin(state: AuditState, request: AuditRequest | null | undefined, now: number): void {
  if (isAtWork(state)) return;
  delete state.finishedAt;
  delete state.total;
  delete state.incomplete;
  delete state.page;
  delete state.waiting;
  delete state.repair;
  Object.assign(state, freshAudit(), { phase: 'people', request: request ?? {}, startedAt: iso(now) });
}

/** Somebody asks for what was found to be mended. */
export function recordRepair(state: AuditState, now: number): void {
  if (state.phase !== 'done' && state.phase !== 'stopped') return;
  beginRepair(state, now);
}

function beginRepair(state: AuditState, now: number): void {
  state.phase = 'repair';
  state.repair = { startedAt: iso(now), told: 0, cleared: 0, leftAlone: 0 };
  beginList(state);
  // Only whoever looks through everybody finds those who are meant by their number.
  state.listedAll = state.toResync.size === 0 && !state.everybody;
}

export function recordStop(state: AuditState): void {
  if (isAtWork(state)) state.stopping = true;
}

function beginList(state: AuditState): void {
  delete state.page;
  state.listed = 0;
  state.listedAll = false;
  state.queue = [];
}

/** The number of people at the start. */
export function recordTotal(state: AuditState, total: number): void {
  state.total = total;
}

/** A page of people came: all of them are to be looked at. */
export function recordPeoplePage(state: AuditState, page: PeoplePage): void {
  turnPage(state, page);
  state.queue.push(...page.userIds.map((userId) => ({ userId, tries: 0 })));
}

/** A page of Rule's list came: who carries our tag and is nobody's whom we know is to be looked at. */
export function recordTaggedPage(state: AuditState, page: TaggedPage): void {
  const isSame = page.next !== undefined && JSON.stringify(page.next) === JSON.stringify(state.page);
  turnPage(state, page);
  // An empty page that promises another is not taken for the end of an account without a word.
  if (isSame || (page.listed === 0 && page.next !== undefined)) {
    state.incomplete = 'rule/wrong-shape';
    state.listedAll = true;
  }
  state.inRule += page.listed;
  const unknown = page.ruleIds.filter((ruleId) => !state.known.has(ruleId));
  state.queue.push(...unknown.map((ruleId) => ({ ruleId, tries: 0 })));
}

/** Of a page of people, those who are to be told to write everything again. */
export function toBeTold({ everybody, toResync }: AuditState, { userIds }: PeoplePage): string[] {
  return userIds.filter((userId) => everybody || toResync.has(numberOf(userId)));
}

/** Those of a page of people who were meant have been told. */
export function recordToldPage(state: AuditState, page: PeoplePage, count: number): void {
  turnPage(state, page);
  if (state.repair) state.repair.told += count;
}

function turnPage(state: AuditState, { listed, next }: PeoplePage | TaggedPage): void {
  // A server that gives a page without anybody and a next one for ever must not hold the audit.
  state.listedAll = next === undefined || listed === 0;
  state.listed += listed;
  if (next === undefined) delete state.page;
  else state.page = next;
  recordSuccess(state);
}

/** The list, and all who were taken from it, are through: what comes next. */
export function turnPhase(state: AuditState, now: number): void {
  if (state.phase === 'people' && !state.request.sample) {
    state.phase = 'rule';
    beginList(state);
    return;
  }
  if (state.phase !== 'repair' && state.request.repair && needsRepair(state)) {
    beginRepair(state, now);
    return;
  }
  finish(state, 'done', now);
}

export function needsRepair({ toResync, everybody, strays }: AuditState): boolean {
  return everybody || toResync.size > 0 || strays.size > 0;
}

/** Ends the work where it is. */
export function finish(state: AuditState, phase: 'done' | 'stopped', now: number): void {
  if (state.phase === 'repair' && state.repair) {
    state.repair.finishedAt = iso(now);
    if (phase === 'done') forgetMended(state);
  } else {
    state.finishedAt = iso(now);
  }
  state.phase = phase;
  state.stopping = false;
  state.queue = [];
  state.known = new Set();
  delete state.page;
  delete state.waiting;
}

/** A second repair of the same report would find nobody. */
function forgetMended(state: AuditState): void {
  state.toResync = new Set();
  state.strays = new Set();
  state.everybody = false;
}

/** A look at somebody is over. */
export function recordInspection(state: AuditState, target: Target, inspection: Inspection): void {
  recordSuccess(state);
  if (target.userId !== undefined) state.people += 1;
  const { verdict, differences, userId, ruleId, unwatched } = inspection;
  if (target.userId !== undefined && ruleId !== undefined) keep(state.known, ruleId);
  if (verdict === 'not-due') state.notDue += 1;
  if (verdict === 'unclear') state.unclear += 1;
  if (unwatched) state.unwatched += 1;
  if (differences.length === 0) return;
  if (differences.every(({ settled }) => settled)) state.settled += 1;
  else state.differing += 1;
  for (const difference of differences) {
    state.counts[difference.kind] += 1;
    const kept = state.findings.filter(({ kind }) => kind === difference.kind).length;
    const { state: standing } = inspection;
    const finding: AuditFinding = {
      ...(userId === undefined ? {} : { userId }),
      ...(ruleId === undefined ? {} : { ruleId }),
      ...difference,
      ...(standing ? { state: standing } : {}),
    };
    const length = JSON.stringify(finding).length;
    if (kept >= mostFindings || state.findingsLength + length > mostFindingsLength) {
      state.leftOut += 1;
      continue;
    }
    state.findings.push(finding);
    state.findingsLength += length;
  }
  if (!differences.some(isMendable)) return;
  if (target.userId !== undefined) {
    if (!keep(state.toResync, numberOf(target.userId))) state.everybody = true;
  } else if (target.ruleId !== undefined) {
    keep(state.strays, target.ruleId);
  }
}

function isMendable({ kind, settled }: { kind: DifferenceKind; settled?: true }): boolean {
  return kind !== 'deleted-in-rule' && kind !== 'refused-field' && !settled;
}

/** @returns whether there was room */
function keep(set: Set<number>, value: number): boolean {
  if (set.size >= mostNumbers) return false;
  set.add(value);
  return true;
}

/** Of those without a workflow who are to be mended, the next. */
export function takeStrays(state: AuditState, count: number): void {
  state.queue = [...state.strays].slice(0, count).map((ruleId) => ({ ruleId, tries: 0 }));
}

/** Somebody without a workflow was looked at once more, and mended or told to write everything again. */
export function recordMended(state: AuditState, { ruleId }: Target, { outcome, resync }: StrayMended): void {
  recordSuccess(state);
  if (ruleId !== undefined) state.strays.delete(ruleId);
  if (!state.repair) return;
  if (outcome === 'cleared') state.repair.cleared += 1;
  else if (resync) state.repair.told += 1;
  else state.repair.leftAlone += 1;
}

function recordSuccess(state: AuditState): void {
  state.inARow = 0;
  state.waits = 0;
  delete state.waiting;
}

/**
 * Something failed. What time or a key mends is tried again, later for a person; anything else, and somebody who fails again and again,
 * is left out and counted.
 */
export function recordAuditFailure(
  state: AuditState,
  target: Target | undefined,
  failure: FailureDetails,
  now: number,
): void {
  const waits = failure.next === 'wait' || failure.next === 'fix-key';
  if (target) tryAgain(state, target, failure, waits);
  else if (!waits) {
    state.incomplete = failure.type;
    state.listedAll = true;
  }
  if (!waits) return;
  state.inARow += 1;
  const isOutage = target === undefined || state.inARow >= failuresOfOutage || state.waiting !== undefined;
  if (!isOutage) return;
  const wasCounted = state.waiting !== undefined && Date.parse(state.waiting.until) > now;
  if (!wasCounted) state.waits += 1;
  const grown = Math.min(firstPauseMs * 2 ** (state.waits - 1), longestPauseMs);
  const until = now + Math.max(grown, failure.waitMs ?? 0);
  state.waiting = { since: state.waiting?.since ?? iso(now), until: iso(until), failure };
}

function tryAgain(state: AuditState, target: Target, { type }: FailureDetails, waits: boolean): void {
  const { tries, ...who } = target;
  if (waits && tries + 1 < mostTries) {
    state.queue.push({ ...who, tries: tries + 1 });
    return;
  }
  state.unread[type] = (state.unread[type] ?? 0) + 1;
  if (state.unreadPeople.length < mostUnreadPeople) state.unreadPeople.push({ ...who, type });
  if (state.phase === 'repair' && who.ruleId !== undefined) state.strays.delete(who.ruleId);
}

/** How long nothing is to be asked, in ms. */
export function pauseMs({ waiting }: AuditState, now: number): number {
  return waiting ? Math.max(0, Date.parse(waiting.until) - now) : 0;
}

export function auditProgress(state: AuditState, vendorId: string): AuditProgress {
  const { phase, startedAt, finishedAt, request, total, waiting, repair } = state;
  return {
    vendorId,
    phase,
    ...(startedAt ? { startedAt } : {}),
    ...(finishedAt ? { finishedAt } : {}),
    ...(request.sample ? { sample: request.sample } : {}),
    ...(total === undefined ? {} : { total }),
    people: state.people,
    inRule: state.inRule,
    counts: state.counts,
    differing: state.differing,
    settled: state.settled,
    notDue: state.notDue,
    unclear: state.unclear,
    unwatched: state.unwatched,
    unread: state.unread,
    unreadPeople: state.unreadPeople,
    ...(state.incomplete ? { incomplete: state.incomplete } : {}),
    toMend: { resync: state.everybody ? state.people : state.toResync.size, surplus: state.strays.size },
    kept: state.findings.length,
    leftOut: state.leftOut,
    ...(waiting ? { waiting } : {}),
    ...(repair ? { repair } : {}),
  };
}

export function findingsIn({ findings }: AuditState, range: FindingsRange | null | undefined): AuditFinding[] {
  const offset = Math.max(0, range?.offset ?? 0);
  const limit = Math.min(Math.max(0, range?.limit ?? mostFindingsAtOnce), mostFindingsAtOnce);
  return findings.slice(offset, offset + limit);
}

/** The audit in a few lines of markdown, for people who open it in the Temporal UI. */
export function describeAudit(state: AuditState, vendorId: string): string {
  const { phase, total, waiting, repair } = state;
  const kinds = differenceKinds.filter((kind) => state.counts[kind] > 0);
  const lines = [
    `**${phase}** · vendor \`${vendorId}\``,
    '',
    `- people looked at: ${state.people}${total === undefined ? '' : ` of ${state.request.sample ? `a sample of ${state.request.sample.size} of ` : ''}${total}`}`,
    `- subscribers in Rule gone through: ${state.inRule}`,
    `- people with differences: ${state.differing}`,
    ...kinds.map((kind) => `  - ${kind}: ${state.counts[kind]}`),
  ];
  if (repair)
    lines.push(`- repair: ${repair.told} told to write everything again, ${repair.cleared} cleared of status tags`);
  if (waiting) lines.push(`- waiting since ${waiting.since} for ${waiting.failure.type}; tried again ${waiting.until}`);
  return lines.join('\n');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
