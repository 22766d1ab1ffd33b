import assert from 'node:assert/strict';
import { type Person, type SesamySandbox, startSesamySandbox } from '../sandbox/sesamy/index.js';
import { type LocalServer, startLocalServer } from './support/local-server.js';

type Told = Record<string, string>;
const start = '2026-11-10T12:00:00Z';

describe('the stand-in of Sesamy: what happens to readers', () => {
  let receiver: LocalServer;
  let sandbox: SesamySandbox;
  let reader: string;

  beforeEach(async () => {
    receiver = await startLocalServer((_request, response) => response.writeHead(202).end());
    sandbox = await startSesamySandbox({
      now: () => new Date(start),
      webhook: { url: receiver.url },
      switches: { forwardEntitlements: true },
    });
    reader = sandbox.addPerson().id;
    await told();
  });
  afterEach(async () => {
    await sandbox.close();
    await receiver.close();
  });

  /** The webhooks since the last call. */
  async function told(): Promise<Told[]> {
    await sandbox.webhooks.idle();
    return receiver.seen.splice(0).map(({ body }) => JSON.parse(body));
  }
  const types = async () => (await told()).map(({ eventType }) => eventType);
  const held = (id = reader): Person => {
    const person = sandbox.person(id);
    assert.ok(person);
    return person;
  };
  const [digital, print] = [0, 2];
  const sku = (index: number) => sandbox.world.products[index]?.sku ?? '';
  /** A running subscription whose purchase has been told. */
  async function subscribe(index = digital, purchaseOptionId?: string): Promise<string> {
    const { contract } = sandbox.purchase(reader, { productSku: sku(index), purchaseOptionId });
    await told();
    return contract.id;
  }
  const access = (contractId: string, id = reader) =>
    held(id).entitlements.filter(({ origin }) => origin?.type === 'PAYMENTS' && origin.contractId === contractId);

  it('a new reader: confirmed, with an invented address', async () => {
    const { id, profile } = sandbox.addPerson({ profile: { firstName: 'Åsa', emailVerified: false, email: null } });
    assert.match(id, /^email\|[0-9a-f]{24}$/);
    assert.deepEqual([profile.firstName, profile.emailVerified, 'email' in profile], ['Åsa', false, false]);
    assert.deepEqual(await told(), [
      { eventType: 'userVendor.1#new', vendorId: 'daily', userId: id, occured_at: start },
    ]);
    assert.throws(() => sandbox.addPerson({ id }), /already/);
  });

  it('a changed profile; what is null or undefined is taken away', async () => {
    sandbox.updateProfile(reader, { mobilePhone: '070-174 06 05', emailVerified: null });
    assert.equal(held().profile.mobilePhone, '070-174 06 05');
    assert.ok(!('emailVerified' in held().profile));
    assert.deepEqual(await told(), [
      { eventType: 'userVendor.1#update', vendorId: 'daily', userId: reader, occured_at: start },
    ]);
  });

  it('a changed address keeps the lines that were not named', async () => {
    sandbox.changeAddress(reader, { street: 'Ängsvägen 1', city: 'Umeå' });
    sandbox.changeAddress(reader, { street: 'Ängsvägen 2', city: '' });
    assert.deepEqual(held().profile.billingAddress, { street: 'Ängsvägen 2' });
    assert.deepEqual(await types(), ['userVendor.1#update', 'userVendor.1#update']);
  });

  it('a changed e-mail, a confirmed account, tags added and removed', async () => {
    sandbox.changeEmail(reader, 'new@example.com');
    sandbox.updateProfile(reader, { emailVerified: false });
    sandbox.confirm(reader);
    sandbox.addTag(reader, 'Vinklubben');
    sandbox.addTag(reader, 'Vinklubben');
    sandbox.addTag(reader, 'VIP');
    sandbox.removeTag(reader, 'Vinklubben');
    const { email, emailVerified, tags } = held().profile;
    assert.deepEqual([email, emailVerified, tags], ['new@example.com', true, ['VIP']]);
    assert.equal((await types()).length, 7);
  });

  it('a deleted reader is gone, and no webhook tells', async () => {
    sandbox.deletePerson(reader);
    assert.equal(sandbox.person(reader), undefined);
    assert.equal(sandbox.people().length, 0);
    assert.deepEqual(await told(), []);
    assert.throws(() => sandbox.confirm(reader), /no person/);
  });

  it('a purchase: contract, paid bill, transaction, access, and several webhooks close together', async () => {
    const { contract, entitlement, bill, checkoutId } = sandbox.purchase(reader, { productSku: sku(digital) });
    const person = held();
    assert.deepEqual(person.contracts, [contract]);
    assert.deepEqual(person.entitlements, [entitlement]);
    assert.deepEqual(person.bills, [bill]);
    assert.deepEqual(
      [contract.status, contract.isActive, contract.nextBillAt, contract.userId],
      ['ACTIVE', true, '2026-12-10T12:00:00Z', reader],
    );
    assert.deepEqual([bill.status, bill.contractId, bill.price], ['PAID', contract.id, contract.price]);
    assert.deepEqual(
      person.transactions.map(({ billId, contractId, amount, isRefund, userId }) => [
        billId,
        contractId,
        amount,
        isRefund,
        userId,
      ]),
      [[bill.id, contract.id, contract.price, false, reader]],
    );
    const common = { vendorId: 'daily', userId: reader, occured_at: start };
    const contractId = contract.id;
    assert.deepEqual(await told(), [
      { eventType: 'checkout.1#confirm', ...common, checkoutId, contractId },
      { eventType: 'contract.1#purchased', ...common, contractId },
      { eventType: 'entitlement.1#new', ...common, entitlementId: entitlement.id, contractId },
      { eventType: 'userVendor.1#update', ...common },
    ]);
  });

  it('a purchase under another option; an unknown product or option is refused', async () => {
    const options = sandbox.world.products[digital]?.options ?? [];
    const contractId = await subscribe(digital, options[1]?.id);
    assert.equal(sandbox.contract(contractId).items[0]?.purchaseOptionName, options[1]?.name);
    assert.throws(() => sandbox.purchase(reader, { productSku: 'none' }), /no product/);
    assert.throws(() => sandbox.purchase(reader, { productSku: sku(digital), purchaseOptionId: 'none' }), /not sold/);
  });

  it('a gift: the contract on the payer, the access on the receiver, and it ends with the contract', async () => {
    const friend = sandbox.addPerson().id;
    await told();
    const { contract, entitlement } = sandbox.purchase(reader, { productSku: sku(digital), giftTo: friend });
    assert.deepEqual([held().contracts.length, held().entitlements.length], [1, 0]);
    assert.deepEqual([held(friend).contracts.length, held(friend).entitlements], [0, [entitlement]]);
    assert.deepEqual(
      (await told()).map(({ eventType, userId }) => [eventType, userId]),
      [
        ['checkout.1#confirm', reader],
        ['contract.1#purchased', reader],
        ['entitlement.1#new', friend],
        ['userVendor.1#update', reader],
      ],
    );
    sandbox.expire(contract.id);
    assert.deepEqual(
      access(contract.id, friend).map(({ hasAccess }) => hasAccess),
      [false],
    );
  });

  it('an article: settled at once, with access for ever', async () => {
    const { contract, entitlement } = sandbox.buyArticle(reader);
    assert.deepEqual(
      [contract.status, contract.isActive, contract.contractDuration, contract.nextBillAt],
      ['CLOSED', true, 'PERPETUAL', null],
    );
    assert.deepEqual([entitlement.type, entitlement.expiresAt], ['article', undefined]);
    for (const act of ['renew', 'cancel', 'failPayment'] as const) assert.throws(() => sandbox[act](contract.id));
  });

  it('print issues are counted', async () => {
    assert.equal(sandbox.contract(await subscribe(print)).issuesRemaining, 13);
  });

  it('a renewal: paid, and the next bill a period later', async () => {
    const contractId = await subscribe();
    const { nextBillAt, status } = sandbox.renew(contractId);
    assert.deepEqual([nextBillAt, status], ['2027-01-10T12:00:00Z', 'ACTIVE']);
    assert.deepEqual([held().bills.length, held().transactions.length], [2, 2]);
    assert.equal(access(contractId)[0]?.expiresAt, nextBillAt);
    assert.deepEqual(await types(), ['entitlement.1#update', 'contract.1#update']);
  });

  it('an ended contract that is renewed runs again from now', async () => {
    const contractId = await subscribe();
    sandbox.expire(contractId);
    const contract = sandbox.renew(contractId);
    assert.deepEqual(
      [contract.isActive, contract.nextBillAt, contract.expiresAt],
      [true, '2026-12-10T12:00:00Z', undefined],
    );
    assert.equal(access(contractId)[0]?.hasAccess, true);
  });

  it('a cancellation: still active, with the day of the end; a regret takes it back', async () => {
    const contractId = await subscribe();
    const before = sandbox.contract(contractId);
    const cancelled = sandbox.cancel(contractId);
    assert.deepEqual(
      [cancelled.status, cancelled.isActive, cancelled.willCancelAt, cancelled.nextBillAt],
      ['ACTIVE', true, before.nextBillAt, null],
    );
    assert.deepEqual(await types(), ['contract#cancelRequest', 'contract.1#update']);
    assert.deepEqual(sandbox.regret(contractId), before);
    assert.deepEqual(await types(), ['contract.1#update']);
    assert.throws(() => sandbox.regret(contractId), /no cancellation/);
  });

  it('a failed payment: overdue with access and an unpaid bill; recovered, it is active and paid', async () => {
    const contractId = await subscribe();
    const overdue = sandbox.failPayment(contractId);
    assert.deepEqual([overdue.status, overdue.isActive], ['OVERDUE', true]);
    assert.deepEqual(
      held().bills.map(({ status }) => status),
      ['PAID', 'OVERDUE'],
    );
    assert.deepEqual(
      access(contractId).map(({ hasAccess, expiresAt }) => [hasAccess, expiresAt]),
      [[true, '2026-11-19T12:00:00Z']],
    );
    const recovered = sandbox.recoverPayment(contractId);
    assert.deepEqual([recovered.status, recovered.nextBillAt], ['ACTIVE', '2027-01-10T12:00:00Z']);
    assert.deepEqual(
      held().bills.map(({ status }) => status),
      ['PAID', 'PAID'],
    );
    assert.equal(held().transactions.length, 2);
    assert.deepEqual((await types()).filter((type) => type === 'contract.1#update').length, 2);
    assert.throws(() => sandbox.recoverPayment(contractId), /has failed/);
  });

  for (const [act, status] of [
    ['expire', 'EXPIRED'],
    ['endNow', 'CANCELED'],
  ] as const) {
    it(`${act}: ${status}, and the access is gone`, async () => {
      const contractId = await subscribe();
      const ended = sandbox[act](contractId);
      assert.deepEqual([ended.status, ended.isActive, ended.expiresAt, ended.nextBillAt], [status, false, start, null]);
      assert.deepEqual(
        access(contractId).map(({ hasAccess }) => hasAccess),
        [false],
      );
      assert.deepEqual(await types(), ['entitlement.1#update', 'contract.1#update']);
      assert.throws(() => sandbox.cancel(contractId), /running/);
    });
  }

  it('a refund: the bill voided, a transaction back, the contract ended', async () => {
    const { contract, bill } = sandbox.purchase(reader, { productSku: sku(digital) });
    assert.equal(sandbox.refund(bill.id).status, 'CANCELED');
    assert.equal(held().bills[0]?.status, 'VOIDED');
    assert.deepEqual(
      held().transactions.map(({ isRefund }) => isRefund),
      [false, true],
    );
    assert.deepEqual(
      access(contract.id).map(({ hasAccess }) => hasAccess),
      [false],
    );
    assert.throws(() => sandbox.refund(bill.id), /paid bill/);
    assert.throws(() => sandbox.refund('none'), /no bill/);
  });

  it('access from elsewhere has no contract; only the entitlement events tell of it', async () => {
    const entitlement = sandbox.grantExternal(reader, { expiresAt: '2026-12-01T00:00:00Z' });
    assert.equal(entitlement.origin?.type, 'EXTERNAL');
    assert.deepEqual(held().contracts, []);
    assert.deepEqual(await types(), ['entitlement.1#new']);
    sandbox.revokeExternal(reader, entitlement.id);
    assert.equal(held().entitlements[0]?.hasAccess, false);
    assert.deepEqual(await types(), ['entitlement.1#update']);
    assert.throws(() => sandbox.revokeExternal(reader), /no such access/);
  });

  it('rows as a test wants them, without a word to anybody', async () => {
    sandbox.setPerson({ profile: { userId: 'email|x', odd: true }, contracts: [{ id: 'c1', status: 'NEW' }] });
    assert.deepEqual(held('email|x').contracts, [{ id: 'c1', status: 'NEW' }]);
    assert.equal(sandbox.contract('c1').status, 'NEW');
    sandbox.setContracts('email|x', []);
    assert.deepEqual(held('email|x').contracts, []);
    assert.throws(() => sandbox.contract('c1'), /no contract/);
    assert.deepEqual(held('email|x').profile, { userId: 'email|x', odd: true });
    assert.throws(() => sandbox.setPerson({}), /needs an id/);
    assert.deepEqual(await told(), []);
  });

  it('what the controls answer is a copy: changing it changes nothing', () => {
    held().profile.firstName = 'Changed';
    for (const person of sandbox.people()) person.profile.firstName = 'Changed';
    assert.equal(held().profile.firstName, undefined);
  });

  it('everybody is announced as if they signed up now', async () => {
    const second = sandbox.addPerson().id;
    await told();
    assert.equal(sandbox.announceEveryone(), 2);
    assert.deepEqual(
      (await told()).map(({ eventType, userId }) => [eventType, userId]),
      [
        ['userVendor.1#new', reader],
        ['userVendor.1#new', second],
      ],
    );
    sandbox.announce('contract.1#update', reader, { contractId: 'c' });
    assert.deepEqual((await told())[0]?.contractId, 'c');
  });
});
