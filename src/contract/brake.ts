/**
 * The brake of one vendor: a workflow that counts how many subscriptions seem to end within an hour. While it is on, nobody is told that
 * theirs has ended.
 */
import { defineQuery, defineSignal } from '@temporalio/workflow';

export const brakeWorkflowType = 'brake';

export function brakeWorkflowId(vendorId: string): string {
  return `brake/${vendorId}`;
}

/** One more reader seems to have left. */
export interface WouldEnd {
  /** Subscribers of the vendor, as far as they could be counted. */
  subscribers: number;
  /** Of them, within an hour: more pull the brake. */
  share: number;
  /** Fewer than this never do. */
  atLeast: number;
}

export const wouldEndSignal = defineSignal<[WouldEnd]>('wouldEnd');

/** A person has decided what becomes of those who are held: counting begins anew. */
export const liftSignal = defineSignal('lift');

export interface BrakeStatus {
  on: boolean;
  /** Since when it is on, ISO instant. */
  since?: string;
  /** Readers who seem to have left within the last hour. */
  count: number;
  /** More than this within an hour pull it. */
  limit: number;
}

export const brakeStatusQuery = defineQuery<BrakeStatus>('brakeStatus');
