import { DateTime } from 'luxon';
import { moneyOf } from './money.js';
import type { ReceiptSettings } from './settings.js';
import { oneLine, webLink } from './text.js';

/** A paid bill, as Sesamy shows it (sesamy-api §3.6). */
export interface ReceiptBill {
  id: string;
  /** In the unit that the settings name. */
  price: number;
  /** ISO 4217; absent where Sesamy gives none. */
  currency?: string;
  items: readonly { sku: string; title: string }[];
  receiptUrl?: string;
  createdAt?: string;
}

/** How a bill's dates and amounts are read. */
export interface BillSettings extends Pick<ReceiptSettings, 'amountUnit'> {
  /** Zone of all dates. */
  timeZone: string;
}

/**
 * A bill as the row of Rule's historical group `Sesamy_Receipt`; members that the bill does not have are left out. The amount is of major
 * units, see {@link moneyOf}.
 */
export function receiptValues(bill: ReceiptBill, settings: BillSettings): { Id: string } & Record<string, string> {
  const date = billDate(bill, settings)?.toFormat('yyyy-MM-dd');
  const { amount, currency } = moneyOf(bill, settings);
  const url = webLink(bill.receiptUrl);
  return {
    Id: bill.id,
    ...(date ? { Date: date } : {}),
    Amount: amount,
    ...(currency ? { Currency: currency } : {}),
    Lines: billLines(bill)
      .map(({ title }) => title)
      .join(', '),
    ...(url ? { Url: url } : {}),
  };
}

/** What was paid for; a product without a title is named by its SKU. */
export function billLines({ items }: ReceiptBill): { title: string; sku: string }[] {
  return items.map(({ sku, title }) => ({ title: oneLine(title) ?? oneLine(sku) ?? '', sku: oneLine(sku) ?? '' }));
}

/**
 * ISO 8601 or `YYYY-MM-DD HH:MM:SS`, without an offset UTC, in the vendor's zone; a day alone stays that day. The same rules as the
 * mapping's, which is another room.
 */
export function billDate({ createdAt }: ReceiptBill, { timeZone }: BillSettings): DateTime<true> | undefined {
  const text = createdAt?.trim() ?? '';
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return undefined;
  const instant = [DateTime.fromISO, DateTime.fromSQL].map((read) => read(text, { zone: 'utc' })).find(isValid);
  const date = text.length === 'YYYY-MM-DD'.length ? instant : instant?.setZone(timeZone);
  return date && isValid(date) ? date : undefined;
}

function isValid(date: DateTime): date is DateTime<true> {
  return date.isValid;
}
