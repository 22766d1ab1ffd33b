import type { DeliverInput, DeliverResult, LifecycleEvent } from '../contract/index.js';
import { VendorError } from '../http/errors.js';
import { receiptLanguage, receiptValues, renderReceipt } from '../receipts/index.js';
import type { SesamyBill } from '../sesamy/index.js';
import type { EventRow } from './event-row.js';
import type { Attempt } from './sync-subscriber.js';
import type { Vendor } from './vendor.js';

/** The historical group in Rule that holds a reader's receipts, one row for each paid bill. */
export const receiptGroup = 'Sesamy_Receipt';

/** A receipt was claimed, and it is certain that no mail went out: the same claim serves the next attempt. */
export class NotSent extends Error {
  override name = 'NotSent';
  constructor(readonly failure: VendorError) {
    super(failure.message);
  }
}

/** The bill as a row, fetched now: amounts and titles are not kept in Temporal. `undefined` where there is nothing to acknowledge. */
export async function receiptRow(
  vendor: Vendor,
  event: LifecycleEvent,
  attempt: Attempt,
): Promise<EventRow | undefined> {
  const bill = await paidBill(vendor, event, attempt);
  return bill && rowOf(vendor, bill);
}

/**
 * Sends a receipt as a mail of its own, at most once: the row is the claim, and it is written before the mail is sent. Whoever comes
 * later and finds a claim cannot know whether the mail went out; a person decides then.
 *
 * @throws NotSent when the claim stands and Rule certainly did not take the mail
 */
export async function deliverReceipt(
  vendor: Vendor,
  input: DeliverInput,
  event: LifecycleEvent,
  attempt: Attempt,
): Promise<Omit<DeliverResult, 'started'>> {
  const { signal, step } = attempt;
  const bill = await paidBill(vendor, event, attempt);
  if (!bill) return { outcome: 'nothing' };
  const row = rowOf(vendor, bill);
  const where = { group: row.group, field: 'Id', value: row.values.Id };
  if (input.again) step('rule: whether it is claimed');
  const claimed = input.again && (await vendor.rule.findRow(input.ruleId, where, { signal }));
  if (claimed && !input.notSent && !input.released) return { outcome: 'in-doubt' };

  const mail = await mailOf(vendor, input, bill, attempt);
  if (!mail) return { outcome: 'nothing' };
  try {
    if (!claimed) {
      step('rule: claim');
      await vendor.rule.appendRow(input.ruleId, row, { signal });
    }
    step('rule: receipt');
    await vendor.rule.sendEmail(mail, { signal });
  } catch (error) {
    if (!(error instanceof VendorError)) throw error;
    // A claim whose answer was lost may stand, but no mail was tried.
    if (error.unknownOutcome && error.path === '/v2/transactionals') return { outcome: 'in-doubt' };
    throw new NotSent(error);
  }
  return { outcome: 'sent' };
}

/** Sesamy's words for a bill that nobody has to be thanked for (sesamy-api §3.6). */
const unpaid = ['DRAFT', 'CANCELED', 'EXPIRED', 'DELETED', 'VOIDED'];

async function paidBill(
  vendor: Vendor,
  { billId }: LifecycleEvent,
  { signal, step }: Attempt,
): Promise<SesamyBill | undefined> {
  if (billId === undefined) return undefined;
  step('sesamy: bill');
  const bill = await vendor.sesamy.getBill(billId, { signal });
  return bill && !unpaid.includes(bill.status) ? bill : undefined;
}

function rowOf({ receipts, mapping }: Vendor, bill: SesamyBill): EventRow {
  return { group: receiptGroup, values: receiptValues(bill, { ...receipts, timeZone: mapping.timeZone }) };
}

/** The reader and the address are fetched now, too. */
async function mailOf(vendor: Vendor, { userId }: DeliverInput, bill: SesamyBill, { signal, step }: Attempt) {
  const { receipts, mapping } = vendor;
  step('sesamy: user');
  const user = await vendor.sesamy.getUser(userId, { signal });
  if (!user?.email || !receipts.from) return undefined;
  const language = receiptLanguage(user.locale, Object.keys(receipts.templates), receipts.language);
  const template = receipts.templates[language];
  if (!template) return undefined;
  const receipt = { bill, reader: user, sender: receipts.from.name, language };
  const rendered = renderReceipt(template, receipt, { ...receipts, timeZone: mapping.timeZone });
  return {
    name: 'Receipt',
    from: receipts.from,
    to: { email: user.email },
    ...rendered,
  };
}
