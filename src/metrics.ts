import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { signalOfEvent } from './contract/index.js';
import { withinTime } from './time-limit.js';

/** One webhook that was answered. */
export interface AnsweredWebhook {
  /** A configured vendor, once the request is known to be its; never what the sender wrote. */
  vendorId: string | undefined;
  /** Any text: what is no documented event type is counted as `other`. */
  event: string | undefined;
  /** HTTP status of the answer. */
  status: number;
  seconds: number;
}

/** What is counted. Labels come from small known sets: no ids of people, no text that a sender chose. */
export interface Metrics {
  webhookOpened(): void;
  webhookClosed(): void;
  webhookAnswered(webhook: AnsweredWebhook): void;
  /** Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Vendors and how to find out whether their brakes are on; asked when the metrics are read. */
export interface BrakeSource {
  vendorIds: readonly string[];
  isOn(vendorId: string): Promise<boolean>;
}

/** A brake that cannot be asked is left out: Temporal is away then, which other metrics tell. */
const brakeWithinMs = 2_000;

/** Metrics of one process, in a registry of their own; the workers' are Temporal's and have an endpoint of their own. */
export function createMetrics(brakes?: BrakeSource): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const webhooks = new Counter({
    name: 'sesamy_rule_webhooks_total',
    help: 'Webhooks answered, by vendor, event type and HTTP status.',
    labelNames: ['vendor', 'event', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'sesamy_rule_webhook_seconds',
    help: 'Seconds from the arrival of a webhook to its answer.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const open = new Gauge({
    name: 'sesamy_rule_webhook_open_requests',
    help: 'Webhooks that have arrived and are not answered yet.',
    registers,
  });
  if (brakes) watchBrakes(brakes, registers);
  return {
    webhookOpened: () => open.inc(),
    webhookClosed: () => open.dec(),
    webhookAnswered(webhook) {
      const event =
        webhook.event !== undefined && Object.hasOwn(signalOfEvent, webhook.event) ? webhook.event : 'other';
      webhooks.inc({ vendor: webhook.vendorId ?? 'unknown', event, status: String(webhook.status) });
      seconds.observe(webhook.seconds);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function watchBrakes({ vendorIds, isOn }: BrakeSource, registers: Registry[]): void {
  new Gauge({
    name: 'sesamy_rule_ended_brake',
    help: '1 while so many subscriptions seem to end at once that their ends are held, by vendor.',
    labelNames: ['vendor'],
    registers,
    async collect() {
      this.reset();
      await Promise.all(
        vendorIds.map(async (vendor) => {
          const on = await withinTime(brakeWithinMs, () => isOn(vendor)).catch(() => undefined);
          if (on !== undefined) this.set({ vendor }, on ? 1 : 0);
        }),
      );
    },
  });
}
