import type { AddressBook } from '../address-book.js';
import type { Brake } from '../brake.js';
import type { ReconcileConfig, Timings } from '../config/index.js';
import type { SubscriberMemory } from '../contract/index.js';
import type { LifecycleSettings } from '../lifecycle/index.js';
import type { MappingSettings } from '../mapping/index.js';
import type { ReceiptSettings } from '../receipts/index.js';
import type { AccountGate, RuleClient } from '../rule/index.js';
import type { SesamyClient } from '../sesamy/index.js';
import type { FieldTypes } from './field-types.js';

/** All that an activity needs to work for one vendor. Made once per process and vendor: token, gate and pace live in it. */
export interface Vendor {
  id: string;
  sesamy: SesamyClient;
  rule: RuleClient;
  gate: AccountGate;
  fieldTypes: FieldTypes;
  mapping: MappingSettings;
  lifecycle: LifecycleSettings;
  receipts: ReceiptSettings;
  /** Absent where nothing can be held: then no end of a subscription is. */
  brake?: Brake;
  /** Who has which address; absent where only one person is looked at. */
  addressBook?: AddressBook;
  /** What a person's workflow remembers; absent where no audit can be made. */
  remembered?: (userId: string) => Promise<SubscriberMemory | undefined>;
  timings: Timings;
  /** Sesamy requests a second, the budget of all workers together. */
  requestsPerSecond: number;
  reconcile: ReconcileConfig;
  /** Key of the hashes that Temporal holds; see `SESAMY_RULE_HASH_KEY`. */
  hashKey: string;
}
