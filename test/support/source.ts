/** Builders of invented people as the mapping reads them: a whole valid thing, with overrides. */
import {
  defaultMappingSettings,
  type MappedPerson,
  type MappingSettings,
  mapPerson,
  type Source,
  type SourceContract,
  type SourceEntitlement,
  type SourceUser,
} from '../../src/mapping/index.js';

export function aUser(overrides: Partial<SourceUser> = {}): SourceUser {
  return {
    id: 'email|84cccf985de28a2a84824786',
    email: 'kim@example.com',
    emailVerified: true,
    firstName: 'Kim',
    lastName: 'Ek',
    mobilePhone: '070-174 06 05',
    tags: [],
    billingAddress: {
      firstName: 'Kim',
      lastName: 'Ek',
      street: 'Påhittade gatan 1',
      city: 'Uppdiktad',
      zip: '111 22',
      country: 'SE',
    },
    createdAt: '2025-12-31T23:30:00Z',
    updatedAt: '2026-01-02T08:00:00Z',
    ...overrides,
  };
}

export function aContract(overrides: Partial<SourceContract> = {}): SourceContract {
  return {
    id: 'c1',
    userId: 'email|84cccf985de28a2a84824786',
    status: 'ACTIVE',
    isActive: true,
    duration: 'RECURRING',
    createdAt: '2026-01-15T10:00:00Z',
    updatedAt: '2026-01-15T10:00:00Z',
    nextBillAt: '2026-02-15T10:00:00Z',
    items: [anItem()],
    ...overrides,
  };
}

export function anItem(overrides: Partial<SourceContract['items'][number]> = {}): SourceContract['items'][number] {
  return {
    sku: 'sid:daily',
    name: 'Daily Example',
    purchaseOptionId: 'po-1',
    purchaseOptionName: 'Monthly',
    ...overrides,
  };
}

/** Bought by contract `c1` unless said otherwise. */
export function anEntitlement(overrides: Partial<SourceEntitlement> = {}): SourceEntitlement {
  return {
    id: 'e1',
    sku: 'sid:daily',
    title: 'Daily Example',
    type: 'pass',
    purchaseOptionId: 'po-1',
    origin: { type: 'PAYMENTS', contractId: 'c1' },
    hasAccess: true,
    createdAt: '2026-01-15T10:00:00Z',
    ...overrides,
  };
}

export function aSource(overrides: Partial<Source> = {}): Source {
  return { user: aUser(), contracts: [], entitlements: [], cancelRequestedAt: {}, ...overrides };
}

export function mapped(source: Partial<Source>, settings: Partial<MappingSettings> = {}): MappedPerson {
  return mapPerson(aSource(source), { ...defaultMappingSettings, ...settings });
}

/** The mapped value of a field; fails where there is no such field. */
export function fieldValue(person: MappedPerson, key: string): string | string[] | undefined {
  const field = person.fields.find((one) => one.key === key);
  if (!field) throw new Error(`no field ${key}`);
  return field.value;
}
