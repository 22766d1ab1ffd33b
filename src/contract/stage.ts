/** Where a person stands in the life of a subscription; in Rule one tag `sesamy_stage_{stage}` at a time. */
export const stages = [
  'none',
  'onboarding',
  'active',
  'renewal-due',
  'overdue',
  'cancelling',
  'lapsed',
  'single-purchase',
] as const;

export type Stage = (typeof stages)[number];
