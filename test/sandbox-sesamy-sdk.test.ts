/** The vendor's own software reads the stand-in: its calls are understood, and its types take the answers. */
import assert from 'node:assert/strict';
import {
  APIError,
  type Bill,
  type Contract,
  type Entitlement,
  management,
  type Product,
  type Profile,
  type Transaction,
  type User,
  type Vendor,
} from '@sesamy/sdk';
import { type Person, type SesamySandbox, startSesamySandbox } from '../sandbox/sesamy/index.js';
import { tokenOf } from './support/sesamy-api.js';

describe('@sesamy/sdk reads the stand-in of Sesamy', () => {
  let sandbox: SesamySandbox;
  let sdk: ReturnType<typeof management>;
  let person: Person;

  before(async () => {
    sandbox = await startSesamySandbox({ rps: 0, population: { people: 40 } });
    const token = await tokenOf(sandbox);
    sdk = management({ baseUrl: sandbox.url, tokenProvider: async () => `Bearer ${token}` });
    const found = sandbox.people().find(({ contracts }) => contracts.length > 1);
    assert.ok(found);
    person = found;
  });
  after(() => sandbox.close());
  afterEach(() => assert.deepEqual(sandbox.recorder.violations, []));

  it('its types take what the stand-in holds', () => {
    const profile: Profile = person.profile;
    const contracts: Contract[] = person.contracts;
    const entitlements: Entitlement[] = person.entitlements;
    const bills: Bill[] = person.bills;
    const transactions: Transaction[] = person.transactions;
    const products: readonly Product[] = sandbox.world.products;
    assert.ok(profile && contracts && entitlements && bills && transactions && products);
  });

  it('users', async () => {
    const users: User[] = await sdk.users.list({ limit: 5, offset: 10 });
    assert.deepEqual(
      users.map(({ id }) => id),
      sandbox
        .people()
        .slice(10, 15)
        .map(({ id }) => id),
    );
    assert.equal((await sdk.users.list({ search: person.profile.email })).length, 1);
    // The SDK does not encode path parts (sesamy-api §1.4).
    const user: User = await sdk.users.get(encodeURIComponent(person.id));
    assert.deepEqual([user.id, user.email], [person.id, person.profile.email]);
  });

  it('a user who is not there is its APIError of status 404', async () => {
    await assert.rejects(sdk.users.get('email%7C0'), (error) => error instanceof APIError && error.status === 404);
  });

  it('contracts', async () => {
    const contracts: Contract[] = await sdk.contracts.list({ userId: person.id, limit: 50, offset: 0 });
    assert.deepEqual(contracts, person.contracts);
    const contract: Contract = await sdk.contracts.get(person.contracts[0]?.id);
    assert.deepEqual(contract, person.contracts[0]);
  });

  it('entitlements', async () => {
    const entitlements: Entitlement[] = await sdk.entitlements.list({ userId: person.id });
    assert.deepEqual(entitlements, person.entitlements);
  });

  it('bills', async () => {
    const bills: Bill[] = await sdk.bills.list({ userId: person.id, status: 'PAID' });
    assert.deepEqual(bills, person.bills);
    const bill: Bill = await sdk.bills.get(person.bills[0]?.id);
    assert.deepEqual(bill, person.bills[0]);
  });

  it('transactions', async () => {
    const transactions: Transaction[] = await sdk.transactions.list({ userId: person.id });
    assert.deepEqual(transactions, person.transactions);
  });

  it('products and vendors', async () => {
    const products: Product[] = await sdk.products.list({});
    assert.equal(products.length, sandbox.world.products.length);
    const product: Product = await sdk.products.get(products[0]?.sku);
    assert.equal(product.title, products[0]?.title);
    const vendors: Vendor[] = await sdk.vendors.list();
    assert.equal(vendors[0]?.id, sandbox.vendorId);
  });
});

describe('@sesamy/sdk with the base address of the documentation', () => {
  it('asks for /management/management, which the stand-in refuses and records', async () => {
    const sandbox = await startSesamySandbox({ rps: 0 });
    try {
      const token = await tokenOf(sandbox);
      const sdk = management({ baseUrl: `${sandbox.url}/management`, tokenProvider: async () => `Bearer ${token}` });
      await assert.rejects(sdk.vendors.list(), APIError);
      assert.match(sandbox.recorder.violations[0]?.path ?? '', /^\/management\/management/);
    } finally {
      await sandbox.close();
    }
  });
});
