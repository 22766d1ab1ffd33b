import type { LifecycleEvent, LifecycleEventType } from '../contract/lifecycle.js';
import type { Stage } from '../contract/stage.js';
import type { LifecycleSettings } from './settings.js';
import { endOf, millisOf, type StageContract } from './subscriptions.js';

/** One look at a reader: what the rules of persons and of contracts have in common. */
export interface Look {
  now: number;
  settings: LifecycleSettings;
  running: readonly StageContract[];
  /** Subscriptions that have ended. */
  ended: readonly StageContract[];
  stage: Stage;
  /** When cancellations were asked for, by contract id (ISO instants). */
  cancelRequestedAt: Readonly<Record<string, string>>;
}

/** Whether something of that time is still news. A time to come is: clocks differ. */
export function isFresh({ now, settings }: Look, at: number): boolean {
  return now - at <= settings.maxEventAgeMs;
}

/** When a contract changed last as far as Sesamy tells, never later than now. */
export function changedAt({ now }: Look, contract: StageContract): number {
  return Math.min(millisOf(contract.updatedAt) ?? now, now);
}

/** When the paid time ends: the next bill, else the end. */
export function paidUntilOf(contract: StageContract): number | undefined {
  return millisOf(contract.nextBillAt) ?? endOf(contract);
}

/** Longer titles say no more. */
const longestTitle = 100;

export function productOf({ items }: StageContract): string | undefined {
  const title = (items ?? []).map(({ name }) => name.trim()).filter(Boolean);
  return title.length > 0 ? title.join(', ').slice(0, longestTitle) : undefined;
}

/** An event; its id is made of what happened to what and when, so that the same happening has the same id. */
export function eventOf(
  { stage }: Look,
  type: LifecycleEventType,
  at: number,
  subject: { contractId: string; product?: string | undefined; key?: string },
): LifecycleEvent {
  const { contractId, product, key } = subject;
  return {
    id: [type, contractId, ...(key === undefined ? [] : [key])].join('.'),
    type,
    at: iso(at),
    contractId,
    ...(product === undefined ? {} : { product }),
    stage,
  };
}

/** `20261201`. */
export function dayKey(at: number | string): string {
  return new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
}

/** `202612011530`. */
export function minuteKey(at: number | string): string {
  return new Date(at).toISOString().slice(0, 16).replace(/\D/g, '');
}

/** Own members only: ids come from outside, and `constructor` is one of every object. */
export function own<T>(record: Readonly<Record<string, T>> | undefined, id: string): T | undefined {
  return record && Object.hasOwn(record, id) ? record[id] : undefined;
}

export function iso(at: number): string {
  return new Date(at).toISOString();
}
