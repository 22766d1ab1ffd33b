import { z } from 'zod';
import type { Account } from './account.js';
import { keyProblem } from './field-schema.js';
import type { PlannedWrite } from './field-writes.js';
import { invalid } from './refusal.js';
import { type FieldType, parseValue } from './values.js';

/** One entry of `fields[]` (rule-api §2, §9); `single` is a type of the schema calls only. */
export const v2Field = z.strictObject({
  key: z.string(),
  value: z.union([z.string(), z.number(), z.array(z.string()), z.null()]),
  type: z.enum(['text', 'date', 'datetime', 'time', 'multiple', 'json']).optional(),
});

/**
 * Checks the fields of one person against the account's schema.
 *
 * @param types types of fields that earlier entries of the same call create; extended.
 * @throws Refusal 400 whose `fields` points at the bad entry (rule-api §1.2).
 */
export function planFields(
  account: Account,
  fields: readonly z.infer<typeof v2Field>[],
  path: string,
  types: Map<string, FieldType> = new Map(),
): PlannedWrite[] {
  return fields.map(({ key, value, type: sentType }, index) => {
    const problem = keyProblem(key);
    if (problem) throw invalid(`${path}.${index}.key`, problem);
    const known = account.schema.byKey(key)?.field.type ?? types.get(key);
    const type = known ?? sentType ?? 'text';
    if (sentType && sentType !== type) {
      throw invalid(`${path}.${index}.type`, `The field ${key} has the type ${type}.`);
    }
    types.set(key, type);
    const parsed = parseValue(type, value, account.switches);
    if ('mismatch' in parsed) throw invalid(`${path}.${index}.value`, parsed.mismatch);
    const [groupName = '', fieldName = ''] = key.split('.');
    const stored = 'clear' in parsed ? null : parsed.value;
    return { groupName, fieldName, type, value: stored, path: `${path}.${index}.value` };
  });
}
