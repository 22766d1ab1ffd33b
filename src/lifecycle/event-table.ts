import { type LifecycleEventType, lifecycleEventTypes } from '../contract/lifecycle.js';
import { defaultLifecycleSettings } from './settings.js';
import { dayMs, sameReaderMs } from './subscriptions.js';

const minuteMs = 60_000;

/** One lifecycle event, as marketers read of it: the source of `docs/lifecycle.md`, and of which tags an event takes away. */
export interface EventRow {
  type: LifecycleEventType;
  /** What it tells. */
  meaning: string;
  /** Exactly when it is found. */
  condition: string;
  /** When it is told, by default. */
  timing: string;
  /** Events whose tags leave when this one is told, so that their flows can end on it. */
  takesAway: readonly LifecycleEventType[];
}

const { renewalNoticeDays, longTermDays, cancelWaitMs, endedWaitMs, winBackDays, maxEventAgeMs } =
  defaultLifecycleSettings;
const newsDays = `${maxEventAgeMs / dayMs} days`;

const rows: Record<LifecycleEventType, Omit<EventRow, 'type'>> = {
  'single-purchase': {
    meaning: 'Bought a single item',
    condition: `A one-time contract, or an article that was paid for, of the last ${newsDays} that was not known`,
    timing: 'at once',
    takesAway: [],
  },
  subscribed: {
    meaning: 'Became a subscriber for the first time',
    condition: `A subscription runs where none did, made in the last ${newsDays}, and the reader never had one before`,
    timing: 'at once; for a guest when the account is confirmed',
    takesAway: ['ended', 'win-back'],
  },
  returned: {
    meaning: 'Became a subscriber again',
    condition: `A subscription runs where none did, made or resumed in the last ${newsDays}, after an earlier one had ended: that end was told, or lies more than ${sameReaderMs / dayMs} days before it`,
    timing: 'at once',
    takesAway: ['ended', 'win-back'],
  },
  renewed: {
    meaning: 'A subscription went on for another term',
    condition:
      'The paid time of a running subscription has moved on by half a day or more. Of one that renews by itself not while more than 3 days of the term before were left: that is a change of plan. Not where a payment had failed, and not where it was cancelled',
    timing: 'at once',
    takesAway: ['renewal-due'],
  },
  'payment-recovered': {
    meaning: 'A payment that had failed went through',
    condition: 'A running subscription that was OVERDUE no longer is',
    timing: 'at once',
    takesAway: ['payment-failed'],
  },
  'cancel-regretted': {
    meaning: 'Took a cancellation back',
    condition:
      'A cancellation whose wait was over, or that was there at first sight, is no longer scheduled, and the subscription runs on',
    timing: 'at once',
    takesAway: ['cancel-requested'],
  },
  'renewal-due': {
    meaning: 'A term ends, or a long one is billed, before long',
    condition: `So many days before a subscription ends or has to be renewed by the reader; before the next bill of one that renews by itself only if its term has ${longTermDays} days or more. Not while OVERDUE or cancelled, and never earlier than half the term before; of several notices that are due only the last`,
    timing: `${listOf(renewalNoticeDays)} days before`,
    takesAway: [],
  },
  'payment-failed': {
    meaning: 'A payment failed; access goes on while it is tried again',
    condition: 'A running subscription has become OVERDUE',
    timing: 'at once',
    takesAway: ['payment-recovered', 'renewal-due'],
  },
  'cancel-requested': {
    meaning: 'Asked to cancel; access goes on until the end of the paid time',
    condition: 'The end of a running subscription is scheduled, and still is after the wait',
    timing: `${cancelWaitMs / minuteMs} minutes after the request`,
    takesAway: ['cancel-regretted', 'renewal-due'],
  },
  ended: {
    meaning: 'No longer a subscriber',
    condition: 'No subscription runs any more where one did, and still none does after the wait',
    timing: `${endedWaitMs / minuteMs} minutes after it was seen`,
    takesAway: ['subscribed', 'returned', 'renewed', 'renewal-due', 'payment-failed', 'cancel-requested'],
  },
  'win-back': {
    meaning: 'Has been away for a while',
    condition:
      'Still no running subscription so many days after the last one ended; of several that are due only the last',
    timing: `${listOf(winBackDays)} days after the end`,
    takesAway: [],
  },
  receipt: {
    meaning: 'Paid a bill',
    condition: `A payment of the last ${newsDays} that is more than nothing, no refund and not refunded, of a bill that has had no receipt and was not paid before the reader was known`,
    timing: 'at once',
    takesAway: [],
  },
};

/** `14 and 3`. */
function listOf(numbers: readonly number[]): string {
  return [numbers.slice(0, -1).join(', '), ...numbers.slice(-1)].filter((part) => part !== '').join(' and ');
}

/** All events, in the order in which they are told when several are found at once. */
export const eventTable: readonly EventRow[] = lifecycleEventTypes.map((type) => ({ type, ...rows[type] }));

/** Events whose tags leave when this one is told. */
export function takenAwayBy(type: LifecycleEventType): readonly LifecycleEventType[] {
  return rows[type].takesAway;
}
