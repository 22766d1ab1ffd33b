import { moneyOf, regionOf, writtenMoney } from './money.js';
import { type BillSettings, billDate, billLines, type ReceiptBill } from './row.js';
import { oneLine, webLink } from './text.js';

export interface Receipt {
  bill: ReceiptBill;
  reader: { email?: string; firstName?: string; lastName?: string };
  /** Name of the publisher, as the mail's sender. */
  sender: string;
  /** That of the template. */
  language: string;
}

/**
 * All that a template may use. What the bill or the reader does not have is `null` and not absent: `{% if reader.firstName %}` can then
 * ask for it, while a name that is misspelt is an error.
 */
export interface TemplateValues {
  receipt: {
    id: string;
    /** `YYYY-MM-DD`, in the vendor's zone. */
    date: string | null;
    /** As people of the language write it: `2 januari 2027`. */
    dateLong: string | null;
    /** Plain decimal: `129.00`. */
    amount: string;
    currency: string | null;
    /** Amount and currency, as people of the language write it: `129,00 kr`. */
    total: string;
    lines: { title: string; sku: string }[];
    url: string | null;
  };
  reader: { firstName: string | null; lastName: string | null; email: string | null };
  sender: { name: string };
  language: string;
}

export function templateValues({ bill, reader, sender, language }: Receipt, settings: BillSettings): TemplateValues {
  const money = moneyOf(bill, settings);
  const date = billDate(bill, settings);
  return {
    receipt: {
      id: oneLine(bill.id) ?? '',
      date: date?.toFormat('yyyy-MM-dd') ?? null,
      dateLong: date?.setLocale(regionOf(language)).toLocaleString({ dateStyle: 'long' }) ?? null,
      amount: money.amount,
      currency: money.currency ?? null,
      total: writtenMoney(money, language),
      lines: billLines(bill),
      url: webLink(bill.receiptUrl) ?? null,
    },
    reader: {
      firstName: oneLine(reader.firstName) ?? null,
      lastName: oneLine(reader.lastName) ?? null,
      email: oneLine(reader.email) ?? null,
    },
    sender: { name: oneLine(sender) ?? '' },
    language,
  };
}
