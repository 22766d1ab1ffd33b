import type { LifecycleEventType } from '../src/contract/index.js';

/** A flow that a marketer builds in Rule: the source of the recipes in `docs/lifecycle.md`. */
export interface Journey {
  name: string;
  /** The event whose tag starts it. What takes that tag away ends it. */
  startsOn: LifecycleEventType;
  mails: string;
  /** Keys of `docs/fields.md`. */
  fields: readonly string[];
  /** What else there is to personalise with, or to beware of. */
  note?: string;
  /** Events whose flows must not run at the same time where no tag leaves by itself, and how the two are kept apart. */
  apart: readonly [events: readonly LifecycleEventType[], how: string][];
}

const name = 'Subscriber.FirstName';
const titles = 'Sesamy_ActiveProducts.Titles';

export const journeys: readonly Journey[] = [
  {
    name: 'Onboarding',
    startsOn: 'subscribed',
    mails: 'at once, after 3 days, after 14 days',
    fields: [name, titles, 'Sesamy_ActiveProducts.OptionTitles', 'Sesamy_Subscription.CreatedAt'],
    apart: [
      [
        ['payment-failed', 'cancel-requested'],
        'before each further mail, ask that the reader has neither of these tags',
      ],
      [['receipt'], 'mostly told in the same minute: leave the amount to that mail'],
      [['returned'], 'never told of the same purchase'],
    ],
  },
  {
    name: 'Welcome back',
    startsOn: 'returned',
    mails: 'one, at once',
    fields: [name, titles],
    apart: [
      [['subscribed'], 'never told of the same purchase'],
      [['receipt'], 'mostly told in the same minute'],
    ],
  },
  {
    name: 'Renewal notice',
    startsOn: 'renewal-due',
    mails: 'one, at once; each notice starts the flow anew, so two notices are two mails',
    fields: [name, titles, 'Sesamy_Subscription.ExpiresAt'],
    note: '`Sesamy_Subscription.ExpiresAt` is empty where the subscription renews by itself: the day of the next bill is in no field. The last part of the row’s `Id` says which notice it is (`.14`, `.3`).',
    apart: [[['subscribed'], 'only where a term is so short that the series and the notice meet']],
  },
  {
    name: 'Renewal thanks',
    startsOn: 'renewed',
    mails: 'one, at once; a monthly subscriber would get it each month',
    fields: [name, titles],
    apart: [
      [['receipt'], 'mostly told in the same minute: thank in the receipt instead, or leave the amount out'],
      [['payment-recovered'], 'told in place of this one where the payment had failed'],
    ],
  },
  {
    name: 'Payment reminder',
    startsOn: 'payment-failed',
    mails: 'at once, after 3 days, after 6 days',
    fields: [name, titles, 'Sesamy_Subscription.Status'],
    apart: [],
  },
  {
    name: 'Payment thanks',
    startsOn: 'payment-recovered',
    mails: 'one, at once',
    fields: [name],
    apart: [[['receipt'], 'mostly told in the same minute']],
  },
  {
    name: 'Cancellation save',
    startsOn: 'cancel-requested',
    mails: 'at once (it is noted, and until when access lasts), after 5 days (an offer to stay)',
    fields: [name, titles, 'Sesamy_Subscription.CanceledAt', 'Sesamy_Subscription.ExpiresAt'],
    note: 'With `mapping.canceledAt: request-day` the day on which access ends is in `Sesamy_Subscription.ExpiresAt` only.',
    apart: [[['subscribed'], 'a series that is still under way: see there']],
  },
  {
    name: 'Glad you stay',
    startsOn: 'cancel-regretted',
    mails: 'one, at once',
    fields: [name],
    apart: [],
  },
  {
    name: 'Goodbye',
    startsOn: 'ended',
    mails: 'one, at once',
    fields: [name, 'Sesamy_Subscription.ExpiresAt'],
    note: '`Sesamy_ActiveProducts` is empty by then unless the reader has other access; the product that ended is `Product` in the row.',
    apart: [[['win-back'], 'told 30 days after the end at the earliest, by default: be done by then']],
  },
  {
    name: 'Win-back',
    startsOn: 'win-back',
    mails: 'at once, after 7 days; each distance starts the flow anew',
    fields: [name, 'Sesamy_Subscription.ExpiresAt'],
    note: 'The product that the reader had is `Product` in the row; the last part of its `Id` says after how many days it is (`.30`, `.90`).',
    apart: [[['single-purchase'], 'does not end it: whoever buys an article has not come back as a subscriber']],
  },
  {
    name: 'Receipt',
    startsOn: 'receipt',
    mails: 'one, at once. For `receipts.mode: automation`, which is the default',
    fields: [name, 'Sesamy_BillingAddress.FirstName', 'Sesamy_BillingAddress.LastName'],
    note: 'Day, amount, currency, what was bought and the link to the bill are in the newest row of `Sesamy_Receipt`. Readers who are suppressed or have opted out get no tag, so no mail: see [receipts](#receipts).',
    apart: [
      [
        ['subscribed', 'returned', 'renewed', 'payment-recovered', 'single-purchase'],
        'mostly told in the same minute, the receipt last: say in one of the two mails only what was paid',
      ],
    ],
  },
  {
    name: 'After a single purchase',
    startsOn: 'single-purchase',
    mails: 'one, at once; another later, to those whose stage is `single-purchase` (`sesamy_stage_single-purchase`)',
    fields: [name],
    note: 'What was bought is `Product` in the row; single articles are not in `Sesamy_ActiveProducts`.',
    apart: [
      [['receipt'], 'mostly told in the same minute'],
      [['subscribed'], 'a subscription that is bought after it: ask for the stage before a later mail'],
    ],
  },
];
