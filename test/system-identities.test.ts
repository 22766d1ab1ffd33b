import assert from 'node:assert/strict';
import { startRuleSandbox } from '../sandbox/rule/index.js';
import { eventually } from './support/eventually.js';
import { plantedKeys } from './support/markers.js';
import { aContract, addressOf, anEntitlement, aProfile, nextId } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

describe('whose a subscriber is', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem({ timings: { missingRowsMs: 1_500, missingUserMs: 1_500 } });
  });
  after(() => system.close());

  const idField = 'Sesamy_User.ID';
  const at = (address: string) => system.rule.subscriber(address);
  const ownerAt = (address: string) => at(address)?.fields[idField]?.value;
  /** What Rule holds, but for the time of the last change. */
  const content = (address: string) => {
    const held = at(address);
    assert.ok(held, `${address} is in Rule`);
    return { id: held.id, email: held.email, fields: held.fields, tags: [...held.tags].sort() };
  };
  const tagOf = (name: string) => `sesamy_tag_${name}`;

  /** A reader with a tag of their own, whom Rule has. */
  async function known(tag: string): Promise<string> {
    const id = aReader(system, { profile: { tags: [tag] } });
    await system.subscribers.resync(system.person(id));
    await system.attempted(id);
    return id;
  }

  /** As Sesamy tells from now on; its webhook comes when the test says. */
  function moves(id: string, tag: string, email: string): void {
    system.sesamy.setPerson({ ...system.sesamy.person(id), profile: aProfile(id, { tags: [tag], email }) });
  }

  it('a chain of moves, the second synced first: waits for the first, and both keep their subscriber', async () => {
    const [a, b] = [await known('first'), await known('second')];
    const [idA, idB] = [at(addressOf(a))?.id, at(addressOf(b))?.id];
    const third = `third-${addressOf(b)}`;
    moves(b, 'second', third);
    moves(a, 'first', addressOf(b));
    await system.nudge(a, 'userVendor.1#update');
    const waiting = await system.attempted(a, 2);
    assert.ok(waiting.trail.some(({ verdict, reason }) => verdict === 'skipped' && reason === 'shared-address'));
    await system.nudge(b, 'userVendor.1#update');
    await system.attempted(b, 2);
    await eventually(() => assert.equal(ownerAt(addressOf(b)), a), { timeoutMs: 10_000 });
    await system.attempted(a, 3);
    await system.rule.settled();
    assert.deepEqual([at(addressOf(b))?.id, at(third)?.id, ownerAt(third)], [idA, idB, b]);
    for (const [address, own, others] of [
      [addressOf(b), 'first', 'second'],
      [third, 'second', 'first'],
    ] as const) {
      const { tags } = content(address);
      assert.deepEqual([tags.includes(tagOf(own)), tags.includes(tagOf(others))], [true, false]);
      assert.ok(tags.includes('sesamy_active_subscriber'));
    }
    assert.equal((await system.status(a))?.state, 'ok');
  });

  it('accounts are merged: when the old user id is gone, the subscriber keeps what the new one has', async () => {
    const old = await known('merged');
    const address = addressOf(old);
    const ruleId = at(address)?.id;
    const merged = nextId();
    system.sesamy.deletePerson(old);
    system.sesamy.setPerson({
      profile: aProfile(merged, { email: address, tags: ['merged'] }),
      contracts: [aContract(merged, contractOf(old))],
      entitlements: [anEntitlement(`e-${old.slice(-6)}`, contractOf(old))],
    });
    await system.nudge(merged, 'userVendor.1#new');
    // Sesamy does not show the old one any more: believed at a second look.
    await eventually(async () => assert.equal((await system.status(merged))?.state, 'ok'), { timeoutMs: 15_000 });
    await system.attempted(merged);
    const before = content(address);
    assert.equal(before.id, ruleId);
    await system.nudge(old, 'userVendor.1#update');
    const handle = system.client.workflow.getHandle(`subscriber/${system.vendorId}/${old}`);
    assert.deepEqual(await handle.result(), { because: 'gone-from-sesamy' });
    await system.rule.settled();
    assert.deepEqual(content(address), before);
    assert.equal(ownerAt(address), merged);
    assert.ok(before.tags.includes('sesamy_active_subscriber') && before.tags.includes(tagOf('merged')));
  });

  it('two readers swap their addresses: each has the subscriber of their new address, with their own tags', async () => {
    const [a, b] = [await known('swapper'), await known('swapped')];
    const [idA, idB] = [at(addressOf(a))?.id, at(addressOf(b))?.id];
    moves(a, 'swapper', addressOf(b));
    moves(b, 'swapped', addressOf(a));
    await system.nudge(a, 'userVendor.1#update');
    await system.nudge(b, 'userVendor.1#update');
    await eventually(
      async () => {
        assert.deepEqual([ownerAt(addressOf(a)), ownerAt(addressOf(b))], [b, a]);
        const states = await Promise.all([a, b].map(async (id) => (await system.status(id))?.state));
        assert.deepEqual(states, ['ok', 'ok']);
        for (const [address, own, others] of [
          [addressOf(a), 'swapped', 'swapper'],
          [addressOf(b), 'swapper', 'swapped'],
        ] as const) {
          const { tags } = content(address);
          assert.deepEqual([tags.includes(tagOf(own)), tags.includes(tagOf(others))], [true, false]);
          assert.ok(tags.includes('sesamy_active_subscriber'));
        }
      },
      { timeoutMs: 20_000, what: 'the exchange' },
    );
    assert.deepEqual([at(addressOf(a))?.id, at(addressOf(b))?.id], [idA, idB], 'nobody was deleted or doubled');
    const [statusA, statusB] = [await system.status(a), await system.status(b)];
    assert.deepEqual([statusA?.ruleId, statusB?.ruleId], [idB, idA]);
  });

  /** A user id without any contract that has the address of somebody else. */
  function withoutContract(address: string, profile: Record<string, unknown> = {}): string {
    const id = nextId();
    system.sesamy.setPerson({ profile: aProfile(id, { email: address, ...profile }), contracts: [], entitlements: [] });
    return id;
  }

  const reasonOf = async (id: string) => (await system.status(id))?.reason;

  it('A34: a second user id without a subscription takes nothing from the one who has: skipped/shared-address', async () => {
    const owner = await known('payer');
    const before = content(addressOf(owner));
    const second = withoutContract(addressOf(owner).toUpperCase(), { createdAt: '2026-11-01T00:00:00Z' });
    await system.nudge(second, 'userVendor.1#new');
    await system.attempted(second);
    await system.subscribers.resync(system.person(second));
    await system.attempted(second, 2);
    await system.subscribers.resync(system.person(owner));
    await system.attempted(owner, 2);
    await system.rule.settled();
    assert.equal(await reasonOf(second), 'shared-address');
    assert.deepEqual(content(addressOf(owner)), before);
  });

  it('A34: who moves to an address whose owner subscribes is skipped: theirs is not touched, our status tags leave the one left behind', async () => {
    const owner = await known('theirs');
    const id = aReader(system, { profile: { tags: ['mine'] }, contract: { status: 'EXPIRED', isActive: false } });
    await system.subscribers.resync(system.person(id));
    await system.attempted(id);
    const before = [content(addressOf(id)), content(addressOf(owner))];
    const starts = system.starts(id).length;
    moves(id, 'mine', addressOf(owner));
    await system.nudge(id, 'userVendor.1#update');
    await system.attempted(id, 3);
    await system.subscribers.resync(system.person(id));
    await system.attempted(id, 4);
    await system.rule.settled();
    const status = await system.status(id);
    assert.deepEqual([status?.state, status?.reason], ['skipped', 'shared-address']);
    const left = { ...before[0], tags: ['sesamy'] };
    assert.deepEqual([content(addressOf(id)), content(addressOf(owner))], [left, before[1]]);

    moves(id, 'mine', addressOf(id));
    await system.nudge(id, 'userVendor.1#update');
    await system.attempted(id, 5);
    await system.rule.settled();
    assert.deepEqual(content(addressOf(id)), before[0], 'the tags come back with the reader');
    assert.equal(system.starts(id).length, starts, 'silently');
  });

  it('A34: the subscriber goes to whoever subscribes, and back when only the other one does; the two do not fight', async () => {
    const first = withoutContract(addressOf(nextId()), { tags: ['first-id'] });
    const address = String(system.sesamy.person(first)?.profile.email);
    await system.nudge(first, 'userVendor.1#new');
    await system.attempted(first);
    const ruleId = at(address)?.id;
    const second = aReader(system, { profile: { email: address, tags: ['second-id'] } });
    await system.nudge(second, 'contract.1#purchased');
    await eventually(async () => {
      assert.deepEqual([ownerAt(address), await reasonOf(first)], [second, 'shared-address']);
      assert.ok(
        content(address).tags.includes(tagOf('second-id')) && !content(address).tags.includes(tagOf('first-id')),
      );
    });
    assert.equal(at(address)?.id, ruleId);
    const attempts = async () => [(await system.status(first))?.attempts, (await system.status(second))?.attempts];
    const calm = await attempts();

    const person = system.sesamy.person(second);
    const lapsed = { status: 'EXPIRED', isActive: false, expiresAt: '2026-11-01T00:00:00Z' };
    system.sesamy.setPerson({
      ...person,
      contracts: [aContract(second, contractOf(second), lapsed)],
      entitlements: [anEntitlement('e-lapsed', contractOf(second), { hasAccess: false })],
    });
    system.sesamy.setPerson({
      ...system.sesamy.person(first),
      profile: aProfile(first, { email: address, tags: ['first-id'] }),
      contracts: [aContract(first, 'c-first')],
      entitlements: [anEntitlement('e-first', 'c-first')],
    });
    await system.nudge(second, 'contract.1#update');
    await system.nudge(first, 'contract.1#purchased');
    await eventually(async () => {
      assert.deepEqual([ownerAt(address), await reasonOf(second)], [first, 'shared-address']);
      assert.ok(
        content(address).tags.includes(tagOf('first-id')) && !content(address).tags.includes(tagOf('second-id')),
      );
    });
    const now = await attempts();
    assert.ok((now[0] ?? 0) - (calm[0] ?? 0) <= 2 && (now[1] ?? 0) - (calm[1] ?? 0) <= 3, `${calm} ${now}`);
  });

  it('A16: erased: gone from Rule with all they had; later events and the same address under another id bring nobody back', async () => {
    const id = await known('erased');
    const moved = `taken-${addressOf(id)}`;
    system.rule.addSubscriber({ email: moved });
    moves(id, 'erased', moved);
    await system.nudge(id, 'userVendor.1#update');
    await system.attempted(id, 2);
    assert.ok(at(addressOf(id)) && at(moved), 'a former subscriber and the present one');
    const erasure = await system.subscribers.erase(system.person(id));
    assert.ok(erasure.erasedAt);
    assert.equal(erasure.deleted.length, 2);
    assert.deepEqual([at(addressOf(id)), at(moved)], [undefined, undefined]);

    await system.nudge(id, 'contract.1#purchased');
    await system.subscribers.resync(system.person(id));
    const again = aReader(system, { profile: { email: moved.toUpperCase() } });
    await system.nudge(again, 'contract.1#purchased');
    await system.attempted(again);
    await system.subscribers.sync(system.person(again), { force: true, recreate: true });
    const former = aReader(system, { profile: { email: addressOf(id) } });
    await system.nudge(former, 'contract.1#purchased');
    await system.attempted(former);
    assert.deepEqual([await reasonOf(again), await reasonOf(former)], ['erased-address', 'erased-address']);
    assert.deepEqual([at(addressOf(id)), at(moved)], [undefined, undefined]);
    assert.equal((await system.status(id))?.state, 'erased');
    assert.equal(await system.subscribers.count({ query: "SyncState = 'erased'" }), 1);
  });

  it('A16: a subscriber that is another Sesamy user’s by now is left alone and named', async () => {
    const owner = await known('owner');
    const id = await known('erased-too');
    const ruleId = at(addressOf(id))?.id;
    system.rule.setField(addressOf(id), idField, owner);
    const erasure = await system.subscribers.erase(system.person(id));
    assert.deepEqual([erasure.deleted, erasure.leftAlone, erasure.sharedWith], [[], [ruleId], [owner]]);
    // Typed by hand: nobody's at Sesamy, so theirs; asked again, they are looked for anew.
    system.rule.setField(addressOf(id), idField, 'email|000000000000000000000bad');
    assert.deepEqual((await system.subscribers.erase(system.person(id))).deleted, [ruleId]);
    assert.equal(at(addressOf(id)), undefined);
  });

  it('who was deleted in Rule by hand, and then loses a subscription, is deleted-in-rule, not failed', async () => {
    const id = await known('by-hand');
    system.rule.deleteSubscriber(addressOf(id));
    system.sesamy.setPerson({
      ...system.sesamy.person(id),
      contracts: [
        aContract(id, contractOf(id), { status: 'EXPIRED', isActive: false, expiresAt: '2026-11-01T00:00:00Z' }),
      ],
      entitlements: [anEntitlement(`e-${id.slice(-6)}`, contractOf(id), { hasAccess: false })],
    });
    await system.nudge(id, 'contract.1#update');
    await eventually(async () => assert.equal(await reasonOf(id), 'deleted-in-rule'), { timeoutMs: 15_000 });
    assert.equal(at(addressOf(id)), undefined);
  });

  it('one bad answer of Sesamy about another reader hands nobody’s subscriber over', async () => {
    const owner = await known('flaky');
    const before = content(addressOf(owner));
    const second = withoutContract(addressOf(owner), { createdAt: '2026-11-20T00:00:00Z' });
    const fault = system.sesamy.faults.add({ kind: 'status', status: 404, path: encodeURIComponent(owner) });
    await system.nudge(second, 'userVendor.1#new');
    await system.attempted(second);
    system.sesamy.faults.remove(fault);
    await eventually(async () => assert.ok(((await system.status(second))?.attempts ?? 0) >= 2), { timeoutMs: 15_000 });
    await system.attempted(second, 2);
    assert.deepEqual([await reasonOf(second), content(addressOf(owner))], ['shared-address', before]);
  });

  it('A16: somebody nobody has told of is erased too, by the address that Sesamy shows', async () => {
    const id = aReader(system);
    const { id: ruleId } = system.rule.addSubscriber({ email: addressOf(id) });
    assert.deepEqual((await system.subscribers.erase(system.person(id))).deleted, [ruleId]);
    assert.equal(at(addressOf(id)), undefined);
  });

  it('a suppression for e-mail goes along to a subscriber who is suppressed on another channel only', async () => {
    const id = await known('quiet');
    const taken = `suppressed-${addressOf(id)}`;
    system.rule.suppress(addressOf(id), 'campaign/email');
    system.rule.addSubscriber({ email: taken, suppressed: ['campaign/text_message'] });
    system.sesamy.changeEmail(id, taken);
    const status = await system.attempted(id, 2);
    await system.rule.settled();
    assert.equal(status.ruleId, at(taken)?.id);
    const suppressed = at(taken)?.suppressed ?? [];
    assert.ok(suppressed.includes('campaign/email'), suppressed.join(', '));
    assert.ok(suppressed.includes('campaign/text_message'), suppressed.join(', '));
  });
});

describe('the key of another Rule account', function () {
  this.timeout(60_000);

  it('makes nobody deleted in Rule: retrying as rule/wrong-account, and in step with the right key', async () => {
    const system = await startSystem({ timings: { missingRowsMs: 1_500 } });
    const other = await startRuleSandbox({ apiKey: plantedKeys.ruleKey });
    const right = system.config.rule;
    try {
      const id = aReader(system);
      await system.nudge(id, 'userVendor.1#new');
      await system.attempted(id);
      await system.stopWorkers();
      system.config.rule = { ...right, apiUrl: other.url };
      await system.startWorkers();
      system.sesamy.setPerson({ ...system.sesamy.person(id), profile: aProfile(id, { firstName: 'Changed' }) });
      await system.nudge(id, 'userVendor.1#update');
      assert.equal((await system.attempted(id, 2)).reason, 'missing-in-rule');
      await eventually(async () => assert.equal((await system.status(id))?.failure?.type, 'rule/wrong-account'), {
        timeoutMs: 15_000,
      });
      assert.equal((await system.status(id))?.state, 'retrying');
      assert.deepEqual(other.subscribers(), []);

      await system.stopWorkers();
      system.config.rule = right;
      await system.startWorkers();
      assert.equal((await system.subscribers.sync(system.person(id))).verdict, 'updated');
      assert.equal(system.rule.subscriber(addressOf(id))?.fields['Subscriber.FirstName']?.value, 'Changed');
    } finally {
      await system.close();
      await other.close();
    }
  });
});
