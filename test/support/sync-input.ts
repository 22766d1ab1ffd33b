import type { PersonId, SyncInput } from '../../src/contract/index.js';

/** What a live look is told of somebody of whom nothing is known yet. */
export function aSyncInput({ vendorId, userId }: PersonId, overrides: Partial<SyncInput> = {}): SyncInput {
  return {
    vendorId,
    userId,
    known: {},
    live: true,
    force: false,
    recreate: false,
    look: 0,
    expect: 'none',
    expectedIds: [],
    waiting: [],
    tells: false,
    gained: [],
    ...overrides,
  };
}
