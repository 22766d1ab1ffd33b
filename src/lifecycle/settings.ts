import type { LifecycleEventType } from '../contract/lifecycle.js';
import type { StageSettings } from './stage.js';
import { dayMs } from './subscriptions.js';

/** When events are told. */
export interface LifecycleSettings extends StageSettings {
  /** How long a cancellation waits for a regret before it is told, in milliseconds. */
  cancelWaitMs: number;
  /** How long the end of the last subscription waits before it is told, in milliseconds: a plan change may show its other half late. */
  endedWaitMs: number;
  /** When a lapsed reader is told of, in days after the end. */
  winBackDays: readonly number[];
  /** What happened longer ago than this is not news any more, in milliseconds. */
  maxEventAgeMs: number;
  /** Events that are not told. */
  off: readonly LifecycleEventType[];
}

export const defaultLifecycleSettings: LifecycleSettings = {
  onboardingDays: 30,
  renewalNoticeDays: [14, 3],
  longTermDays: 90,
  cancelWaitMs: 15 * 60_000,
  endedWaitMs: 15 * 60_000,
  winBackDays: [30, 90],
  maxEventAgeMs: 7 * dayMs,
  off: [],
};
