import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Person, startSesamySandbox } from '../sandbox/sesamy/index.js';

const now = () => new Date('2026-11-10T12:00:00Z');

async function invent(people: number, seed?: number): Promise<Person[]> {
  const sandbox = await startSesamySandbox({ population: { people, ...(seed === undefined ? {} : { seed }) }, now });
  try {
    return sandbox.people();
  } finally {
    await sandbox.close();
  }
}

describe('the invented readers of the stand-in of Sesamy', () => {
  let people: Person[];
  before(async () => {
    people = await invent(64, 3);
  });

  it('are the same for the same seed and day, and others for another seed', async () => {
    assert.deepEqual(await invent(64, 3), people);
    const others = await invent(64, 4);
    assert.equal(others.filter(({ id }) => people.some((one) => one.id === id)).length, 0);
  });

  it('are the same whether asked for alone or in a row', async () => {
    const sandbox = await startSesamySandbox({ population: { people: 64, seed: 3 }, now });
    try {
      for (const person of people) assert.deepEqual(sandbox.person(person.id), person);
    } finally {
      await sandbox.close();
    }
  });

  it('have ids of the vendor’s forms, and no two the same', () => {
    const rowIds = people.flatMap((one) => [one.contracts, one.entitlements, one.bills, one.transactions].flat());
    for (const { id } of people) assert.match(id, /^email\|[0-9a-f]{24}$/);
    for (const { id } of rowIds) assert.match(id, /^[0-9a-f]{32}$/);
    const ids = [...people, ...rowIds].map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('have invented addresses, no two the same', () => {
    const emails = people.flatMap(({ profile }) => profile.email ?? []);
    for (const email of emails) assert.match(email, /^[\w.'-]+@example\.com$/);
    assert.equal(new Set(emails.map((email) => email.toLowerCase())).size, emails.length);
  });

  const has = (what: string, is: (person: Person) => boolean) =>
    it(`there are some ${what}`, () => assert.ok(people.some(is)));
  has('without any contract or access', ({ contracts, entitlements }) => contracts.length + entitlements.length === 0);
  has('with one contract', ({ contracts }) => contracts.length === 1);
  has('with several', ({ contracts }) => contracts.length > 2);
  for (const status of ['ACTIVE', 'CLOSED', 'OVERDUE', 'CANCELED', 'EXPIRED']) {
    has(`with a contract ${status}`, ({ contracts }) => contracts.some((one) => one.status === status));
  }
  has('scheduled to cancel', ({ contracts }) => contracts.some((one) => one.isActive && one.willCancelAt));
  for (const duration of ['RECURRING', 'RENEWABLE', 'PERPETUAL']) {
    has(`with a ${duration} contract`, ({ contracts }) => contracts.some((one) => one.contractDuration === duration));
  }
  for (const type of ['article', 'physical_issue', 'pass', 'podcast', 'bundle']) {
    has(`with access to a ${type}`, ({ entitlements }) => entitlements.some((one) => one.type === type));
  }
  has('with twins of one product, spelled differently', ({ contracts }) => {
    const slugs = contracts.map(({ name }) => name.toLowerCase().replace(/[^a-z]+/g, '-'));
    return new Set(slugs).size < slugs.length && new Set(contracts.map(({ name }) => name)).size === contracts.length;
  });
  has('with access from elsewhere', ({ entitlements }) => entitlements.some((one) => one.origin?.type === 'EXTERNAL'));
  has('guests with an address', ({ profile }) => profile.emailVerified === false && profile.email !== undefined);
  has('guests without an address', ({ profile }) => profile.email === undefined);
  has('whose confirmation is not told', ({ profile }) => profile.emailVerified === undefined);
  has('with letters beyond a to z', ({ profile }) => /[åäöÅÄÖ]/.test(`${profile.firstName} ${profile.lastName}`));
  has('with the other naming style', ({ profile }) => profile.given_name !== undefined);
  has('without a billing address', ({ profile }) => profile.billingAddress === undefined);
  has('with profile tags', ({ profile }) => (profile.tags ?? []).length > 0);
  for (const phone of ['mobilePhone', 'phone_number', 'workPhone', 'homePhone'] as const) {
    has(`with a ${phone}`, ({ profile }) => Boolean(profile[phone]));
  }
  has(
    'without any phone',
    ({ profile }) => !profile.mobilePhone && !profile.phone_number && !profile.workPhone && !profile.homePhone,
  );
  has('with a phone that is no number', ({ profile }) => profile.mobilePhone === '070-12');

  it('a gift’s contract is on the giver, who has no access, and the access on the receiver, who has no contract', () => {
    const contracts = new Map(people.flatMap((one) => one.contracts.map((contract) => [contract.id, one])));
    const received = people.flatMap((receiver) =>
      receiver.entitlements.flatMap(({ origin }) => {
        const giver = origin?.type === 'PAYMENTS' ? contracts.get(origin.contractId) : undefined;
        return giver && giver.id !== receiver.id ? [{ giver, receiver }] : [];
      }),
    );
    assert.ok(received.length > 0);
    for (const { giver, receiver } of received) {
      assert.deepEqual([giver.entitlements, receiver.contracts], [[], []]);
      assert.equal(Object.values(giver.notes)[0]?.giftTo, receiver.id);
    }
  });

  it('running contracts end in the future, ended ones lie in the past, and nothing happened tomorrow', () => {
    const today = now().toISOString();
    for (const { contracts, bills } of people) {
      for (const contract of contracts) {
        assert.ok(contract.createdAt < today);
        const ahead = [contract.nextBillAt, contract.isActive ? contract.willCancelAt : undefined];
        for (const date of ahead) if (date) assert.ok(date > today, `${contract.status} ${date}`);
        assert.equal((contract.expiresAt ?? today) < today, !contract.isActive);
      }
      for (const { createdAt } of bills) assert.ok(createdAt < today);
    }
  });

  it('every paid bill has its transaction', () => {
    for (const { bills, transactions } of people) {
      const paid = bills.filter(({ status }) => status === 'PAID').map(({ id }) => id);
      assert.deepEqual(
        transactions.map(({ billId }) => billId),
        paid,
      );
    }
  });

  it('a hundred thousand are made up on demand: nothing is kept for those whom nobody asks for', async () => {
    const sandbox = await startSesamySandbox({ population: { people: 100_000 }, now });
    try {
      assert.equal(sandbox.world.size, 100_000);
      const last = [...sandbox.world.userIds(99_999)];
      assert.equal(last.length, 1);
      assert.ok(sandbox.person(last[0] ?? ''));
      assert.deepEqual(sandbox.world.snapshot().changed, []);
    } finally {
      await sandbox.close();
    }
  });

  it('stay over a restart with a data file, changes, deletions and clock included', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sandbox-sesamy-'));
    const options = { dataFile: join(folder, 'sesamy.json'), population: { people: 10 } };
    try {
      const first = await startSesamySandbox(options);
      const [changed, deleted] = first.people();
      first.updateProfile(changed?.id ?? '', { firstName: 'Ändrad' });
      first.deletePerson(deleted?.id ?? '');
      const added = first.addPerson();
      first.purchase(added.id, { productSku: first.world.products[0]?.sku ?? '' });
      first.advance({ days: 3 });
      const before = { people: first.people(), day: first.world.timestamp().slice(0, 10) };
      await first.close();

      const second = await startSesamySandbox({ ...options, population: { people: 99, seed: 5 } });
      assert.deepEqual({ people: second.people(), day: second.world.timestamp().slice(0, 10) }, before);
      assert.equal(second.world.size, 10);
      assert.notEqual(second.addPerson().id, added.id);
      await second.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
