import type { Vendor } from '../activities/vendor.js';
import type { VendorError } from '../http/errors.js';
import { fieldTable } from '../mapping/index.js';
import { type Check, type Finding, look } from './doctor-checks.js';
import { mendOfLeftOut, planFields } from './field-plan.js';
import { patiently } from './patient.js';

/** Both accounts of one vendor. */
export async function checkVendor(vendor: Vendor): Promise<Check[]> {
  const [sesamy, rule] = await Promise.all([
    look(`Sesamy, ${vendor.id}`, async () => {
      const receipts = vendor.receipts.mode !== 'off';
      await patiently(() => vendor.sesamy.checkAccess({ receipts }), isCrowded);
      const readable = receipts
        ? 'users, contracts, entitlements and transactions'
        : 'users, contracts and entitlements';
      return `the token is given; ${readable} can be read, and the filter by user is heeded`;
    }),
    look(`Rule, ${vendor.id}`, async () => {
      await vendor.rule.checkKey();
      return 'the key is accepted';
    }),
  ]);
  const fields = `Fields in Rule, ${vendor.id}`;
  if (rule.result === 'failed')
    return [sesamy, rule, { check: fields, result: 'note', detail: 'not checked: Rule cannot be read' }];
  return [sesamy, rule, await look(fields, async () => fieldTypes(await vendor.rule.listFieldTypes()))];
}

/** A backfill or an audit beside it takes the budget: that is no fault of the account, and a second later there is room. */
function isCrowded({ type, waitMs = 0 }: VendorError): boolean {
  return type === 'sesamy/rate-limited' && waitMs <= 5_000;
}

/** The fields as the account has them against the table. A type cannot be changed once a field exists (rule-api §9). */
function fieldTypes(types: ReadonlyMap<string, string>): Finding | string {
  const { make, asText, leftOut } = planFields(types);
  const notes = [
    ...(make.length > 0
      ? [`${make.length} of ${fieldTable.length} are made by \`sesamy-rule activate\`, or at the first write`]
      : []),
    ...(asText.length > 0
      ? [`written as text, lists joined by commas, because the account has them so: ${asText.join(', ')}`]
      : []),
  ];
  if (leftOut.length > 0) {
    const wrong = leftOut.map(({ key, has, wanted }) => `${key} is ${has}, not ${wanted}`);
    return {
      result: 'warning',
      detail: [`of a type that our value does not fit, so they are left out: ${wrong.join('; ')}`, ...notes].join('; '),
      mend: mendOfLeftOut,
    };
  }
  if (notes.length > 0) return { result: 'note', detail: notes.join('; ') };
  return `all ${fieldTable.length} are there, each with its type`;
}
