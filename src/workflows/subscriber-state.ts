/**
 * What the workflow `subscriber` keeps, and what is read off it. Pure, without Temporal, so that a test can drive it by hand; time is handed
 * in.
 */
import type {
  Erasure,
  FailureDetails,
  HeldKind,
  Known,
  LifecycleDue,
  NextLookKind,
  PersonId,
  SubscriberMemory,
  SubscriberStatus,
  SyncInput,
  SyncReason,
  SyncState,
  TrailEntry,
} from '../contract/index.js';
import { freshOutbox, heldBy, type Outbox, waitingOf } from './outbox.js';

/** Something to be done: one sync, for all that has asked for it. */
export interface Work {
  /** Signal names, `resync`, `syncNow`, or the kind of a look. */
  why: string[];
  live: boolean;
  force: boolean;
  recreate: boolean;
  /** Does not wait for a retry that is already dated: a person asked. */
  urgent: boolean;
  expect: SyncInput['expect'];
  expectedIds: string[];
  /** Other Sesamy users who may have the address. */
  sharesWith?: string[];
}

/** The workflow's whole memory; carried over at continue-as-new. A change of its form raises `version` and adds a step to `restore`. */
export interface SubscriberState {
  version: 1;
  known: Known;
  /** Times of cancel requests that no sync has taken up yet, by contract id. */
  cancelRequests: Record<string, string>;
  pending?: Work;
  retry?: { count: number; at: number; work: Work };
  look?: { kind: NextLookKind; at: number; why?: string };
  /** What time alone brings next in the reader's life. */
  due?: LifecycleDue;
  /** The series of extra looks that is running, and the ids that messages named in it. */
  series: { look: number; expect: SyncInput['expect']; expectedIds: string[] };
  /** An attempt failed after it had begun to write: the next one trusts no hash. */
  doubt: boolean;
  newsAt?: number;
  /** Keys of the last messages: a repeat promises nothing new. */
  seen: string[];
  state: SyncState;
  reason?: SyncReason;
  failure?: FailureDetails;
  failedAt?: string;
  syncedAt?: string;
  attempts: number;
  trail: TrailEntry[];
  endsAt?: number;
  gone: boolean;
  /** Asked to be erased, or erased: then nothing else is left. `at` is when the next try is due (epoch ms). */
  erasure?: Erasure & { addressKeys: string[]; at: number; tries: number };
  /** The erasure was taken back: the workflow ends. */
  lifted?: boolean;
  /** Events on their way to Rule. */
  outbox: Outbox;
  /** Search attributes as last written, so that only changes are written. */
  published: Record<string, string>;
}

export function freshState(): SubscriberState {
  return {
    version: 1,
    known: {},
    cancelRequests: {},
    series: { look: 0, expect: 'none', expectedIds: [] },
    doubt: false,
    seen: [],
    state: 'new',
    attempts: 0,
    trail: [],
    gone: false,
    outbox: freshOutbox(),
    published: {},
  };
}

/** The state a run starts from. Older versions are brought up to date here; a newer one than this build knows is an error. */
export function restore(stored: SubscriberState | undefined): SubscriberState {
  if (!stored) return freshState();
  if (stored.version !== 1) {
    throw new Error(`State version ${String(stored.version)} is newer than this build: deploy the newer build again.`);
  }
  // Members that came later in the same version begin as in a fresh state.
  const fresh = freshState();
  return {
    ...fresh,
    ...stored,
    series: { ...fresh.series, ...stored.series },
    outbox: { ...fresh.outbox, ...stored.outbox },
  };
}

/** When there will be something to do, as an instant in ms; `undefined` for never. Messages do not overtake a dated retry. */
export function dueAt(state: SubscriberState): number | undefined {
  if (state.erasure) return state.erasure.erasedAt ? undefined : state.erasure.at;
  if (state.pending && (!state.retry || state.pending.urgent)) return 0;
  if (state.retry) return state.retry.at;
  const dates = [state.look?.at, state.endsAt].filter((at) => at !== undefined);
  return dates.length > 0 ? Math.min(...dates) : undefined;
}

/** Whether the workflow may end: the person is gone from Sesamy, or a guest's time has passed, and nothing waits. */
export function isOver(state: SubscriberState, now: number): boolean {
  if (state.lifted) return true;
  if (state.erasure) return false;
  if (state.pending || state.retry) return false;
  return state.gone || (state.endsAt !== undefined && state.endsAt <= now);
}

/** What waits for a person's decision, the first of it. */
export function heldOf(state: SubscriberState): { what: HeldKind; since: string } | undefined {
  return heldBy(state.outbox);
}

/** What happens next by itself, in words. */
export function nextWhy(state: SubscriberState): string {
  if (state.erasure) return `erase, try ${state.erasure.tries + 1}`;
  if (state.retry) return `retry ${state.retry.count} after ${state.failure?.type ?? 'a failure'}`;
  if (state.endsAt !== undefined && state.look && state.endsAt < state.look.at) return 'end: still a guest';
  switch (state.look?.kind) {
    case 'look':
      return "look again: Sesamy's API may lag its events";
    case 'second-look':
      return 'look again: Sesamy or Rule does not show what should be there';
    case 'expiry':
      return 'an access or a contract ends';
    case 'due':
      return state.look.why ?? 'the time for an event has come';
    case 'recheck':
      return state.look.why ?? 'regular recheck';
    default:
      return 'first sync';
  }
}

export function statusOf(state: SubscriberState, person: PersonId): SubscriberStatus {
  const due = dueAt(state);
  return {
    ...person,
    state: state.state,
    ...(state.reason ? { reason: state.reason } : {}),
    ...(state.failure ? { failure: state.failure } : {}),
    ...(state.failedAt ? { failedAt: state.failedAt } : {}),
    ...(state.known.ruleId === undefined ? {} : { ruleId: state.known.ruleId }),
    ...(state.known.stage ? { stage: state.known.stage } : {}),
    tags: state.known.tags ?? [],
    ...(state.syncedAt ? { syncedAt: state.syncedAt } : {}),
    attempts: state.attempts,
    ...(due ? { next: { at: iso(due), why: nextWhy(state) } } : {}),
    ...(state.due ? { due: state.due } : {}),
    pending: state.pending?.why ?? [],
    waiting: waitingOf(state.outbox),
    gained: state.outbox.gained,
    told: state.outbox.told,
    trail: state.trail,
    ...(state.erasure ? { erasure: erasureOf(state.erasure) } : {}),
  };
}

/** @param atWork an attempt or a delivery is under way */
export function memoryOf(state: SubscriberState, atWork: boolean): SubscriberMemory {
  return {
    state: state.state,
    ...(state.reason ? { reason: state.reason } : {}),
    known: state.known,
    gained: state.outbox.gained,
    underWay: atWork || (state.pending !== undefined && !state.retry),
    attempts: state.attempts,
    over: state.gone || state.erasure !== undefined || state.lifted === true,
  };
}

/** What is told of an erasure. */
export function erasureOf({ askedAt, erasedAt, deleted, sharedWith, failure }: Erasure): Erasure {
  return {
    askedAt,
    ...(erasedAt ? { erasedAt } : {}),
    deleted,
    sharedWith,
    ...(failure ? { failure } : {}),
  };
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
