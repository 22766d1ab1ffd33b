import { en } from './templates/en.js';
import { sv } from './templates/sv.js';

/**
 * - `off`: no receipts
 * - `automation`: a row in Rule and a tag that starts the marketer's own receipt flow
 * - `transactional`: a mail of our own, by Rule's transactional API
 */
export const receiptModes = ['off', 'automation', 'transactional'] as const;

/** One language's receipt, in Liquid. What may be used in it is in `docs/configuration.md`. */
export interface ReceiptTemplate {
  subject: string;
  html: string;
  text: string;
}

export interface ReceiptSettings {
  mode: (typeof receiptModes)[number];
  /** Who sends the mail; needed for `transactional`. Rule has to know the domain. */
  from?: { name: string; email: string };
  /** For readers whose own language has no template. */
  language: string;
  /** Whether Sesamy's amounts are kronor or öre: its documents do not say (sesamy-api §3.6). */
  amountUnit: 'major' | 'minor';
  /** By language, two letters. */
  templates: Readonly<Record<string, ReceiptTemplate>>;
}

export const defaultReceiptSettings: ReceiptSettings = {
  mode: 'automation',
  language: 'sv',
  amountUnit: 'major',
  templates: { sv, en },
};
