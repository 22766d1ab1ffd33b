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

/** One field of the table: what the account holds beside what a write would put there, both as text. */
export interface FieldComparison {
  key: string;
  /** Empty where it holds nothing. */
  held: string;
  wanted: string;
  differs: boolean;
}

/** A value as Rule gives it: a list may come as one text, joined as we join it. */
export type HeldValue = string | string[] | null;

/**
 * All fields of the table, in its order, beside what the account holds. A field that is kept when it is missing at Sesamy, or that is
 * not written because of its type, does not differ, whatever the account holds.
 * @param held by key; a field without a value may be left out
 */
export function compareFields(
  mapped: Pick<MappedPerson, 'fields'>,
  types: ReadonlyMap<string, string>,
  held: Readonly<Record<string, { value: HeldValue }>>,
): { fields: FieldComparison[]; problems: MappingProblem[] } {
  const { fields: written, problems } = fieldsToWrite(mapped, types);
  const byKey = new Map(written.map((field) => [field.key, field.value]));
  const fields = mapped.fields.map(({ key }): FieldComparison => {
    const before = held[key]?.value ?? undefined;
    const after = byKey.get(key);
    return {
      key,
      held: asText(before),
      wanted: asText(after ?? before),
      differs: after !== undefined && !isSame(before, after),
    };
  });
  return { fields, problems };
}

/** A list is the same in whatever order it is given. */
function isSame(held: string | string[] | undefined, wanted: string | string[]): boolean {
  const ordered = (value: string | string[] | undefined) => asText(Array.isArray(value) ? [...value].sort() : value);
  return Array.isArray(held) && Array.isArray(wanted)
    ? ordered(held) === ordered(wanted)
    : asText(held) === asText(wanted);
}

function empty({ type }: MappedField): string | string[] {
  return type === 'multiple' ? [] : '';
}

function asText(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}
