import assert from 'node:assert/strict';
import { fieldTable } from '../src/mapping/index.js';
import { checkFields, stockholm } from './support/mapping-rows.js';
import { aSource, aUser, mapped } from './support/source.js';

describe('mapping: the fields', () => {
  it('A4: exactly the 19 fields, each under its key and type, in order', () => {
    const person = mapped({});
    assert.deepEqual(
      person.fields.map(({ key, type }) => `${key} ${type}`),
      [
        'Subscriber.Email text',
        'Subscriber.FirstName text',
        'Subscriber.LastName text',
        'Subscriber.Phone text',
        'Sesamy_User.ID text',
        'Sesamy_User.Created date',
        'Sesamy_BillingAddress.FirstName text',
        'Sesamy_BillingAddress.LastName text',
        'Sesamy_BillingAddress.Street text',
        'Sesamy_BillingAddress.City text',
        'Sesamy_BillingAddress.Zip text',
        'Sesamy_BillingAddress.Country text',
        'Sesamy_ActiveProducts.SKU multiple',
        'Sesamy_ActiveProducts.Titles multiple',
        'Sesamy_ActiveProducts.OptionTitles multiple',
        'Sesamy_Subscription.Status text',
        'Sesamy_Subscription.ExpiresAt date',
        'Sesamy_Subscription.CanceledAt date',
        'Sesamy_Subscription.CreatedAt date',
      ],
    );
    assert.deepEqual(
      fieldTable.map(({ key }) => key),
      person.fields.map(({ key }) => key),
    );
  });

  it('a problem never holds the value', () => {
    const person = mapped({ user: aUser({ mobilePhone: '99999999999999', createdAt: 'planted' }) });
    assert.equal(person.problems.length, 2);
    assert.doesNotMatch(JSON.stringify(person.problems), /9999|planted/);
  });
});

describe('mapping: the profile', () => {
  checkFields([
    {
      name: 'e-mail is trimmed and lower case',
      source: { user: aUser({ email: ' Kim@Example.COM ' }) },
      expect: { 'Subscriber.Email': 'kim@example.com' },
    },
    {
      name: 'names as they are, without blanks around them',
      source: { user: aUser({ firstName: ' Åsa ', lastName: 'af Ek' }) },
      expect: { 'Subscriber.FirstName': 'Åsa', 'Subscriber.LastName': 'af Ek' },
    },
    {
      name: 'a blank name is missing',
      source: { user: aUser({ firstName: '  ', lastName: undefined }) },
      expect: { 'Subscriber.FirstName': undefined, 'Subscriber.LastName': undefined },
    },
    { name: 'the id keeps its |', expect: { 'Sesamy_User.ID': 'email|84cccf985de28a2a84824786' } },
    {
      name: 'a five-field user gives what it has',
      source: { user: { id: 'email|1', email: 'kim@example.com', tags: [], createdAt: '2026-01-01T00:00:00Z' } },
      expect: {
        'Subscriber.Email': 'kim@example.com',
        'Subscriber.FirstName': undefined,
        'Subscriber.Phone': undefined,
        'Sesamy_User.Created': '2026-01-01',
        'Sesamy_BillingAddress.Street': undefined,
      },
    },
  ]);
});

describe('mapping: the phone', () => {
  checkFields([
    {
      name: 'A8: mobile before all others',
      source: {
        user: aUser({
          mobilePhone: '0701740605',
          phone: '0701740606',
          workPhone: '0701740607',
          homePhone: '0701740608',
        }),
      },
      expect: { 'Subscriber.Phone': '+46701740605' },
    },
    {
      name: 'A8: then the default phone',
      source: {
        user: aUser({ mobilePhone: ' ', phone: '0701740606', workPhone: '0701740607', homePhone: '0701740608' }),
      },
      expect: { 'Subscriber.Phone': '+46701740606' },
    },
    {
      name: 'A8: then work',
      source: { user: aUser({ mobilePhone: undefined, workPhone: '0701740607', homePhone: '0701740608' }) },
      expect: { 'Subscriber.Phone': '+46701740607' },
    },
    {
      name: 'A8: then home',
      source: { user: aUser({ mobilePhone: undefined, homePhone: '0701740608' }) },
      expect: { 'Subscriber.Phone': '+46701740608' },
    },
    {
      name: 'a number with country code keeps it, however it is written',
      source: { user: aUser({ mobilePhone: '0046 (0)70-174 06 05' }) },
      expect: { 'Subscriber.Phone': '+46701740605' },
    },
    {
      name: 'a number without country code belongs to the configured country, in either letter case',
      source: { user: aUser({ mobilePhone: '(202) 555-0123' }) },
      settings: { country: 'us' },
      expect: { 'Subscriber.Phone': '+12025550123' },
    },
    {
      name: 'A8: an invalid number costs the phone only',
      source: { user: aUser({ mobilePhone: '12' }) },
      expect: { 'Subscriber.Phone': undefined, 'Subscriber.Email': 'kim@example.com', 'Subscriber.FirstName': 'Kim' },
      problems: [{ field: 'Subscriber.Phone', code: 'invalid-phone' }],
    },
    {
      name: 'text around a number makes it invalid',
      source: { user: aUser({ mobilePhone: 'call 0701740605 after six' }) },
      expect: { 'Subscriber.Phone': undefined },
      problems: [{ field: 'Subscriber.Phone', code: 'invalid-phone' }],
    },
  ]);
});

describe('mapping: the address', () => {
  checkFields([
    {
      name: 'all six fields, the country as given',
      expect: {
        'Sesamy_BillingAddress.FirstName': 'Kim',
        'Sesamy_BillingAddress.LastName': 'Ek',
        'Sesamy_BillingAddress.Street': 'Påhittade gatan 1',
        'Sesamy_BillingAddress.City': 'Uppdiktad',
        'Sesamy_BillingAddress.Zip': '111 22',
        'Sesamy_BillingAddress.Country': 'SE',
      },
    },
    {
      name: 'no address: the whole group is missing, names of the profile do not step in',
      source: { user: aUser({ billingAddress: undefined }) },
      expect: { 'Sesamy_BillingAddress.FirstName': undefined, 'Sesamy_BillingAddress.Zip': undefined },
    },
    {
      name: 'an address of blanks is none',
      source: { user: aUser({ billingAddress: { street: ' ', city: '' } }) },
      expect: { 'Sesamy_BillingAddress.Street': undefined, 'Sesamy_BillingAddress.City': undefined },
    },
    {
      name: 'a part that a new address lacks is emptied: never the old zip beside the new street',
      source: { user: aUser({ billingAddress: { street: 'Nya gatan 2' } }) },
      expect: { 'Sesamy_BillingAddress.Street': 'Nya gatan 2', 'Sesamy_BillingAddress.Zip': '' },
    },
    {
      name: 'no address and clearMissingAddress: emptied',
      source: { user: aUser({ billingAddress: undefined }) },
      settings: { clearMissingAddress: true },
      expect: { 'Sesamy_BillingAddress.FirstName': '', 'Sesamy_BillingAddress.Country': '' },
    },
  ]);
});

describe('mapping: dates', () => {
  checkFields([
    { name: 'UTC unless configured', expect: { 'Sesamy_User.Created': '2025-12-31' } },
    {
      name: 'A4: 23:30 UTC on 31 December is 1 January for Stockholm',
      settings: stockholm,
      expect: { 'Sesamy_User.Created': '2026-01-01' },
    },
    {
      name: 'summer time counts: 22:30 UTC on 30 June is 1 July for Stockholm',
      source: { user: aUser({ createdAt: '2026-06-30T22:30:00Z' }) },
      settings: stockholm,
      expect: { 'Sesamy_User.Created': '2026-07-01' },
    },
    {
      name: 'an offset is honoured',
      source: { user: aUser({ createdAt: '2026-01-01T00:30:00+01:00' }) },
      expect: { 'Sesamy_User.Created': '2025-12-31' },
    },
    {
      name: 'a day stays that day in every zone',
      source: { user: aUser({ createdAt: '2026-01-01' }) },
      settings: { timeZone: 'America/New_York' },
      expect: { 'Sesamy_User.Created': '2026-01-01' },
    },
    {
      name: 'a time without an offset is UTC, with T or a blank',
      source: { user: aUser({ createdAt: '2025-12-31 23:30:00' }) },
      settings: stockholm,
      expect: { 'Sesamy_User.Created': '2026-01-01' },
    },
    ...['yesterday', '12:30', '2026-02-30T00:00:00Z', '1767225600', '9999-12-31T23:30:00Z'].map((createdAt) => ({
      name: `"${createdAt}" is no date: missing and reported`,
      source: { user: aUser({ createdAt }) },
      settings: stockholm,
      expect: { 'Sesamy_User.Created': undefined },
      problems: [{ field: 'Sesamy_User.Created', code: 'invalid-date' }],
    })),
  ]);

  it('an unknown time zone is an error of the settings, not of every date', () => {
    assert.throws(() => mapped({}, { timeZone: 'Mars/Base' }), RangeError);
  });

  it('A35: a changed zone changes the output although the source is the same', () => {
    const source = aSource();
    assert.notDeepEqual(mapped(source, stockholm).fields, mapped(source).fields);
  });
});
