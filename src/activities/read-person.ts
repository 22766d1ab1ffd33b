import type { Known } from '../contract/index.js';
import type { Payment } from '../lifecycle/index.js';
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
