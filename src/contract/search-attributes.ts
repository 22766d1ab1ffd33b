/** The search attributes by which people find subscribers in the Temporal UI and the CLI. Stored in the clear: no personal data. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

export const sesamyVendorKey = defineSearchAttributeKey('SesamyVendor', SearchAttributeType.KEYWORD);
/** `ok`, `retrying`, `failed`, `skipped` or `erased`. */
export const syncStateKey = defineSearchAttributeKey('SyncState', SearchAttributeType.KEYWORD);
/** `sesamy/…`, `rule/…`, …; set while attempts fail. */
export const failureTypeKey = defineSearchAttributeKey('FailureType', SearchAttributeType.KEYWORD);
/** Since when attempts have been failing. */
export const failedAtKey = defineSearchAttributeKey('FailedAt', SearchAttributeType.DATETIME);
export const lifecycleStageKey = defineSearchAttributeKey('LifecycleStage', SearchAttributeType.KEYWORD);
export const nextDueAtKey = defineSearchAttributeKey('NextDueAt', SearchAttributeType.DATETIME);
/** Keyed hash of the reader's address, the same for everybody who has it: by it those who share one are found. Of an erased reader all of theirs. */
export const addressKeyKey = defineSearchAttributeKey('AddressKey', SearchAttributeType.KEYWORD_LIST);

/** All of them; registered by the program where it may. */
export const searchAttributeKeys = [
  sesamyVendorKey,
  syncStateKey,
  failureTypeKey,
  failedAtKey,
  lifecycleStageKey,
  nextDueAtKey,
  addressKeyKey,
] as const;
