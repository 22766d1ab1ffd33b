import assert from 'node:assert/strict';
import { nextLook } from '../src/activities/next-look.js';
import type { Source, SourceContract } from '../src/mapping/index.js';
import { MemoryRule, memorySesamy, memoryVendor } from './support/in-memory.js';
import { aContract, anEntitlement, aSource } from './support/source.js';
import { aSyncInput } from './support/sync-input.js';

const vendor = memoryVendor(
  new MemoryRule(),
  memorySesamy(() => undefined),
);
const now = Date.parse('2026-06-01T12:00:00Z');
const minute = 60_000;

function look(source: Partial<Source>, live: boolean) {
  const input = aSyncInput({ vendorId: 'daily', userId: 'email|1' }, { live });
  return nextLook(vendor, input, { source: aSource(source), news: false }, now);
}

const at = (offset: number) => new Date(now + offset).toISOString();
const ended = (overrides: Partial<SourceContract> = {}) =>
  aContract({ status: 'EXPIRED', isActive: false, nextBillAt: undefined, expiresAt: at(-minute / 2), ...overrides });

describe('the look after an end', () => {
  it('comes a little later than the end', () => {
    const { kind, afterMs } = look({ contracts: [aContract({ expiresAt: at(60 * minute) })] }, true);
    assert.equal(kind, 'expiry');
    assert.ok(afterMs >= 61 * minute && afterMs <= 66 * minute, `${afterMs}`);
  });

  it('is not lost to a quiet look right after the end, which tells nobody', () => {
    assert.equal(look({ contracts: [ended()] }, false).kind, 'expiry');
    const access = anEntitlement({ hasAccess: false, expiresAt: at(-minute / 2) });
    assert.equal(look({ entitlements: [access] }, false).kind, 'expiry');
  });

  it('is not made twice', () => {
    assert.equal(look({ contracts: [ended()] }, true).kind, 'recheck');
    assert.equal(look({ contracts: [ended({ expiresAt: at(-10 * minute) })] }, false).kind, 'recheck');
    assert.equal(look({ contracts: [ended({ expiresAt: at(60 * minute) })] }, false).kind, 'recheck', 'was cut short');
  });

  it('reads dates as everything else does: without an offset they are UTC, and what is none is none', () => {
    const zone = process.env.TZ;
    process.env.TZ = 'America/New_York';
    try {
      const { kind, afterMs } = look({ contracts: [aContract({ expiresAt: '2026-06-01 13:00:00' })] }, true);
      assert.equal(kind, 'expiry');
      assert.ok(afterMs <= 66 * minute, `${afterMs}`);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
    assert.equal(look({ contracts: [aContract({ expiresAt: 'soon', willCancelAt: '' })] }, true).kind, 'recheck');
  });
});
