import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { createSubscribers, type Subscribers } from '../src/client.js';
import {
  activityTaskQueue,
  type DeliverInput,
  type DeliverResult,
  type EraseInput,
  type EraseResult,
  type FailureDetails,
  type LifecycleEvent,
  type Nudge,
  type SubscriberActivities,
  type SyncInput,
  type SyncResult,
  subscriberWorkflowId,
  workflowTaskQueue,
} from '../src/contract/index.js';
import { findTemporalTestServer } from '../src/temporal/binary.js';
import { eventually } from './support/eventually.js';
import { registerSearchAttributesOnTestServer } from './support/search-attributes.js';

const minute = 60_000;
const day = 24 * 60 * minute;

/** Handles each sync as the test says; the default is a person in step, looked at again after three days. */
type Answer = (input: SyncInput, call: number) => SyncResult | Promise<SyncResult>;

function inStep(input: SyncInput, overrides: Partial<SyncResult> = {}): SyncResult {
  return {
    verdict: 'unchanged',
    known: { ...input.known, ruleId: 7, stage: 'active', tags: ['sesamy'] },
    changes: { fields: [], tagsAdded: [], tagsRemoved: [], addressChanged: false },
    problems: [],
    news: false,
    next: { kind: 'recheck', afterMs: 3 * day },
    ...overrides,
  };
}

function failure(details: FailureDetails): ApplicationFailure {
  return ApplicationFailure.create({
    message: details.type,
    type: details.type,
    nonRetryable: true,
    details: [details],
  });
}

describe('workflow subscriber, on a server that skips time', function () {
  this.timeout(120_000);
  let env: TestWorkflowEnvironment;
  let subscribers: Subscribers;
  let workers: Worker[];
  let runs: Promise<void>[];
  let inputs: SyncInput[];
  let answer: Answer;
  let deliveries: DeliverInput[];
  let tell: (input: DeliverInput, call: number) => DeliverResult;
  let erasures: EraseInput[];
  let erase: (input: EraseInput, call: number) => EraseResult;
  let nextUser = 0;

  before(async () => {
    const path = await findTemporalTestServer({
      dataFolder: fileURLToPath(new URL('../.sesamy-rule', import.meta.url)),
    });
    env = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } });
    await registerSearchAttributesOnTestServer(env);
    subscribers = createSubscribers(env.client);
    const activities: SubscriberActivities = {
      async syncSubscriber(input) {
        inputs.push(input);
        return answer(input, inputs.filter(({ userId }) => userId === input.userId).length);
      },
      async deliverEvent(input) {
        deliveries.push(input);
        return tell(input, deliveries.length);
      },
      async eraseSubscriber(input) {
        erasures.push(input);
        return erase(input, erasures.length);
      },
    };
    const connection = env.nativeConnection;
    workers = await Promise.all([
      Worker.create({
        connection,
        taskQueue: workflowTaskQueue,
        workflowBundle: { codePath: fileURLToPath(new URL('../dist/workflow-bundle.js', import.meta.url)) },
      }),
      Worker.create({ connection, taskQueue: activityTaskQueue('daily'), activities }),
    ]);
    runs = workers.map((worker) => worker.run());
  });

  after(async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.all(runs);
    await env.teardown();
  });

  beforeEach(() => {
    inputs = [];
    answer = (input) => inStep(input);
    deliveries = [];
    tell = () => ({ outcome: 'told', started: [] });
    erasures = [];
    erase = ({ ruleIds }) => ({ ruleIds, leftAlone: [], addressKeys: ['key-1', 'key-2'], sharedWith: [] });
  });

  function someone() {
    nextUser += 1;
    return { vendorId: 'daily', userId: `email|${nextUser}` };
  }

  let told = 0;
  function nudge(overrides: Partial<Nudge> = {}): Nudge {
    told += 1;
    return {
      event: 'contract.1#update',
      occurredAt: new Date(Date.UTC(2026, 10, 1) + told * 1_000).toISOString(),
      ...overrides,
    };
  }

  const syncs = (userId: string) => inputs.filter((input) => input.userId === userId);
  const settled = (userId: string, count: number) =>
    eventually(() => assert.equal(syncs(userId).length, count), { what: `${count} syncs` });

  /**
   * Ends the person's workflow, so that its timers do not fire into the next test. Not in the middle of an attempt: the server holds its
   * clock while an activity runs, and after the termination of the activity's workflow it never lets go of it.
   */
  async function close(person: { vendorId: string; userId: string }): Promise<void> {
    const handle = env.client.workflow.getHandle(subscriberWorkflowId(person));
    await eventually(async () => {
      assert.deepEqual((await subscribers.status(person))?.pending, []);
      assert.deepEqual((await handle.describe()).raw.pendingActivities ?? [], []);
    });
    await handle.terminate('test is over');
  }

  it('syncs once for a webhook and then waits for its recheck', async () => {
    const person = someone();
    await subscribers.notify(person, nudge({ event: 'contract.1#purchased', contractId: 'c1' }));
    await settled(person.userId, 1);
    assert.deepEqual(syncs(person.userId)[0]?.expectedIds, ['c1']);
    await env.sleep(3 * day + minute);
    await settled(person.userId, 2);
    assert.equal(syncs(person.userId)[1]?.live, false);
    await close(person);
  });

  it('makes the extra looks that a sync asks for, in live mode', async () => {
    const person = someone();
    answer = (input, call) =>
      inStep(input, call < 3 ? { next: { kind: 'look', afterMs: call === 1 ? 45_000 : 255_000 } } : {});
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    await env.sleep(6 * minute);
    await settled(person.userId, 3);
    assert.deepEqual(
      syncs(person.userId).map(({ look, live }) => [look, live]),
      [
        [0, true],
        [1, true],
        [2, true],
      ],
    );
    await close(person);
  });

  it('rides out an outage of a day: one retry after another, never failed, and in step at its end', async () => {
    const person = someone();
    let down = true;
    answer = (input) => {
      if (down) throw failure({ type: 'sesamy/unavailable', next: 'wait', status: 503 });
      return inStep(input);
    };
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    await env.sleep(day);
    const status = await subscribers.status(person);
    assert.equal(status?.state, 'retrying');
    assert.equal(status?.failure?.status, 503);
    const attempts = syncs(person.userId).length;
    assert.ok(attempts > 40 && attempts < 80, `${attempts} attempts in a day`);
    down = false;
    await env.sleep(45 * minute);
    assert.equal((await subscribers.status(person))?.state, 'ok');
    await close(person);
  });

  it('A33: thirty webhooks during a block of a day cost no attempt; syncNow answers meanwhile', async () => {
    const person = someone();
    answer = () => {
      throw failure({ type: 'rule/rate-limited', next: 'wait', status: 429, waitMs: day });
    };
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    for (let index = 0; index < 30; index += 1) await subscribers.notify(person, nudge());
    await env.sleep(12 * 60 * minute);
    assert.equal(syncs(person.userId).length, 1);
    const entry = await subscribers.sync(person);
    assert.equal(entry.failure?.type, 'rule/rate-limited');
    assert.equal(syncs(person.userId).length, 2);
    const handle = env.client.workflow.getHandle(subscriberWorkflowId(person));
    const { events } = await handle.fetchHistory();
    assert.ok((events?.length ?? 0) < 200, `${events?.length} events`);
    await close(person);
  });

  it('leaves bad data as failed until a message comes, and then tries at once', async () => {
    const person = someone();
    let bad = true;
    answer = (input) => {
      if (bad) throw failure({ type: 'rule/invalid', next: 'fix-data', status: 400, fields: ['email'] });
      return inStep(input);
    };
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    await env.sleep(2 * day);
    await settled(person.userId, 1);
    assert.equal((await subscribers.status(person))?.state, 'failed');
    bad = false;
    await subscribers.notify(person, nudge({ event: 'userVendor.1#update' }));
    await settled(person.userId, 2);
    await eventually(async () => assert.equal((await subscribers.status(person))?.state, 'ok'));
    await close(person);
  });

  it('takes fifty messages sent at once in three syncs at the most', async () => {
    const person = someone();
    await subscribers.notify(person, nudge());
    await Promise.all(Array.from({ length: 49 }, () => subscribers.notify(person, nudge())));
    await eventually(async () => assert.deepEqual((await subscribers.status(person))?.pending, []));
    assert.ok(syncs(person.userId).length <= 3, `${syncs(person.userId).length} syncs`);
    await close(person);
  });

  it('carries its whole state over when the history has grown, and stays one subscriber', async () => {
    const person = someone();
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    const first = await env.client.workflow.getHandle(subscriberWorkflowId(person)).describe();
    for (let index = 0; index < 40; index += 1) await env.sleep(3 * day + minute);
    const later = await env.client.workflow.getHandle(subscriberWorkflowId(person)).describe();
    assert.notEqual(later.runId, first.runId);
    assert.ok(later.historyLength < 330, `${later.historyLength} events`);
    const status = await subscribers.status(person);
    assert.deepEqual([status?.state, status?.ruleId, status?.attempts], ['ok', 7, syncs(person.userId).length]);
    assert.equal(syncs(person.userId).at(-1)?.known.ruleId, 7);
    await close(person);
  });

  it('continues as new although messages keep coming while attempts run', async () => {
    const person = someone();
    const handle = env.client.workflow.getHandle(subscriberWorkflowId(person));
    const runs: { runId: string; historyLength: number }[] = [];
    answer = async (input, call) => {
      const { runId, historyLength } = await handle.describe();
      runs.push({ runId, historyLength });
      // So there is work whenever an attempt ends, but for the last one.
      if (call < 90) await subscribers.notify(person, nudge());
      return inStep(input);
    };
    await subscribers.notify(person, nudge());
    await eventually(() => assert.equal(runs.length, 90), { timeoutMs: 60_000 });
    assert.notEqual(runs.at(-1)?.runId, runs[0]?.runId);
    const longest = Math.max(...runs.map(({ historyLength }) => historyLength));
    assert.ok(longest < 330, `${longest} events`);
    await eventually(async () => assert.equal((await subscribers.status(person))?.attempts, 90));
    await close(person);
  });

  it('started by hand, without a message: looks once by itself, quietly, and goes on', async () => {
    const person = someone();
    await env.client.workflow.start('subscriber', {
      workflowId: subscriberWorkflowId(person),
      taskQueue: workflowTaskQueue,
      args: [person],
    });
    await eventually(async () =>
      assert.equal((await subscribers.status(person))?.next?.why, 'first look: nobody has told of anything yet'),
    );
    assert.equal(syncs(person.userId).length, 0);
    await env.sleep(2 * minute);
    await settled(person.userId, 1);
    assert.equal(syncs(person.userId)[0]?.live, false);
    await eventually(async () => assert.equal((await subscribers.status(person))?.state, 'ok'));
    await close(person);
  });

  function anEvent(id: string, overrides: Partial<LifecycleEvent> = {}): LifecycleEvent {
    return { id, type: 'renewed', at: '2026-11-01T00:00:00.000Z', contractId: 'c1', stage: 'active', ...overrides };
  }

  /** The first sync finds these, the later ones nothing. */
  function finds(events: LifecycleEvent[], gained: string[] = []): void {
    answer = (input, call) =>
      inStep(input, call === 1 ? { verdict: 'updated', events, gained } : { gained: input.gained });
  }

  it('tells events one at a time and in order, the gained state tags with the first, segments with the last', async () => {
    const person = someone();
    finds([anEvent('a'), anEvent('b')], ['sesamy_active_subscriber']);
    await subscribers.notify(person, nudge());
    await eventually(async () => assert.equal((await subscribers.status(person))?.told.length, 2));
    assert.deepEqual(
      deliveries.map(({ event, gained, last }) => [event?.id, gained, last]),
      [
        ['a', ['sesamy_active_subscriber'], false],
        ['b', [], true],
      ],
    );
    const status = await subscribers.status(person);
    assert.deepEqual(status?.tags, ['sesamy', 'sesamy_active_subscriber']);
    assert.deepEqual(status?.waiting, []);
    await close(person);
  });

  it('a delivery that fails is tried again after a new look, which may find that it is over', async () => {
    const person = someone();
    let down = true;
    answer = (input, call) =>
      inStep(input, call === 1 ? { events: [anEvent('a'), anEvent('b')] } : down ? {} : { rowOnly: { b: 'over' } });
    tell = () => {
      if (down) throw failure({ type: 'rule/unavailable', next: 'wait', status: 503 });
      return { outcome: 'told', started: [] };
    };
    await subscribers.notify(person, nudge());
    await eventually(async () => assert.equal((await subscribers.status(person))?.state, 'retrying'));
    const since = (await subscribers.status(person))?.failedAt;
    await env.sleep(6 * 60 * minute);
    const status = await subscribers.status(person);
    assert.equal(status?.state, 'retrying');
    assert.equal(status?.failedAt, since, 'it fails since the first failure');
    assert.ok(deliveries.length < 30, `${deliveries.length} tries in six hours: the waits grow`);
    assert.deepEqual(new Set(deliveries.map(({ event }) => event?.id)), new Set(['a']), 'the order is kept');
    down = false;
    await env.sleep(45 * minute);
    const told = deliveries.slice(-2).map(({ event, again }) => [event?.id, event?.rowOnly, again]);
    assert.deepEqual(told, [
      ['a', undefined, true],
      ['b', 'over', false],
    ]);
    assert.equal((await subscribers.status(person))?.state, 'ok');
    await close(person);
  });

  it('an event that could not be told is over like any other that waits', async () => {
    const person = someone();
    let down = true;
    answer = (input, call) =>
      inStep(input, call === 1 ? { events: [anEvent('a')] } : down ? {} : { rowOnly: { a: 'over' } });
    tell = ({ event }) => {
      if (down) throw failure({ type: 'rule/unavailable', next: 'wait', status: 503 });
      return { outcome: 'recorded', ...(event?.rowOnly ? { reason: event.rowOnly } : {}), started: [] };
    };
    await subscribers.notify(person, nudge());
    await eventually(async () => assert.equal((await subscribers.status(person))?.state, 'retrying'));
    down = false;
    await env.sleep(5 * minute);
    const last = deliveries.at(-1);
    assert.deepEqual([last?.event?.rowOnly, last?.again, last?.begun], ['over', true, true]);
    assert.equal((await subscribers.status(person))?.told.at(-1)?.reason, 'over');
    await close(person);
  });

  it('an event that answers another is told after all when that one turns out to have been told', async () => {
    const person = someone();
    const answered = anEvent('failed', { type: 'payment-failed' });
    const answering = anEvent('recovered', { type: 'payment-recovered', rowOnly: 'countered', answers: 'failed' });
    answer = (input, call) =>
      inStep(input, call === 1 ? { events: [answered] } : { events: [answering], rowOnly: { failed: 'countered' } });
    tell = (_input, call) => {
      if (call === 1) throw failure({ type: 'rule/unavailable', next: 'wait', status: 503 });
      return { outcome: 'told', started: [] };
    };
    await subscribers.notify(person, nudge());
    await eventually(async () => assert.equal((await subscribers.status(person))?.state, 'retrying'));
    await env.sleep(5 * minute);
    assert.deepEqual(
      deliveries.map(({ event }) => [event?.id, event?.rowOnly]),
      [
        ['failed', undefined],
        ['failed', 'countered'],
        ['recovered', undefined],
      ],
    );
    await close(person);
  });

  it('what a look saw before Rule refused its writes is told when Rule takes them, although it has passed', async () => {
    const person = someone();
    let down = false;
    const lifecycle = { contracts: {}, singles: {}, receipts: { since: '2026-11-01T00:00:00.000Z', done: {} } };
    answer = (input, call) => {
      if (!down) return inStep(input);
      const seen = { lifecycle, events: [anEvent(call === 2 ? 'a' : 'b')], rowOnly: {} };
      throw failure({ type: 'rule/unavailable', next: 'wait', status: 503, seen });
    };
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    down = true;
    await subscribers.notify(person, nudge());
    await settled(person.userId, 2);
    await env.sleep(minute);
    down = false;
    await env.sleep(5 * minute);
    assert.deepEqual(syncs(person.userId)[2]?.known.lifecycle, lifecycle);
    assert.deepEqual(
      deliveries.map(({ event }) => event?.id),
      ['a', 'b'],
    );
    const status = await subscribers.status(person);
    assert.ok(
      status?.trail.every(({ failure }) => failure?.seen === undefined),
      'it is not kept with the failure',
    );
    await close(person);
  });

  it('an event is told once, whatever is found again later', async () => {
    const person = someone();
    answer = (input) => inStep(input, { events: [anEvent('a')] });
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    await subscribers.notify(person, nudge());
    await settled(person.userId, 2);
    await eventually(async () => assert.equal((await subscribers.status(person))?.told.length, 1));
    assert.equal(deliveries.length, 1);
    await close(person);
  });

  it('what is held lets later events pass, waits for a person, and is told when released', async () => {
    const person = someone();
    finds([anEvent('a', { type: 'ended' }), anEvent('b')]);
    tell = ({ event, released }) => ({
      outcome: event?.type === 'ended' && !released ? 'held' : 'told',
      started: [],
    });
    await subscribers.notify(person, nudge());
    await eventually(() =>
      assert.deepEqual(
        deliveries.map(({ event }) => event?.id),
        ['a', 'b'],
      ),
    );
    await env.sleep(4 * day);
    assert.equal(deliveries.length, 2);
    const waiting = (await subscribers.status(person))?.waiting;
    assert.deepEqual(
      waiting?.map(({ event, held }) => [event.id, held]),
      [['a', 'ended']],
    );
    await subscribers.decide(person, 'release', { what: 'receipt' });
    await subscribers.decide(person, 'release', { what: 'ended' });
    await eventually(async () => assert.equal((await subscribers.status(person))?.told.at(-1)?.event.id, 'a'));
    assert.equal(deliveries.at(-1)?.released, true);
    await close(person);
  });

  it('what is discarded is never told', async () => {
    const person = someone();
    finds([anEvent('a', { type: 'receipt', billId: 'b1' })]);
    tell = () => ({ outcome: 'in-doubt', started: [] });
    await subscribers.notify(person, nudge());
    await eventually(async () => assert.equal((await subscribers.status(person))?.waiting[0]?.held, 'receipt'));
    await subscribers.decide(person, 'discard');
    await eventually(async () => assert.equal((await subscribers.status(person))?.told.at(-1)?.outcome, 'discarded'));
    await env.sleep(4 * day);
    assert.equal(deliveries.length, 1);
    await close(person);
  });

  it('a receipt that was released and may have gone out since is in doubt again, not sent again', async () => {
    const person = someone();
    finds([anEvent('a', { type: 'receipt', billId: 'b1' })]);
    let answers: (() => DeliverResult)[] = [
      () => ({ outcome: 'in-doubt', started: [] }),
      () => {
        throw failure({ type: 'temporal/timeout', next: 'wait' });
      },
    ];
    tell = () => (answers.shift() ?? (() => ({ outcome: 'sent', started: [] })))();
    await subscribers.notify(person, nudge());
    await eventually(async () => assert.equal((await subscribers.status(person))?.waiting[0]?.held, 'receipt'));
    await subscribers.decide(person, 'release');
    await eventually(() => assert.equal(deliveries.length, 2));
    await env.sleep(10 * minute);
    assert.deepEqual(
      deliveries.map(({ again, released }) => [again, released]),
      [
        [false, false],
        [true, true],
        [true, false],
      ],
    );
    answers = [];
    await close(person);
  });

  it('drops what is to be told when somebody deleted the person in Rule', async () => {
    const person = someone();
    answer = (input, call) =>
      call === 1
        ? inStep(input, { events: [anEvent('a')] })
        : inStep(input, { verdict: 'skipped', reason: 'deleted-in-rule' });
    tell = () => ({ outcome: 'no-subscriber', started: [] });
    await subscribers.notify(person, nudge());
    await eventually(() => assert.equal(deliveries.length, 1));
    await env.sleep(5 * minute);
    const status = await subscribers.status(person);
    assert.deepEqual([status?.state, status?.told.at(-1)?.outcome], ['skipped', 'dropped']);
    await close(person);
  });

  it('ends after thirty days for somebody who stayed a guest, and starts again when they come back', async () => {
    const person = someone();
    answer = (input) =>
      inStep(input, { verdict: 'skipped', reason: 'guest/email-not-verified', known: {}, endsAfterMs: 30 * day });
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    assert.equal((await subscribers.status(person))?.state, 'skipped');
    const handle = env.client.workflow.getHandle(subscriberWorkflowId(person));
    assert.deepEqual(await handle.result(), { because: 'still-a-guest' });
    answer = (input) => inStep(input, { verdict: 'created' });
    const before = syncs(person.userId).length;
    await subscribers.notify(person, nudge({ event: 'userVendor.1#update' }));
    await settled(person.userId, before + 1);
    await close(person);
  });

  it('ends when the person is gone from Sesamy', async () => {
    const person = someone();
    answer = (input) => inStep(input, { verdict: 'gone', reason: 'not-at-sesamy' });
    await subscribers.notify(person, nudge());
    const handle = env.client.workflow.getHandle(subscriberWorkflowId(person));
    assert.deepEqual(await handle.result(), { because: 'gone-from-sesamy' });
  });

  it('A16: is erased: of what was remembered only the fact stays, and no message brings anything back', async () => {
    const person = someone();
    answer = (input) =>
      inStep(input, {
        known: { ...input.known, ruleId: 7, formerRuleIds: [5], addressKey: 'key-1', tags: ['sesamy'] },
      });
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    const erasure = await subscribers.erase(person);
    assert.ok(erasure.erasedAt);
    assert.deepEqual(erasure.deleted, [5, 7]);
    assert.deepEqual(erasures, [
      { ...person, step: 'look', ruleIds: [5, 7], addressKeys: ['key-1'] },
      { ...person, step: 'delete', ruleIds: [5, 7], addressKeys: ['key-1', 'key-2'] },
    ]);

    await subscribers.notify(person, nudge());
    await subscribers.resync(person);
    const entry = await subscribers.sync(person);
    assert.deepEqual([entry.verdict, entry.reason], ['skipped', 'erased']);
    await env.sleep(10 * day);
    const status = await subscribers.status(person);
    assert.deepEqual(
      [status?.state, status?.ruleId, status?.tags, status?.trail, status?.told, status?.next, status?.stage],
      ['erased', undefined, [], [], [], undefined, undefined],
    );
    assert.equal(syncs(person.userId).length, 1);
    const { events } = await env.client.workflow.getHandle(subscriberWorkflowId(person)).fetchHistory();
    assert.ok((events ?? []).length < 20, 'the history with what was done before has ended');

    await subscribers.liftErasure(person);
    assert.deepEqual(await env.client.workflow.getHandle(subscriberWorkflowId(person)).result(), {
      because: 'erasure-lifted',
    });
    await subscribers.notify(person, nudge());
    await settled(person.userId, 2);
    assert.deepEqual(syncs(person.userId)[1]?.known, {});
    await close(person);
  });

  it('A16: an erasure that fails is tried again by itself, answers meanwhile, and nothing is written in between', async () => {
    const person = someone();
    await subscribers.notify(person, nudge());
    await settled(person.userId, 1);
    erase = ({ ruleIds }, call) => {
      if (call < 3) throw failure({ type: 'rule/unavailable', next: 'wait' });
      return { ruleIds, leftAlone: [], addressKeys: ['key-1'], sharedWith: [] };
    };
    const first = await subscribers.erase(person);
    assert.deepEqual([first.erasedAt, first.failure?.type], [undefined, 'rule/unavailable']);
    await subscribers.notify(person, nudge());
    const meanwhile = await subscribers.status(person);
    assert.deepEqual([meanwhile?.state, meanwhile?.erasure?.erasedAt], ['erased', undefined]);
    await env.sleep(10 * minute);
    await eventually(async () => assert.ok((await subscribers.status(person))?.erasure?.erasedAt));
    assert.deepEqual([erasures.length, syncs(person.userId).length], [4, 1]);
    assert.ok((await subscribers.erase(person)).erasedAt, 'asked again, it is looked for anew');
    assert.deepEqual(erasures.at(-1), { ...person, step: 'look', ruleIds: [], addressKeys: ['key-1'] });
    await close(person);
  });

  it('refuses to start for ids that are not Sesamy’s', async () => {
    const handle = await env.client.workflow.start('subscriber', {
      workflowId: 'by-hand',
      taskQueue: workflowTaskQueue,
      args: [{ vendorId: 'daily', userId: 'kim@example.com' }],
    });
    await assert.rejects(
      handle.result(),
      (error: Error) => !error.message.includes('kim@') && /failed/i.test(error.message),
    );
  });
});
