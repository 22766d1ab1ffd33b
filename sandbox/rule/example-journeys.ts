import type { NewAutomation } from './controls.js';

const onEvent = (event: string) => `sesamy_event_${event}`;

/** Ends when the tag of its event leaves, or by itself where nothing that happens takes it away. */
function journey(
  name: string,
  event: string,
  mails: readonly [subject: string, afterDays: number][],
  ends: 'with its tag' | 'by itself' = 'with its tag',
): NewAutomation {
  return {
    name,
    trigger: { type: 'TAG', name: onEvent(event) },
    mails: mails.map(([subject, afterDays]) => ({ subject, afterDays })),
    endsOn: { tagLost: ends === 'by itself' ? [] : [onEvent(event)] },
  };
}

/**
 * The journeys that a marketer of the invented magazine might have: each starts on the tag of one event in a reader's life. They are the
 * recipes of `docs/lifecycle.md`; a test compares them.
 */
export const exampleJourneys: readonly NewAutomation[] = [
  journey('Onboarding', 'subscribed', [
    ['Welcome to The Daily Example', 0],
    ['Get the most out of your Daily Example', 3],
    ['How do you like The Daily Example?', 14],
  ]),
  journey('Welcome back', 'returned', [['Good to have you back at The Daily Example', 0]]),
  journey('Renewal notice', 'renewal-due', [['Your Daily Example subscription is soon up for renewal', 0]]),
  journey('Payment reminder', 'payment-failed', [
    ['Your payment to The Daily Example did not go through', 0],
    ['A reminder: please look at your card', 3],
    ['Last reminder before your Daily Example pauses', 6],
  ]),
  journey('Payment thanks', 'payment-recovered', [['Thank you, your payment has arrived', 0]]),
  journey('Cancellation save', 'cancel-requested', [
    ['Your cancellation is noted', 0],
    ['Would you like to stay with The Daily Example?', 5],
  ]),
  journey('Glad you stay', 'cancel-regretted', [['We are glad that you stay', 0]]),
  journey('Goodbye', 'ended', [['Goodbye from The Daily Example', 0]]),
  journey('Win-back', 'win-back', [
    ['This happened while you were away', 0],
    ['An offer to come back to The Daily Example', 7],
  ]),
  journey('Renewal thanks', 'renewed', [['Thank you for another round of The Daily Example', 0]]),
  journey('Receipt', 'receipt', [['Your receipt from The Daily Example', 0]], 'by itself'),
  journey(
    'After a single purchase',
    'single-purchase',
    [['Enjoy your article from The Daily Example', 0]],
    'by itself',
  ),
];
