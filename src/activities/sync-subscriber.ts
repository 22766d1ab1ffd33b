import type {
  Known,
  LifecycleEvent,
  NextLook,
  Seen,
  SyncChanges,
  SyncInput,
  SyncReason,
  SyncResult,
  Verdict,
} from '../contract/index.js';
import { VendorError } from '../http/errors.js';
import { steadyNow } from '../http/steady-clock.js';
import { type LifecycleResult, type Payment, reduceLifecycle } from '../lifecycle/index.js';
import type { Source } from '../mapping/index.js';
import { addressKeyOf, personHashes } from './hashes.js';
import { neverWritten } from './known.js';
import { extraLook, nextLook, recheck } from './next-look.js';
import { fetchPayments, fetchStanding, isEmptied, readPerson } from './read-person.js';
import type { Vendor } from './vendor.js';
import { takeStatusTags, writePerson } from './write-person.js';

export interface Attempt {
  signal: AbortSignal;
  /** Says what is being done, for the heartbeat. */
  step: (name: string) => void;
  now: () => Date;
  /** Told the id of a subscriber who was written for the first time, before anything else can fail. */
  wrote?: (ruleId: number) => void;
}

/** Fetch, map, decide, write: one person's whole sync, silent, repeatable at any point. */
export async function syncSubscriber(vendor: Vendor, input: SyncInput, attempt: Attempt): Promise<SyncResult> {
  const now = attempt.now();
  // Before the other vendor is asked: while Rule does not take anything, fetching would be a call for nothing.
  vendor.gate.check();
  if (input.known.deletedInRule && !input.recreate) {
    const { deletedInRule: _deleted, ...undeleted } = input.known;
    const isBack = undeleted.ruleId !== undefined && (await vendor.rule.get(undeleted.ruleId, attempt));
    if (isBack) return syncSubscriber(vendor, { ...input, known: undeleted, force: true }, attempt);
    return result('skipped', input.known, {
      reason: 'deleted-in-rule',
      next: recheck(vendor, input.userId, now.getTime()),
    });
  }
  const known = input.known.deletedInRule ? neverWritten(input.known) : input.known;

  attempt.step('sesamy: user, contracts, entitlements');
  const source = await fetchStanding(vendor, input.userId, known, { signal: attempt.signal, now });
  const missing = whatIsMissing(known, source, now);
  if (missing && !believed(vendor, missing, now)) {
    // Seen to be missing for the first time: if it is true, a subscription has ended, and perhaps everybody's.
    const leaves = known.missing === undefined && Object.keys(known.lifecycle?.contracts ?? {}).length > 0;
    if (leaves) await vendor.brake?.wouldEnd();
    return waiting(vendor, input, missing, now);
  }
  if (!source) return gone(vendor, input, attempt);

  const hashes = personHashes(vendor.hashKey, input.vendorId, input.userId);
  const { missing: _found, ...rest } = known;
  const seen: Known = {
    ...rest,
    sourceHash: hashes.of('source', canonical(source)),
    rows: { contracts: source.contracts.length, entitlements: source.entitlements.length },
    cancelRequestedAt: source.cancelRequestedAt,
  };
  const sourceChanged = seen.sourceHash !== known.sourceHash;
  const person = readPerson(vendor, source, now);

  const { standing } = person.mapped;
  if (!standing.confirmed && known.ruleId === undefined) {
    return result(
      'skipped',
      { ...seen, stage: person.stage.stage },
      {
        reason: `guest/${standing.reason}`,
        news: sourceChanged,
        next: nextLook(vendor, input, { source, news: sourceChanged }, now.getTime()),
        endsAfterMs: vendor.timings.guestMs,
      },
    );
  }

  const wantsPayments = input.live && vendor.receipts.mode !== 'off';
  const payments = wantsPayments ? await payable(vendor, input, attempt) : undefined;
  const lifecycle = reduceLifecycle({
    ...source,
    ...(payments ? { payments } : {}),
    before: known.lifecycle,
    quiet: !input.live,
    seenBefore: known.sourceHash !== undefined,
    waiting: input.waiting,
    now,
    settings: vendor.lifecycle,
  });
  if (lifecycle.memory) seen.lifecycle = lifecycle.memory;

  const { email } = person.mapped;
  if (email) seen.addressKey = addressKeyOf(vendor.hashKey, input.vendorId, email);

  // Nobody heard of the end, so nothing starts for the return: when Sesamy has ended everybody by mistake, above all.
  const undoesUntoldEnd = input.waiting.some(
    ({ id, type }) => type === 'ended' && lifecycle.rowOnly[id] === 'countered',
  );
  const writing = writePerson({
    vendor,
    input: { ...input, known: seen },
    person,
    // Whoever takes an address tells the one who held it: a live look of that one need not ask, and is not held up by the search.
    asksWhose: input.force || !input.live,
    startsFlows:
      input.live &&
      !undoesUntoldEnd &&
      (known.fieldHashes !== undefined || isNew(vendor, source, lifecycle.events, now)),
    tells: lifecycle.events.length > 0 || input.tells,
    signal: attempt.signal,
    step: attempt.step,
    now,
    ...(attempt.wrote ? { wrote: attempt.wrote } : {}),
  });
  const written = await writing.catch((error: unknown) => {
    throw seenAlthoughNotWritten(error, known, lifecycle);
  });
  // The memory stays as it was: what was found now is found again by the look that writes.
  if (written.verdict === 'waiting') {
    return {
      ...written,
      known: { ...written.known, lifecycle: known.lifecycle },
      news: sourceChanged,
      next: { kind: 'second-look', afterMs: vendor.timings.missingRowsMs },
    };
  }
  if (written.verdict === 'skipped') {
    const kept = { ...written, known: { ...written.known, lifecycle: known.lifecycle }, news: sourceChanged };
    // The other one's own webhook may be on its way.
    const isRecent =
      now.getTime() - Date.parse(written.known.movingSince ?? written.known.sharedSince ?? '') < sharedMs;
    if (isRecent) return { ...kept, next: { kind: 'second-look', afterMs: vendor.timings.missingRowsMs } };
    return { ...kept, next: recheck(vendor, input.userId, attempt.now().getTime()) };
  }
  // Only now, when it is going to be remembered: what fails finds it again, and nobody leaves twice.
  if (lifecycle.leaves && known.missing === undefined) await vendor.brake?.wouldEnd();
  const news = sourceChanged || written.verdict === 'created' || written.verdict === 'updated';
  const next = nextLook(vendor, input, { source, news, due: lifecycle.due }, attempt.now().getTime());
  const unsettled = written.known.unsettled && next.afterMs > unsettledMs;
  const withoutReceipts = wantsPayments && payments === undefined;
  return {
    ...written,
    problems: [
      ...written.problems,
      ...(withoutReceipts ? [{ field: 'Sesamy_Receipt', code: 'transactions-forbidden' }] : []),
    ],
    events: lifecycle.events,
    rowOnly: lifecycle.rowOnly,
    ...(lifecycle.due ? { due: lifecycle.due } : {}),
    news,
    next: unsettled ? { kind: 'look', afterMs: unsettledMs } : next,
  };
}

const forbiddenUntil = new WeakMap<Vendor, number>();
const forbiddenMs = 60 * 60_000;

/** A credential without the right to transactions costs the receipts, not the person. */
async function payable(vendor: Vendor, { userId }: SyncInput, { signal }: Attempt): Promise<Payment[] | undefined> {
  if (steadyNow() < (forbiddenUntil.get(vendor) ?? 0)) return undefined;
  try {
    return await fetchPayments(vendor, userId, signal);
  } catch (error) {
    if (!(error instanceof VendorError && error.type === 'sesamy/forbidden')) throw error;
    // Each refusal costs a new token: not for every person.
    forbiddenUntil.set(vendor, steadyNow() + forbiddenMs);
    return undefined;
  }
}

/** Rule could not be written. What was seen is remembered nevertheless, since it may be over by the time Rule can be: a row tells of it then. */
export class NotWritten extends Error {
  override name = 'NotWritten';
  constructor(
    readonly failure: VendorError,
    readonly seen: Seen,
  ) {
    super(failure.message);
  }
}

/** What does not pass is left to be found again by the look that writes: a first look, and an end, which the brake counts then. */
function seenAlthoughNotWritten(error: unknown, known: Known, found: LifecycleResult): unknown {
  const { memory: lifecycle, events, rowOnly, leaves } = found;
  const isNews = events.length > 0 || Object.keys(rowOnly).length > 0;
  if (!(error instanceof VendorError) || !known.lifecycle || !lifecycle || !isNews || leaves) return error;
  return new NotWritten(error, { lifecycle, events, rowOnly });
}

/** Whether somebody who is written for the first time is new at all, or only new to us: nobody is to be greeted after years. */
function isNew(vendor: Vendor, { user }: Source, events: readonly LifecycleEvent[], now: Date): boolean {
  const signedUp = user.createdAt === undefined ? Number.NaN : Date.parse(user.createdAt);
  return events.length > 0 || now.getTime() - signedUp <= vendor.lifecycle.maxEventAgeMs;
}

/** How long an address that is somebody else's is looked at more often than by the recheck. */
const sharedMs = 60 * 60_000;

/** Long enough for Rule to have done a removal of tags that was slow. */
const unsettledMs = 5 * 60_000;

type Missing = NonNullable<Known['missing']>;

/** "Nothing" where something was: perhaps the truth, perhaps Sesamy's bad ten minutes. */
function whatIsMissing(known: Known, source: Source | undefined, now: Date): Missing | undefined {
  const since = (what: Missing['what']) => (known.missing?.what === what ? known.missing.since : now.toISOString());
  if (!source) return { what: 'user', since: since('user') };
  return isEmptied(known, source) ? { what: 'rows', since: since('rows') } : undefined;
}

function dueOf(vendor: Vendor, missing: Missing): number {
  return (
    Date.parse(missing.since) + (missing.what === 'user' ? vendor.timings.missingUserMs : vendor.timings.missingRowsMs)
  );
}

function believed(vendor: Vendor, missing: Missing, now: Date): boolean {
  return now.getTime() >= dueOf(vendor, missing);
}

function waiting(vendor: Vendor, input: SyncInput, missing: Missing, now: Date): SyncResult {
  const second: NextLook = { kind: 'second-look', afterMs: Math.max(1_000, dueOf(vendor, missing) - now.getTime()) };
  const extra = extraLook(vendor, input, { news: false });
  const next = extra && extra.afterMs < second.afterMs ? extra : second;
  const known = { ...input.known, missing };
  // A user id that Sesamy has never shown us is not in sync with anything yet.
  const unknown = missing.what === 'user' && input.known.rows === undefined;
  if (unknown) return result('skipped', known, { reason: 'not-at-sesamy', next });
  return result('waiting', known, { reason: missing.what === 'user' ? 'missing-user' : 'missing-rows', next });
}

/** Gone from Sesamy for good. */
async function gone(vendor: Vendor, input: SyncInput, attempt: Attempt): Promise<SyncResult> {
  const { known } = input;
  const next: NextLook = recheck(vendor, input.userId, attempt.now().getTime());
  // A wrong address answers 404 for everybody: that must not make everybody gone.
  await vendor.sesamy.checkAccess({ signal: attempt.signal });
  if (known.ruleId === undefined) return result('gone', known, { reason: 'not-at-sesamy', next });
  attempt.step('rule: status tags of a person gone from Sesamy');
  const lost = await takeStatusTags(vendor, input, attempt.signal);
  return result(
    'gone',
    { ...known, tags: [] },
    {
      reason: 'not-at-sesamy',
      news: true,
      next,
      changes: { fields: [], tagsAdded: [], tagsRemoved: lost, addressChanged: false },
    },
  );
}

function result(
  verdict: Verdict,
  known: Known,
  rest: { reason?: SyncReason; next: NextLook; news?: boolean; endsAfterMs?: number; changes?: SyncChanges },
): SyncResult {
  return {
    verdict,
    known,
    changes: { fields: [], tagsAdded: [], tagsRemoved: [], addressChanged: false },
    problems: [],
    news: false,
    ...rest,
  };
}

/** The same text for the same answer, in whatever order Sesamy listed the rows. */
function canonical(source: Source): unknown {
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  return [source.user, [...source.contracts].sort(byId), [...source.entitlements].sort(byId)];
}
