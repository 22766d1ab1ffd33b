import assert from 'node:assert/strict';
import { type Person, type SesamySandbox, startSesamySandbox } from '../sandbox/sesamy/index.js';
import { eventually } from './support/eventually.js';
import { type LocalServer, startLocalServer } from './support/local-server.js';

describe('the stand-in of Sesamy: when the clock moves', () => {
  let receiver: LocalServer;
  let sandbox: SesamySandbox;
  let reader: string;

  beforeEach(async () => {
    receiver = await startLocalServer((_request, response) => response.writeHead(202).end());
    sandbox = await startSesamySandbox({
      now: () => new Date('2026-11-10T12:00:00Z'),
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
  async function told(): Promise<Record<string, string>[]> {
    await sandbox.webhooks.idle();
    return receiver.seen.splice(0).map(({ body }) => JSON.parse(body));
  }
  const held = (id = reader): Person => {
    const person = sandbox.person(id);
    assert.ok(person);
    return person;
  };
  const [digital, fixed] = [0, 1];
  const sku = (index: number) => sandbox.world.products[index]?.sku ?? '';
  /** A running subscription whose purchase has been told. */
  async function subscribe(index = digital, purchaseOptionId?: string): Promise<string> {
    const { contract } = sandbox.purchase(reader, { productSku: sku(index), purchaseOptionId });
    await told();
    return contract.id;
  }
  const access = (contractId: string, id = reader) =>
    held(id).entitlements.filter(({ origin }) => origin?.type === 'PAYMENTS' && origin.contractId === contractId);

  const changes = async () =>
    (await told()).filter(({ eventType }) => eventType === 'contract.1#update').map(({ occured_at }) => occured_at);

  it('due contracts renew, each time with bill and transaction, at their own dates', async () => {
    const contractId = await subscribe();
    sandbox.advance({ days: 70 });
    assert.equal(sandbox.world.timestamp(), '2027-01-19T12:00:00Z');
    assert.deepEqual(await changes(), ['2026-12-10T12:00:00Z', '2027-01-10T12:00:00Z']);
    assert.deepEqual(
      held().bills.map(({ createdAt }) => createdAt.slice(0, 10)),
      ['2026-11-10', '2026-12-10', '2027-01-10'],
    );
    assert.equal(held().transactions.length, 3);
    assert.equal(sandbox.contract(contractId).nextBillAt, '2027-02-10T12:00:00Z');
  });

  it('hours and minutes count too, and nothing happens before its time', async () => {
    await subscribe();
    sandbox.advance({ days: 29, hours: 23, minutes: 59 });
    assert.deepEqual(await changes(), []);
    sandbox.advance({ minutes: 1 });
    assert.deepEqual(await changes(), ['2026-12-10T12:00:00Z']);
  });

  it('an overdue contract is tried every three days, and expires with the third try', async () => {
    const contractId = await subscribe();
    sandbox.failPayment(contractId);
    await told();
    sandbox.advance({ days: 8 });
    assert.equal(sandbox.contract(contractId).status, 'OVERDUE');
    assert.equal(held().bills.at(-1)?.status, 'RETRYING');
    sandbox.advance({ days: 2 });
    assert.deepEqual(await changes(), ['2026-11-13T12:00:00Z', '2026-11-16T12:00:00Z', '2026-11-19T12:00:00Z']);
    assert.equal(sandbox.contract(contractId).status, 'EXPIRED');
    assert.equal(held().bills.at(-1)?.status, 'EXPIRED');
    assert.deepEqual(
      access(contractId).map(({ hasAccess }) => hasAccess),
      [false],
    );
  });

  it('the grace of an overdue contract is cut short by the next billing date', async () => {
    const weekly = sandbox.world.products[digital]?.options.find(({ interval }) => interval === 'WEEK');
    const contractId = await subscribe(digital, weekly?.id);
    sandbox.setContracts(reader, [{ ...sandbox.contract(contractId), nextBillAt: '2026-11-10T12:00:00Z' }]);
    sandbox.failPayment(contractId);
    sandbox.advance({ days: 20 });
    const { status, expiresAt } = sandbox.contract(contractId);
    assert.deepEqual([status, expiresAt], ['EXPIRED', '2026-11-17T12:00:00Z']);
  });

  it('a cancelled contract reaches its end', async () => {
    const contractId = await subscribe();
    sandbox.cancel(contractId);
    sandbox.advance({ days: 30 });
    const { status, isActive, expiresAt } = sandbox.contract(contractId);
    assert.deepEqual([status, isActive, expiresAt], ['CANCELED', false, '2026-12-10T12:00:00Z']);
  });

  it('a fixed term expires', async () => {
    const contractId = await subscribe(fixed, sandbox.world.products[fixed]?.options[1]?.id);
    sandbox.advance({ days: 364 });
    assert.equal(sandbox.contract(contractId).status, 'ACTIVE');
    sandbox.advance({ days: 1 });
    assert.equal(sandbox.contract(contractId).status, 'EXPIRED');
  });

  it('access from elsewhere ends at its date', async () => {
    sandbox.grantExternal(reader, { expiresAt: '2026-11-20T00:00:00Z' });
    await told();
    sandbox.advance({ days: 10 });
    assert.equal(held().entitlements[0]?.hasAccess, false);
    assert.deepEqual(
      (await told()).map(({ eventType, occured_at }) => [eventType, occured_at]),
      [['entitlement.1#update', '2026-11-20T00:00:00Z']],
    );
  });

  it('webhooks of many readers go out in the order of what happened', async () => {
    const invented = await startSesamySandbox({ population: { people: 60 }, webhook: { url: receiver.url } });
    try {
      invented.advance({ days: 60 });
      await invented.webhooks.idle();
      const dates = (await told()).map(({ occured_at }) => occured_at ?? '');
      assert.ok(dates.length > 30);
      assert.deepEqual(dates, [...dates].sort());
    } finally {
      await invented.close();
    }
  });

  it('with its own clock the stand-in follows the real time', async () => {
    const real = await startSesamySandbox();
    try {
      const first = real.world.now().getTime();
      await eventually(() => assert.ok(real.world.now().getTime() > first));
    } finally {
      await real.close();
    }
  });
});
