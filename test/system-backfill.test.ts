import assert from 'node:assert/strict';
import type { BackfillProgress } from '../src/client.js';
import { eventually } from './support/eventually.js';
import { addressOf } from './support/people.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

/** On which a marketer may have hung flows, and which a backfill gives. */
const ourTags = [
  'sesamy',
  'sesamy_active_subscriber',
  'sesamy_stage_active',
  'sesamy_stage_lapsed',
  'sesamy_stage_none',
];

describe('the backfill', function () {
  this.timeout(120_000);
  let system: System;
  afterEach(() => system.close());

  const progress = () => system.subscribers.backfill(system.vendorId);

  async function until(holds: (progress: BackfillProgress) => boolean, what: string): Promise<BackfillProgress> {
    let last: BackfillProgress | undefined;
    await eventually(
      async () => {
        last = await progress();
        assert.ok(last && holds(last), JSON.stringify(last));
      },
      { timeoutMs: 90_000, what },
    );
    return last as unknown as BackfillProgress;
  }
  const ended = () => until(({ endedAt }) => endedAt !== undefined, 'the end');

  it('A1, A2, A23: everybody is written and counted, a poisoned person is listed, no automation starts, consent stays, the budget is kept and used', async () => {
    const rps = 9;
    system = await startSystem({
      sesamy: { population: { people: 60, seed: 7 }, switches: { envelope: 'data' } },
      env: { SESAMY_RPS: String(rps) },
    });
    const { rule, sesamy } = system;
    const poisoned = aReader(system);
    aReader(system, {}, 'auth0|somebody@example.com');
    const unsubscribed = [aReader(system), aReader(system), aReader(system)] as const;
    for (const id of unsubscribed) rule.addSubscriber({ email: addressOf(id), tags: ['Newsletter'] });
    rule.suppress(addressOf(unsubscribed[0]));
    rule.block(addressOf(unsubscribed[1]));
    rule.addSubscriber({ email: 'not-at-sesamy@example.com' });
    const consent = (id: string) => {
      const { suppressed, blocked, optedIn } = rule.subscriber(addressOf(id)) ?? assert.fail(id);
      return { suppressed, blocked, optedIn };
    };
    const before = unsubscribed.map(consent);
    for (const name of ourTags) rule.addAutomation({ name: `On ${name}`, trigger: { type: 'TAG', name } });
    rule.addAutomation({ name: 'On a group', trigger: { type: 'TAG', name: 'sesamy_active_sku_sid:digital' } });
    rule.faults.add({
      kind: 'status',
      status: 400,
      method: 'POST',
      path: '/v2/subscribers',
      skip: 20,
      times: 1,
      body: JSON.stringify({ error: 'InvalidEmail', message: 'no', fields: {} }),
    });

    assert.equal(await progress(), undefined);
    assert.equal(await system.subscribers.startBackfill(system.vendorId, { by: 'test' }), true);
    assert.equal(await system.subscribers.startBackfill(system.vendorId), false, 'a second start finds the first');
    const report = await ended();

    const everybody = 60 + 1 + 1 + unsubscribed.length;
    const { created = 0, skipped = 0, failed = 0, ...others } = report.verdicts;
    assert.deepEqual(
      [report.stage, report.total, report.listed, report.done],
      ['done', everybody, everybody, everybody - 1],
    );
    assert.equal(created + skipped + failed, report.done, JSON.stringify(others));
    assert.deepEqual([report.unusableIds, report.incomplete, report.by], [1, false, 'test']);
    assert.equal(failed, 1);
    assert.deepEqual(
      report.failed.map(({ type, status, verdict }) => [type, status, verdict]),
      [['rule/invalid', 400, 'failed']],
    );
    assert.equal(
      skipped,
      Object.entries(report.reasons).reduce(
        (sum, [reason, count]) => (reason === 'rule/invalid' ? sum : sum + count),
        0,
      ),
    );
    const synced = rule.subscribers().filter(({ tags }) => tags.includes('sesamy'));
    assert.equal(synced.length, created);
    assert.ok(rule.subscriber(addressOf(poisoned))?.tags.includes('sesamy_active_subscriber'));
    const trail = (await system.status(poisoned))?.trail;
    assert.deepEqual(
      trail?.map(({ why, verdict }) => [why, verdict]),
      [[['backfill'], 'created']],
    );

    await rule.settled();
    assert.deepEqual([rule.startsCount, report.automationsStarted], [0, 0]);
    assert.deepEqual(unsubscribed.map(consent), before);
    assert.deepEqual(rule.unblocks(), []);
    for (const id of unsubscribed) assert.ok(rule.subscriber(addressOf(id))?.tags.includes('Newsletter'));

    const calls = sesamy.recorder.requests;
    const paging = calls.filter(({ path }) => path.startsWith('/management/users?')).length;
    // One token, one check of the filter; people with ten rows or more cost a read more.
    assert.ok(calls.length <= 3 * report.done + paging + 2 + 5, `${calls.length} calls for ${report.done} people`);
    assert.ok(paging <= 4, `${paging} pages`);
    // Where this process stands still for a moment, what arrived meanwhile is taken down together.
    assert.ok(sesamy.recorder.busiestSecond() <= rps + 2, `${sesamy.recorder.busiestSecond()} calls in a second`);
    const starts = calls.map(({ at }) => Date.parse(at));
    const windowMs = 4_000;
    const best = Math.max(...starts.map((from) => starts.filter((at) => at >= from && at < from + windowMs).length));
    assert.ok(best >= (0.9 * rps * windowMs) / 1_000, `${best} calls in the best ${windowMs} ms`);
  });

  it('A25: is paused, resumed, looked at from elsewhere and stopped; a webhook overtakes it', async () => {
    system = await startSystem({ sesamy: { population: { people: 120, seed: 7 } }, env: { SESAMY_RPS: '12' } });
    const { subscribers, vendorId } = system;
    for (const steer of [subscribers.pauseBackfill, subscribers.resumeBackfill, subscribers.stopBackfill]) {
      assert.equal(await steer(vendorId), false, 'there is none yet');
    }
    await subscribers.startBackfill(vendorId);
    // Also before the first batch has begun.
    await eventually(async () => assert.ok((await openActivities()) > 0));
    await subscribers.pauseBackfill(vendorId);
    await subscribers.resumeBackfill(vendorId);
    await until(({ done }) => done > 0, 'a first batch');
    const late = aReader(system);
    await system.nudge(late, 'contract.1#purchased');
    await system.attempted(late);
    const meanwhile = await progress();
    assert.ok((meanwhile?.done ?? 0) < 90, `${meanwhile?.done} are done already`);
    assert.equal(meanwhile?.stage, 'running');

    assert.equal(await subscribers.pauseBackfill(vendorId), true);
    let resting = -1;
    await eventually(
      async () => {
        const open = await openActivities();
        resting = system.sesamy.recorder.requests.length;
        assert.equal(open, 0);
      },
      { timeoutMs: 60_000, what: 'those under way' },
    );
    const paused = await progress();
    assert.equal(paused?.stage, 'paused');
    assert.equal(system.sesamy.recorder.requests.length, resting, 'nobody is asked for while it is paused');
    assert.equal(await subscribers.resumeBackfill(vendorId), true);
    await eventually(() => assert.ok(system.sesamy.recorder.requests.length > resting + 10));
    assert.equal(await subscribers.stopBackfill(vendorId), true);
    const report = await ended();
    assert.equal(report.stage, 'stopped');
    assert.ok(report.done < 120, `${report.done}`);
    assert.equal(await subscribers.stopBackfill(vendorId), false);
  });

  it('A33: waits where a vendor takes nothing, instead of marking everybody as failed, and says so', async () => {
    const people = 40;
    system = await startSystem({ sesamy: { population: { people, seed: 7 } }, env: { SESAMY_RPS: '15' } });
    const { subscribers, vendorId, rule, sesamy } = system;
    sesamy.faults.add({ kind: 'status', status: 403, path: '/management/contracts' });
    await subscribers.startBackfill(vendorId);
    const waiting = await until(({ stage }) => stage === 'waiting', 'the wait');
    assert.equal(waiting.waiting?.why, 'sesamy/forbidden');
    assert.deepEqual([waiting.done, waiting.failed], [0, []], 'nobody is given up');
    sesamy.faults.clear();
    await subscribers.resumeBackfill(vendorId);
    const report = await ended();
    // Some may have come by themselves meanwhile.
    const { created = 0, updated = 0, unchanged = 0, skipped = 0, ...others } = report.verdicts;
    assert.deepEqual([report.done, created + updated + unchanged + skipped, others], [people, people, {}]);
    assert.equal(rule.size, people - skipped);
  });

  async function openActivities(): Promise<number> {
    const handle = system.client.workflow.getHandle(`backfill/${system.vendorId}`);
    return (await handle.describe()).raw.pendingActivities?.length ?? 0;
  }
});
