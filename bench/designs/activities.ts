/**
 * What the compared designs do for one event: fetch, map and write by the program's own modules. They remember nothing between two
 * events, as a handler of a webhook does not, so each event is written as if the person were new.
 */
import type { createActivities, Vendor } from '../../src/activities/index.js';
import { fetchSource, type Person, readPerson } from '../../src/activities/read-person.js';
import { syncSubscriber } from '../../src/activities/sync-subscriber.js';
import { writePerson } from '../../src/activities/write-person.js';
import type { PersonId, SyncResult } from '../../src/contract/index.js';
import type { Source } from '../../src/mapping/index.js';
import { aSyncInput } from '../../test/support/sync-input.js';

/** One webhook: whom it is about, and which. */
export interface PersonEvent extends PersonId {
  event: string;
}

export interface EventActivities {
  fetchPerson(event: PersonEvent): Promise<Source | undefined>;
  mapFields(source: Source): Promise<Person>;
  writeFields(event: PersonEvent, person: Person): Promise<void>;
  syncPerson(event: PersonEvent): Promise<void>;
}

export function eventActivities(vendor: Vendor): EventActivities {
  return {
    fetchPerson: ({ userId }) => fetchSource(vendor, userId, {}),
    // What crosses from one activity to the next is JSON: hence the source goes along.
    mapFields: async (source) => readPerson(vendor, source, new Date()),
    async writeFields(event, person) {
      await writePerson({
        vendor,
        input: aSyncInput(event),
        person,
        asksWhose: false,
        startsFlows: false,
        tells: false,
        signal: AbortSignal.timeout(90_000),
        step: () => {},
        now: new Date(),
      });
    },
    syncPerson: (event) => syncPerson(vendor, event),
  };
}

/** Fetch, map and write in one go. */
export async function syncPerson(vendor: Vendor, event: PersonEvent): Promise<void> {
  await syncSubscriber(vendor, aSyncInput(event), {
    signal: AbortSignal.timeout(90_000),
    step: () => {},
    now: () => new Date(),
  });
}

type Product = ReturnType<typeof createActivities>;
export type NoActivities = Pick<Product, 'syncSubscriber'> & { nothing(): Promise<void> };

/** A sync that asks nobody, with an answer as long as a real one, since what is stored has its price. */
const done: SyncResult = {
  verdict: 'created',
  known: {
    ruleId: 100_001,
    addressHash: 'a'.repeat(22),
    addressKey: 'b'.repeat(22),
    mappingVersion: 1,
    fieldHashes: 'c'.repeat(19 * 8),
    tags: ['sesamy', 'sesamy_active_subscriber', 'sesamy_product_digital', 'sesamy_stage_active'],
    sourceHash: 'd'.repeat(22),
    rows: { contracts: 1, entitlements: 1 },
    cancelRequestedAt: {},
    stage: 'active',
  },
  changes: {
    fields: Array.from({ length: 19 }, (_, index) => `Subscriber.Field${index}`),
    tagsAdded: ['sesamy', 'sesamy_active_subscriber', 'sesamy_product_digital', 'sesamy_stage_active'],
    tagsRemoved: [],
    addressChanged: false,
  },
  problems: [],
  news: true,
  next: { kind: 'recheck', afterMs: 3 * 86_400_000 },
};

export const noActivities: NoActivities = {
  nothing: async () => {},
  syncSubscriber: async () => done,
};
