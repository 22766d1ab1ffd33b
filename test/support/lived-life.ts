/**
 * A random life, driven in virtual time through everything but Temporal: the workflow's state, both activities, Rule in memory. Writes
 * down what was found, recorded and fired, so that a test can judge it from outside, and a story that a person can read.
 */
import type { ApplicationFailure } from '@temporalio/common';
import { deliverEvent } from '../../src/activities/deliver-event.js';
import { toFailure } from '../../src/activities/failures.js';
import { NotWritten, syncSubscriber } from '../../src/activities/sync-subscriber.js';
import type { Vendor } from '../../src/activities/vendor.js';
import type {
  DeliverInput,
  DeliverResult,
  FailureDetails,
  LifecycleEvent,
  SyncInput,
  SyncResult,
  TrailEntry,
} from '../../src/contract/index.js';
import { VendorError } from '../../src/http/errors.js';
import type { Source } from '../../src/mapping/index.js';
import type { RuleClient } from '../../src/rule/index.js';
import {
  deliverInput,
  recordDelivery,
  recordDeliveryFailure,
  recordFailure,
  recordResult,
  syncInput,
  takeDelivery,
  takeWork,
} from '../../src/workflows/attempts.js';
import { recordNudge, recordResync, recordSyncNow } from '../../src/workflows/messages.js';
import {
  dueAt,
  freshState,
  isOver,
  restore,
  type SubscriberState,
  type Work,
} from '../../src/workflows/subscriber-state.js';
import { MemoryRule, memorySesamy, memoryVendor } from './in-memory.js';
import { type Act, day, iso, type Kind, minute, ReaderLife, type Webhook } from './reader-life.js';

export type Trouble =
  | { do: 'resync' }
  | { do: 'syncNow' }
  /** Sesamy answers with empty lists. */
  | { do: 'empty'; forMs: number }
  /** Rule answers nothing; what it was asked to do is done before the answer is lost, or not, or now this, now that. */
  | { do: 'outage'; forMs: number; effect: 'none' | 'done' | 'either' }
  /** The worker dies at this call to Rule from here on, before it or after it has taken effect. */
  | { do: 'crash'; atCall: number; effect: boolean }
  /** Somebody deletes the reader in Rule by hand. */
  | { do: 'deleteInRule' };

export interface Plan {
  guest: boolean;
  datedAccess: boolean;
  recheckDays: number;
  /** Was there before we were, with this subscription. */
  backfilled: Kind | 'nobody' | undefined;
  steps: { afterMs: number; what: Act | Trouble }[];
  /** What becomes of webhooks, one after another and round again: the delays of its copies; none = lost. */
  fates: number[][];
  /** Seeds what is left to chance: jitter, and which calls of an outage take effect. */
  chance: number;
}

export const person = { vendorId: 'daily', userId: 'email|1' };
export const begin = Date.parse('2026-01-10T08:00:00Z');

/** The worker died. */
class Died extends Error {}

export interface Row {
  at: number;
  group: string;
  id: string;
  type: string;
}

export interface Fired {
  at: number;
  tags: string[];
  /** Held by the person before. */
  held: string[];
  event?: LifecycleEvent;
  /** By which look it was to be told. */
  lookAt: number;
  seen: Omit<Source, 'cancelRequestedAt'>;
}

export interface Found {
  at: number;
  live: boolean;
  input: SyncInput;
  result: Pick<SyncResult, 'events' | 'rowOnly' | 'gained'>;
}

export class LivedLife {
  readonly rule = new MemoryRule();
  readonly reader: ReaderLife;
  readonly story: string[] = [];
  readonly rows: Row[] = [];
  readonly fires: Fired[] = [];
  /** Each sync that succeeded and found something to tell. */
  readonly found: Found[] = [];
  /** Ids in the order in which they were taken up. */
  readonly taken: string[] = [];
  readonly outcomes = new Map<string, DeliverResult>();
  readonly largest = { state: 0, entries: 0, lifecycle: 0 };
  syncs = 0;
  state: SubscriberState = freshState();
  now = begin;
  readonly vendor: Vendor;

  #webhooks: (Webhook & { occurredAt: number })[] = [];
  #raised = 0;
  #empty = { from: 0, until: 0 };
  #outage: { until: number; effect: 'none' | 'done' | 'either' } = { until: 0, effect: 'none' };
  #crash: { atCall: number; effect: boolean } | undefined;
  #inside: { lookAt: number; delivery?: DeliverInput } | undefined;
  #lastSeen: Omit<Source, 'cancelRequestedAt'>;
  #lookAt = begin;
  #said = '';
  #random: () => number;

  constructor(readonly plan: Plan) {
    this.#random = randomOf(plan.chance);
    this.reader = new ReaderLife(person.userId, begin, (webhook) => this.#raise(webhook), plan);
    this.#lastSeen = this.reader.source();
    const sesamy = memorySesamy(
      () => this.#shown(),
      () => ({
        transactions: this.#isEmpty() ? [] : structuredClone(this.reader.transactions),
        bills: structuredClone(this.reader.bills),
      }),
    );
    const vendor = memoryVendor(this.rule, sesamy);
    this.vendor = {
      ...vendor,
      rule: this.#unreliable(vendor.rule),
      timings: { ...vendor.timings, recheckMs: plan.recheckDays * day },
    };
  }

  /** Lives the whole life, then lets things be quiet for so long. */
  async live(quietMs: number): Promise<void> {
    const { backfilled } = this.plan;
    if (backfilled !== undefined) {
      if (backfilled !== 'nobody') this.reader.act({ do: 'buy', kind: backfilled });
      this.#webhooks = [];
      this.now += 20 * day;
      this.reader.moveTo(this.now);
      this.#webhooks = [];
      recordResync(this.state, { by: 'backfill' });
    } else {
      // The first webhook always comes: somebody of whom nobody has ever told is found by a full pass, not by this.
      recordNudge(this.state, 'profileChanged', { event: 'userVendor.1#new', occurredAt: iso(this.now) });
    }
    await this.#work();
    for (const { afterMs, what } of this.plan.steps) {
      await this.#passUntil(this.now + afterMs);
      this.#do(what);
      await this.#work();
    }
    this.#crash = undefined;
    this.tell('quiet from here on');
    await this.#passUntil(this.now + quietMs);
    // What was lost a moment ago no recheck has found yet.
    if (!isOver(this.state, this.now)) recordResync(this.state, { by: 'operator' });
    await this.#work();
  }

  /** The same over and over is said once. */
  tell(line: string): void {
    if (this.story.at(-1)?.endsWith(`  ${line}`)) this.story.push(`${iso(this.now).slice(0, 16)}  ... again`);
    else if (this.#said !== line || !this.story.at(-1)?.endsWith('... again'))
      this.story.push(`${iso(this.now).slice(0, 16)}  ${line}`);
    this.#said = line;
  }

  #do(what: Act | Trouble): void {
    this.tell(`* ${JSON.stringify(what)}`);
    switch (what.do) {
      case 'resync':
        recordResync(this.#open(), { by: 'operator' });
        return;
      case 'syncNow':
        recordSyncNow(this.#open());
        return;
      case 'empty':
        // One bad time right after another would last for longer than a bad time may.
        if (this.now < this.#empty.until + 60 * minute) return;
        this.#empty = { from: this.now, until: this.now + what.forMs };
        return;
      case 'outage':
        this.#outage = { until: this.now + what.forMs, effect: what.effect };
        return;
      case 'crash':
        this.#crash = { ...what };
        return;
      case 'deleteInRule':
        this.rule.subscribers.clear();
        return;
      default:
        this.reader.act(what);
    }
  }

  /** A message to a run that has come to its end starts a new one. */
  #open(): SubscriberState {
    if (isOver(this.state, this.now)) this.state = freshState();
    return this.state;
  }

  #raise(webhook: Webhook): void {
    const { fates } = this.plan;
    const fate = fates[this.#raised % Math.max(fates.length, 1)] ?? [0];
    this.#raised += 1;
    const target = webhook.contractId ? `${webhook.event} ${webhook.contractId}` : webhook.event;
    const becomes = fate.length === 0 ? 'lost' : `in ${fate.map((ms) => Math.round(ms / 1000)).join(', ')} s`;
    this.story.push(`${iso(webhook.at).slice(0, 16)}    webhook ${target}: ${becomes}`);
    for (const delay of fate) this.#webhooks.push({ ...webhook, at: webhook.at + delay, occurredAt: webhook.at });
  }

  #isEmpty(): boolean {
    return this.now >= this.#empty.from && this.now < this.#empty.until;
  }

  #shown(): Omit<Source, 'cancelRequestedAt'> {
    const source = this.reader.source();
    return this.#isEmpty() ? { ...source, contracts: [], entitlements: [] } : source;
  }

  /** What happens at Sesamy, webhooks and the workflow's own dates, in the order of time. */
  async #passUntil(end: number): Promise<void> {
    for (let steps = 0; ; steps += 1) {
      if (steps > 20_000) throw new Error('it never comes to rest');
      const next = Math.min(
        end,
        this.reader.nextAt() ?? end,
        ...this.#webhooks.map(({ at }) => at),
        isOver(this.state, this.now) ? end : (dueAt(this.state) ?? end),
      );
      this.now = Math.max(this.now, next);
      this.#arrive();
      await this.#work();
      if (this.now >= end) return;
    }
  }

  #arrive(): void {
    this.reader.moveTo(this.now);
    const come = this.#webhooks.filter(({ at }) => at <= this.now);
    this.#webhooks = this.#webhooks.filter(({ at }) => at > this.now);
    for (const { event, name, contractId, entitlementId, occurredAt } of come) {
      recordNudge(this.#open(), name, {
        event,
        occurredAt: iso(occurredAt),
        ...(contractId ? { contractId } : {}),
        ...(entitlementId ? { entitlementId } : {}),
      });
    }
  }

  /** As the loop of the workflow does. */
  async #work(): Promise<void> {
    let rounds = 0;
    for (let work = takeWork(this.state, this.now); work; work = takeWork(this.state, this.now)) {
      if (++rounds > 200) throw new Error('the loop never comes to rest');
      const entry = await this.#attempt(work);
      while (await this.#deliver(entry));
    }
    this.#measure();
    // As at continue-as-new.
    if (this.#random() < 0.1) this.state = restore(JSON.parse(JSON.stringify(this.state)) as SubscriberState);
  }

  async #attempt(work: Work): Promise<TrailEntry> {
    const input = copy(syncInput(this.state, person, work));
    this.syncs += 1;
    this.#lookAt = this.now;
    try {
      const result = copy(
        await this.#activity('sync', (attempt, again) =>
          syncSubscriber(this.vendor, again ? { ...input, force: true } : input, attempt),
        ),
      );
      this.#lastSeen = this.#shown();
      const { verdict, events = [], rowOnly = {}, gained = [], next } = result;
      const telling = events.map(({ id, rowOnly: only }) => (only ? `${id} (${only})` : id));
      if (verdict !== 'unchanged' || events.length > 0 || work.live) {
        const details = [
          ...(result.reason ? [result.reason] : []),
          ...(telling.length > 0 ? [`finds ${telling.join(', ')}`] : []),
          ...(gained.length > 0 ? [`gained ${gained.join(', ')}`] : []),
          ...Object.entries(rowOnly).map(([id, why]) => `${id} is ${why}`),
          `next ${next.kind} in ${Math.round(next.afterMs / 1000)} s${next.why ? ` (${next.why})` : ''}`,
        ];
        this.tell(`${work.live ? 'live' : 'quiet'} sync (${work.why.join(', ')}): ${verdict}; ${details.join('; ')}`);
      }
      this.found.push({ at: this.now, live: work.live, input, result });
      return this.#taking(() => recordResult(this.state, work, result, this.now));
    } catch (error) {
      const failure = detailsOf(error);
      this.tell(`${work.live ? 'live' : 'quiet'} sync (${work.why.join(', ')}) failed: ${failure.type}`);
      // What was seen although it could not be written has been found as well.
      if (failure.seen) {
        this.#lastSeen = this.#shown();
        this.found.push({ at: this.now, live: work.live, input, result: failure.seen });
      }
      return this.#taking(() => recordFailure(this.state, work, failure, this.now, this.#random()));
    }
  }

  /** Notes which events the outbox took up. */
  #taking(record: () => TrailEntry): TrailEntry {
    const { outbox } = this.state;
    const before = new Set([...outbox.toldIds, ...outbox.entries.map(({ event }) => event.id)]);
    const entry = record();
    for (const { event } of this.state.outbox.entries) if (!before.has(event.id)) this.taken.push(event.id);
    return entry;
  }

  async #deliver(look: TrailEntry): Promise<boolean> {
    // Calls take time, and the world goes on meanwhile.
    if (this.state.outbox.entries.length > 0) {
      this.now += 2_000;
      this.#arrive();
    }
    const delivery = takeDelivery(this.state, look);
    if (!delivery) return false;
    const input = copy(deliverInput(this.state, person, delivery));
    try {
      const result = copy(
        await this.#activity(
          'deliver',
          (attempt, again) => deliverEvent(this.vendor, again ? tried(input) : input, attempt),
          input,
        ),
      );
      const what = delivery.event?.id ?? `tags ${delivery.gained.join(', ')}`;
      this.tell(`told ${what}: ${result.outcome}${result.reason ? ` (${result.reason})` : ''}`);
      if (delivery.event) this.outcomes.set(delivery.event.id, result);
      return recordDelivery(this.state, delivery, result, this.now);
    } catch (error) {
      const failure = detailsOf(error);
      this.tell(`telling ${delivery.event?.id ?? 'tags'} failed: ${failure.type}`);
      recordDeliveryFailure(this.state, delivery, failure, this.now, this.#random());
      return false;
    }
  }

  /** Up to three attempts, and as many as there are deaths of workers. As `createActivities` does (src/activities/index.ts). */
  async #activity<T>(
    what: 'sync' | 'deliver',
    run: (attempt: Parameters<typeof syncSubscriber>[2], again: boolean) => Promise<T>,
    delivery?: DeliverInput,
  ): Promise<T> {
    this.#inside = { lookAt: this.#lookAt, ...(delivery ? { delivery } : {}) };
    try {
      for (let attempt = 1; ; attempt += 1) {
        let step = 'begin';
        const tools = {
          signal: new AbortController().signal,
          step: (name: string) => {
            step = name;
          },
          now: () => new Date(this.now),
        };
        try {
          return await run(tools, attempt > 1);
        } catch (error) {
          if (error instanceof Died) {
            this.tell(`the worker dies in a ${what}, at ${step}`);
            continue;
          }
          if (!(error instanceof VendorError || error instanceof NotWritten)) throw error;
          const failure = toFailure(error, what, { wrote: step.startsWith('rule:') }) as ApplicationFailure;
          if (failure.nonRetryable || attempt >= 3) throw failure;
        }
      }
    } finally {
      this.#inside = undefined;
    }
  }

  #unreliable(client: RuleClient): RuleClient {
    const wrap =
      <A extends unknown[], T>(name: keyof RuleClient, call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        const crash = this.#crash;
        if (crash && --crash.atCall < 0) {
          this.#crash = undefined;
          if (crash.effect) await this.#noted(name, call, args);
          throw new Died();
        }
        if (this.now >= this.#outage.until) return this.#noted(name, call, args);
        const { effect } = this.#outage;
        if (effect === 'done' || (effect === 'either' && this.#random() < 0.5)) await this.#noted(name, call, args);
        throw new VendorError({
          type: 'rule/unavailable',
          next: 'wait',
          reason: 'of the test',
          method: 'PUT',
          path: '/rule',
          unknownOutcome: true,
        });
      };
    const entries = Object.entries(client).map(([name, call]) => [
      name,
      wrap(name as keyof RuleClient, call as (...args: unknown[]) => Promise<unknown>),
    ]);
    return Object.fromEntries(entries) as unknown as RuleClient;
  }

  /** Writes down what a call brings about, at the moment when it does. */
  async #noted<A extends unknown[], T>(name: keyof RuleClient, call: (...args: A) => Promise<T>, args: A): Promise<T> {
    const held = [...(this.rule.subscribers.get(args[0] as number)?.tags ?? [])];
    const result = await call(...args);
    if (name === 'appendRow') {
      const { group, values } = args[1] as { group: string; values: Record<string, string> };
      this.rows.push({ at: this.now, group, id: values.Id ?? '', type: values.Type ?? 'receipt' });
      this.tell(`  row ${values.Id}`);
    }
    if (name === 'fire') {
      const event = this.#inside?.delivery?.event;
      const tags = args[1] as string[];
      this.tell(`  FIRE ${tags.join(', ')}`);
      this.fires.push({
        at: this.now,
        tags,
        held,
        lookAt: this.#inside?.delivery ? this.#lookAt : Number.NaN,
        seen: this.#lastSeen,
        ...(event ? { event } : {}),
      });
    }
    return result;
  }

  #measure(): void {
    const { largest, state } = this;
    if (this.#random() < 0.2) largest.state = Math.max(largest.state, JSON.stringify(state).length);
    largest.entries = Math.max(largest.entries, state.outbox.entries.length);
    largest.lifecycle = Math.max(largest.lifecycle, JSON.stringify(state.known.lifecycle ?? {}).length);
  }
}

function tried(input: DeliverInput): DeliverInput {
  const released = input.released && input.event?.type !== 'receipt';
  return { ...input, again: true, notSent: false, released };
}

function detailsOf(error: unknown): FailureDetails {
  const details = (error as ApplicationFailure).details?.[0] as FailureDetails | undefined;
  if (!details?.next) throw error;
  return details;
}

/** As Temporal hands it over. */
function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Mulberry32: small, and the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
