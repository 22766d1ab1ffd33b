import assert from 'node:assert/strict';
import { fieldsToWrite, fieldTable, type Source, type SourceUser } from '../src/mapping/index.js';
import { aContract, anItem, aSource, aUser, fieldValue, mapped } from './support/source.js';

const provisioned = new Map<string, string>(fieldTable.map(({ key, type }) => [key, type]));
const full: Source = aSource({
  contracts: [
    aContract({
      expiresAt: '2026-09-01T00:00:00Z',
      willCancelAt: '2026-09-01T00:00:00Z',
      items: [anItem(), anItem({ sku: 'sid:weekend', name: 'Weekend Example', purchaseOptionName: 'Yearly' })],
    }),
  ],
});

function written(source: Partial<Source>, types: ReadonlyMap<string, string> = provisioned) {
  const { fields, problems } = fieldsToWrite(mapped(source), types);
  return { values: new Map(fields.map((field) => [field.key, field])), problems };
}

describe('mapping: what a missing value does', () => {
  const user = (overrides: Partial<SourceUser>): Source => ({ ...full, user: aUser(overrides) });
  const noAddress = user({ billingAddress: undefined });
  /** Where each field's value goes away; `undefined` for the one that cannot. */
  const without: Record<string, Source | undefined> = {
    'Subscriber.Email': user({ email: ' ' }),
    'Subscriber.FirstName': user({ firstName: '' }),
    'Subscriber.LastName': user({ lastName: undefined }),
    'Subscriber.Phone': user({ mobilePhone: undefined }),
    'Sesamy_User.ID': undefined,
    'Sesamy_User.Created': user({ createdAt: undefined }),
    'Sesamy_BillingAddress.FirstName': noAddress,
    'Sesamy_BillingAddress.LastName': noAddress,
    'Sesamy_BillingAddress.Street': noAddress,
    'Sesamy_BillingAddress.City': noAddress,
    'Sesamy_BillingAddress.Zip': noAddress,
    'Sesamy_BillingAddress.Country': noAddress,
    'Sesamy_ActiveProducts.SKU': { ...full, contracts: [] },
    'Sesamy_ActiveProducts.Titles': { ...full, contracts: [] },
    'Sesamy_ActiveProducts.OptionTitles': { ...full, contracts: [] },
    'Sesamy_Subscription.Status': { ...full, contracts: [] },
    'Sesamy_Subscription.ExpiresAt': { ...full, contracts: [aContract()] },
    'Sesamy_Subscription.CanceledAt': { ...full, contracts: [aContract()] },
    'Sesamy_Subscription.CreatedAt': { ...full, contracts: [aContract({ createdAt: undefined })] },
  };

  for (const { key, type, missing } of fieldTable) {
    it(`A17: ${key}: ${missing}`, () => {
      assert.ok(written(full).values.has(key), 'present in a full person');
      const source = without[key];
      if (!source) return;
      assert.equal(fieldValue(mapped(source), key), undefined);
      const expected = { key, type, value: type === 'multiple' ? [] : '' };
      assert.deepEqual(written(source).values.get(key), missing === 'clear' ? expected : undefined);
    });
  }

  it('A17: an invalid phone keeps the number that Rule has', () => {
    assert.equal(written(user({ mobilePhone: '12' })).values.has('Subscriber.Phone'), false);
  });

  it('A17: a part that an address lacks is cleared, whatever the table says of a missing address', () => {
    const { values } = written(user({ billingAddress: { street: 'Nya gatan 2' } }));
    assert.equal(values.get('Sesamy_BillingAddress.Zip')?.value, '');
  });
});

describe('mapping: fitting the fields that the account has', () => {
  const having = (key: string, type: string) => new Map([...provisioned, [key, type]]);

  it('an empty account: every field under the type of the table', () => {
    const { values, problems } = written(full, new Map());
    assert.deepEqual(
      [...values.values()].map(({ key, type }) => [key, type]),
      [...provisioned],
    );
    assert.deepEqual(problems, []);
  });

  it('a list goes as multiple', () => {
    assert.deepEqual(written(full).values.get('Sesamy_ActiveProducts.Titles'), {
      key: 'Sesamy_ActiveProducts.Titles',
      type: 'multiple',
      value: ['Daily Example', 'Weekend Example'],
    });
  });

  it('a list goes joined where the account has text', () => {
    const key = 'Sesamy_ActiveProducts.Titles';
    assert.deepEqual(written(full, having(key, 'text')).values.get(key), {
      key,
      type: 'text',
      value: 'Daily Example, Weekend Example',
    });
  });

  it('an empty list is empty text where the account has text', () => {
    const key = 'Sesamy_ActiveProducts.Titles';
    assert.deepEqual(written({}, having(key, 'text')).values.get(key), { key, type: 'text', value: '' });
  });

  it('a date goes as it is where the account has text', () => {
    const key = 'Sesamy_Subscription.ExpiresAt';
    assert.deepEqual(written(full, having(key, 'text')).values.get(key), { key, type: 'text', value: '2026-09-01' });
  });

  for (const [key, type] of [
    ['Subscriber.FirstName', 'date'],
    ['Sesamy_Subscription.ExpiresAt', 'datetime'],
    ['Sesamy_ActiveProducts.SKU', 'json'],
    ['Sesamy_Subscription.Status', 'multiple'],
    ['Subscriber.Email', 'single'],
  ] as const) {
    it(`${key} costs only itself where the account has it as ${type}`, () => {
      const { values, problems } = written(full, having(key, type));
      assert.equal(values.has(key), false);
      assert.equal(values.size, fieldTable.length - 1);
      assert.deepEqual(problems, [{ field: key, code: 'type-mismatch' }]);
    });
  }

  it('a value that is kept is no problem, whatever the type', () => {
    const { problems } = written({ user: aUser({ firstName: undefined }) }, having('Subscriber.FirstName', 'date'));
    assert.deepEqual(problems, []);
  });
});
