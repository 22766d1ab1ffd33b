import type { Known } from '../contract/index.js';
import { type Payment, standingRequests } from '../lifecycle/index.js';
import { stageFacts, stageOf } from '../lifecycle/stage.js';
import { cancelTimes, type MappedPerson, mapPerson, type Source, stageTag } from '../mapping/index.js';
import type { Vendor } from './vendor.js';

/** A person as Sesamy shows them and as Rule should hold them. */
export interface Person {
  source: Source;
  mapped: MappedPerson;
  /** All tags of ours that the person should have, the stage's included; sorted. */
  tags: string[];
  stage: ReturnType<typeof stageOf>;
}

/** Fetches a person from Sesamy, three reads; `undefined` where Sesamy does not know the id. */
export async function fetchSource(
  vendor: Pick<Vendor, 'sesamy'>,
  userId: string,
  known: Known,
  signal?: AbortSignal,
): Promise<Source | undefined> {
  const user = await vendor.sesamy.getUser(userId, { signal });
  if (!user) return undefined;
  const [contracts, entitlements] = await Promise.all([
    vendor.sesamy.listContracts(userId, { signal }),
    vendor.sesamy.listEntitlements(userId, { signal }),
  ]);
  return { user, contracts, entitlements, cancelRequestedAt: cancelTimes(contracts, known.cancelRequestedAt ?? {}) };
}

/** The same, with the cancel requests that stand by what was seen before. */
export async function fetchStanding(
  vendor: Pick<Vendor, 'sesamy'>,
  userId: string,
  known: Known,
  { signal, now }: { signal: AbortSignal; now: Date },
): Promise<Source | undefined> {
  const fetched = await fetchSource(vendor, userId, known, signal);
  if (!fetched) return undefined;
  const { cancelRequestedAt, contracts } = fetched;
  return { ...fetched, cancelRequestedAt: standingRequests(cancelRequestedAt, contracts, known.lifecycle, now) };
}

/** Empty lists where rows were: perhaps the truth, perhaps Sesamy's bad ten minutes. */
export function isEmptied({ rows }: Known, { contracts, entitlements }: Source): boolean {
  const { contracts: contractsBefore = 0, entitlements: entitlementsBefore = 0 } = rows ?? {};
  return (contractsBefore > 0 && contracts.length === 0) || (entitlementsBefore > 0 && entitlements.length === 0);
}

/** Whether the person has a running subscription. */
export function subscribes({ mapped }: Pick<Person, 'mapped'>): boolean {
  return mapped.tags.includes('sesamy_active_subscriber');
}

/** What Rule should hold for the person: pure. */
export function readPerson(vendor: Pick<Vendor, 'mapping' | 'lifecycle'>, source: Source, now: Date): Person {
  const mapped = mapPerson(source, vendor.mapping);
  const stage = stageOf(stageFacts(source.contracts, source.entitlements, vendor.lifecycle), now, vendor.lifecycle);
  return { source, mapped, stage, tags: [...mapped.tags, stageTag(stage.stage)].sort() };
}

/** Bills that the person has paid, by Sesamy's transactions; refunds, what was refunded, and what cost nothing are left out. */
export async function fetchPayments(
  vendor: Pick<Vendor, 'sesamy'>,
  userId: string,
  signal?: AbortSignal,
): Promise<Payment[]> {
  const transactions = await vendor.sesamy.listTransactions(userId, { signal });
  const refunded = new Set(transactions.filter(({ isRefund }) => isRefund).map(({ billId }) => billId));
  return transactions
    .filter(({ isRefund, amount, billId }) => !isRefund && amount > 0 && !refunded.has(billId))
    .map(({ billId, contractId, createdAt }) => ({
      billId,
      ...(contractId ? { contractId } : {}),
      ...(createdAt ? { at: createdAt } : {}),
    }));
}
