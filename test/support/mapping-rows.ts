/** Runs a table of people and the field values they should give. */
import assert from 'node:assert/strict';
import type { MappingSettings, Source } from '../../src/mapping/index.js';
import { fieldValue, mapped } from './source.js';

export interface FieldsRow {
  name: string;
  /** A plain confirmed reader without contracts, but for these. */
  source?: Partial<Source>;
  settings?: Partial<MappingSettings>;
  /** Values by field key; fields that are not named may be anything. */
  expect: Record<string, string | string[] | undefined>;
  /** Default: none. */
  problems?: { field: string; code: string }[];
}

/** One test a row. */
export function checkFields(rows: readonly FieldsRow[]): void {
  for (const row of rows) {
    it(row.name, () => {
      const person = mapped(row.source ?? {}, row.settings);
      const values = Object.fromEntries(Object.keys(row.expect).map((key) => [key, fieldValue(person, key)]));
      assert.deepEqual(values, row.expect);
      assert.deepEqual(person.problems, row.problems ?? []);
    });
  }
}

export const stockholm = { timeZone: 'Europe/Stockholm' };
/** Access by a list, without a contract. */
export const external = { type: 'EXTERNAL', listId: 'list-1' } as const;
/** Access that another reader pays for. */
export const someoneElses = { type: 'PAYMENTS', contractId: 'c-of-another-reader' } as const;
/** Overrides that end a contract. */
export const ended = { status: 'EXPIRED', isActive: false, expiresAt: '2026-03-01T00:00:00Z' };

export const noProducts = {
  'Sesamy_ActiveProducts.SKU': undefined,
  'Sesamy_ActiveProducts.Titles': undefined,
  'Sesamy_ActiveProducts.OptionTitles': undefined,
};

export const noSubscription = {
  'Sesamy_Subscription.Status': undefined,
  'Sesamy_Subscription.ExpiresAt': undefined,
  'Sesamy_Subscription.CanceledAt': undefined,
  'Sesamy_Subscription.CreatedAt': undefined,
};
