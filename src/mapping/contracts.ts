import { millisOf } from './dates.js';
import type { SourceContract } from './source.js';
import { compareText, filled } from './text.js';

const knownStatuses = new Set(['ACTIVE', 'CLOSED', 'OVERDUE', 'CANCELED', 'CANCELING', 'EXPIRED', 'DELETED']);

/** Sesamy's word in upper case and in one spelling, so that a segment in Rule needs one condition (sesamy-api §3.4, §9 Q12). */
export function statusOf(contract: Pick<SourceContract, 'status'>): string {
  return contract.status
    .trim()
    .toUpperCase()
    .replace(/^CANCELL(ED|ING)$/, 'CANCEL$1');
}

export function hasUnknownStatus(contract: SourceContract): boolean {
  return !knownStatuses.has(statusOf(contract));
}

/** Bought once, nothing more to pay (sesamy-api §7). */
export function isSinglePurchase(contract: SourceContract): boolean {
  return contract.duration === 'PERPETUAL' || statusOf(contract) === 'CLOSED';
}

/** A subscription that gives access now; overdue and cancelled-with-time-left ones included (sesamy-api §7). */
export function isRunning(contract: SourceContract): boolean {
  return contract.isActive && !isSinglePurchase(contract);
}

/** It is known to end by the reader's wish. `CANCELING` is not documented for the API, but expected (sesamy-api §3.4). */
export function isScheduledToEnd(contract: SourceContract): boolean {
  return filled(contract.willCancelAt) !== undefined || ['CANCELING', 'CANCELED'].includes(statusOf(contract));
}

/**
 * The one contract that all four `Sesamy_Subscription.*` fields come from (sesamy-api §7.2): the longest-lasting running one, so that
 * nobody looks churned while another subscription runs; else the one that ended last. Single purchases are no subscriptions.
 */
export function chooseContract(contracts: readonly SourceContract[]): SourceContract | undefined {
  const subscriptions = contracts.filter((contract) => !isSinglePurchase(contract));
  const running = subscriptions.filter(isRunning);
  return running.length > 0 ? first(running, runningRank) : first(subscriptions, endedRank);
}

/** Most telling first; higher wins. */
function runningRank(contract: SourceContract): number[] {
  return [
    statusOf(contract) === 'OVERDUE' ? 0 : 1,
    isScheduledToEnd(contract) ? 0 : 1,
    millisOf(contract.expiresAt) ?? millisOf(contract.willCancelAt) ?? Number.POSITIVE_INFINITY,
    millisOf(contract.createdAt) ?? Number.NEGATIVE_INFINITY,
  ];
}

/** An ended contract without an end would last for ever by the rule above: its last change stands for its end. */
function endedRank(contract: SourceContract): number[] {
  const { expiresAt, willCancelAt, updatedAt, createdAt } = contract;
  const ends = [expiresAt, willCancelAt, updatedAt].map(millisOf).find((end) => end !== undefined);
  return [ends ?? Number.NEGATIVE_INFINITY, millisOf(createdAt) ?? Number.NEGATIVE_INFINITY];
}

function first(
  contracts: readonly SourceContract[],
  rank: (contract: SourceContract) => number[],
): SourceContract | undefined {
  return contracts
    .map((contract) => ({ contract, rank: rank(contract) }))
    .sort((a, b) => compareRanks(b.rank, a.rank) || compareText(a.contract.id, b.contract.id))[0]?.contract;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, at) => value !== b[at]);
  return index < 0 ? 0 : (a[index] ?? 0) < (b[index] ?? 0) ? -1 : 1;
}

/**
 * When each cancellation was asked for, by contract id: what is known already, for contracts still listed, and `updatedAt` of a
 * CANCELED contract that is seen for the first time. To be kept and handed back with the next sync, since Sesamy's API moves
 * `updatedAt` with every change (sesamy-api §7 row 18).
 */
export function cancelTimes(
  contracts: readonly SourceContract[],
  known: Readonly<Record<string, string>>,
): Record<string, string> {
  const times = contracts.map((contract): [string, string | undefined] => {
    const seen = statusOf(contract) === 'CANCELED' ? filled(contract.updatedAt) : undefined;
    return [contract.id, cancelTimeOf(known, contract.id) ?? seen];
  });
  return Object.fromEntries(
    times.filter((entry): entry is [string, string] => entry[1] !== undefined).sort(([a], [b]) => compareText(a, b)),
  );
}

/** Own members only: ids come from outside, and `constructor` is one of every object. */
export function cancelTimeOf(times: Readonly<Record<string, string>>, contractId: string): string | undefined {
  return Object.hasOwn(times, contractId) ? times[contractId] : undefined;
}
