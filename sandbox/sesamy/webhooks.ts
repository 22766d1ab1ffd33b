import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { SesamySwitches } from './switches.js';

/** The eight event types (sesamy-api §4.2). */
export const eventTypes = [
  'userVendor.1#new',
  'userVendor.1#update',
  'contract.1#purchased',
  'contract.1#update',
  'contract#cancelRequest',
  'checkout.1#confirm',
  'entitlement.1#new',
  'entitlement.1#update',
] as const;

export type EventType = (typeof eventTypes)[number];

/** The body, exactly as sent (sesamy-api §4.1): only the ids that apply. */
export interface WebhookEvent {
  eventType: EventType;
  vendorId: string;
  userId: string;
  contractId?: string;
  entitlementId?: string;
  checkoutId?: string;
  occured_at: string;
}

export const targetSchema = z.strictObject({
  url: z.url(),
  /** Sent with every webhook, for example `Authorization`. */
  headers: z.record(z.string(), z.string()).optional(),
});

export type WebhookTarget = z.infer<typeof targetSchema>;

export interface WebhookAttempt {
  at: string;
  /** Of the answer; absent when there was none. */
  status?: number;
  /** Why there was no answer. */
  error?: string;
  ms: number;
}

export interface WebhookDelivery {
  id: number;
  event: WebhookEvent;
  attempts: WebhookAttempt[];
  /** `refused`: a 4xx other than 429, or a redirect, which is not tried again. `given-up`: tried often enough. */
  state: 'waiting' | 'retrying' | 'delivered' | 'refused' | 'given-up' | 'dropped';
}

/** How many deliveries are remembered. */
const remembered = 20_000;

/**
 * Sends events to the receiver, first attempts one after another in the order of the events, and without holding up the API. What is
 * answered 5xx or 429, or not at all, is tried again later (sesamy-api §4.3, §9 Q6); events after it do not wait for it.
 */
export class Webhooks {
  /** Every delivery in the order of its event, also those still to be made. */
  readonly sent: WebhookDelivery[] = [];
  private target: WebhookTarget | undefined;
  private readonly queue = new Queue<WebhookDelivery>();
  private readonly retries = new Map<WebhookDelivery, AbortController>();
  private readonly agent = new Agent({ connections: 1 });
  private readonly closing = new AbortController();
  private waiters: (() => void)[] = [];
  private working = false;
  private paused = false;
  private count = 0;

  constructor(private readonly switches: SesamySwitches) {}

  /** Where webhooks go from now on; without a target events are not sent and not kept. */
  setTarget(target: WebhookTarget | undefined): void {
    this.target = target && targetSchema.parse(target);
  }

  /** Takes an event; the two entitlement types only where they are forwarded. @returns nothing when it will not be sent. */
  send(event: WebhookEvent): WebhookDelivery | undefined {
    if (!this.target || (event.eventType.startsWith('entitlement') && !this.switches.forwardEntitlements))
      return undefined;
    this.count += 1;
    const delivery: WebhookDelivery = { id: this.count, event, attempts: [], state: 'waiting' };
    if (this.sent.length >= remembered) this.sent.splice(0, remembered / 10);
    this.sent.push(delivery);
    this.enqueue(delivery);
    return delivery;
  }

  /** Holds deliveries back, after the one under way. */
  pause(): void {
    this.paused = true;
    this.settle();
  }

  resume(): void {
    this.paused = false;
    this.work();
  }

  /** Loses up to so many waiting deliveries, oldest first, as an outage at the sender would. @returns how many it were. */
  drop(count: number): number {
    let lost = 0;
    for (; lost < count; lost += 1) {
      const delivery = this.queue.take();
      if (!delivery) break;
      delivery.state = 'dropped';
    }
    this.settle();
    return lost;
  }

  /** Sends a delivery once more, whatever became of it. @returns whether there is such a delivery. */
  resend(id: number): boolean {
    const delivery = this.sent.find((one) => one.id === id);
    if (!delivery || delivery.state === 'waiting') return false;
    this.retries.get(delivery)?.abort();
    this.enqueue(delivery);
    return true;
  }

  /** Resolves when nothing is under way or waiting, retries included; what a pause holds back does not count. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.waiters.push(resolve);
      this.settle();
    });
  }

  async close(): Promise<void> {
    this.closing.abort();
    for (const retry of this.retries.values()) retry.abort();
    this.queue.clear();
    await this.agent.destroy();
    this.settle();
  }

  private enqueue(delivery: WebhookDelivery): void {
    delivery.state = 'waiting';
    this.queue.add(delivery);
    this.work();
  }

  private work(): void {
    if (this.working || this.paused || this.closing.signal.aborted) return;
    this.working = true;
    this.workThrough()
      .catch((error: unknown) => console.error('The stand-in of Sesamy could not send webhooks:', error))
      .finally(() => {
        this.working = false;
        this.settle();
        // An event that came between the last look at the queue and now.
        if (this.queue.size > 0) this.work();
      });
  }

  private async workThrough(): Promise<void> {
    while (!this.paused && !this.closing.signal.aborted) {
      const delivery = this.queue.take();
      if (!delivery) return;
      await this.attempt(delivery);
    }
  }

  private async attempt(delivery: WebhookDelivery): Promise<void> {
    const begin = performance.now();
    const attempt: WebhookAttempt = { at: new Date().toISOString(), ms: 0 };
    try {
      attempt.status = await this.post(delivery.event);
    } catch (error) {
      attempt.error = error instanceof Error ? error.name : String(error);
    }
    attempt.ms = Math.round(performance.now() - begin);
    delivery.attempts.push(attempt);
    const { status } = attempt;
    if (status !== undefined && status < 300) delivery.state = 'delivered';
    else if (status !== undefined && status < 500 && status !== 429) delivery.state = 'refused';
    else this.retryLater(delivery);
  }

  private async post(event: WebhookEvent): Promise<number> {
    if (!this.target) throw new Error('no target');
    const timeout = AbortSignal.timeout(this.switches.webhookTimeoutMs);
    const answer = await request(this.target.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.target.headers },
      body: JSON.stringify(event),
      dispatcher: this.agent,
      signal: AbortSignal.any([timeout, this.closing.signal]),
    });
    await answer.body.dump();
    return answer.statusCode;
  }

  private retryLater(delivery: WebhookDelivery): void {
    const waitMs = this.switches.webhookRetryMs[delivery.attempts.length - 1];
    if (waitMs === undefined) {
      delivery.state = 'given-up';
      return;
    }
    delivery.state = 'retrying';
    const controller = new AbortController();
    this.retries.set(delivery, controller);
    const enqueue = () => {
      this.retries.delete(delivery);
      this.enqueue(delivery);
    };
    const stopped = () => this.retries.delete(delivery);
    delay(waitMs, undefined, { signal: controller.signal, ref: false }).then(enqueue, stopped);
  }

  /** Tells those who wait when there is nothing left to wait for. */
  private settle(): void {
    const waiting = !this.paused && this.queue.size > 0;
    if (this.working || ((waiting || this.retries.size > 0) && !this.closing.signal.aborted)) return;
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** First in, first out; also quick with a hundred thousand inside, where an array's `shift` is not. */
class Queue<T> {
  private items: T[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  add(item: T): void {
    this.items.push(item);
  }

  take(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.items[this.head];
    this.head += 1;
    if (this.head > 1_000 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  clear(): void {
    this.items = [];
    this.head = 0;
  }
}
