import type { LifecycleSettings } from '../lifecycle/index.js';
import type { ReceiptSettings } from '../receipts/index.js';

/** What the program is told by its environment and its vendors file, checked and complete. */
export interface Config {
  vendors: VendorConfig[];
  /** True when no credential at all is set: `start` then uses stand-ins of both vendors. `vendors` is empty in that case. */
  sandbox: boolean;
  webhook: WebhookConfig;
  /** Absolute path of the folder for what the program keeps on disk: the embedded server's file, fetched binaries. */
  dataFolder: string;
  /** `host:port` of the Prometheus endpoint of Temporal's SDK; absent = off. */
  metricsAddress?: string;
  logLevel: LogLevel;
  /** `SESAMY_RULE_HASH_KEY` as it was given; what is used is {@link VendorConfig.hashKey}. */
  hashKey?: string;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof logLevels)[number];

export interface WebhookConfig {
  host: string;
  /** 0 = any free port. */
  port: number;
  /** Those of `WEBHOOK_SECRET`, good for every vendor that has none of its own. */
  secrets: string[];
}

/** One publisher: both accounts and how the one is mapped to the other. */
export interface VendorConfig {
  /** Sesamy's id of the vendor (sesamy-api §1.1). */
  id: string;
  sesamy: SesamyAccount;
  rule: RuleAccount;
  mapping: MappingConfig;
  timings: Timings;
  lifecycle: LifecycleConfig;
  receipts: ReceiptSettings;
  reconcile: ReconcileConfig;
  /** The vendor's own, else the shared ones. Any of them opens the webhook: the new one and the old one during a rotation. */
  webhookSecrets: string[];
  /** Key of the hashes by which changes are recognised; see `SESAMY_RULE_HASH_KEY`. */
  hashKey: string;
}

/** How Sesamy is reached (sesamy-api §1.2, §1.3). */
export interface SesamyAccount {
  /** Without the trailing `/management`, which the client adds. */
  apiUrl: string;
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  /** Absent = not sent. */
  audience?: string;
  /** Absent = not sent. */
  scope?: string;
  /** The budget of all workers together. */
  requestsPerSecond: number;
}

/** How Rule is reached. */
export interface RuleAccount {
  /** Without the trailing `/v2` or `/v3`, which the client adds. */
  apiUrl: string;
  apiKey: string;
}

/** Choices of the mapping. */
export interface MappingConfig {
  /** IANA name of the zone in which dates are written. Default `UTC`. */
  timeZone: string;
  /** ISO 3166 country whose rules read phone numbers without a country code. Default `SE`. */
  country: string;
  /** Whether people whose `emailVerified` is absent count as guests too. Default false: only an explicit `false` makes a guest. */
  requireVerifiedEmail: boolean;
  /** Whether a billing address that Sesamy no longer has is cleared in Rule. Default false: it is kept. */
  clearMissingAddress: boolean;
  /** Whether somebody who was given an access counts as a subscriber. Default false. */
  giftReceiverIsSubscriber: boolean;
  /** Which further kinds of products make tags of their own. Default none. */
  productTags: { articles: boolean; physicalIssues: boolean };
  /** Which day `Sesamy_Subscription.CanceledAt` holds: the last day, or the day of the request. Default `end-day`. */
  canceledAt: 'end-day' | 'request-day';
}

/** Stages and events: when things are told, and when not. */
export interface LifecycleConfig extends LifecycleSettings {
  brake: BrakeConfig;
}

/** When the end of many subscriptions at once is not believed (a wrong import, a fault at Sesamy). */
export interface BrakeConfig {
  /** Of all subscribers, within an hour; 0 to 1. Default 0.02. */
  share: number;
  /** Fewer than this many people never pull it. Default 20. */
  atLeast: number;
}

/** The regular search for readers of whom no webhook has told. */
export interface ReconcileConfig {
  /** Its period, in hours; 0 = never by itself. Default 24. */
  everyHours: number;
  /** The share of the vendor's budget that it may use, above 0 to 1. Default 0.2. */
  share: number;
}

/** When the program looks again by itself, in milliseconds. */
export interface Timings {
  /** After a message that showed nothing new, counted from the message; ascending. Default 45 s and 5 min (sesamy-api §4.3). */
  extraLooksMs: number[];
  /** How long contracts or accesses that were there must be missing before it is believed. Default 15 min. */
  missingRowsMs: number;
  /** How long a user must be missing before it is believed. Default 24 h. */
  missingUserMs: number;
  /** Period of the regular look without any message. Default 3 days. */
  recheckMs: number;
  /** How long a guest is remembered without any message. Default 30 days. */
  guestMs: number;
}
