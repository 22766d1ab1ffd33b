/** What Rule holds is read back, compared with Sesamy, and mended: ours only, quietly. */
import assert from 'node:assert/strict';
import type { AuditFinding, AuditProgress, AuditRequest } from '../src/client.js';
import { eventually } from './support/eventually.js';
import { planted } from './support/markers.js';
import { addressOf } from './support/people.js';
import { aReader } from './support/readers.js';
import { type System, type SystemOptions, startSystem } from './support/system.js';

describe('the audit', function () {
  this.timeout(90_000);
  let system: System;

  const start = async (options: SystemOptions = {}) => {
    system = await startSystem(options);
  };
  afterEach(() => system.close());

  const inRule = (id: string) => system.rule.subscriber(addressOf(id));

  async function written(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => aReader(system));
    await Promise.all(ids.map((id) => system.subscribers.resync(system.person(id))));
    for (const id of ids) await system.attempted(id);
    return ids;
  }

  /** Temporal's visibility store is a moment behind. */
  const listed = (count: number) =>
    eventually(async () => assert.equal(await system.subscribers.count({ vendorId: 'daily' }), count));

  async function untilOver(): Promise<AuditProgress> {
    let report: AuditProgress | undefined;
    await eventually(
      async () => {
        report = await system.subscribers.audit('daily');
        assert.ok(report && ['done', 'stopped'].includes(report.phase), JSON.stringify(report));
      },
      { timeoutMs: 30_000, what: 'the end of the audit' },
    );
    return report as AuditProgress;
  }

  async function audited(request: AuditRequest = {}): Promise<AuditProgress> {
    assert.equal(await system.subscribers.startAudit('daily', request), true);
    return untilOver();
  }

  /** As texts, so that a whole report can be compared at once. */
  const told = (findings: readonly AuditFinding[]) =>
    findings
      .map(({ userId, kind, fields = [], tags = [], settled }) =>
        [userId ?? '-', kind, ...fields, ...tags, ...(settled ? ['settled'] : [])].join(' '),
      )
      .sort();
  const findings = async () => told(await system.subscribers.auditFindings('daily'));

  it('A18: finds and classes what was planted in Rule; repair mends ours only, quietly; then nothing is left but what is stated', async () => {
    await start({ timings: { missingRowsMs: 1_000 } });
    const [edited = '', lost = '', surplus = '', missing = '', deleted = '', moved = '', quiet = ''] = await written(9);
    // Somebody whom the workflow knows to have been deleted by hand.
    system.rule.deleteSubscriber(addressOf(deleted));
    await system.subscribers.resync(system.person(deleted));
    await eventually(async () => assert.equal((await system.status(deleted))?.reason, 'deleted-in-rule'), {
      timeoutMs: 20_000,
    });
    // Somebody who confirmed while nobody told of it.
    const unheard = aReader(system, { profile: { emailVerified: false } });
    const guest = aReader(system, { profile: { emailVerified: false } });
    for (const id of [unheard, guest]) {
      await system.subscribers.resync(system.person(id));
      await system.attempted(id);
    }
    aReader(system, {}, unheard);

    system.rule.setField(addressOf(edited), 'Subscriber.FirstName', 'Edited');
    system.rule.setField(addressOf(edited), 'Marketing.Score', '17');
    system.rule.removeTag(addressOf(lost), 'sesamy_active_subscriber');
    system.rule.addTag(addressOf(surplus), 'sesamy_active_entitlement_Premium Magazine');
    system.rule.addTag(addressOf(surplus), 'sesamy_vip');
    system.rule.deleteSubscriber(addressOf(missing));
    system.rule.deleteSubscriber(addressOf(moved));
    const elsewhere = system.rule.addSubscriber({ email: `elsewhere-${addressOf(moved)}`, tags: ['sesamy'] });
    system.rule.addSubscriber({ email: `stranger@${planted.domain}`, tags: ['Newsletter'] });
    const stray = system.rule.addSubscriber({
      email: `stray@${planted.domain}`,
      tags: ['sesamy', 'sesamy_active_subscriber', 'sesamy_vip'],
      fields: { 'Sesamy_User.ID': 'email|00000000000000000000dead', 'Subscriber.FirstName': planted.firstName },
    });
    const imported = system.rule.addSubscriber({ email: `imported@${planted.domain}`, tags: ['sesamy'] });
    for (const id of [edited, quiet]) {
      system.rule.suppress(addressOf(id));
      system.rule.block(addressOf(id));
    }
    system.rule.removeTag(addressOf(quiet), 'sesamy_active_subscriber');
    for (const name of ['sesamy_active_subscriber', 'sesamy_stage_active', 'sesamy']) {
      system.rule.addAutomation({ name: `on ${name}`, trigger: { type: 'TAG', name } });
    }
    await listed(11);

    const mark = system.rule.recorder.requests.length;
    const report = await audited();
    assert.deepEqual(system.ruleWrites(mark), [], 'an audit writes nothing');
    const expected = [
      `${edited} edited-field Subscriber.FirstName`,
      `${lost} lost-tag sesamy_active_subscriber`,
      `${quiet} lost-tag sesamy_active_subscriber`,
      `${surplus} surplus-tag sesamy_active_entitlement_Premium Magazine`,
      `${missing} missing`,
      `${moved} missing`,
      `${unheard} missing`,
      `${deleted} deleted-in-rule`,
      'email|00000000000000000000dead surplus sesamy_active_subscriber',
      '- surplus settled',
      '- surplus settled',
    ].sort();
    assert.deepEqual(await findings(), expected);
    assert.deepEqual(
      [report.phase, report.total, report.people, report.differing, report.settled, report.notDue, report.unclear],
      ['done', 11, 11, 9, 2, 1, 0],
    );
    assert.deepEqual(report.counts, {
      'edited-field': 1,
      'refused-field': 0,
      'lost-tag': 2,
      'surplus-tag': 1,
      'other-address': 0,
      missing: 3,
      'deleted-in-rule': 1,
      surplus: 3,
    });
    assert.deepEqual([report.unread, report.kept, report.leftOut], [{}, 11, 0]);
    assert.deepEqual(report.toMend, { resync: 7, surplus: 1 });

    assert.equal(await system.subscribers.repairAudit('daily'), true);
    await eventually(async () => assert.ok((await system.subscribers.audit('daily'))?.repair?.finishedAt));
    const repaired = await untilOver();
    assert.deepEqual([repaired.repair?.told, repaired.repair?.cleared], [7, 1]);
    for (const id of [missing, moved]) {
      await eventually(async () => assert.equal((await system.status(id))?.reason, 'deleted-in-rule'), {
        timeoutMs: 20_000,
      });
    }
    for (const id of [edited, lost, surplus, quiet]) await system.attempted(id, 2);
    await system.attempted(unheard, 2);
    await system.rule.settled();

    assert.equal(inRule(edited)?.fields['Subscriber.FirstName']?.value, planted.firstName);
    assert.equal(inRule(edited)?.fields['Marketing.Score']?.value, '17');
    for (const id of [lost, quiet, unheard]) assert.ok(inRule(id)?.tags.includes('sesamy_active_subscriber'));
    assert.ok(inRule(surplus)?.tags.includes('sesamy_vip'), 'a marketer’s own tag stays');
    assert.ok(!inRule(surplus)?.tags.includes('sesamy_active_entitlement_Premium Magazine'));
    for (const id of [deleted, missing, moved]) assert.equal(inRule(id), undefined, 'nobody is written anew');
    for (const id of [edited, quiet]) {
      assert.deepEqual([inRule(id)?.blocked, inRule(id)?.suppressed], [true, ['campaign/email']]);
    }
    const cleared = system.rule.subscriber(stray.id);
    assert.deepEqual(cleared?.tags.toSorted(), ['sesamy', 'sesamy_vip']);
    assert.equal(cleared?.fields['Subscriber.FirstName']?.value, planted.firstName);
    assert.deepEqual(system.rule.subscriber(imported.id)?.tags, ['sesamy']);
    assert.deepEqual(system.rule.subscriber(elsewhere.id)?.tags, ['sesamy']);
    assert.deepEqual([system.rule.automationsStarted().length, system.rule.unblocks().length], [0, 0]);

    const again = await audited();
    assert.deepEqual(
      await findings(),
      [
        `${deleted} deleted-in-rule`,
        `${missing} deleted-in-rule`,
        `${moved} deleted-in-rule`,
        'email|00000000000000000000dead surplus settled',
        '- surplus settled',
        '- surplus settled',
      ].sort(),
    );
    assert.deepEqual([again.differing, again.settled, again.toMend], [3, 3, { resync: 0, surplus: 0 }]);
  });

  it('A35: a changed zone and an address changed by hand are found, and mended by resync', async () => {
    await start();
    const [zoned = '', moved = ''] = await written(2);
    const ids = [inRule(zoned)?.id, inRule(moved)?.id];
    const report = await audited();
    assert.deepEqual([report.people, report.differing, await findings()], [2, 0, []]);

    system.config.mapping.timeZone = 'Europe/Stockholm';
    await system.stopWorkers();
    await system.startWorkers();
    const { id: movedId = 0 } = inRule(moved) ?? {};
    await changeAddressInRule(movedId, `by-hand-${addressOf(moved)}`);
    await audited();
    assert.deepEqual(
      await findings(),
      [
        `${zoned} edited-field Sesamy_User.Created`,
        `${moved} edited-field Sesamy_User.Created`,
        `${moved} other-address`,
      ].sort(),
    );
    await system.subscribers.repairAudit('daily');
    for (const id of [zoned, moved]) await system.attempted(id, 2);
    assert.equal(inRule(zoned)?.fields['Sesamy_User.Created']?.value, '2026-01-01');
    assert.deepEqual([inRule(zoned)?.id, inRule(moved)?.id], ids);
    await untilOver();
    assert.equal((await audited()).differing, 0);
  });

  /** As a person would in Rule's own pages. */
  async function changeAddressInRule(id: number, email: string): Promise<void> {
    const answer = await fetch(`${system.rule.url}/v2/subscribers/${id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${system.rule.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ email }),
    });
    assert.equal(answer.status, 200);
  }

  it('what is no difference: a kept field, a list that the account holds as text, empty answers of Sesamy, a reader whom no workflow knows', async () => {
    await start();
    for (const key of ['Sesamy_ActiveProducts.Titles', 'Sesamy_ActiveProducts.SKU'])
      system.rule.defineField(key, 'text');
    const [kept = '', emptied = '', unwatched = ''] = await written(3);
    aReader(system, { profile: { mobilePhone: undefined } }, kept);
    const person = system.sesamy.person(emptied);
    system.sesamy.setPerson({ ...person, contracts: [], entitlements: [] });
    await system.client.workflow.getHandle(`subscriber/daily/${unwatched}`).terminate('as if Temporal had lost it');
    await listed(2);
    const report = await audited();
    assert.deepEqual(await findings(), []);
    assert.deepEqual([report.people, report.unclear, report.unwatched, report.differing], [2, 1, 1, 0]);

    // Somebody whom no workflow knows is begun anew where there is something to mend.
    system.rule.removeTag(addressOf(unwatched), 'sesamy_active_subscriber');
    // The person is gone from Sesamy: their own workflow looks a second time before anything is taken away.
    system.sesamy.deletePerson(kept);
    await audited({ repair: true });
    assert.deepEqual(
      await findings(),
      [
        `${unwatched} lost-tag sesamy_active_subscriber`,
        `${kept} surplus ${(inRule(kept)?.tags ?? []).filter((tag) => tag !== 'sesamy').join(' ')}`,
      ].sort(),
    );
    await system.attempted(unwatched);
    assert.ok(inRule(unwatched)?.tags.includes('sesamy_active_subscriber'));
    await eventually(async () => assert.equal((await system.status(kept))?.reason, 'missing-user'));
    assert.ok(inRule(kept)?.tags.includes('sesamy_active_subscriber'));
  });

  it('goes on after an outage, a restart of the workers and in a new run; can be stopped; a second start finds the first', async () => {
    await start();
    const ids = await written(8);
    await listed(8);
    for (const id of ids.slice(0, 3)) system.rule.removeTag(addressOf(id), 'sesamy_active_subscriber');
    const down = system.sesamy.faults.add({ kind: 'status', status: 503, path: '/management/' });
    await system.client.workflow.signalWithStart('audit', {
      workflowId: 'audit/daily',
      taskQueue: 'sesamy-rule',
      args: [{ vendorId: 'daily', eventsPerRun: 20 }],
      signal: 'begin',
    });
    await eventually(
      async () => assert.equal((await system.subscribers.audit('daily'))?.waiting?.failure.type, 'sesamy/unavailable'),
      { timeoutMs: 30_000 },
    );
    assert.equal(await system.subscribers.startAudit('daily'), false);
    await system.subscribers.stopAudit('daily');
    const stopped = await untilOver();
    assert.deepEqual([stopped.phase, stopped.people], ['stopped', 0]);

    system.sesamy.faults.remove(down);
    system.sesamy.faults.add({ kind: 'latency', ms: 300, path: '/management/' });
    assert.equal(await system.subscribers.startAudit('daily'), true);
    await eventually(async () => assert.ok(((await system.subscribers.audit('daily'))?.people ?? 0) > 0));
    await system.stopWorkers();
    system.sesamy.faults.clear();
    await system.startWorkers();
    const report = await untilOver();
    assert.deepEqual([report.phase, report.people, report.counts['lost-tag']], ['done', 8, 3]);
    const runs = await system.client.workflow.count("WorkflowId = 'audit/daily'");
    assert.ok(runs.count > 1, `${runs.count} runs`);
  });

  it('a sample looks at so many, drawn by the seed, and repairs those', async () => {
    await start();
    const ids = await written(12);
    await listed(12);
    for (const id of ids) system.rule.removeTag(addressOf(id), 'sesamy_active_subscriber');
    const report = await audited({ sample: { size: 4, seed: 7 } });
    const drawn = await findings();
    assert.deepEqual([report.total, report.people, report.differing, drawn.length, report.inRule], [12, 4, 4, 4, 0]);
    await audited({ sample: { size: 4, seed: 7 } });
    assert.deepEqual(await findings(), drawn);
    await audited({ sample: { size: 4, seed: 7 }, repair: true });
    await eventually(() => {
      const mended = ids.filter((id) => inRule(id)?.tags.includes('sesamy_active_subscriber'));
      assert.deepEqual(
        told([])
          .concat(mended.map((id) => `${id} lost-tag sesamy_active_subscriber`))
          .sort(),
        drawn,
      );
    });
  });
});
