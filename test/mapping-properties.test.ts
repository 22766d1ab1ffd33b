import assert from 'node:assert/strict';
import fc from 'fast-check';
import { stageFacts } from '../src/lifecycle/stage.js';
import {
  defaultMappingSettings,
  fieldsToWrite,
  isOurTag,
  type MappingSettings,
  mapPerson,
  type Source,
  type SourceContract,
  type SourceEntitlement,
  type SourceUser,
  tagsToRemove,
} from '../src/mapping/index.js';

const runs = { numRuns: 300 };

const word = fc.oneof(
  fc.constantFrom('Daily Example', 'DAILY éxample', 'Weekend', 'sid:a', 'sid:b', '123', '日本', ' ', 'x'.repeat(120)),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
);
const date = fc.oneof(
  { weight: 5, arbitrary: fc.date({ noInvalidDate: true }).map((instant) => instant.toISOString()) },
  fc.constantFrom('2026-01-01', '2025-12-31T23:30:00Z', '2025-12-31 23:30:00', '12:30', 'never', ''),
);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const user: fc.Arbitrary<SourceUser> = fc.record({
  id: fc.string({ minLength: 1 }),
  email: optional(word),
  emailVerified: optional(fc.boolean()),
  firstName: optional(word),
  mobilePhone: optional(fc.oneof(word, fc.constantFrom('0701740605', '+46701740606'))),
  homePhone: optional(word),
  tags: fc.array(word, { maxLength: 5 }),
  billingAddress: optional(fc.record({ street: optional(word), zip: optional(word) })),
  createdAt: optional(date),
});

const contractId = fc.constantFrom('c1', 'c2', 'c3', 'c4', '__proto__', 'constructor');
const contract: fc.Arbitrary<SourceContract> = fc.record({
  id: contractId,
  userId: fc.constant('email|1'),
  status: fc.oneof(
    fc.constantFrom('ACTIVE', 'CLOSED', 'OVERDUE', 'CANCELED', 'Cancelled', 'EXPIRED', 'canceling'),
    word,
  ),
  isActive: fc.boolean(),
  duration: optional(fc.constantFrom('RECURRING', 'RENEWABLE', 'PERPETUAL')),
  createdAt: optional(date),
  updatedAt: optional(date),
  expiresAt: optional(date),
  willCancelAt: optional(date),
  nextBillAt: optional(date),
  items: fc.array(fc.record({ sku: word, name: word, purchaseOptionName: optional(word) }), { maxLength: 3 }),
});

const entitlement: fc.Arbitrary<SourceEntitlement> = fc.record({
  id: fc.uuid(),
  sku: word,
  title: word,
  type: fc.constantFrom('pass', 'article', 'physical_issue', 'bundle'),
  purchaseOptionId: optional(word),
  origin: optional(
    fc.oneof(
      fc.constant({ type: 'EXTERNAL' as const }),
      fc.record({ type: fc.constant('PAYMENTS' as const), contractId }),
    ),
  ),
  hasAccess: fc.boolean(),
  createdAt: optional(date),
});

const source: fc.Arbitrary<Source> = fc.record({
  user,
  contracts: fc.uniqueArray(contract, { maxLength: 5, selector: ({ id }) => id }),
  entitlements: fc.uniqueArray(entitlement, { maxLength: 5, selector: ({ id }) => id }),
  cancelRequestedAt: fc.dictionary(contractId, date),
});

const settings: fc.Arbitrary<MappingSettings> = fc.record({
  timeZone: fc.constantFrom('UTC', 'Europe/Stockholm', 'America/New_York', 'Pacific/Kiritimati'),
  country: fc.constantFrom('SE', 'no', 'ZZ'),
  requireVerifiedEmail: fc.boolean(),
  clearMissingAddress: fc.boolean(),
  giftReceiverIsSubscriber: fc.boolean(),
  productTags: fc.record({ articles: fc.boolean(), physicalIssues: fc.boolean() }),
  canceledAt: fc.constantFrom('end-day', 'request-day'),
});

/** The same lists in another order. */
const shuffled = source.chain((one) =>
  fc
    .record({
      tags: permutation(one.user.tags),
      contracts: permutation(one.contracts),
      entitlements: permutation(one.entitlements),
    })
    .map(({ tags, ...lists }): [Source, Source] => [one, { ...one, ...lists, user: { ...one.user, tags } }]),
);

function permutation<T>(list: T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length });
}

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFrozen);
  return value;
}

describe('mapping: for every person', () => {
  it('the result is the same each time and the input stays as it was', () => {
    fc.assert(
      fc.property(source, settings, (one, chosen) => {
        const copy = structuredClone(one);
        const first = mapPerson(deepFrozen(one), deepFrozen(chosen));
        assert.deepEqual(mapPerson(one, chosen), first);
        assert.deepEqual(structuredClone(one), copy);
      }),
      runs,
    );
  });

  it('A14: the order in which Sesamy lists things does not matter, for the stage neither', () => {
    fc.assert(
      fc.property(shuffled, settings, ([one, other], chosen) => {
        assert.deepEqual(mapPerson(other, chosen), mapPerson(one, chosen));
        assert.deepEqual(stageFacts(other.contracts, other.entitlements), stageFacts(one.contracts, one.entitlements));
      }),
      runs,
    );
  });

  it('A6: tags are ours, sorted, each once, at most 99 characters, never digits only, of plain characters', () => {
    fc.assert(
      fc.property(source, settings, (one, chosen) => {
        const { tags } = mapPerson(one, chosen);
        assert.deepEqual(tags, [...new Set(tags)].sort());
        assert.ok(tags.includes('sesamy'));
        for (const tag of tags) {
          assert.ok(isOurTag(tag), tag);
          assert.match(tag, /^[a-z][a-z0-9_-]{0,98}$/);
        }
      }),
      runs,
    );
  });

  it('A5: what is wanted, and what is not ours, never leaves', () => {
    fc.assert(
      fc.property(source, fc.array(word), (one, others) => {
        const { tags } = mapPerson(one, defaultMappingSettings);
        const held = [...others, ...others.map((name) => `sesamy_${name}`), ...tags];
        assert.deepEqual(
          tagsToRemove(held, tags).filter((name) => tags.includes(name) || !isOurTag(name)),
          [],
        );
      }),
      runs,
    );
  });

  it('A4: every date is YYYY-MM-DD, every list has something in it, every text too', () => {
    fc.assert(
      fc.property(source, settings, (one, chosen) => {
        for (const { key, type, value } of mapPerson(one, chosen).fields) {
          if (value === undefined) continue;
          if (type === 'date') assert.match(String(value), /^\d{4}-\d{2}-\d{2}$/, key);
          if (type === 'multiple') assert.ok(Array.isArray(value) && value.length > 0 && value.every(Boolean), key);
          if (type === 'text' && !key.startsWith('Sesamy_BillingAddress.')) assert.ok(value.length > 0, key);
        }
      }),
      runs,
    );
  });

  it('a write has each field once, under a type that the account has', () => {
    const types = new Map([
      ['Sesamy_ActiveProducts.SKU', 'text'],
      ['Sesamy_User.Created', 'datetime'],
    ]);
    fc.assert(
      fc.property(source, settings, (one, chosen) => {
        const { fields } = fieldsToWrite(mapPerson(one, chosen), types);
        assert.equal(new Set(fields.map(({ key }) => key)).size, fields.length);
        for (const { key, type, value } of fields) {
          assert.equal(types.get(key) ?? type, type);
          assert.equal(Array.isArray(value), type === 'multiple', key);
        }
      }),
      runs,
    );
  });
});
