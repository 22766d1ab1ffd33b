import type { Known, NextLook, SyncChanges, SyncInput, SyncReason, SyncResult, Verdict } from '../contract/index.js';
import { type Source, tagsToRemove } from '../mapping/index.js';
import { personHashes } from './hashes.js';
import { extraLook, nextLook, recheck } from './next-look.js';
import { fetchSource, readPerson } from './read-person.js';
import type { Vendor } from './vendor.js';
import { writePerson } from './write-person.js';

export interface Attempt {
  signal: AbortSignal;
  /** Says what is being done, for the heartbeat. */
  step: (name: string) => void;
  now: () => Date;
}

/** Fetch, map, decide, write: one person's whole sync, silent, repeatable at any point. */
export async function syncSubscriber(vendor: Vendor, input: SyncInput, attempt: Attempt): Promise<SyncResult> {
  const now = attempt.now();
  if (input.known.deletedInRule && !input.recreate) {
    return result('skipped', input.known, {
      reason: 'deleted-in-rule',
      next: recheck(vendor, input.userId, now.getTime()),
    });
  }
  const known = input.known.deletedInRule ? neverWritten(input.known) : input.known;
  // Before the other vendor is asked: while Rule does not take anything, fetching would be a call for nothing.
  vendor.gate.check();

  attempt.step('sesamy: user, contracts, entitlements');
  const source = await fetchSource(vendor, input.userId, known, attempt.signal);
  const missing = whatIsMissing(known, source, now);
  if (missing && !believed(vendor, missing, now)) return waiting(vendor, input, missing, now);
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

  const written = await writePerson({
    vendor,
    input: { ...input, known: seen },
    person,
    signal: attempt.signal,
    step: attempt.step,
    now,
  });
  if (written.verdict === 'waiting') {
    return { ...written, news: sourceChanged, next: { kind: 'second-look', afterMs: vendor.timings.missingRowsMs } };
  }
  const news = sourceChanged || written.verdict === 'created' || written.verdict === 'updated';
  const next = nextLook(vendor, input, { source, news, stageUntil: person.stage.until }, attempt.now().getTime());
  const unsettled = written.known.unsettled && next.afterMs > unsettledMs;
  return { ...written, news, next: unsettled ? { kind: 'look', afterMs: unsettledMs } : next };
}

/** Long enough for Rule to have done a removal of tags that was slow. */
const unsettledMs = 5 * 60_000;

/** What is remembered of somebody who is to be written again as if for the first time. */
function neverWritten(known: Known): Known {
  const {
    ruleId: _id,
    addressHash: _address,
    fieldHashes: _fields,
    tags: _tags,
    deletedInRule: _deleted,
    ...rest
  } = known;
  return rest;
}

type Missing = NonNullable<Known['missing']>;

/** "Nothing" where something was: perhaps the truth, perhaps Sesamy's bad ten minutes. */
function whatIsMissing(known: Known, source: Source | undefined, now: Date): Missing | undefined {
  const since = (what: Missing['what']) => (known.missing?.what === what ? known.missing.since : now.toISOString());
  if (!source) return { what: 'user', since: since('user') };
  const { contracts = 0, entitlements = 0 } = known.rows ?? {};
  const emptied =
    (contracts > 0 && source.contracts.length === 0) || (entitlements > 0 && source.entitlements.length === 0);
  return emptied ? { what: 'rows', since: since('rows') } : undefined;
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

/** Gone from Sesamy for good: our status tags leave; the base tag, the fields and the subscriber stay (they are the publisher's). */
async function gone(vendor: Vendor, input: SyncInput, attempt: Attempt): Promise<SyncResult> {
  const { known } = input;
  const next: NextLook = recheck(vendor, input.userId, attempt.now().getTime());
  // A wrong address answers 404 for everybody: that must not make everybody gone.
  await vendor.sesamy.checkAccess({ signal: attempt.signal });
  if (known.ruleId === undefined) return result('gone', known, { reason: 'not-at-sesamy', next });
  const subscriber = await vendor.rule.get(known.ruleId, { signal: attempt.signal });
  const lost = subscriber ? tagsToRemove(subscriber.tags ?? known.tags ?? [], []) : [];
  if (lost.length > 0) {
    attempt.step('rule: status tags of a person gone from Sesamy');
    await vendor.rule.removeTags(known.ruleId, lost, { signal: attempt.signal });
  }
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
