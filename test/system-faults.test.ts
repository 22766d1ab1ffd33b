import assert from 'node:assert/strict';
import { DateTime } from 'luxon';
import { eventually } from './support/eventually.js';
import { planted, plantedKeys } from './support/markers.js';
import { addressOf, aProfile } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

/** Asks for an attempt and answers how it ended: what a person at the CLI would see. */
async function attempt(system: System, id: string) {
  return system.subscribers.sync(system.person(id));
}

describe('when a vendor misbehaves', function () {
  this.timeout(90_000);
  let system: System;

  before(async () => {
    system = await startSystem();
  });
  after(() => system.close());
  afterEach(() => {
    system.rule.faults.clear();
    system.sesamy.faults.clear();
  });

  const inRule = (id: string) => system.rule.subscriber(addressOf(id));

  for (const { name, fault, type } of [
    { name: '503', fault: { kind: 'status', status: 503 }, type: 'sesamy/unavailable' },
    { name: 'an HTML page', fault: { kind: 'html' }, type: 'sesamy/not-json' },
    { name: 'a body cut off', fault: { kind: 'cut-body' }, type: 'sesamy/not-json' },
    { name: 'a hang-up', fault: { kind: 'hang-up' }, type: 'sesamy/unavailable' },
    { name: 'another shape', fault: { kind: 'wrong-shape' }, type: 'sesamy/wrong-shape' },
  ] as const) {
    it(`Sesamy answers with ${name}: retrying as ${type}, nothing written, in step afterwards`, async () => {
      const id = aReader(system);
      const mark = system.rule.recorder.requests.length;
      system.sesamy.faults.add({ ...fault, path: '/management/contracts' });
      const entry = await attempt(system, id);
      assert.equal(entry.failure?.type, type);
      assert.equal(entry.failure?.path, '/management/contracts');
      assert.deepEqual(system.ruleWrites(mark), []);
      assert.equal((await system.status(id))?.state, 'retrying');
      system.sesamy.faults.clear();
      assert.equal((await attempt(system, id)).verdict, 'created');
      assert.ok(inRule(id));
    });
  }

  for (const { name, fault, type } of [
    { name: '503', fault: { kind: 'status', status: 503 }, type: 'rule/unavailable' },
    { name: 'an HTML page', fault: { kind: 'html' }, type: 'rule/not-json' },
    { name: 'a body cut off', fault: { kind: 'cut-body' }, type: 'rule/not-json' },
    { name: 'another shape', fault: { kind: 'wrong-shape' }, type: 'rule/wrong-shape' },
  ] as const) {
    it(`Rule answers with ${name}: retrying as ${type}, in step afterwards`, async () => {
      const id = aReader(system);
      system.rule.faults.add({ ...fault, method: 'POST', path: '/v2/subscribers' });
      assert.equal((await attempt(system, id)).failure?.type, type);
      system.rule.faults.clear();
      assert.equal((await attempt(system, id)).verdict, 'created');
      assert.ok(inRule(id));
    });
  }

  it('Rule’s answer is lost after the write took effect: one subscriber, in step', async () => {
    const id = aReader(system);
    system.rule.faults.add({ kind: 'hang-up', when: 'after', method: 'POST', path: '/v2/subscribers', times: 1 });
    await attempt(system, id);
    assert.equal((await attempt(system, id)).failure, undefined);
    assert.equal(system.rule.subscribers().filter(({ email }) => email === addressOf(id)).length, 1);
  });

  it('Rule refuses two fields, one after the other: only those are left out, and reported', async () => {
    const id = aReader(system);
    system.rule.faults.add({
      method: 'POST',
      path: '/v2/subscribers',
      kind: 'status',
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        error: 'InvalidField',
        message: `no ${planted.street}`,
        fields: { 'Sesamy_BillingAddress.Street': 'invalid' },
      }),
      times: 1,
    });
    system.rule.faults.add({
      method: 'POST',
      path: '/v2/subscribers',
      kind: 'status',
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ error: 'InvalidField', message: 'no', fields: { 'Subscriber.Phone': 'invalid' } }),
      times: 1,
    });
    const entry = await attempt(system, id);
    assert.equal(entry.verdict, 'created');
    assert.deepEqual(entry.problems, [
      { field: 'Sesamy_BillingAddress.Street', code: 'refused-by-rule' },
      { field: 'Subscriber.Phone', code: 'refused-by-rule' },
    ]);
    assert.equal(inRule(id)?.fields['Sesamy_BillingAddress.Street'], undefined);
    assert.equal(inRule(id)?.fields['Sesamy_BillingAddress.City']?.value, planted.city);
  });

  it('Rule refuses the person: failed with the status, found by search attribute, alone', async () => {
    const [poisoned, well] = [aReader(system), aReader(system)];
    await system.nudge(well, 'userVendor.1#new');
    await system.attempted(well);
    system.rule.faults.add({
      method: 'POST',
      path: '/v2/subscribers',
      kind: 'status',
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        error: 'InvalidEmail',
        message: `${addressOf(poisoned)} is bad`,
        fields: { 'subscribers.email': 'bad' },
      }),
    });
    await system.nudge(poisoned, 'userVendor.1#new');
    const status = await system.attempted(poisoned);
    assert.deepEqual([status.state, status.failure?.type, status.failure?.status], ['failed', 'rule/invalid', 400]);
    await eventually(async () => {
      const found: string[] = [];
      for await (const { userId } of system.subscribers.list({ state: 'failed', failureType: 'rule/invalid' }))
        found.push(userId);
      assert.deepEqual(found, [poisoned]);
    });
  });

  it('somebody deleted the person in Rule: believed at a second look, then left alone, written again only when asked', async () => {
    const patient = await startSystem({ timings: { missingRowsMs: 1_500 } });
    try {
      const held = (id: string) => patient.rule.subscriber(addressOf(id));
      const id = aReader(patient);
      await attempt(patient, id);
      patient.rule.deleteSubscriber(addressOf(id));
      patient.sesamy.setPerson({ ...patient.sesamy.person(id), profile: aProfile(id, { firstName: 'Changed' }) });
      await patient.nudge(id, 'userVendor.1#update');
      assert.equal((await patient.attempted(id, 2)).reason, 'missing-in-rule');
      await eventually(async () => assert.equal((await patient.status(id))?.reason, 'deleted-in-rule'));
      assert.equal((await patient.status(id))?.state, 'skipped');
      await patient.subscribers.resync(patient.person(id));
      await patient.attempted(id, 4);
      assert.equal(held(id), undefined);
      // Without force and although nothing has changed since.
      const entry = await patient.subscribers.sync(patient.person(id), { recreate: true });
      assert.equal(entry.verdict, 'created');
      assert.equal(held(id)?.fields['Subscriber.FirstName']?.value, 'Changed');
    } finally {
      await patient.close();
    }
  });

  it('a stray 404 of Rule makes nobody "deleted in Rule"', async () => {
    const id = aReader(system);
    await attempt(system, id);
    system.rule.faults.add({
      kind: 'status',
      status: 404,
      path: '/subscribers',
      body: JSON.stringify({ error: 'NotFound' }),
    });
    system.sesamy.setPerson({ ...system.sesamy.person(id), profile: aProfile(id, { firstName: 'Meanwhile' }) });
    assert.equal((await attempt(system, id)).verdict, 'waiting');
    system.rule.faults.clear();
    await attempt(system, id);
    assert.equal(inRule(id)?.fields['Subscriber.FirstName']?.value, 'Meanwhile');
  });

  it('an attempt breaks off between its writes and Sesamy goes back: Rule goes back too', async () => {
    const id = aReader(system);
    await attempt(system, id);
    const before = inRule(id);
    system.rule.faults.add({ kind: 'status', status: 503, path: '/v3/' });
    const held = system.sesamy.person(id);
    const moved = `moved-${addressOf(id)}`;
    system.sesamy.setPerson({
      profile: aProfile(id, { firstName: 'Wrong', email: moved }),
      contracts: (held?.contracts ?? []).map((contract) => ({ ...contract, status: 'OVERDUE' })),
    });
    assert.equal((await attempt(system, id)).failure?.wrote, true);
    assert.equal(system.rule.subscriber(moved)?.id, before?.id, 'half of it is written');
    system.rule.faults.clear();
    system.sesamy.setPerson({ ...held });
    await attempt(system, id);
    assert.deepEqual(
      [inRule(id)?.id, inRule(id)?.fields, inRule(id)?.tags],
      [before?.id, before?.fields, before?.tags],
    );
  });

  it('Rule calls a subscriber’s own address taken: nothing is moved and no tag is lost', async () => {
    const id = aReader(system);
    await attempt(system, id);
    const ruleId = inRule(id)?.id;
    const next = `own-${addressOf(id)}`;
    system.sesamy.setPerson({ ...system.sesamy.person(id), profile: aProfile(id, { email: next }) });
    system.rule.faults.add({
      method: 'PUT',
      path: `/v2/subscribers/${ruleId}`,
      kind: 'status',
      status: 409,
      when: 'after',
      times: 1,
      body: JSON.stringify({ error: 'Conflict', message: 'taken' }),
    });
    const entry = await attempt(system, id);
    assert.equal(entry.changes?.movedFrom, undefined);
    await system.rule.settled();
    assert.equal(system.rule.subscriber(next)?.id, ruleId);
    assert.ok(system.rule.subscriber(next)?.tags.includes('sesamy_active_subscriber'));
  });

  it('Rule is slow to remove a tag that is gained again meanwhile: a later look puts it back', async () => {
    const slow = await startSystem({ rule: { switches: { jobDelayMs: 3_000 } } });
    try {
      const id = aReader(slow);
      await attempt(slow, id);
      const held = slow.sesamy.person(id);
      slow.sesamy.setPerson({
        ...held,
        contracts: (held?.contracts ?? []).map((contract) => ({ ...contract, status: 'EXPIRED', isActive: false })),
      });
      await attempt(slow, id);
      slow.sesamy.setPerson({ ...held });
      await attempt(slow, id);
      await slow.rule.settled();
      await attempt(slow, id);
      await slow.rule.settled();
      assert.ok(slow.rule.subscriber(addressOf(id))?.tags.includes('sesamy_active_subscriber'));
    } finally {
      await slow.close();
    }
  });

  it('A22, A33: Rule blocks the account: its Retry-After is honoured, no call to either vendor meanwhile, syncNow still answers', async () => {
    const blocked = await startSystem();
    try {
      const readers = Array.from({ length: 12 }, () => aReader(blocked));
      const until = DateTime.now().plus({ hours: 2 });
      blocked.rule.blockAccount({ seconds: 2 * 60 * 60, why: 'count' });
      await Promise.all(readers.map((id) => blocked.nudge(id, 'userVendor.1#new')));
      await Promise.all(readers.map((id) => blocked.attempted(id)));
      const asked = blocked.rule.recorder.requests.length;
      assert.ok(asked <= 4, `${asked} requests ran into the block before it was known`);
      for (const id of readers) {
        const status = await blocked.status(id);
        assert.equal(status?.state, 'retrying');
        const next = DateTime.fromISO(status?.next?.at ?? '');
        assert.ok(
          next >= until.minus({ seconds: 5 }) && next <= until.plus({ minutes: 10 }),
          `${next.toISO()} for ${until.toISO()}`,
        );
      }
      const sesamy = blocked.sesamy.recorder.requests.length;
      await Promise.all(readers.flatMap((id) => [1, 2, 3].map(() => blocked.nudge(id, 'userVendor.1#update'))));
      const entry = await attempt(blocked, readers[0] ?? '');
      assert.equal(entry.failure?.type, 'rule/blocked');
      assert.equal(blocked.rule.recorder.requests.length, asked, 'nothing was sent to Rule during its block');
      assert.equal(blocked.sesamy.recorder.requests.length, sesamy, 'nor to Sesamy, for nothing');
      await eventually(async () =>
        assert.equal(await blocked.subscribers.count({ state: 'retrying' }), readers.length),
      );
    } finally {
      await blocked.close();
    }
  });

  it('A32: Sesamy answers with empty lists: no tag leaves, no field is emptied; a second look believes it', async () => {
    const patient = await startSystem({ timings: { missingRowsMs: 4_000 } });
    try {
      const id = aReader(patient);
      await patient.nudge(id, 'userVendor.1#new');
      await patient.attempted(id);
      const tags = patient.rule.subscriber(addressOf(id))?.tags;
      patient.sesamy.switches.emptyLists = true;
      await patient.nudge(id, 'contract.1#update');
      const waiting = await patient.attempted(id, 2);
      assert.equal(waiting.reason, 'missing-rows');
      await patient.subscribers.sync(patient.person(id), { force: true });
      assert.deepEqual(patient.rule.subscriber(addressOf(id))?.tags, tags);
      patient.sesamy.switches.emptyLists = false;
      assert.equal((await attempt(patient, id)).verdict, 'unchanged');

      patient.sesamy.switches.emptyLists = true;
      await patient.nudge(id, 'contract.1#update', { occured_at: '2026-11-09T00:00:00Z' });
      await eventually(
        () => assert.ok(!patient.rule.subscriber(addressOf(id))?.tags.includes('sesamy_active_subscriber')),
        { timeoutMs: 20_000 },
      );
      assert.ok(patient.rule.subscriber(addressOf(id))?.tags.includes('sesamy'));
    } finally {
      await patient.close();
    }
  });

  it('a person gone from Sesamy is looked at twice; then our status tags leave and the subscriber stays', async () => {
    const patient = await startSystem({ timings: { missingUserMs: 3_000 } });
    try {
      const id = aReader(patient);
      await patient.nudge(id, 'userVendor.1#new');
      await patient.attempted(id);
      patient.rule.addTag(addressOf(id), 'Newsletter');
      patient.sesamy.deletePerson(id);
      await patient.nudge(id, 'userVendor.1#update');
      assert.equal((await patient.attempted(id, 2)).reason, 'missing-user');
      assert.ok(patient.rule.subscriber(addressOf(id))?.tags.includes('sesamy_active_subscriber'));
      const end = await patient.client.workflow.getHandle(`subscriber/${patient.vendorId}/${id}`).result();
      assert.deepEqual(end, { because: 'gone-from-sesamy' });
      await patient.rule.settled();
      assert.deepEqual([...(patient.rule.subscriber(addressOf(id))?.tags ?? [])].sort(), ['Newsletter', 'sesamy']);
      assert.equal(patient.rule.subscriber(addressOf(id))?.fields['Subscriber.FirstName']?.value, planted.firstName);
    } finally {
      await patient.close();
    }
  });

  it('Sesamy’s API lags its webhook: the change arrives by an extra look', async () => {
    const patient = await startSystem({ timings: { extraLooksMs: [1_500, 4_000] } });
    try {
      const id = aReader(patient);
      await patient.nudge(id, 'userVendor.1#new');
      await patient.attempted(id);
      await patient.nudge(id, 'userVendor.1#update');
      await patient.attempted(id, 2);
      patient.sesamy.setPerson({ ...patient.sesamy.person(id), profile: aProfile(id, { firstName: 'Late' }) });
      await eventually(
        () => assert.equal(patient.rule.subscriber(addressOf(id))?.fields['Subscriber.FirstName']?.value, 'Late'),
        {
          timeoutMs: 20_000,
        },
      );
    } finally {
      await patient.close();
    }
  });

  it('a missed webhook is found by the recheck', async () => {
    const patient = await startSystem({ timings: { recheckMs: 2_000, extraLooksMs: [] } });
    try {
      const id = aReader(patient);
      await patient.nudge(id, 'userVendor.1#new');
      await patient.attempted(id);
      patient.sesamy.setPerson({ ...patient.sesamy.person(id), profile: aProfile(id, { firstName: 'Unannounced' }) });
      await eventually(
        () =>
          assert.equal(patient.rule.subscriber(addressOf(id))?.fields['Subscriber.FirstName']?.value, 'Unannounced'),
        { timeoutMs: 20_000 },
      );
    } finally {
      await patient.close();
    }
  });
});

describe('when a key is wrong', function () {
  this.timeout(60_000);

  it('a wrong Sesamy secret: retrying as sesamy/bad-credentials, nothing written, no secret told', async () => {
    const system = await startSystem({ env: { SESAMY_CLIENT_SECRET: `${plantedKeys.clientSecret}-wrong` } });
    try {
      const id = aReader(system);
      const entry = await attempt(system, id);
      assert.deepEqual(
        [entry.failure?.type, entry.failure?.next, entry.failure?.status],
        ['sesamy/bad-credentials', 'fix-key', 403],
      );
      assert.equal((await system.status(id))?.state, 'retrying');
      assert.deepEqual(system.rule.subscribers(), []);
    } finally {
      await system.close();
    }
  });

  it('a revoked Rule key: everybody retrying, nobody failed, few calls; in step when the key works again', async () => {
    const system = await startSystem();
    try {
      const readers = Array.from({ length: 8 }, () => aReader(system));
      system.rule.revokeKey();
      await Promise.all(readers.map((id) => system.nudge(id, 'userVendor.1#new')));
      for (const id of readers) assert.equal((await system.attempted(id)).state, 'retrying');
      await eventually(async () => assert.equal(await system.subscribers.count({ state: 'retrying' }), readers.length));
      assert.equal(await system.subscribers.count({ state: 'failed' }), 0);
      assert.ok(
        system.rule.recorder.requests.length <= 4,
        `${system.rule.recorder.requests.length} calls with a dead key`,
      );
      // A new key comes with a restart of the worker.
      system.rule.setApiKey(plantedKeys.ruleKey);
      await system.stopWorkers();
      await system.startWorkers();
      await system.subscribers.resyncAll({ state: 'retrying' });
      await eventually(() => assert.equal(system.rule.subscribers().length, readers.length), { timeoutMs: 20_000 });
    } finally {
      await system.close();
    }
  });
});

describe('the forms of Sesamy’s answers', function () {
  this.timeout(60_000);

  for (const envelope of ['array', 'data', 'resource'] as const) {
    it(`lists in the envelope "${envelope}", more than a page of them`, async () => {
      const system = await startSystem();
      try {
        system.sesamy.switches.envelope = envelope;
        const id = aReader(system);
        const held = system.sesamy.person(id);
        const [entitlement] = held?.entitlements ?? [];
        system.sesamy.setPerson({
          ...held,
          entitlements: Array.from({ length: 120 }, (_, index) => ({
            ...entitlement,
            id: `e-${index}`,
            sku: `sid:${index}`,
            title: `Title ${index}`,
          })),
        });
        await system.nudge(id, 'userVendor.1#new');
        const status = await system.attempted(id);
        assert.equal(status.tags.filter((tag) => tag.startsWith('sesamy_active_entitlement_')).length, 120);
      } finally {
        await system.close();
      }
    });
  }

  for (const profile of [true, false]) {
    it(`a five-field user, with the profile ${profile ? 'served' : 'refused'}`, async () => {
      const system = await startSystem();
      try {
        system.sesamy.switches.userAnswer = 'five-fields';
        system.sesamy.switches.profile = profile ? 'serve' : 'refuse';
        const id = aReader(system);
        await system.nudge(id, 'userVendor.1#new');
        assert.equal((await system.attempted(id)).state, 'ok');
        const fields = system.rule.subscriber(addressOf(id))?.fields ?? {};
        assert.equal(fields['Subscriber.FirstName']?.value, profile ? planted.firstName : undefined);
        assert.equal(fields['Sesamy_Subscription.Status']?.value, 'ACTIVE');
      } finally {
        await system.close();
      }
    });
  }

  it('the entitlement filter is ignored: nothing is written for anybody', async () => {
    const system = await startSystem();
    try {
      system.sesamy.switches.entitlementFilter = 'ignored';
      const [id] = [aReader(system), aReader(system)];
      assert.equal((await attempt(system, id)).failure?.type, 'sesamy/filter-ignored');
      assert.deepEqual(system.rule.subscribers(), []);
      assert.ok(contractOf(id));
    } finally {
      await system.close();
    }
  });
});
