import assert from 'node:assert/strict';
import { cancelTimes, type SourceUser, standing } from '../src/mapping/index.js';
import { aContract, aUser, mapped } from './support/source.js';

describe('mapping: who is a guest', () => {
  const noEmail = { confirmed: false, reason: 'no-email' };
  const notVerified = { confirmed: false, reason: 'email-not-verified' };
  const confirmed = { confirmed: true };
  const rows: { name: string; user: Partial<SourceUser>; expect: object; strict: object }[] = [
    { name: 'a verified address', user: {}, expect: confirmed, strict: confirmed },
    {
      name: 'an address that Sesamy calls unverified',
      user: { emailVerified: false },
      expect: notVerified,
      strict: notVerified,
    },
    {
      name: 'an address of which Sesamy says nothing',
      user: { emailVerified: undefined },
      expect: confirmed,
      strict: notVerified,
    },
    { name: 'no address', user: { email: undefined }, expect: noEmail, strict: noEmail },
    { name: 'a blank address', user: { email: '  ' }, expect: noEmail, strict: noEmail },
    { name: 'the id says nothing', user: { id: 'google-oauth2|1' }, expect: confirmed, strict: confirmed },
  ];
  for (const { name, user, expect, strict } of rows) {
    it(`A3: ${name}`, () => {
      assert.deepEqual(standing(aUser(user), { requireVerifiedEmail: false }), expect);
      assert.deepEqual(standing(aUser(user), { requireVerifiedEmail: true }), strict, 'with requireVerifiedEmail');
      assert.deepEqual(mapped({ user: aUser(user) }).standing, expect);
    });
  }

  it('A16: the address is the same in whatever letter case', () => {
    assert.equal(mapped({ user: aUser({ email: ' KIM@example.com' }) }).email, 'kim@example.com');
    assert.equal('email' in mapped({ user: aUser({ email: ' ' }) }), false);
  });
});

describe('mapping: when a cancellation was asked for', () => {
  const canceled = { status: 'CANCELED', isActive: false, updatedAt: '2026-05-01T00:00:00Z' };

  it('a CANCELED contract seen for the first time: its last change', () => {
    assert.deepEqual(cancelTimes([aContract(canceled)], {}), { c1: '2026-05-01T00:00:00Z' });
  });

  it('once known, the time stays, whatever changes later', () => {
    const known = { c1: '2026-03-20T12:00:00Z' };
    assert.deepEqual(cancelTimes([aContract({ ...canceled, updatedAt: '2026-06-01T00:00:00Z' })], known), known);
    assert.deepEqual(cancelTimes([aContract()], known), known);
  });

  it('contracts that are no longer listed are forgotten', () => {
    assert.deepEqual(cancelTimes([aContract({ id: 'c2' })], { c1: '2026-03-20T12:00:00Z' }), {});
  });

  it('a contract that was not cancelled has none, whatever its id is called', () => {
    assert.deepEqual(cancelTimes([aContract(), aContract({ id: 'constructor' })], {}), {});
  });

  it('what is known stays as it was', () => {
    const known = Object.freeze({ c1: '2026-03-20T12:00:00Z' });
    assert.notEqual(cancelTimes([aContract()], known), known);
  });
});
