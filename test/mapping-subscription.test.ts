import assert from 'node:assert/strict';
import { checkFields, ended, external, noProducts, noSubscription, stockholm } from './support/mapping-rows.js';
import { aContract, anEntitlement, mapped } from './support/source.js';

describe('mapping: the subscription', () => {
  checkFields([
    {
      name: 'a running one without an end: no ExpiresAt, although it has a next bill',
      source: { contracts: [aContract()] },
      expect: {
        'Sesamy_Subscription.Status': 'ACTIVE',
        'Sesamy_Subscription.ExpiresAt': undefined,
        'Sesamy_Subscription.CanceledAt': undefined,
        'Sesamy_Subscription.CreatedAt': '2026-01-15',
      },
    },
    { name: 'no contract at all: the group is missing', expect: noSubscription },
    {
      name: 'single purchase only: the group is missing',
      source: { contracts: [aContract({ duration: 'PERPETUAL' }), aContract({ id: 'c2', status: 'closed' })] },
      expect: noSubscription,
    },
    {
      name: 'external entitlement only: the group is missing',
      source: { entitlements: [anEntitlement({ origin: external })] },
      expect: noSubscription,
    },
    {
      name: 'several running: the longest-lasting',
      source: {
        contracts: [
          aContract({ id: 'a', expiresAt: '2026-06-01T00:00:00Z', createdAt: '2026-01-01T00:00:00Z' }),
          aContract({ id: 'b', expiresAt: '2026-09-01T00:00:00Z', createdAt: '2026-01-02T00:00:00Z' }),
        ],
      },
      expect: { 'Sesamy_Subscription.ExpiresAt': '2026-09-01', 'Sesamy_Subscription.CreatedAt': '2026-01-02' },
    },
    {
      name: 'several running: one without an end lasts longest',
      source: {
        contracts: [
          aContract({ id: 'a', expiresAt: '2099-01-01T00:00:00Z' }),
          aContract({ id: 'b', createdAt: '2025-01-01T00:00:00Z' }),
        ],
      },
      expect: { 'Sesamy_Subscription.ExpiresAt': undefined, 'Sesamy_Subscription.CreatedAt': '2025-01-01' },
    },
    {
      name: 'several running and equally long: the newest',
      source: {
        contracts: [
          aContract({ id: 'a', createdAt: '2025-01-01T00:00:00Z' }),
          aContract({ id: 'b', createdAt: '2026-01-01T00:00:00Z' }),
        ],
      },
      expect: { 'Sesamy_Subscription.CreatedAt': '2026-01-01' },
    },
    {
      name: 'one cancelled, one active: the active one, CanceledAt empty',
      source: {
        contracts: [
          aContract({ id: 'a', willCancelAt: '2099-01-01T00:00:00Z', expiresAt: '2099-01-01T00:00:00Z' }),
          aContract({ id: 'b', expiresAt: '2026-06-01T00:00:00Z' }),
        ],
      },
      expect: { 'Sesamy_Subscription.ExpiresAt': '2026-06-01', 'Sesamy_Subscription.CanceledAt': undefined },
    },
    {
      name: 'cancelled with time left: stays ACTIVE, CanceledAt and ExpiresAt are the day it ends, products stay',
      source: { contracts: [aContract({ willCancelAt: '2026-04-15T10:00:00Z' })] },
      expect: {
        'Sesamy_Subscription.Status': 'ACTIVE',
        'Sesamy_Subscription.CanceledAt': '2026-04-15',
        'Sesamy_Subscription.ExpiresAt': '2026-04-15',
        'Sesamy_ActiveProducts.Titles': ['Daily Example'],
      },
    },
    {
      name: 'cancelled with time left, request-day: the day the reader asked',
      source: {
        contracts: [aContract({ willCancelAt: '2026-04-15T10:00:00Z' })],
        cancelRequestedAt: { c1: '2026-03-20T12:00:00Z' },
      },
      settings: { canceledAt: 'request-day' },
      expect: { 'Sesamy_Subscription.CanceledAt': '2026-03-20', 'Sesamy_Subscription.ExpiresAt': '2026-04-15' },
    },
    {
      name: 'request-day without a known request: the day it ends',
      source: { contracts: [aContract({ willCancelAt: '2026-04-15T10:00:00Z' })] },
      settings: { canceledAt: 'request-day' },
      expect: { 'Sesamy_Subscription.CanceledAt': '2026-04-15' },
    },
    {
      name: 'a regretted cancellation leaves no CanceledAt, although its request is remembered',
      source: { contracts: [aContract()], cancelRequestedAt: { c1: '2026-03-20T12:00:00Z' } },
      expect: { 'Sesamy_Subscription.CanceledAt': undefined },
    },
    {
      name: 'CANCELED without willCancelAt: the stored time of the request',
      source: {
        contracts: [aContract({ status: 'CANCELED', isActive: false, updatedAt: '2026-05-01T00:00:00Z' })],
        cancelRequestedAt: { c1: '2026-03-20T12:00:00Z' },
      },
      expect: { 'Sesamy_Subscription.Status': 'CANCELED', 'Sesamy_Subscription.CanceledAt': '2026-03-20' },
    },
    {
      name: 'CANCELED without willCancelAt and without a stored time: the last change',
      source: { contracts: [aContract({ status: 'CANCELED', isActive: false, updatedAt: '2026-05-01T00:00:00Z' })] },
      expect: { 'Sesamy_Subscription.CanceledAt': '2026-05-01' },
    },
    {
      name: 'both spellings and any case are one status',
      source: { contracts: [aContract({ status: 'Cancelled', isActive: false })] },
      expect: { 'Sesamy_Subscription.Status': 'CANCELED' },
    },
    {
      name: 'CANCELING is judged by isActive, and counts as scheduled to end',
      source: { contracts: [aContract({ id: 'a', status: 'CANCELLING' }), aContract({ id: 'b', status: 'active' })] },
      expect: { 'Sesamy_Subscription.Status': 'ACTIVE' },
    },
    {
      name: 'overdue: Status OVERDUE, products still listed',
      source: { contracts: [aContract({ status: 'OVERDUE' })] },
      expect: { 'Sesamy_Subscription.Status': 'OVERDUE', 'Sesamy_ActiveProducts.Titles': ['Daily Example'] },
    },
    {
      name: 'one overdue, one paid: the paid one, however short',
      source: {
        contracts: [
          aContract({ id: 'a', status: 'OVERDUE' }),
          aContract({ id: 'b', willCancelAt: '2026-02-01T00:00:00Z' }),
        ],
      },
      expect: { 'Sesamy_Subscription.Status': 'ACTIVE', 'Sesamy_Subscription.CanceledAt': '2026-02-01' },
    },
    {
      name: 'a running one before an ended one that lasted longer',
      source: {
        contracts: [
          aContract({ id: 'a', ...ended, expiresAt: '2099-01-01T00:00:00Z' }),
          aContract({ id: 'b', expiresAt: '2026-06-01T00:00:00Z' }),
        ],
      },
      expect: { 'Sesamy_Subscription.Status': 'ACTIVE' },
    },
    {
      name: 'ended only: the one that ended last, products empty',
      source: {
        contracts: [
          aContract({ id: 'a', ...ended, expiresAt: '2020-01-01T00:00:00Z' }),
          aContract({ id: 'b', status: 'CANCELED', isActive: false, willCancelAt: '2026-02-01T00:00:00Z' }),
          aContract({ id: 'c', status: 'EXPIRED', isActive: false, updatedAt: '2025-01-01T00:00:00Z' }),
        ],
      },
      expect: {
        'Sesamy_Subscription.Status': 'CANCELED',
        'Sesamy_Subscription.ExpiresAt': '2026-02-01',
        ...noProducts,
      },
    },
    {
      name: 'subscriptions before single purchases',
      source: { contracts: [aContract({ id: 'a', ...ended }), aContract({ id: 'b', duration: 'PERPETUAL' })] },
      expect: { 'Sesamy_Subscription.Status': 'EXPIRED', 'Sesamy_Subscription.ExpiresAt': '2026-03-01' },
    },
    {
      name: 'an unknown status is judged by isActive alone, passed on and reported',
      source: { contracts: [aContract({ status: 'paused' })] },
      expect: { 'Sesamy_Subscription.Status': 'PAUSED', 'Sesamy_ActiveProducts.Titles': ['Daily Example'] },
      problems: [{ field: 'Sesamy_Subscription.Status', code: 'unknown-status' }],
    },
    {
      name: "dates in the vendor's zone",
      source: {
        contracts: [aContract({ expiresAt: '2026-12-31T23:30:00Z', willCancelAt: '2026-12-31T23:30:00Z' })],
      },
      settings: stockholm,
      expect: { 'Sesamy_Subscription.ExpiresAt': '2027-01-01', 'Sesamy_Subscription.CanceledAt': '2027-01-01' },
    },
    {
      name: 'the expiry and the day a cancellation takes effect are two dates, each in its own field',
      source: { contracts: [aContract({ expiresAt: '2099-05-01T10:00:00Z', willCancelAt: '2099-04-15T10:00:00Z' })] },
      expect: { 'Sesamy_Subscription.ExpiresAt': '2099-05-01', 'Sesamy_Subscription.CanceledAt': '2099-04-15' },
    },
    {
      name: 'a date that is none costs that date only',
      source: { contracts: [aContract({ expiresAt: 'never' })] },
      expect: { 'Sesamy_Subscription.ExpiresAt': undefined, 'Sesamy_Subscription.Status': 'ACTIVE' },
      problems: [{ field: 'Sesamy_Subscription.ExpiresAt', code: 'invalid-date' }],
    },
  ]);

  it('all four subscription fields come from the contract that is named', () => {
    const contracts = [aContract({ id: 'a' }), aContract({ id: 'b', ...ended })];
    assert.equal(mapped({ contracts }).contractId, 'a');
    assert.equal(mapped({}).contractId, undefined);
  });

  it('equal contracts: the smaller id, so that the choice is the same every time', () => {
    assert.equal(mapped({ contracts: [aContract({ id: 'b' }), aContract({ id: 'a' })] }).contractId, 'a');
  });
});
