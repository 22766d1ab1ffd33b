import assert from 'node:assert/strict';
import { type SesamySandbox, startSesamySandbox } from '../sandbox/sesamy/index.js';
import { VendorError } from '../src/http/errors.js';
import { createSesamyClient, eachPage, type ListPage, type SesamyClient } from '../src/sesamy/index.js';

describe('the Sesamy client against the stand-in', () => {
  let sandbox: SesamySandbox;
  let client: SesamyClient;

  beforeEach(async () => {
    sandbox = await startSesamySandbox({ population: { people: 60, seed: 3 }, rps: 0 });
    client = open();
  });

  afterEach(async () => {
    await client.close();
    await sandbox.close();
    assert.deepEqual(sandbox.recorder.violations, []);
  });

  function open(clientSecret = sandbox.clientSecret, rps = 500): SesamyClient {
    const { url: apiUrl, tokenUrl, clientId, vendorId } = sandbox;
    return createSesamyClient({ apiUrl, tokenUrl, clientId, clientSecret, vendorId, rps });
  }

  async function failure(work: Promise<unknown>): Promise<VendorError> {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof VendorError, `expected a VendorError, got ${error}`);
    return error;
  }

  /** Somebody with at least one contract and one entitlement. */
  function reader() {
    const found = sandbox
      .people()
      .find(({ contracts, entitlements }) => contracts.length > 0 && entitlements.length > 0);
    assert.ok(found);
    return found;
  }

  /** A contract of that person with another id. */
  const contractsOf = (count: number) => {
    const [contract] = reader().contracts;
    return Array.from({ length: count }, (_, index) => ({ ...contract, id: `c${String(index).padStart(3, '0')}` }));
  };

  /** A payment of that person with another id. */
  const transactionsOf = (count: number) => {
    const { id: userId } = reader();
    const payment = { userId, billId: 'b1', contractId: 'c1', amount: 99, currency: 'SEK', isRefund: false };
    return Array.from({ length: count }, (_, index) => ({ ...payment, id: `t${index}` }));
  };

  for (const envelope of ['array', 'data', 'resource'] as const) {
    it(`lists everybody's ids page by page, in the envelope ${envelope}`, async () => {
      Object.assign(sandbox.switches, { envelope, limitCap: 25 });
      const found: string[] = [];
      for (let rows = -1; rows !== 0; ) {
        const page = await client.listUserIds(found.length);
        assert.deepEqual([page.rows, page.total], [page.ids.length, envelope === 'data' ? 60 : undefined]);
        found.push(...page.ids);
        rows = page.rows;
      }
      assert.deepEqual(found, [...sandbox.world.userIds()]);
    });
  }

  it('reads the profile, contracts and entitlements of every person', async () => {
    for (const { id, profile, contracts, entitlements } of sandbox.people()) {
      const user = await client.getUser(id);
      assert.deepEqual([user?.id, user?.email, user?.tags], [id, profile.email, profile.tags ?? []]);
      assert.equal(user?.firstName, profile.firstName || profile.given_name);
      assert.deepEqual(
        (await client.listContracts(id)).map((row) => row.id),
        contracts.map((row) => row.id),
      );
      const read = await client.listEntitlements(id);
      assert.deepEqual(
        read.map((row) => row.id),
        entitlements.map((row) => row.id),
      );
      assert.ok(read.every((row) => !('token' in row)));
    }
  });

  it('reads the payments of every person, and the bill of each', async () => {
    let bills = 0;
    for (const { id, transactions, bills: own } of sandbox.people()) {
      const read = await client.listTransactions(id);
      const { userId: _, updatedAt: __, ...first } = transactions[0] ?? { userId: id, updatedAt: '' };
      assert.deepEqual(read[0] ?? {}, first);
      assert.deepEqual(
        read.map((row) => row.id),
        transactions.map((row) => row.id),
      );
      // Bills that nobody paid have no transaction.
      for (const { billId } of read.slice(0, 2)) {
        const bill = own.find((one) => one.id === billId);
        assert.ok(bill);
        bills += 1;
        assert.deepEqual(await client.getBill(billId), {
          id: billId,
          status: bill.status,
          price: bill.price,
          currency: bill.currency,
          items: bill.items.map(({ sku, title }) => ({ sku, title })),
          receiptUrl: bill.receiptUrl,
          contractId: bill.contractId,
          createdAt: bill.createdAt,
        });
      }
    }
    assert.ok(bills > 10, `${bills} bills`);
  });

  for (const envelope of ['array', 'data', 'resource'] as const) {
    it(`walks through everybody's users, contracts and entitlements, as ${envelope} and with a cap`, async () => {
      Object.assign(sandbox.switches, { envelope, limitCap: 7 });
      const people = sandbox.people();
      const ids = async <Row extends { id: string }>(page: (offset: number) => Promise<ListPage<Row>>) => {
        const found: string[] = [];
        for await (const { rows, unreadable } of eachPage(page)) {
          assert.equal(unreadable, 0);
          found.push(...rows.map(({ id }) => id));
        }
        return found;
      };
      const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
      assert.deepEqual(await ids(client.userPage), idsOf(people));
      assert.deepEqual(await ids(client.contractPage), idsOf(people.flatMap(({ contracts }) => contracts)));
      assert.deepEqual(await ids(client.entitlementPage), idsOf(people.flatMap(({ entitlements }) => entitlements)));
    });
  }

  it('says of a listed user whether the row is the whole profile, and counts rows that it cannot read', async () => {
    const [first] = (await client.userPage(0)).rows;
    assert.equal(first?.whole, true);
    sandbox.switches.userAnswer = 'five-fields';
    assert.equal((await client.userPage(0)).rows[0]?.whole, false);
    sandbox.faults.add({ kind: 'status', status: 200, body: '[{"id":"a"},{"email":1},"b"]', times: 1 });
    const { rows, ...page } = await client.userPage(0);
    assert.deepEqual([rows.map(({ id }) => id), page], [['a'], { received: 3, unreadable: 2 }]);
  });

  it('ends a walk whose offset is ignored', async () => {
    sandbox.switches.paging = 'offset-ignored';
    let seen = 0;
    for await (const { rows } of eachPage(client.userPage)) seen += rows.length;
    assert.equal(seen, 50);
  });

  it('checks one right at a time, and names the one that is missing', async () => {
    await client.checkToken();
    sandbox.faults.add({ kind: 'status', status: 403, path: '/management/contracts' });
    for (const resource of ['users', 'entitlements', 'transactions', 'bills'] as const)
      await client.checkRead(resource);
    const error = await failure(client.checkRead('contracts'));
    assert.deepEqual([error.type, error.path], ['sesamy/forbidden', '/management/contracts']);
    assert.equal((await failure(client.checkAccess())).type, 'sesamy/forbidden');
    const stranger = open('a-wrong-secret');
    assert.equal((await failure(stranger.checkToken())).type, 'sesamy/bad-credentials');
    await stranger.close();
  });

  it('tells a refund from a payment', async () => {
    const person = sandbox.people().find(({ bills }) => bills.some(({ status }) => status === 'PAID'));
    const paid = person?.bills.find(({ status }) => status === 'PAID');
    assert.ok(person && paid);
    sandbox.refund(paid.id);
    const rows = (await client.listTransactions(person.id)).filter(({ billId }) => billId === paid.id);
    assert.deepEqual(
      rows.map(({ isRefund }) => isRefund),
      [false, true],
    );
    assert.equal((await client.getBill(paid.id))?.status, 'VOIDED');
  });

  it('answers undefined for somebody whom Sesamy does not know', async () => {
    assert.equal(await client.getBill('nothing'), undefined);
    assert.deepEqual(await client.listTransactions('email|nobody'), []);
    assert.equal(await client.getUser('email|nobody'), undefined);
    assert.deepEqual(await client.listContracts('email|nobody'), []);
    assert.deepEqual(await client.listEntitlements('email|nobody'), []);
  });

  it('spends three reads on a person, besides token and filter check once', async () => {
    const { id } = reader();
    const sync = async () => {
      await client.getUser(id);
      await Promise.all([client.listContracts(id), client.listEntitlements(id)]);
    };
    await sync();
    const before = sandbox.recorder.requests.length;
    assert.equal(before, 5);
    await sync();
    assert.equal(sandbox.recorder.requests.length - before, 3);
  });

  for (const envelope of ['array', 'data', 'resource'] as const) {
    for (const limitCap of [0, 20]) {
      it(`reads a long list as ${envelope}, with ${limitCap === 0 ? 'no cap' : `a cap of ${limitCap}`} on the limit`, async () => {
        const { id } = reader();
        sandbox.setContracts(id, contractsOf(130));
        Object.assign(sandbox.switches, { envelope, limitCap });
        assert.equal((await client.listContracts(id)).length, 130);
        assert.equal((await client.listEntitlements(id)).length, sandbox.person(id)?.entitlements.length);
        sandbox.setPerson({ ...reader(), transactions: transactionsOf(70) });
        assert.equal((await client.listTransactions(id)).length, 70);
        await client.checkAccess({ receipts: true });
      });
    }
  }

  it('ends a list whose offset is ignored', async () => {
    const { id } = reader();
    sandbox.setContracts(id, contractsOf(40));
    sandbox.switches.paging = 'offset-ignored';
    assert.equal((await client.listContracts(id)).length, 40);
  });

  it('works with five-field users, with the profile and without it', async () => {
    const { id, profile } = reader();
    sandbox.switches.userAnswer = 'five-fields';
    assert.deepEqual(await client.getUser(id), {
      id,
      ...(profile.email ? { email: profile.email } : {}),
      tags: [],
      createdAt: profile.createdAt,
      updatedAt: profile.updatedAt,
    });
    await client.getUser(id);
    const asked = sandbox.recorder.requests.filter(({ path }) => path.startsWith('/profile/'));
    assert.equal(asked.length, 1);

    sandbox.switches.profile = 'serve';
    const other = open();
    const whole = await other.getUser(id);
    await other.close();
    assert.deepEqual([whole?.firstName, whole?.tags], [profile.firstName || profile.given_name, profile.tags ?? []]);
  });

  it('does not trust entitlements whose filter is ignored', async () => {
    sandbox.switches.entitlementFilter = 'ignored';
    assert.equal((await failure(client.listEntitlements(reader().id))).type, 'sesamy/filter-ignored');
  });

  it('renews a token that is no longer good', async () => {
    const { id } = reader();
    await client.getUser(id);
    sandbox.revokeTokens();
    assert.equal((await client.getUser(id))?.id, id);
  });

  it('tells a wrong secret', async () => {
    const wrong = open('not-the-secret');
    const error = await failure(wrong.checkAccess());
    await wrong.close();
    assert.deepEqual([error.type, error.next], ['sesamy/bad-credentials', 'fix-key']);
    assert.doesNotMatch(error.message, /not-the-secret/);
  });

  it('keeps below the limit of the account, whoever calls', async () => {
    sandbox.switches.rps = 20;
    // A little below the limit: where this process stands still for a moment, requests that were due meanwhile start together.
    const paced = open(sandbox.clientSecret, 15);
    const { id } = reader();
    await Promise.all(Array.from({ length: 35 }, () => paced.getUser(id)));
    await paced.close();
    assert.ok(sandbox.recorder.requests.every(({ status }) => status === 200));
    assert.ok(sandbox.recorder.busiestSecond() <= 20);
  });

  it('passes on how long a limit asks to wait', async () => {
    sandbox.switches.rps = 2;
    const { id } = reader();
    const outcomes = await Promise.allSettled([client.getUser(id), client.getUser(id), client.getUser(id)]);
    const error = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))[0];
    assert.ok(error instanceof VendorError);
    assert.equal(error.type, 'sesamy/rate-limited');
    assert.ok((error.waitMs ?? 0) > 0 && (error.waitMs ?? 0) <= 1_000);
  });

  const faults = [
    { fault: { kind: 'status', status: 500 }, type: 'sesamy/unavailable' },
    { fault: { kind: 'hang-up' }, type: 'sesamy/unavailable' },
    { fault: { kind: 'html' }, type: 'sesamy/not-json' },
    { fault: { kind: 'cut-body' }, type: 'sesamy/not-json' },
    { fault: { kind: 'wrong-shape' }, type: 'sesamy/wrong-shape' },
  ] as const;
  for (const { fault, type } of faults) {
    it(`calls the fault ${fault.kind} ${type} on each read, and goes on after it`, async () => {
      const { id } = reader();
      const { getUser, listContracts, listEntitlements, listTransactions, getBill } = client;
      const reads = [getUser, listContracts, listEntitlements, listTransactions, getBill];
      for (const read of reads) {
        sandbox.faults.add({ ...fault, path: '/management/', times: 1 });
        const error = await failure(read(id));
        assert.deepEqual([error.type, error.next], [type, 'wait']);
        await read(id);
      }
    });
  }

  it('fails for a row that it cannot read rather than leaving it out', async () => {
    const { id } = reader();
    sandbox.setContracts(id, [...contractsOf(2), { id: 'odd', userId: id }]);
    assert.match((await failure(client.listContracts(id))).message, /rows\.2\.status invalid_type/);
  });
});
