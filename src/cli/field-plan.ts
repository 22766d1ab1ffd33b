import { type FieldType, fieldsToWrite, fieldTable } from '../mapping/index.js';

/** Historical groups, which no call but the first row of each can make (rule-api §5). */
export const laterGroups = ['Sesamy_Event', 'Sesamy_Receipt'] as const;

/** The table's fields against those of the account. */
export interface FieldPlan {
  /** To be made, with the types that they keep for ever. */
  make: { key: string; type: FieldType }[];
  /** There already, with the type of the table. */
  there: number;
  /** There as text: dates and lists are written as text, since a type cannot be changed (rule-api §9). */
  asText: string[];
  /** There with a type that no value of ours fits: left out at each write. */
  leftOut: { key: string; has: string; wanted: FieldType }[];
}

export const mendOfLeftOut =
  'rename or delete these fields in Rule (a type cannot be changed); the next resync makes them anew';

/** What is to be made: pure. @param types of the fields that the account has */
export function planFields(types: ReadonlyMap<string, string>): FieldPlan {
  const probe = fieldTable.map(({ key, type }) => ({ key, type, value: '' }));
  const misfits = new Set(fieldsToWrite({ fields: probe }, types).problems.map(({ field }) => field));
  const plan: FieldPlan = { make: [], there: 0, asText: [], leftOut: [] };
  for (const { key, type } of fieldTable) {
    const has = types.get(key);
    if (has === undefined) plan.make.push({ key, type });
    else if (misfits.has(key)) plan.leftOut.push({ key, has, wanted: type });
    else if (has === type) plan.there += 1;
    else plan.asText.push(key);
  }
  return plan;
}
