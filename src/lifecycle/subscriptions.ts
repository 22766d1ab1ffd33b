import { DateTime } from 'luxon';

/** What the lifecycle reads of a contract (sesamy-api §3.3). Dates are texts as Sesamy writes them. */
export interface StageContract {
  id: string;
  status: string;
  isActive: boolean;
  duration?: 'RECURRING' | 'RENEWABLE' | 'PERPETUAL';
  createdAt?: string;
  updatedAt?: string;
  expiresAt?: string;
  willCancelAt?: string;
  nextBillAt?: string;
  /** How often a recurring contract bills, as far as it is known: `recurringTime` intervals of this length. */
  recurringInterval?: string;
  recurringTime?: number;
  /** `name` is the product's title. */
  items?: readonly { name: string }[];
}

/** What the lifecycle reads of an entitlement (sesamy-api §3.5). */
export interface StageEntitlement {
  type: string;
  title?: string;
  origin?: { type: string; contractId?: string };
  createdAt?: string;
}

export const dayMs = 24 * 60 * 60 * 1000;

/** Upper case and in one spelling (sesamy-api §3.4). */
function statusOf({ status }: StageContract): string {
  return status
    .trim()
    .toUpperCase()
    .replace(/^CANCELL(ED|ING)$/, 'CANCEL$1');
}

export function isSinglePurchase(contract: StageContract): boolean {
  return contract.duration === 'PERPETUAL' || statusOf(contract) === 'CLOSED';
}

/** Gives access now and is no single purchase (sesamy-api §7). */
export function isRunning(contract: StageContract): boolean {
  return contract.isActive && !isSinglePurchase(contract);
}

/** Ran once and runs no more. What has not begun yet is inactive too, and has no end. */
export function isEnded(contract: StageContract): boolean {
  if (contract.isActive || isSinglePurchase(contract)) return false;
  return ['CANCELED', 'EXPIRED', 'DELETED'].includes(statusOf(contract)) || endOf(contract) !== undefined;
}

export function isOverdue(contract: StageContract): boolean {
  return statusOf(contract) === 'OVERDUE';
}

export function isCancelling(contract: StageContract): boolean {
  return Boolean(contract.willCancelAt) || ['CANCELING', 'CANCELED'].includes(statusOf(contract));
}

/** The day a contract ends as far as it is known; milliseconds since 1970. */
export function endOf(contract: StageContract): number | undefined {
  return millisOf(contract.expiresAt) ?? millisOf(contract.willCancelAt);
}

/**
 * Milliseconds since 1970; a time without an offset is UTC, as in Sesamy's samples. `undefined` for what is no date: a time of day
 * alone too, since luxon would make it one of today.
 */
export function millisOf(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return undefined;
  return [DateTime.fromISO, DateTime.fromSQL]
    .map((read) => read(trimmed, { zone: 'utc' }))
    .find((instant) => instant.isValid)
    ?.toMillis();
}

/**
 * The running contract that speaks for the person, by the order that also picks `Sesamy_Subscription.*` (sesamy-api §7.2): a paid one
 * before an overdue one, one that goes on before a cancelled one, the longest-lasting, the newest. So nobody looks churned, or in
 * trouble, while another subscription is well.
 */
export function speaksFor(running: readonly StageContract[]): StageContract | undefined {
  const rank = (contract: StageContract) => [
    isOverdue(contract) ? 0 : 1,
    isCancelling(contract) ? 0 : 1,
    endOf(contract) ?? Number.POSITIVE_INFINITY,
    millisOf(contract.createdAt) ?? Number.NEGATIVE_INFINITY,
  ];
  return [...running].sort((a, b) => compare(rank(b), rank(a)) || (a.id < b.id ? -1 : 1))[0];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, at) => value !== b[at]);
  return index < 0 ? 0 : (a[index] ?? 0) < (b[index] ?? 0) ? -1 : 1;
}

/** A plan change, a move between accounts or a late payment makes a new contract, but not a new reader. */
export const sameReaderMs = 7 * dayMs;

/**
 * Since when the person has been a subscriber without a break of more than a week: the beginning of the oldest running contract, or of
 * an ended one that it followed upon. `undefined` where a running contract does not say when it began.
 */
export function subscribedSince(
  running: readonly StageContract[],
  ended: readonly StageContract[],
): number | undefined {
  const terms = ended.map((contract) => ({
    start: millisOf(contract.createdAt) ?? Number.NaN,
    end: endOf(contract) ?? millisOf(contract.updatedAt) ?? Number.NaN,
  }));
  let since = Math.min(...running.map(({ createdAt }) => millisOf(createdAt) ?? Number.NEGATIVE_INFINITY));
  for (;;) {
    const before = terms.filter(({ start, end }) => start < since && end >= since - sameReaderMs);
    if (before.length === 0) return Number.isFinite(since) ? since : undefined;
    since = Math.min(...before.map(({ start }) => start));
  }
}
