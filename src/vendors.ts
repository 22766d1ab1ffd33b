import type { Client } from '@temporalio/client';
import { createFieldTypes } from './activities/field-types.js';
import type { Vendor } from './activities/index.js';
import { rankOfAttempt } from './activities/rank.js';
import { createAddressBook } from './address-book.js';
import { createBrake } from './brake.js';
import type { VendorConfig } from './config/index.js';
import { createAccountGate, createRuleClient } from './rule/index.js';
import { createSesamyClient } from './sesamy/index.js';
import { createSubscriberMemories } from './subscriber-memory.js';

/** The configured vendors with their clients, gates and pace, as activities and commands use them. */
export interface OpenVendors {
  all: Vendor[];
  get(id: string): Vendor | undefined;
  /** Sesamy requests a second of a vendor, the budget of all workers together. */
  requestsPerSecond(id: string): number;
  /** Closes the clients' connections. */
  close(): Promise<void>;
}

/**
 * Makes each vendor's clients. No call is made yet; a wrong key shows at first use.
 *
 * @param temporal where the vendors' brakes are counted; only workers have a use for it
 */
export function openVendors(configs: readonly VendorConfig[], temporal?: Client): OpenVendors {
  const all = configs.map((config) => openVendor(config, temporal));
  const byId = new Map(all.map((vendor) => [vendor.id, vendor]));
  const rates = new Map(configs.map((config) => [config.id, config.sesamy.requestsPerSecond]));
  return {
    all,
    get: (id) => byId.get(id),
    requestsPerSecond: (id) => rates.get(id) ?? 1,
    async close() {
      await Promise.allSettled(all.flatMap((vendor) => [vendor.sesamy.close(), vendor.rule.close()]));
    },
  };
}

/** What is asked of Temporal in the middle of an activity. */
function byTemporal({ id, lifecycle }: VendorConfig, temporal: Client): Partial<Vendor> {
  const memoryOf = createSubscriberMemories(temporal);
  return {
    brake: createBrake(temporal, id, lifecycle.brake),
    addressBook: createAddressBook(temporal, id),
    remembered: (userId) => memoryOf({ vendorId: id, userId }),
  };
}

function openVendor(config: VendorConfig, temporal: Client | undefined): Vendor {
  const gate = createAccountGate();
  const { requestsPerSecond, ...sesamy } = config.sesamy;
  const rule = createRuleClient({ ...config.rule, gate });
  return {
    id: config.id,
    sesamy: createSesamyClient({ ...sesamy, vendorId: config.id, rps: requestsPerSecond, rankOfCall: rankOfAttempt }),
    rule,
    gate,
    fieldTypes: createFieldTypes(rule),
    mapping: config.mapping,
    lifecycle: config.lifecycle,
    receipts: config.receipts,
    ...(temporal ? byTemporal(config, temporal) : {}),
    timings: config.timings,
    requestsPerSecond,
    reconcile: config.reconcile,
    hashKey: config.hashKey,
  };
}
