import type { Known } from '../contract/index.js';
import { type StageFacts, stageFacts, stageOf } from '../lifecycle/stage.js';
import { cancelTimes, type MappedPerson, mapPerson, type Source, stageTag } from '../mapping/index.js';
import type { Vendor } from './vendor.js';

/** A person as Sesamy shows them and as Rule should hold them. */
export interface Person {
  source: Source;
  mapped: MappedPerson;
  /** All tags of ours that the person should have, the stage's included; sorted. */
  tags: string[];
  facts: StageFacts;
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
export function readPerson(vendor: Pick<Vendor, 'mapping' | 'stage'>, source: Source, now: Date): Person {
  const mapped = mapPerson(source, vendor.mapping);
  const facts = stageFacts(source.contracts, source.entitlements);
  const stage = stageOf(facts, now, vendor.stage);
  return { source, mapped, facts, stage, tags: [...mapped.tags, stageTag(stage.stage)].sort() };
}
