import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { createSubscribers, type Subscribers } from '../src/client.js';
import {
  activityTaskQueue,
  type FailureDetails,
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
type Answer = (input: SyncInput, call: number) => SyncResult;

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
