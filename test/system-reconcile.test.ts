import assert from 'node:assert/strict';
import type { BackfillProgress } from '../src/client.js';
import { ensureReconcileSchedule } from '../src/reconcile-schedule.js';
import { eventually } from './support/eventually.js';
import { addressOf, aProfile } from './support/people.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

describe('reconcile', function () {
  this.timeout(90_000);
  let system: System;

  before(async () => {
    system = await startSystem({ sesamy: { switches: { envelope: 'resource', limitCap: 4 } } });
  });
  after(() => system.close());

  async function ended(): Promise<BackfillProgress> {
    let report: BackfillProgress | undefined;
    await eventually(
      async () => {
        report = await system.subscribers.backfill(system.vendorId, 'reconcile');
        assert.ok(report?.endedAt, JSON.stringify(report));
      },
      { timeoutMs: 60_000, what: 'the end of the reconcile' },
    );
    return report as unknown as BackfillProgress;
  }

  it('A14, A20: finds a reader whose webhook was lost, leaves the others alone; --full mends them too; the schedule does the same', async () => {
    const { subscribers, vendorId, rule, sesamy, client } = system;
    const known = Array.from({ length: 6 }, () => aReader(system));
    for (const id of known) await system.nudge(id, 'userVendor.1#new');
    for (const id of known) await system.attempted(id);
    rule.addAutomation({ name: 'Welcome', trigger: { type: 'TAG', name: 'sesamy_active_subscriber' } });
    const lost = aReader(system);
    await eventually(async () => assert.equal(await subscribers.count({ vendorId }), known.length));

    const before = sesamy.recorder.requests.length;
    assert.equal(await subscribers.startBackfill(vendorId, { by: 'operator' }, 'reconcile'), true);
    const first = await ended();
    assert.deepEqual([first.listed, first.leftAlone, first.done, first.verdicts], [7, 6, 7, { created: 1 }]);
    assert.equal(first.full, false);
    const calls = sesamy.recorder.requests.slice(before).map(({ path }) => path.split('?')[0]);
    assert.equal(calls.filter((path) => path !== '/management/users').length, 3, calls.join(' '));
    assert.ok(rule.subscriber(addressOf(lost))?.tags.includes('sesamy_active_subscriber'));
    assert.deepEqual((await system.status(lost))?.trail[0]?.why, ['reconcile']);

    const [changed = ''] = known;
    sesamy.webhooks.pause();
    sesamy.setPerson({ ...sesamy.person(changed), profile: aProfile(changed, { firstName: 'Renamed' }) });
    sesamy.webhooks.drop(100);
    sesamy.webhooks.resume();
    // In runs that are so short that it has to go on in another.
    const handle = await client.workflow.start('backfill', {
      workflowId: `reconcile/${vendorId}`,
      taskQueue: 'sesamy-rule',
      args: [{ vendorId, kind: 'reconcile', by: 'operator', full: true, eventsPerRun: 12 }],
    });
    const full = await ended();
    assert.notEqual(
      (await client.workflow.getHandle(`reconcile/${vendorId}`).describe()).runId,
      handle.firstExecutionRunId,
    );
    assert.deepEqual([full.full, full.leftAlone, full.done], [true, 0, 7]);
    assert.equal(rule.subscriber(addressOf(changed))?.fields['Subscriber.FirstName']?.value, 'Renamed');

    const another = aReader(system);
    assert.equal(await ensureReconcileSchedule(client, vendorId, 24), 'made');
    await client.schedule.getHandle(`reconcile/${vendorId}`).trigger();
    await eventually(() => assert.ok(rule.subscriber(addressOf(another))), { timeoutMs: 30_000 });
    const report = await ended();
    assert.deepEqual([report.by, report.verdicts], ['schedule', { created: 1 }]);
    assert.equal(rule.startsCount, 0);
  });

  it('makes the schedule once, whoever comes first, follows the settings, and keeps a pause', async () => {
    const { client } = system;
    const handle = client.schedule.getHandle('reconcile/other');
    const together = await Promise.all([1, 2, 3].map(() => ensureReconcileSchedule(client, 'other', 24)));
    assert.deepEqual(together.toSorted(), ['kept', 'kept', 'made']);
    const { spec, policies } = await handle.describe();
    assert.deepEqual([spec.intervals, spec.jitter], [[{ every: 86_400_000, offset: 7_200_000 }], 3_600_000]);
    assert.equal(policies.overlap, 'SKIP');
    await handle.pause('not now');
    assert.equal(await ensureReconcileSchedule(client, 'other', 6), 'updated');
    const updated = await handle.describe();
    assert.deepEqual([updated.spec.intervals?.[0]?.every, updated.state.paused], [21_600_000, true]);
    assert.equal(await ensureReconcileSchedule(client, 'other', 6), 'kept');
    assert.equal(await ensureReconcileSchedule(client, 'other', 0), 'removed');
    assert.equal(await ensureReconcileSchedule(client, 'other', 0), 'kept');
  });
});
