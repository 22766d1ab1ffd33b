import type { Vendor } from '../activities/vendor.js';
import { fieldsToWrite, fieldTable } from '../mapping/index.js';
import { type Check, type Finding, look } from './doctor-checks.js';

/** Both accounts of one vendor. */
export async function checkVendor(vendor: Vendor): Promise<Check[]> {
  const [sesamy, rule] = await Promise.all([
    look(`Sesamy, ${vendor.id}`, async () => {
      const receipts = vendor.receipts.mode !== 'off';
      await vendor.sesamy.checkAccess({ receipts });
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

/** The fields as the account has them against the table. A type cannot be changed once a field exists (rule-api §9). */
function fieldTypes(types: ReadonlyMap<string, string>): Finding | string {
  const missing = fieldTable.filter(({ key }) => !types.has(key));
  const asText = fieldTable.filter(({ key, type }) => type !== 'text' && types.get(key) === 'text');
  const notes = [
    ...(missing.length > 0 ? [`${missing.length} of ${fieldTable.length} are made at the first write`] : []),
    ...(asText.length > 0
      ? [`written as text, lists joined by commas, because the account has them so: ${keysOf(asText)}`]
      : []),
  ];
  const probe = fieldTable.map(({ key, type }) => ({ key, type, value: '' }));
  const misfits = fieldsToWrite({ fields: probe }, types).problems.map(({ field }) => field);
  if (misfits.length > 0) {
    const wrong = misfits.map(
      (key) => `${key} is ${types.get(key)}, not ${fieldTable.find((row) => row.key === key)?.type}`,
    );
    return {
      result: 'warning',
      detail: [`of a type that our value does not fit, so they are left out: ${wrong.join('; ')}`, ...notes].join('; '),
      mend: 'rename or delete these fields in Rule (a type cannot be changed); the next resync makes them anew',
    };
  }
  if (notes.length > 0) return { result: 'note', detail: notes.join('; ') };
  return `all ${fieldTable.length} are there, each with its type`;
}

function keysOf(rows: readonly { key: string }[]): string {
  return rows.map(({ key }) => key).join(', ');
}
