/**
 * The whole product on the server that skips time: both stand-ins over HTTP, the webhook server, the real workflow and the real
 * activities. Years pass in seconds, and everybody's clock is the server's: the activities take for now when their attempt was
 * scheduled, and the stand-ins follow them.
 */
import assert from 'node:assert/strict';
import { Context } from '@temporalio/activity';
import proto, { type temporal } from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { type JourneyMail, type RuleSandbox, startRuleSandbox } from '../../sandbox/rule/index.js';
import { type SesamySandbox, type Span, startSesamySandbox } from '../../sandbox/sesamy/index.js';
import { createFieldTypes } from '../../src/activities/field-types.js';
import { createActivities, type Vendor } from '../../src/activities/index.js';
import { createSubscribers, type PersonId, type SubscriberStatus, type Subscribers } from '../../src/client.js';
import { loadConfig } from '../../src/config/index.js';
import {
  activityTaskQueue,
  type SubscriberActivities,
  subscriberWorkflowId,
  workflowTaskQueue,
} from '../../src/contract/index.js';
import { createMetrics } from '../../src/metrics.js';
import { createAccountGate, createRuleClient } from '../../src/rule/index.js';
import { openVendors } from '../../src/vendors.js';
import { createWebhookServer } from '../../src/webhook/index.js';
import { billableActions } from './billable-actions.js';
import { eventually } from './eventually.js';
import { planted, plantedKeys } from './markers.js';
import { addressOf, nextId } from './people.js';
import { registerSearchAttributesOnTestServer } from './search-attributes.js';
import { temporalTestServer } from './temporal.js';
import { traceLogger, traces } from './traces.js';

const secret = plantedKeys.webhookSecret;
const bundle = new URL('../../dist/workflow-bundle.js', import.meta.url).pathname;

/** What a reader's row in `Sesamy_Event` says. */
export interface EventRowView {
  id: string;
  type: string;
  at: string;
  stage: string;
}

/** What one reader's workflow has cost, over all its runs. */
export interface HistoryCost {
  events: number;
  bytes: number;
  /** What Temporal Cloud would bill, but for heartbeats and queries. */
  actions: number;
  runs: number;
  /** Number of events by when they were written. */
  eventTimes: number[];
}

export interface Lifetime {
  sesamy: SesamySandbox;
  rule: RuleSandbox;
  subscribers: Subscribers;
  vendor: Vendor;
  /** By the server's clock, as far as it was seen last. */
  now(): Date;
  /** Time passes. What falls due at Sesamy on the way happens at its time, and its webhooks are delivered and worked off. */
  live(span: Span): Promise<void>;
  liveUntil(date: string | number): Promise<void>;
  /** Until webhooks are delivered and every workflow waits. */
  settle(): Promise<void>;
  /** Somebody signs up; the webhook is delivered unless the stand-in's are paused. */
  signUp(profile?: Record<string, unknown>): Promise<string>;
  /** Somebody is going to be there, under this id, whose workflow is waited for and ended like everybody's; answers the id. */
  expect(userId: string): string;
  person(userId: string): PersonId;
  status(userId: string): Promise<SubscriberStatus>;
  /** Posts webhooks as Sesamy would, and waits until they are worked off. */
  post(...events: Record<string, unknown>[]): Promise<void>;
  /** Something that happens at Sesamy, of which no webhook ever arrives. */
  unheard<T>(act: () => T): Promise<T>;
  /** Names of the automations that were started for the reader, in order; receipts left out. */
  starts(userId: string): string[];
  /** Mails that went out or are still to, receipts left out: those that were cancelled or withheld are no mail. */
  mails(userId: string): JourneyMail[];
  /** The events recorded in Rule, in order; receipts are in a group of their own. */
  rows(userId: string): EventRowView[];
  tags(userId: string): string[];
  /** Number of requests that may have changed something in Rule. */
  writes(): number;
  stage(userId: string): string | undefined;
  cost(userId: string): Promise<HistoryCost>;
  /** Everybody's workflow ends, so that its timers do not fire into the next test. */
  part(): Promise<void>;
  close(): Promise<void>;
}

/** @param workers how many workers take the vendor's activities, each with a gate of its own, as processes have */
export async function startLifetime({ workers: workerCount = 1 } = {}): Promise<Lifetime> {
  const path = await temporalTestServer();
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  await registerSearchAttributesOnTestServer(env);
  let clock = await env.currentTimeMs();
  const reach = (at: number) => {
    clock = Math.max(clock, at);
    return new Date(at);
  };
  const now = () => new Date(clock);

  const rule = await startRuleSandbox({ apiKey: plantedKeys.ruleKey, now, switches: { jobDelayMs: 1 } });
  rule.addExampleJourneys();
  const sesamy = await startSesamySandbox({ clientSecret: plantedKeys.clientSecret, rps: 0, now });
  const [config] = loadConfig({
    SESAMY_VENDOR_ID: sesamy.vendorId,
    SESAMY_CLIENT_ID: sesamy.clientId,
    SESAMY_CLIENT_SECRET: sesamy.clientSecret,
    SESAMY_API_URL: sesamy.url,
    SESAMY_TOKEN_URL: sesamy.tokenUrl,
    SESAMY_RPS: '1000',
    RULE_API_KEY: rule.apiKey,
    RULE_API_URL: rule.url,
    WEBHOOK_SECRET: secret,
  }).vendors;
  assert.ok(config);
  const vendors = openVendors([config], env.client);
  const [opened] = vendors.all;
  assert.ok(opened);
  const timings = { ...config.timings };
  const openVendor = (): Vendor => {
    // The gate waits by the clock by which Rule blocks.
    const gate = createAccountGate({ now: () => clock });
    const ruleClient = createRuleClient({ ...config.rule, gate });
    return { ...opened, gate, rule: ruleClient, fieldTypes: createFieldTypes(ruleClient, () => clock), timings };
  };
  const opens = Array.from({ length: workerCount }, openVendor);
  const [vendor] = opens;
  assert.ok(vendor);

  const subscribers = createSubscribers(env.client);
  const server = createWebhookServer({
    vendors: new Map([[config.id, { secrets: config.webhookSecrets }]]),
    subscribers,
    ready: async () => true,
    metrics: createMetrics(),
    log: traceLogger(),
  });
  const url = `${await server.listen({ host: '127.0.0.1', port: 0 })}/webhooks/sesamy`;
  sesamy.webhooks.setTarget({ url, headers: { Authorization: `Bearer ${secret}` } });

  const activitiesOf = (one: Vendor): SubscriberActivities => {
    const { syncSubscriber, deliverEvent, eraseSubscriber } = createActivities(one, () =>
      reach(Context.current().info.currentAttemptScheduledTimestampMs),
    );
    return {
      // The stand-ins' clocks have to be right from the first call on.
      async syncSubscriber(input) {
        reach(Context.current().info.currentAttemptScheduledTimestampMs);
        return syncSubscriber(input);
      },
      async deliverEvent(input) {
        reach(Context.current().info.currentAttemptScheduledTimestampMs);
        return deliverEvent(input);
      },
      eraseSubscriber,
    };
  };
  const connection = env.nativeConnection;
  const workers = await Promise.all([
    Worker.create({ connection, taskQueue: workflowTaskQueue, workflowBundle: { codePath: bundle } }),
    Worker.create({ connection, taskQueue: activityTaskQueue(config.id), activities: dealt(opens.map(activitiesOf)) }),
  ]);
  const runs = workers.map((worker) => worker.run());

  const people = new Set<string>();
  const person = (userId: string): PersonId => ({ vendorId: config.id, userId });
  const handleOf = (userId: string, runId?: string) =>
    env.client.workflow.getHandle(subscriberWorkflowId(person(userId)), runId);
  /** Run and length of the histories that were seen at rest. */
  const resting = new Map<string, string>();

  async function atRest(userId: string): Promise<void> {
    const { runId, historyLength, status } = await handleOf(userId).describe();
    const key = `${runId} ${historyLength}`;
    if (resting.get(userId) === key) return;
    if (status.name === 'RUNNING') {
      const { events } = await handleOf(userId, runId).fetchHistory();
      assert.equal(unfinished(events ?? []), undefined, `the workflow of ${userId} is not at rest`);
    }
    resting.set(userId, key);
  }

  /** Takes over the server's time. */
  async function follow(): Promise<number> {
    return reach(await env.currentTimeMs()).getTime();
  }

  async function settle(): Promise<void> {
    await sesamy.webhooks.idle();
    for (const userId of people) {
      if (!(await isKnown(userId))) continue;
      await eventually(() => atRest(userId), { timeoutMs: 20_000 });
    }
    await rule.settled();
    await follow();
  }

  const known = new Set<string>();
  /** Nobody has a workflow before a webhook arrives. */
  async function isKnown(userId: string): Promise<boolean> {
    if (known.has(userId)) return true;
    const found = await handleOf(userId)
      .describe()
      .then(
        () => true,
        () => false,
      );
    if (found) known.add(userId);
    return found;
  }

  async function liveUntil(date: string | number): Promise<void> {
    const end = new Date(date).getTime();
    for (;;) {
      const at = await follow();
      sesamy.advance({});
      await settle();
      if (at >= end) return;
      const next = sesamy.nextDue();
      const until = Math.min(end, next === undefined ? end : Math.max(Date.parse(next), at));
      const left = until - (await env.currentTimeMs());
      if (left > 0) await env.sleep(left);
    }
  }

  const isReceipt = ({ automation }: { automation: string }) => automation === 'Receipt';

  const expectPerson = (userId: string) => {
    people.add(userId);
    return userId;
  };

  return {
    sesamy,
    rule,
    subscribers,
    vendor,
    now,
    settle,
    liveUntil,
    live: ({ days = 0, hours = 0, minutes = 0 }) => liveUntil(clock + ((days * 24 + hours) * 60 + minutes) * 60_000),
    async signUp(profile = {}) {
      const id = expectPerson(nextId());
      await follow();
      sesamy.addPerson({ id, profile: { email: addressOf(id), firstName: planted.firstName, ...profile } });
      await settle();
      return id;
    },
    expect: expectPerson,
    person,
    async status(userId) {
      const status = await subscribers.status(person(userId));
      assert.ok(status, 'the person has a workflow');
      return status;
    },
    async post(...events) {
      for (const event of events) {
        const answer = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
          body: JSON.stringify({ vendorId: config.id, occured_at: sesamy.world.timestamp(), ...event }),
        });
        assert.equal(answer.status, 202);
      }
      await settle();
    },
    async unheard(act) {
      sesamy.webhooks.pause();
      await follow();
      const result = act();
      sesamy.webhooks.drop(1_000);
      sesamy.webhooks.resume();
      return result;
    },
    starts(userId) {
      const { id } = subscriberOf(rule, userId);
      return rule
        .automationsStarted()
        .filter((start) => start.subscriberId === id && !isReceipt(start))
        .map(({ automation }) => automation);
    },
    mails: (userId) =>
      rule
        .mails(addressOf(userId))
        .filter((mail) => !isReceipt(mail) && (mail.state === 'sent' || mail.state === 'planned')),
    rows: (userId) =>
      subscriberOf(rule, userId)
        .rows.filter(({ group }) => group === 'Sesamy_Event')
        .map(({ values: { Id, Type, At, Stage } }) => ({
          id: String(Id),
          type: String(Type),
          at: String(At),
          stage: String(Stage),
        })),
    writes: () => rule.recorder.requests.filter(({ method }) => method !== 'GET').length,
    tags: (userId) => [...subscriberOf(rule, userId).tags].sort(),
    stage: (userId) => {
      const stages = subscriberOf(rule, userId).tags.filter((tag) => tag.startsWith('sesamy_stage_'));
      assert.ok(stages.length <= 1, `one stage at a time: ${stages.join(', ')}`);
      return stages[0]?.slice('sesamy_stage_'.length);
    },
    async cost(userId) {
      const cost: HistoryCost = { events: 0, bytes: 0, actions: 0, runs: 0, eventTimes: [] };
      let runId: string | undefined = (await handleOf(userId).describe()).runId;
      while (runId) {
        const history: temporal.api.history.v1.IHistory = await handleOf(userId, runId).fetchHistory();
        const events: NonNullable<typeof history.events> = history.events ?? [];
        cost.runs += 1;
        cost.events += events.length;
        cost.bytes += proto.temporal.api.history.v1.History.encode(history).finish().length;
        cost.actions += billableActions(history);
        cost.eventTimes.push(...events.map(({ eventTime }) => Number(eventTime?.seconds ?? 0) * 1_000));
        runId = events[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
      }
      return cost;
    },
    async part() {
      await settle();
      for (const userId of people) {
        if (!(await isKnown(userId))) continue;
        const { status } = await handleOf(userId).describe();
        if (status.name === 'RUNNING') await handleOf(userId).terminate('test is over');
        // Nobody's contracts fall due in the next test.
        if (sesamy.person(userId)) sesamy.deletePerson(userId);
      }
      people.clear();
    },
    async close() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await server.close();
      await Promise.all([vendors.close(), ...opens.map((one) => one.rule.close())]);
      await sesamy.close();
      await rule.close();
      await env.teardown();
      for (const { violations } of [sesamy.recorder, rule.recorder]) {
        traces.violations.push(...violations.map((violation) => JSON.stringify(violation)));
      }
      assert.deepEqual([...sesamy.recorder.violations, ...rule.recorder.violations], []);
    },
  };
}

/** One worker of Temporal's that deals its work out to several of ours: two of them on one queue are not to be had in a process. */
function dealt(hands: readonly SubscriberActivities[]): SubscriberActivities {
  let turn = 0;
  const next = () => {
    turn += 1;
    return hands[turn % hands.length] as SubscriberActivities;
  };
  return {
    syncSubscriber: (input) => next().syncSubscriber(input),
    deliverEvent: (input) => next().deliverEvent(input),
    eraseSubscriber: (input) => next().eraseSubscriber(input),
  };
}

function subscriberOf(rule: RuleSandbox, userId: string) {
  const found = rule.subscriber(addressOf(userId));
  assert.ok(found, `${userId} is in Rule`);
  return found;
}

const { EventType } = proto.temporal.api.enums.v1;

/** The event that the workflow has not answered yet; `undefined` for one that waits for a timer or for news. */
function unfinished(events: readonly temporal.api.history.v1.IHistoryEvent[]): string | undefined {
  const open = new Set<number>();
  let unanswered: string | undefined = 'nothing done yet';
  for (const event of events) {
    const closed =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (event.eventType === EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) open.add(Number(event.eventId));
    if (closed) open.delete(Number(closed.scheduledEventId));
    if (event.eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) unanswered = undefined;
    else if (
      closed ||
      event.workflowExecutionSignaledEventAttributes ||
      event.timerFiredEventAttributes ||
      event.workflowTaskScheduledEventAttributes
    ) {
      unanswered = `event ${String(event.eventId)}`;
    }
  }
  return unanswered ?? (open.size > 0 ? `activity ${[...open].join(', ')}` : undefined);
}
