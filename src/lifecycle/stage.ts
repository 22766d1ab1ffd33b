import type { Stage } from '../contract/stage.js';
import {
  dayMs,
  endOf,
  isCancelling,
  isEnded,
  isOverdue,
  isRunning,
  isSinglePurchase,
  millisOf,
  type StageContract,
  type StageEntitlement,
  speaksFor,
  subscribedSince,
} from './subscriptions.js';

export interface StageSettings {
  /** How long a new subscriber is `onboarding`, in days. */
  onboardingDays: number;
  /**
   * How long before the end of a term, or before a long term is billed again, a notice is given, in days. It is `renewal-due` from the
   * first of them on; none = never.
   */
  renewalNoticeDays: readonly number[];
  /** From which length on, in days, a term that renews by itself is worth a notice: nobody wants one every month. */
  longTermDays: number;
}

export const defaultStageSettings: StageSettings = {
  onboardingDays: 30,
  renewalNoticeDays: [14, 3],
  longTermDays: 90,
};

/** All that the stage depends on but the time: ids, flags and dates (ISO instants), fit to be kept and compared. */
export interface StageFacts {
  /** The running subscription that speaks for the person; absent where none runs. */
  running?: {
    contractId: string;
    overdue: boolean;
    cancelling: boolean;
    /** Since when the person has been a subscriber without a break. */
    since?: string;
    /** When it ends unless something happens. */
    endsAt?: string;
    /** When the reader decides, or is billed, for another term that is worth a notice. */
    renewsAt?: string;
    /** Length of the term that ends at `renewsAt`, in days. */
    termDays?: number;
  };
  /** A subscription ran once and no longer does. */
  ended: boolean;
  singlePurchase: boolean;
}

const daysOf: Record<string, number> = { DAY: 1, WEEK: 7, MONTH: 30, YEAR: 365 };

export function stageFacts(
  contracts: readonly StageContract[],
  entitlements: readonly StageEntitlement[],
  { longTermDays }: Pick<StageSettings, 'longTermDays'> = defaultStageSettings,
): StageFacts {
  const running = contracts.filter(isRunning);
  const ended = contracts.filter(isEnded);
  const paidArticle = entitlements.some(({ type, origin }) => type === 'article' && origin?.type === 'PAYMENTS');
  const facts: StageFacts = {
    ended: ended.length > 0,
    singlePurchase: paidArticle || contracts.some(isSinglePurchase),
  };
  const speaker = speaksFor(running);
  if (!speaker) return facts;
  const since = subscribedSince(running, ended);
  const endsAt = endOf(speaker);
  return {
    ...facts,
    running: {
      contractId: speaker.id,
      overdue: isOverdue(speaker),
      cancelling: isCancelling(speaker),
      ...(since === undefined ? {} : { since: iso(since) }),
      ...(endsAt === undefined ? {} : { endsAt: iso(endsAt) }),
      ...renewalOf(speaker, longTermDays),
    },
  };
}

/**
 * The renewal a reader wants to hear of. A contract that renews by itself (RECURRING with a next bill) has one only if its term is
 * known to be long; any other that ends has one at its end, else at its next bill.
 */
export function renewalOf(contract: StageContract, longTermDays: number): { renewsAt?: string; termDays?: number } {
  const interval = daysOf[contract.recurringInterval?.toUpperCase() ?? ''];
  const billedDays = interval === undefined ? undefined : interval * (contract.recurringTime ?? 1);
  const nextBill = millisOf(contract.nextBillAt);
  const byItself = contract.duration === 'RECURRING' && nextBill !== undefined;
  if (byItself && (billedDays ?? 0) < longTermDays) return {};
  const renewable = contract.duration === 'RENEWABLE' ? nextBill : undefined;
  const at = byItself ? nextBill : (millisOf(contract.expiresAt) ?? renewable);
  if (at === undefined) return {};
  const start = millisOf(contract.createdAt);
  const termDays = billedDays ?? (start !== undefined && start < at ? (at - start) / dayMs : undefined);
  return { renewsAt: iso(at), ...(termDays === undefined ? {} : { termDays }) };
}

/**
 * The stage at a time, and until when it holds if nothing happens (ISO instant; absent where time alone changes nothing). With a running
 * subscription the first that is true of: `overdue`, `cancelling`, `renewal-due`, `onboarding`, `active`. Without one: `lapsed`,
 * `single-purchase`, `none`. Access that was given or bought by others makes no subscriber.
 */
export function stageOf(facts: StageFacts, now: Date, settings: StageSettings): { stage: Stage; until?: string } {
  const { running } = facts;
  if (!running) return { stage: facts.ended ? 'lapsed' : facts.singlePurchase ? 'single-purchase' : 'none' };

  const at = now.getTime();
  const ends = timeOf(running.endsAt);
  if (running.overdue) return { stage: 'overdue', ...until(at, ends) };
  if (running.cancelling) return { stage: 'cancelling', ...until(at, ends) };

  const notice = noticeOf(running, settings);
  const renews = timeOf(running.renewsAt);
  if (at >= notice) return { stage: 'renewal-due', ...until(at, ends, renews) };

  const welcomed = timeOf(running.since) + settings.onboardingDays * dayMs;
  const stage = at < welcomed ? 'onboarding' : 'active';
  return { stage, ...until(at, ends, notice, welcomed) };
}

/** At most half the term, so that a trial of two weeks is not all renewal. NaN where none is given. */
function noticeOf(running: NonNullable<StageFacts['running']>, settings: StageSettings): number {
  if (settings.renewalNoticeDays.length === 0) return Number.NaN;
  const days = Math.min(Math.max(...settings.renewalNoticeDays), (running.termDays ?? Number.POSITIVE_INFINITY) / 2);
  return timeOf(running.renewsAt) - days * dayMs;
}

/** NaN for an absent date: it is neither before nor after anything. */
function timeOf(date: string | undefined): number {
  return date === undefined ? Number.NaN : Date.parse(date);
}

function until(now: number, ...times: number[]): { until?: string } {
  const next = Math.min(...times.filter((time) => time > now));
  return Number.isFinite(next) ? { until: iso(next) } : {};
}

function iso(millis: number): string {
  return new Date(millis).toISOString();
}
