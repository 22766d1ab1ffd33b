/** What happens to one running subscription: renewal and its notices, a failed payment, a cancellation and its regret. */
import type { ContractMemory, LifecycleDue, LifecycleEvent } from '../contract/lifecycle.js';
import { changedAt, dayKey, eventOf, isFresh, iso, type Look, minuteKey, own, paidUntilOf, productOf } from './look.js';
import { renewalOf } from './stage.js';
import { dayMs, isCancelling, isOverdue, millisOf, type StageContract } from './subscriptions.js';

/** A contract that renews by itself is billed on its day or a little before; a date that moves earlier than that is a change of plan. */
const billedEarlyMs = 3 * dayMs;
/** Dates of one and the same renewal may differ by a time zone. */
const sameDateMs = dayMs / 2;

/** A contract that was not known: nothing has been told of it, and what is true of it already is no news. */
export function firstMemory(look: Look, contract: StageContract, isNew: boolean): ContractMemory {
  const memory = remember(contract);
  // Cancelled in the same breath as bought is news; cancelled before anybody looked is not.
  if (isCancelling(contract)) memory.cancelling = { since: iso(cancelledSince(look, contract)), told: !isNew };
  const passed = noticesOf(look, contract).filter(({ at }) => at <= look.now);
  const last = passed.at(-1);
  if (last) memory.notice = { renewsAt: last.renewsAt, days: last.days };
  return memory;
}

/** Compares a contract with what is remembered of it. */
export function contractEvents(
  look: Look,
  contract: StageContract,
  before: ContractMemory,
): { memory: ContractMemory; events: LifecycleEvent[] } {
  const memory = remember(contract);
  const events: LifecycleEvent[] = [];
  const product = productOf(contract);
  const tell = (type: LifecycleEvent['type'], at: number, key: string) => {
    if (isFresh(look, at)) events.push(eventOf(look, type, at, { contractId: contract.id, product, key }));
  };
  const overdue = isOverdue(contract);
  const changed = changedAt(look, contract);

  if (overdue && !before.overdue) tell('payment-failed', changed, minuteKey(changed));
  if (!overdue && before.overdue) tell('payment-recovered', changed, minuteKey(changed));

  const paidUntil = paidUntilOf(contract);
  const renewed = renewedAt(look, contract, before);
  if (renewed !== undefined && paidUntil !== undefined) tell('renewed', renewed, dayKey(paidUntil));

  if (isCancelling(contract)) {
    const cancelling = before.cancelling ?? { since: iso(cancelledSince(look, contract)), told: false };
    const since = Date.parse(cancelling.since);
    const waited = !cancelling.told && look.now >= since + look.settings.cancelWaitMs;
    if (waited) tell('cancel-requested', since, minuteKey(since));
    memory.cancelling = { since: cancelling.since, told: cancelling.told || waited };
  } else if (before.cancelling?.told) {
    tell('cancel-regretted', changed, minuteKey(before.cancelling.since));
  }

  const notice = noticeNow(look, contract, before);
  if (notice.given) {
    const { at, days, renewsAt } = notice.given;
    tell('renewal-due', at, `${dayKey(renewsAt)}.${days}`);
  }
  if (notice.memory) memory.notice = notice.memory;
  return { memory, events };
}

/** What time alone brings to a contract. */
export function contractDue(look: Look, contract: StageContract, memory: ContractMemory): LifecycleDue[] {
  const dues: LifecycleDue[] = [];
  if (isCancelling(contract) && memory.cancelling && !memory.cancelling.told) {
    const at = Date.parse(memory.cancelling.since) + look.settings.cancelWaitMs;
    dues.push({ at: iso(at), why: 'the wait for a regret of a cancellation ends' });
  }
  if (!isCancelling(contract) && !isOverdue(contract)) {
    const done = doneNotice(contract, memory, look);
    const next = noticesOf(look, contract).find(({ days }) => days < done);
    if (next)
      dues.push({ at: iso(next.at), why: `renewal notice, ${next.days} days before ${next.renewsAt.slice(0, 10)}` });
  }
  return dues;
}

function remember(contract: StageContract): ContractMemory {
  const product = productOf(contract);
  const paidUntil = paidUntilOf(contract);
  return {
    ...(product === undefined ? {} : { product }),
    ...(paidUntil === undefined ? {} : { paidUntil: iso(paidUntil) }),
    ...(isOverdue(contract) ? { overdue: true as const } : {}),
  };
}

/** By the webhook that told of it, else by the contract's last change. */
function cancelledSince(look: Look, contract: StageContract): number {
  return Math.min(millisOf(own(look.cancelRequestedAt, contract.id)) ?? changedAt(look, contract), look.now);
}

/** When the contract was renewed, where it was: paid for longer than before, and not because of a payment that had failed. */
function renewedAt(look: Look, contract: StageContract, before: ContractMemory): number | undefined {
  const from = millisOf(before.paidUntil);
  const to = paidUntilOf(contract);
  if (from === undefined || to === undefined || to - from < sameDateMs) return undefined;
  if (before.overdue || isOverdue(contract) || before.cancelling || isCancelling(contract)) return undefined;
  if (contract.duration !== 'RECURRING') return changedAt(look, contract);
  if (from > look.now + billedEarlyMs) return undefined;
  return from <= look.now ? from : changedAt(look, contract);
}

interface Notice {
  days: number;
  at: number;
  renewsAt: string;
}

/** The notices of a contract's next renewal, the earliest first; those that take more than half the term are left out. */
function noticesOf({ settings }: Look, contract: StageContract): Notice[] {
  const { renewsAt, termDays = Number.POSITIVE_INFINITY } = renewalOf(contract, settings.longTermDays);
  if (renewsAt === undefined) return [];
  return [...settings.renewalNoticeDays]
    .filter((days) => days <= termDays / 2)
    .sort((a, b) => b - a)
    .map((days) => ({ days, at: Date.parse(renewsAt) - days * dayMs, renewsAt }));
}

/** The nearest notice that is over, in days before the renewal; infinite where none is. */
function doneNotice(contract: StageContract, { notice }: ContractMemory, { settings }: Look): number {
  const { renewsAt } = renewalOf(contract, settings.longTermDays);
  const same = notice && renewsAt && Math.abs(Date.parse(renewsAt) - Date.parse(notice.renewsAt)) < sameDateMs;
  return same ? notice.days : Number.POSITIVE_INFINITY;
}

/** Of several notices that are due at once the last counts; none of a renewal that has passed, or that is not going to be. */
function noticeNow(
  look: Look,
  contract: StageContract,
  before: ContractMemory,
): { given?: Notice; memory?: ContractMemory['notice'] } {
  const done = doneNotice(contract, before, look);
  const due = noticesOf(look, contract).filter(({ at, days }) => at <= look.now && days < done);
  const last = due.at(-1);
  const kept = Number.isFinite(done) && before.notice ? { memory: before.notice } : {};
  if (!last) return kept;
  if (isCancelling(contract) || isOverdue(contract)) return kept;
  const memory = { renewsAt: last.renewsAt, days: last.days };
  return Date.parse(last.renewsAt) > look.now ? { given: last, memory } : { memory };
}
