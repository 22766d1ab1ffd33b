import assert from 'node:assert/strict';
import { eventually } from './support/eventually.js';
import { planted } from './support/markers.js';
import { addressOf } from './support/people.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

describe('operating it', function () {
  this.timeout(90_000);
  let system: System;

  beforeEach(async () => {
    system = await startSystem();
  });
  afterEach(() => system.close());

  const inRule = (id: string) => system.rule.subscriber(addressOf(id));
  const refuse = (status: number) =>
    system.rule.faults.add({
      method: 'POST',
      path: '/v2/subscribers',
      kind: 'status',
      status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ error: 'InvalidEmail', message: 'no', fields: {} }),
    });

  it('A24: retriggers the failed, counted first; a second press does no harm', async () => {
    const failing = Array.from({ length: 5 }, () => aReader(system));
    refuse(400);
    await Promise.all(failing.map((id) => system.nudge(id, 'userVendor.1#new')));
    for (const id of failing) assert.equal((await system.attempted(id)).state, 'failed');
    system.rule.faults.clear();
    const well = aReader(system);
    await system.nudge(well, 'userVendor.1#new');
    await system.attempted(well);

    const filter = { state: 'failed', failedSince: new Date(Date.now() - 60 * 60 * 1000) } as const;
    await eventually(async () => assert.equal(await system.subscribers.count(filter), 5));
    assert.equal(await system.subscribers.count({ ...filter, failedSince: new Date(Date.now() + 60_000) }), 0);
    const mark = system.rule.recorder.requests.length;
    const jobs = [await system.subscribers.resyncAll(filter), await system.subscribers.resyncAll(filter)];
    for (const job of jobs) await eventually(async () => assert.ok((await system.subscribers.batch(job)).finished));
    await eventually(async () => assert.equal(await system.subscribers.count(filter), 0));
    for (const id of failing) assert.equal((await system.attempted(id, 2)).state, 'ok');
    assert.equal(system.rule.subscribers().length, 6);
    assert.equal(
      system.ruleWrites(mark).filter((write) => write.startsWith('POST')).length,
      5,
      'each was created once',
    );
    assert.equal(system.rule.automationsStarted().length, 0);
    assert.equal((await system.status(well))?.attempts, 1, 'who was well is left alone');
  });

  it('A35: a hand edit in Rule is mended by a resync although Sesamy’s data is the same', async () => {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    system.rule.setField(addressOf(id), 'Subscriber.FirstName', 'Edited');
    system.rule.removeTag(addressOf(id), 'sesamy_active_subscriber');
    system.rule.setField(addressOf(id), 'Sesamy_Subscription.Status', 'EDITED');
    system.rule.addTag(addressOf(id), 'sesamy_active_entitlement_Premium Magazine');
    system.rule.addTag(addressOf(id), 'sesamy_vip');
    await system.nudge(id, 'userVendor.1#update');
    await system.attempted(id, 2);
    assert.equal(inRule(id)?.fields['Subscriber.FirstName']?.value, 'Edited', 'nothing new at Sesamy costs no write');
    await system.subscribers.resync(system.person(id));
    await system.attempted(id, 3);
    await system.rule.settled();
    assert.equal(inRule(id)?.fields['Subscriber.FirstName']?.value, planted.firstName);
    assert.ok(inRule(id)?.tags.includes('sesamy_active_subscriber'));
    assert.ok(
      !inRule(id)?.tags.includes('sesamy_active_entitlement_Premium Magazine'),
      'the older form of our tag leaves',
    );
    assert.ok(inRule(id)?.tags.includes('sesamy_vip'), 'a marketer’s own tag stays');
  });

  it('A35: a changed zone is written by the next resync', async () => {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    assert.equal(inRule(id)?.fields['Sesamy_User.Created']?.value, '2025-12-31');
    system.config.mapping.timeZone = 'Europe/Stockholm';
    await system.stopWorkers();
    await system.startWorkers();
    await system.subscribers.resync(system.person(id));
    await system.attempted(id, 2);
    assert.equal(inRule(id)?.fields['Sesamy_User.Created']?.value, '2026-01-01');
  });

  it('a resync lifts no suppression and no block, and starts no automation', async () => {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    system.rule.addAutomation({ name: 'Welcome', trigger: { type: 'TAG', name: 'sesamy_active_subscriber' } });
    system.rule.suppress(addressOf(id));
    system.rule.block(addressOf(id));
    const before = inRule(id);
    await system.subscribers.resync(system.person(id));
    await system.attempted(id, 2);
    system.sesamy.updateProfile(id, { firstName: 'Another' });
    await system.attempted(id, 3);
    assert.deepEqual([inRule(id)?.suppressed, inRule(id)?.blocked], [before?.suppressed, before?.blocked]);
    assert.equal(inRule(id)?.blocked, true);
    assert.equal(system.rule.automationsStarted().length, 0);
  });

  it('a live change recalculates the segments, a quiet one does not', async () => {
    system.rule.addSegment({ name: 'Subscribers', condition: { tag: 'sesamy_active_subscriber' } });
    const [live, quiet] = [aReader(system), aReader(system)];
    await system.subscribers.resync(system.person(quiet));
    await system.attempted(quiet);
    assert.deepEqual(inRule(quiet)?.segments ?? [], []);
    await system.nudge(live, 'contract.1#purchased');
    await system.attempted(live);
    await system.rule.settled();
    assert.deepEqual(inRule(live)?.segments, ['Subscribers']);
    const held = system.sesamy.person(live);
    system.sesamy.setPerson({
      ...held,
      contracts: (held?.contracts ?? []).map((contract) => ({ ...contract, status: 'EXPIRED', isActive: false })),
      entitlements: (held?.entitlements ?? []).map((entitlement) => ({ ...entitlement, hasAccess: false })),
    });
    await system.nudge(live, 'contract.1#update');
    await system.attempted(live, 2);
    await system.rule.settled();
    assert.deepEqual(
      inRule(live)?.segments,
      [],
      'also when tags are lost, whose removal is a job that Rule does later',
    );
  });

  it('the new address belongs to another subscriber: that one becomes ours, our tags leave the old one, consent stays the stricter', async () => {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    const oldId = inRule(id)?.id;
    system.rule.suppress(addressOf(id));
    const taken = `taken-${addressOf(id)}`;
    system.rule.addSubscriber({ email: taken, tags: ['Newsletter'] });
    const newId = system.rule.subscriber(taken)?.id;
    system.sesamy.changeEmail(id, taken);
    const status = await system.attempted(id, 2);
    await system.rule.settled();
    assert.equal(status.ruleId, newId);
    assert.equal(status.trail.at(-1)?.changes?.movedFrom, oldId);
    const after = system.rule.subscriber(taken);
    assert.ok(after?.tags.includes('Newsletter') && after.tags.includes('sesamy_active_subscriber'));
    assert.deepEqual(system.rule.subscriber(oldId ?? 0)?.tags, ['sesamy']);
    assert.ok(
      (after?.suppressed.length ?? 0) > 0,
      'who had unsubscribed at the old address is not mailed at the new one',
    );
  });

  it('a worker is stopped in the middle of an attempt and started again: nothing is lost', async () => {
    const readers = Array.from({ length: 30 }, () => aReader(system));
    system.sesamy.faults.add({ kind: 'latency', ms: 150, path: '/management/' });
    await Promise.all(readers.map((id) => system.nudge(id, 'userVendor.1#new')));
    await eventually(() => assert.ok(system.sesamy.recorder.requests.length > 5));
    await system.stopWorkers();
    const reached = system.rule.subscribers().length;
    assert.ok(reached < readers.length, `${reached} were through already`);
    system.sesamy.faults.clear();
    await system.startWorkers();
    await eventually(() => assert.equal(system.rule.subscribers().length, readers.length), { timeoutMs: 60_000 });
  });

  it('people are found by state and stage, and the run says in words what is going on', async () => {
    const id = aReader(system);
    const guest = aReader(system, { profile: { emailVerified: false } });
    await Promise.all([id, guest].map((user) => system.nudge(user, 'userVendor.1#new')));
    await Promise.all([id, guest].map((user) => system.attempted(user)));
    const found = async (filter: Parameters<typeof system.subscribers.list>[0]) => {
      const ids: string[] = [];
      for await (const { userId } of system.subscribers.list(filter)) ids.push(userId);
      return ids;
    };
    await eventually(async () => assert.deepEqual(await found({ state: 'ok', stage: 'active' }), [id]));
    await eventually(async () => assert.deepEqual(await found({ vendorId: 'daily', state: 'skipped' }), [guest]));
    assert.deepEqual(await found({ vendorId: 'weekly' }), []);
    const description = await system.client.workflow.getHandle(`subscriber/daily/${id}`).describe();
    assert.equal(await description.staticSummary(), `daily / ${id}`);
    const status = await system.status(id);
    assert.equal(status?.next?.why, 'regular recheck');
  });
});
