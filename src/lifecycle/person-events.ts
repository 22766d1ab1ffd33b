/** What happens to a reader as a whole: becomes a subscriber, comes back, leaves, is to be won back. */
import type { LifecycleDue, LifecycleEvent, LifecycleMemory } from '../contract/lifecycle.js';
import { changedAt, dayKey, eventOf, isFresh, iso, type Look, own, productOf } from './look.js';
import { dayMs, endOf, millisOf, type StageContract, sameReaderMs } from './subscriptions.js';

type PersonMemory = Pick<LifecycleMemory, 'leaving' | 'lapsed'>;

/** What is remembered of a reader at first sight. Who was a subscriber once and is none now has lapsed, untold. */
export function firstPersonMemory(look: Look): PersonMemory {
  const last = lastEnded(look, look.ended);
  if (look.running.length > 0 || !last) return {};
  return { lapsed: lapsedMemory(look, last, false) };
}

/**
 * A reader who had no subscription has one.
 *
 * @param before absent at first sight: then only a contract of the last days is news, and none that followed upon another
 */
export function joined(look: Look, before: LifecycleMemory | undefined): LifecycleEvent[] {
  const first = firstRunning(look.running);
  if (!first) return [];
  const lapsed = before?.lapsed;
  const created = millisOf(first.createdAt);
  // A contract that ran before and runs again was not made anew.
  const resumed = lapsed !== undefined && (created === undefined || created <= Date.parse(lapsed.at));
  // It is not said anywhere since when it runs again: not since before it had ended.
  const at = resumed ? Math.max(changedAt(look, first), Date.parse(lapsed.at)) : created;
  if (at === undefined || !isFresh(look, at)) return [];
  const subject = { contractId: first.id, product: productOf(first) };
  const before_ = lapsed ? Date.parse(lapsed.at) : lastEnded(look, look.ended)?.at;
  if (before_ === undefined) return [eventOf(look, 'subscribed', at, subject)];
  const samePerson = !lapsed?.told && at - before_ <= sameReaderMs;
  return samePerson ? [] : [eventOf(look, 'returned', at, { ...subject, key: dayKey(at) })];
}

/** A reader who had a subscription has none. What is told waits, what is too old is only remembered. */
export function left(look: Look, before: LifecycleMemory): { memory: PersonMemory; events: LifecycleEvent[] } {
  const { leaving = leavingFrom(look, before) } = before;
  const subject = { contractId: leaving.contractId, product: leaving.product };
  const at = Date.parse(leaving.at);
  const lapsed = { ...subject, at };
  if (!isFresh(look, at)) return { memory: { lapsed: lapsedMemory(look, lapsed, false) }, events: [] };
  if (look.now < Date.parse(leaving.since) + look.settings.endedWaitMs) return { memory: { leaving }, events: [] };
  return {
    memory: { lapsed: lapsedMemory(look, lapsed, true) },
    events: [eventOf(look, 'ended', at, { ...subject, key: dayKey(at) })],
  };
}

/** A reader who had no subscription still has none: the time for a win-back may have come. Of several only the last counts. */
export function stayedAway(
  look: Look,
  lapsed: NonNullable<LifecycleMemory['lapsed']>,
): {
  memory: PersonMemory;
  events: LifecycleEvent[];
} {
  const unseen = endedSince(look, Date.parse(lapsed.at));
  if (unseen) return { memory: { lapsed: lapsedMemory(look, unseen, false) }, events: [] };
  const last = winBacks(look, lapsed)
    .filter(({ at }) => at <= look.now)
    .at(-1);
  if (!last) return { memory: { lapsed }, events: [] };
  const memory = { lapsed: { ...lapsed, winBack: last.days } };
  if (!isFresh(look, last.at)) return { memory, events: [] };
  const key = `${dayKey(lapsed.at)}.${last.days}`;
  return { memory, events: [eventOf(look, 'win-back', last.at, { ...lapsed, key })] };
}

/** What time alone brings to a reader. */
export function personDue(look: Look, { leaving, lapsed }: PersonMemory): LifecycleDue[] {
  if (look.running.length > 0) return [];
  if (leaving) {
    const at = Date.parse(leaving.since) + look.settings.endedWaitMs;
    return [{ at: iso(at), why: 'the wait after the end of the last subscription ends' }];
  }
  const next = lapsed && winBacks(look, lapsed)[0];
  return next ? [{ at: iso(next.at), why: `win-back, ${next.days} days after the end` }] : [];
}

/**
 * When somebody whom a quiet look found gone has to be looked at for the win-backs to come: once their end is no news any more. Until
 * then any live look tells of it.
 */
export function goneDue(look: Look, before: LifecycleMemory): LifecycleDue[] {
  if (look.running.length > 0 || before.leaving || Object.keys(before.contracts).length === 0) return [];
  const at = Date.parse(leavingFrom(look, before).at) + look.settings.maxEventAgeMs + 1;
  return [{ at: iso(at), why: 'an end that was found quietly is no news any more' }];
}

interface Ended {
  contractId: string;
  product?: string | undefined;
  at: number;
}

function lapsedMemory(look: Look, { contractId, product, at }: Ended, told: boolean) {
  const lapsed = { at: iso(at), contractId, ...(product === undefined ? {} : { product }), told, winBack: 0 };
  const passed = winBacks(look, lapsed).filter((winBack) => winBack.at <= look.now);
  return { ...lapsed, winBack: passed.at(-1)?.days ?? 0 };
}

/** The win-backs to come, the nearest first. */
function winBacks(
  { settings }: Look,
  { at, winBack }: { at: string; winBack: number },
): { days: number; at: number }[] {
  return [...settings.winBackDays]
    .filter((days) => days > winBack)
    .sort((a, b) => a - b)
    .map((days) => ({ days, at: Date.parse(at) + days * dayMs }));
}

/** The contract by which the reader began to be a subscriber. */
function firstRunning(running: readonly StageContract[]): StageContract | undefined {
  const start = (contract: StageContract) => millisOf(contract.createdAt) ?? Number.NEGATIVE_INFINITY;
  return [...running].sort((a, b) => start(a) - start(b) || (a.id < b.id ? -1 : 1))[0];
}

/** The subscription that ended last, never later than now. */
function lastEnded(look: Look, contracts: readonly StageContract[]): Ended | undefined {
  return contracts
    .map((contract) => ({ contractId: contract.id, product: productOf(contract), at: endedAt(look, contract) }))
    .sort((a, b) => b.at - a.at || (a.contractId < b.contractId ? -1 : 1))[0];
}

/** A subscription that ran and ended while nobody looked: whoever has just left is not to be told that they have been away for long. */
function endedSince(look: Look, lapsedAt: number): Ended | undefined {
  const ended = look.ended.filter((contract) => {
    const end = endOf(contract);
    const changed = changedAt(look, contract);
    // Of one that was cut short the end that was once to come says nothing.
    return end !== undefined && end > lapsedAt + dayMs / 2 && end <= Math.min(changed + dayMs / 2, look.now);
  });
  return lastEnded(look, ended);
}

/** An end that is said to be still to come was cut short. */
function endedAt(look: Look, contract: StageContract): number {
  const end = endOf(contract);
  return end !== undefined && end <= look.now ? end : changedAt(look, contract);
}

/** From the subscriptions that ran at the last look; one that Sesamy no longer lists ended as far as we know now. */
function leavingFrom(look: Look, before: LifecycleMemory): NonNullable<LifecycleMemory['leaving']> {
  const ids = Object.keys(before.contracts);
  const last = lastEnded(
    look,
    look.ended.filter(({ id }) => ids.includes(id)),
  ) ?? { contractId: ids.sort()[0] ?? 'unknown', at: look.now };
  const product = last.product ?? own(before.contracts, last.contractId)?.product;
  return {
    at: iso(last.at),
    since: iso(look.now),
    contractId: last.contractId,
    ...(product === undefined ? {} : { product }),
  };
}
