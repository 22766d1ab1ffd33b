import { type FieldType, fieldTable } from './field-table.js';
import type { MappedField, MappedPerson } from './person.js';
import type { MappingProblem } from './problems.js';

/** One entry of `fields[]` in a Rule write (rule-api §2, §9). */
export interface RuleFieldValue {
  key: string;
  type: FieldType;
  value: string | string[];
}

const keeps = new Set(fieldTable.filter(({ missing }) => missing === 'keep').map(({ key }) => key));

/**
 * The fields as the account can take them. A field's type cannot be changed once it exists (rule-api §9), so a value goes as text where
 * the account has text, and a field whose type does not fit is left out and reported: one bad value fails the whole call.
 * @param types the types of the fields that the account has, by key; a field that it has not is made by the write
 */
export function fieldsToWrite(
  { fields }: Pick<MappedPerson, 'fields'>,
  types: ReadonlyMap<string, string>,
): { fields: RuleFieldValue[]; problems: MappingProblem[] } {
  const written: RuleFieldValue[] = [];
  const problems: MappingProblem[] = [];
  for (const field of fields) {
    if (field.value === undefined && keeps.has(field.key)) continue;
    const type = types.get(field.key) ?? field.type;
    if (type === field.type) written.push({ key: field.key, type, value: field.value ?? empty(field) });
    else if (type === 'text') written.push({ key: field.key, type, value: asText(field.value) });
    else problems.push({ field: field.key, code: 'type-mismatch' });
  }
  return { fields: written, problems };
}

function empty({ type }: MappedField): string | string[] {
  return type === 'multiple' ? [] : '';
}

function asText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}
