import type { ReceiptSettings } from './settings.js';

export interface Money {
  /** Plain decimal with the currency's usual digits: `129.00`. */
  amount: string;
  /** ISO 4217, where Sesamy gives one. */
  currency?: string;
}

/**
 * What a bill costs. Sesamy does not say whether prices are kronor or öre (sesamy-api §3.6): `major`, the default, takes them for kronor;
 * `minor` for the smallest unit, of which a krona has a hundred and a yen one.
 */
export function moneyOf(
  { price, currency: given }: { price: number; currency?: string },
  { amountUnit }: Pick<ReceiptSettings, 'amountUnit'>,
): Money {
  const currency = given?.trim().toUpperCase() || undefined;
  const digits = digitsOf(currency);
  const major = amountUnit === 'minor' ? price / 10 ** digits : price;
  return { amount: major.toFixed(digits), ...(currency ? { currency } : {}) };
}

/** As people of the language write it: `1 290,50 kr`. A currency that is no ISO code stands as it is. */
export function writtenMoney({ amount, currency }: Money, language: string): string {
  if (isCode(currency)) {
    return new Intl.NumberFormat(regionOf(language), { style: 'currency', currency }).format(Number(amount));
  }
  const digits = digitsOf(currency);
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const number = new Intl.NumberFormat(regionOf(language), options).format(Number(amount));
  return currency ? `${number} ${currency}` : number;
}

/** English without a country is American by default, and Sesamy's publishers are European: 2 January, not January 2. */
export function regionOf(language: string): string {
  return language === 'en' ? 'en-GB' : language;
}

function digitsOf(currency: string | undefined): number {
  const unit = isCode(currency) ? ({ style: 'currency', currency } as const) : undefined;
  return (unit && new Intl.NumberFormat('en', unit).resolvedOptions().maximumFractionDigits) ?? 2;
}

function isCode(currency: string | undefined): currency is string {
  return currency !== undefined && /^[A-Z]{3}$/.test(currency);
}
