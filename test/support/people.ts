/** Builders of invented people as Sesamy's API shows them: a whole valid thing, with overrides. */
import { planted } from './markers.js';

let count = 0;

export function nextId(): string {
  count += 1;
  return `email|${count.toString(16).padStart(24, '0')}`;
}

export function addressOf(userId: string): string {
  return `reader-${userId.replace(/\W/g, '')}@${planted.domain}`;
}

export function aProfile(id: string, overrides: Record<string, unknown> = {}) {
  return {
    userId: id,
    email: addressOf(id),
    emailVerified: true,
    firstName: planted.firstName,
    lastName: planted.lastName,
    mobilePhone: planted.phone,
    billingAddress: {
      firstName: planted.firstName,
      lastName: planted.lastName,
      street: planted.street,
      city: planted.city,
      zip: '111 22',
      country: 'SE',
    },
    tags: [],
    createdAt: '2025-12-31T23:30:00Z',
    updatedAt: '2026-01-02T08:00:00Z',
    ...overrides,
  };
}

export function aContract(userId: string, id: string, overrides: Record<string, unknown> = {}) {
  return {
    id,
    name: 'Daily Example',
    userId,
    createdAt: '2026-01-15T10:00:00Z',
    updatedAt: '2026-01-15T10:00:00Z',
    price: 119,
    currency: 'SEK',
    nextBillAt: '2027-01-15T10:00:00Z',
    nextPrice: 119,
    status: 'ACTIVE',
    isActive: true,
    contractDuration: 'RECURRING',
    recurringInterval: 'MONTH',
    recurringTime: 1,
    willCancelAt: null,
    items: [
      {
        sku: 'sid:digital',
        name: 'Daily Example Digital',
        purchaseOptionId: 'po-month',
        purchaseOptionName: 'Monthly',
        purchaseType: 'SUBSCRIPTION',
      },
    ],
    appliedDiscounts: [],
    ...overrides,
  };
}

export function anEntitlement(id: string, contractId: string | undefined, overrides: Record<string, unknown> = {}) {
  return {
    id,
    sku: 'sid:digital',
    title: 'Daily Example Digital',
    type: 'pass',
    purchaseOption: 'po-month',
    origin: contractId
      ? { type: 'PAYMENTS', contractId }
      : { type: 'EXTERNAL', id: 'grant-1', listId: 'list-1', name: 'Library' },
    hasAccess: true,
    createdAt: '2026-01-15T10:00:00Z',
    updatedAt: '2026-01-15T10:00:00Z',
    ...overrides,
  };
}
