/**
 * What the workflow `backfill` keeps and how each page and each batch changes it. Pure, without Temporal, so that a test can drive it by
 * hand; time is handed in.
 */
import type {
  BackfillKind,
  BackfillProgress,
  BackfillRequest,
  BackfillStage,
  BackfillVerdict,
  FailedPerson,
  ListUsersResult,
  SyncPeopleInput,
  SyncPeopleResult,
} from '../contract/index.js';
import { provesAnswers } from '../contract/index.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** So many batches are under way: while the last people of one are waited for, the others keep the vendor's queue filled. */
export const lanes = 3;
/** How many people of a batch are under way at once, in seconds of the vendor's budget: a pause is soon a pause. */
const atOnceSeconds = 4;
const leastAtOnce = 4;
const mostAtOnce = 40;
/** How many times as many a batch has: the tail of each is a time of less. */
const batchTimes = 3;
const largestBatch = 100;

/** Of a sync; by it a share of the budget is kept. */
const readsPerSync = 3;

/** So many, with nobody between them for whom the vendors answered, who fail for the account's sake are an outage. */
const outageFrom = 10;
/** Waits in an outage: 30 s doubling to 10 min; a wait that the vendor asks for is kept, up to an hour. */
const firstWaitMs = 30 * second;
const longestWaitMs = 10 * minute;
const longestAskedWaitMs = hour;
/** Nobody is left but people who have met the outage before: they go on by themselves, and the report need not wait for them any longer. */
const lastWaitMs = hour;

/** More than this are not remembered for another try: they are `retrying` and come by themselves. */
const mostAgain = 500;

/** A list that ends before the number that Sesamy gave for it is looked at again after these, then believed and reported. */
const shortListWaitsMs = [minute, 5 * minute, 15 * minute];
const shortShare = 0.9;

/** A page that comes again, whole: the offset was ignored. Fewer rows may be the overlap at the list's end. */
const wholePage = 10;

const failedLength = 100;
const samplesLength = 20;

export interface Waiting {
  why: string;
  since: number;
  until: number;
  count: number;
}

/** The whole memory of a walk; carried over at continue-as-new. */
export interface BackfillState {
  version: 1;
  startedAt: number;
  endedAt?: number;
  paused: boolean;
  stopped: boolean;
  /** The row of the next page. */
  offset: number;
  /** Ids of the page before, and hashes of those that are not to be taken as ids. */
  previous: string[];
  listEnded: boolean;
  repeated: boolean;
  total?: number;
  /** The largest total that Sesamy ever gave. */
  expected: number;
  shortEnds: number;
  /** The list's last page had nobody new, and by the total many were still to come. Absent: not so. */
  endedEarly?: boolean;
  listed: number;
  unusable: number;
  /** Listed and not begun. */
  queue: string[];
  /** Met an outage and will be begun once more. */
  again: string[];
  leftAlone: number;
  done: number;
  verdicts: Record<string, number>;
  reasons: Record<string, number>;
  failed: FailedPerson[];
  failedMore: number;
  /** An outage, met by syncs. */
  outage?: Waiting;
  /** The same, met by the listing. */
  listWaiting?: Waiting;
  requestsPerSecond: number;
  share: number;
  /** Sesamy calls since an instant: of a walk that may use a share of the budget only. */
  pace: { since: number; calls: number };
  /** How many were settled when, of late. */
  samples: { at: number; done: number }[];
}

export function freshBackfill(now: number): BackfillState {
  return {
    version: 1,
    startedAt: now,
    paused: false,
    stopped: false,
    offset: 0,
    previous: [],
    listEnded: false,
    repeated: false,
    expected: 0,
    shortEnds: 0,
    listed: 0,
    unusable: 0,
    queue: [],
    again: [],
    leftAlone: 0,
    done: 0,
    verdicts: {},
    reasons: {},
    failed: [],
    failedMore: 0,
    requestsPerSecond: 1,
    share: 1,
    pace: { since: now, calls: 0 },
    samples: [],
  };
}

/** How many people of a batch may be under way at once. */
export function atOnce({ requestsPerSecond }: BackfillState): number {
  return Math.min(Math.max(Math.ceil((requestsPerSecond * atOnceSeconds) / readsPerSync), leastAtOnce), mostAtOnce);
}

/** How many people a batch may have. */
export function batchSize(state: BackfillState): number {
  return Math.min(atOnce(state) * batchTimes, largestBatch);
}

/** A page arrived. @returns the ids that were not on the page before */
export function recordPage(state: BackfillState, page: ListUsersResult, now: number): string[] {
  delete state.listWaiting;
  state.requestsPerSecond = page.requestsPerSecond;
  state.share = page.reconcileShare;
  state.pace.calls += 1;
  if (page.total !== undefined) {
    state.total = page.total;
    state.expected = Math.max(state.expected, page.total);
  }
  const before = new Set(state.previous);
  const ids = [...new Set(page.ids)].filter((id) => !before.has(id));
  const unusable = [...new Set(page.unusable)].filter((hash) => !before.has(hash));
  const isNew = ids.length + unusable.length > 0;
  if (!isNew && page.rows >= wholePage) state.repeated = true;
  if (isNew) state.previous = [...page.ids, ...page.unusable];
  state.listed += ids.length + unusable.length;
  state.unusable += unusable.length;
  const reached = page.total !== undefined && state.offset + page.rows >= page.total;
  if (isNew && !reached) {
    // Whoever is deleted meanwhile moves the rows behind them forward: without an overlap one of them would be passed over.
    state.offset += page.rows - Math.floor(page.rows / 10);
    delete state.endedEarly;
  } else {
    // A total may be a few rows off without harm; an empty page in the middle of a list must not pass for its end, whatever total it gives.
    const total = page.rows === 0 ? state.expected : (page.total ?? 0);
    state.endedEarly = total - (state.offset + page.rows) >= wholePage;
    endOfList(state, now);
  }
  return ids;
}

function isShort({ listed, expected }: BackfillState): boolean {
  return listed < expected * shortShare;
}

function endOfList(state: BackfillState, now: number): void {
  const wait = shortListWaitsMs[state.shortEnds];
  if (wait === undefined || !(isShort(state) || state.endedEarly)) {
    state.listEnded = true;
    return;
  }
  state.shortEnds += 1;
  state.listWaiting = { why: 'list-ended-early', since: now, until: now + wait, count: state.shortEnds };
}

/** Sesamy could not be asked for a page. */
export function recordListFailure(
  state: BackfillState,
  failure: { type: string; waitMs?: number | undefined },
  now: number,
): void {
  state.listWaiting = longer(state.listWaiting, failure.type, failure.waitMs, now);
}

/** Adds people to those who are to be begun; of the others a workflow takes care already. */
export function recordListed(state: BackfillState, ids: readonly string[], leftAlone: number, now: number): void {
  state.queue.push(...ids);
  state.leftAlone += leftAlone;
  if (leftAlone > 0) settled(state, leftAlone, now);
}

/** How long the next page has to wait, so that on average no more than the share of the budget is used; 0 for less than a second. */
export function paceWaitMs(state: BackfillState, now: number): number {
  const { calls, since } = state.pace;
  const wait = (calls / (state.share * state.requestsPerSecond)) * second - (now - since);
  return wait < second ? 0 : Math.ceil(wait);
}

/** Whether a batch may begin. In an outage one person at a time finds out whether it is over. */
export function mayBegin(state: BackfillState, underWay: number, now: number): boolean {
  if (state.paused || state.queue.length + state.again.length === 0) return false;
  return !state.outage || (now >= state.outage.until && underWay === 0);
}

/** What the next batch is. The first ones are smaller, so that they do not all end at the same time. */
export function takeBatch(state: BackfillState, underWay: number): Omit<SyncPeopleInput, 'vendorId' | 'by'> {
  if (state.outage) {
    // Those who have not met it yet go first: the ones who have may be a trouble of their own.
    const from = state.queue.length > 0 && state.again.length < mostAgain ? state.queue : state.again;
    return { userIds: (from.length > 0 ? from : state.queue).splice(0, 1), atOnce: 1, outageFrom: 1, final: false };
  }
  const whole = batchSize(state);
  const size = Math.ceil((whole * Math.min(underWay + 1, lanes)) / lanes);
  const fresh = state.queue.splice(0, size);
  if (fresh.length > 0) return { userIds: fresh, atOnce: atOnce(state), outageFrom, final: false };
  return { userIds: state.again.splice(0, size), atOnce: atOnce(state), outageFrom: largestBatch + 1, final: true };
}

/** A batch has been answered. Whoever failed for the account's sake is begun once more when everybody else is through. */
export function recordBatch(state: BackfillState, result: SyncPeopleResult, now: number): void {
  const { verdicts, again, outage } = result;
  const count = add(state.verdicts, verdicts);
  add(state.reasons, result.reasons);
  addFailed(state, result.failed);
  state.queue.unshift(...result.left);
  state.pace.calls += (count + again.length) * readsPerSync;
  settled(state, count, now);
  const room = Math.max(mostAgain - state.again.length, 0);
  state.again.push(...again.slice(0, room).map(({ userId }) => userId));
  countRetrying(state, again.slice(room), now);
  if (outage) meetOutage(state, outage, now);
  else if (Object.keys(verdicts).some((verdict) => provesAnswers(verdict as BackfillVerdict))) {
    if (state.outage) state.samples = [];
    delete state.outage;
  }
}

function meetOutage(state: BackfillState, { why, waitMs }: { why: string; waitMs?: number }, now: number): void {
  // Batches that were under way when it began tell of the same one.
  if (!state.outage || now >= state.outage.until) state.outage = longer(state.outage, why, waitMs, now);
  state.samples = [];
  const onlyThese = state.listEnded && state.queue.length === 0;
  if (!onlyThese || now - state.outage.since < lastWaitMs) return;
  delete state.outage;
  countRetrying(
    state,
    state.again.splice(0).map((userId) => ({ userId, verdict: 'retrying', type: why })),
    now,
  );
}

/** They come by themselves when it is over. */
function countRetrying(state: BackfillState, people: readonly FailedPerson[], now: number): void {
  add(state.verdicts, { retrying: people.length });
  for (const { type } of people) add(state.reasons, { [type]: 1 });
  addFailed(state, people);
  settled(state, people.length, now);
}

/** A batch was cancelled before it began. */
export function recordUnbegun(state: BackfillState, userIds: readonly string[]): void {
  state.queue.unshift(...userIds);
}

/** A batch could not even be asked for: its people are begun again. */
export function recordBatchFailure(state: BackfillState, userIds: readonly string[], type: string, now: number): void {
  state.queue.unshift(...userIds);
  state.outage = longer(state.outage, type, undefined, now);
}

function longer(waiting: Waiting | undefined, why: string, askedMs: number | undefined, now: number): Waiting {
  const count = (waiting?.count ?? 0) + 1;
  const grown = Math.min(firstWaitMs * 2 ** Math.min(count - 1, 10), longestWaitMs);
  const wait = Math.max(grown, Math.min(askedMs ?? 0, longestAskedWaitMs));
  return { why, since: waiting?.since ?? now, until: now + wait, count };
}

function add(sums: Record<string, number>, more: Readonly<Record<string, number | undefined>>): number {
  let count = 0;
  for (const [key, amount = 0] of Object.entries(more)) {
    if (amount > 0) sums[key] = (sums[key] ?? 0) + amount;
    count += amount;
  }
  return count;
}

function addFailed(state: BackfillState, people: readonly FailedPerson[]): void {
  const room = Math.max(failedLength - state.failed.length, 0);
  state.failed.push(...people.slice(0, room));
  state.failedMore += Math.max(people.length - room, 0);
}

function settled(state: BackfillState, count: number, now: number): void {
  state.done += count;
  state.samples = [...state.samples, { at: now, done: state.done }].slice(-samplesLength);
}

export function recordPause(state: BackfillState): void {
  state.paused = true;
  state.samples = [];
}

export function recordResume(state: BackfillState, now: number): void {
  state.paused = false;
  state.samples = [];
  state.pace = { since: now, calls: 0 };
  // Whoever presses it may have mended the trouble.
  for (const waiting of [state.outage, state.listWaiting]) if (waiting) waiting.until = now;
}

/** Whether everybody has been gone through. */
export function isThrough({ listEnded, queue, again }: BackfillState, underWay: number): boolean {
  return listEnded && queue.length + again.length === 0 && underWay === 0;
}

export interface Walk extends BackfillRequest {
  vendorId: string;
  kind: BackfillKind;
}

export function progressOf(state: BackfillState, walk: Walk): BackfillProgress {
  const { outage, listWaiting, endedAt } = state;
  // Whoever is deleted at Sesamy meanwhile, or moves to a later page, is counted here and not there.
  const total = state.total === undefined ? undefined : Math.max(state.total, state.done + state.unusable);
  const waiting = state.endedAt === undefined ? (outage ?? listWaiting) : undefined;
  const perSecond = rateOf(state);
  const left = total === undefined ? undefined : Math.max(total - state.done - state.unusable, 0);
  return {
    vendorId: walk.vendorId,
    kind: walk.kind,
    full: walk.kind === 'backfill' || walk.full === true,
    ...(walk.by ? { by: walk.by } : {}),
    stage: stageOf(state),
    startedAt: iso(state.startedAt),
    ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
    ...(total === undefined ? {} : { total }),
    listed: state.listed,
    done: state.done,
    leftAlone: state.leftAlone,
    verdicts: { ...state.verdicts },
    reasons: { ...state.reasons },
    failed: state.failed,
    failedMore: state.failedMore,
    unusableIds: state.unusable,
    incomplete: state.listEnded && (state.repeated || isShort(state) || state.endedEarly === true),
    ...(waiting ? { waiting: { why: waiting.why, since: iso(waiting.since), until: iso(waiting.until) } } : {}),
    ...(perSecond === undefined ? {} : { perSecond }),
    ...(perSecond && left !== undefined && endedAt === undefined ? { secondsLeft: Math.ceil(left / perSecond) } : {}),
    automationsStarted: 0,
  };
}

function stageOf(state: BackfillState): BackfillStage {
  if (state.endedAt !== undefined) return state.stopped ? 'stopped' : 'done';
  if (state.paused) return 'paused';
  return state.outage || state.listWaiting ? 'waiting' : 'running';
}

function rateOf({ samples, startedAt, endedAt, done }: BackfillState): number | undefined {
  const rate = (people: number, ms: number) => (ms > 0 ? Math.round((people / ms) * second * 100) / 100 : undefined);
  // Of the whole, once it is over.
  if (endedAt !== undefined) return rate(done, endedAt - startedAt);
  const [first] = samples;
  const last = samples.at(-1);
  return first && last ? rate(last.done - first.done, last.at - first.at) : undefined;
}

/** The run in a few lines of markdown, for people who open it in the Temporal UI. */
export function describeBackfill(state: BackfillState, walk: Walk): string {
  const { stage, done, listed, total, waiting, secondsLeft, verdicts } = progressOf(state, walk);
  const lines = [
    `**${stage}** · ${done} of ${total ?? `at least ${listed}`} readers`,
    '',
    ...Object.entries(verdicts).map(([verdict, count]) => `- ${verdict}: ${count}`),
  ];
  if (waiting) lines.push(`- waits until ${waiting.until}: ${waiting.why}`);
  if (secondsLeft !== undefined) lines.push(`- about ${Math.ceil(secondsLeft / 60)} minutes left`);
  return lines.join('\n');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
