import { z } from 'zod';
import type { Account } from './account.js';
import { checkGroupSizes, type FieldWrite, type PlannedWrite, writeFields } from './field-writes.js';
import type { Group, Row, Subscriber } from './model.js';
import { invalid, notFound } from './refusal.js';
import { parseValue, typeFor } from './values.js';

/** A group or field: numeric id or a name without dots (rule-api §4.2). */
export const reference = z.union([z.int().positive(), z.string().regex(/^[^.]+$/, 'Empty or with a dot.')]);

/** A value is a string, a list of strings, an object or a list of objects; never a bare number or boolean (rule-api §4.2). */
const value = z.union([
  z.string(),
  z.array(z.string()),
  z.record(z.string(), z.json()),
  z.array(z.record(z.string(), z.json())),
]);

export const fieldEntry = z.strictObject({ field: reference, create_if_not_exists: z.boolean().optional(), value });
type FieldEntry = z.infer<typeof fieldEntry>;

interface GroupEntry {
  group: string | number;
  create_if_not_exists?: boolean | undefined;
  historical?: boolean | undefined;
  values: FieldEntry[];
}

/** Which row is meant: by its id, or by the value that one of its fields holds. */
export type RowIdentifier = { data_id: number } | { group: string | number; field: string | number; value: string };

/**
 * Writes groups of values, each entry a row of its own where the group is historical. A group or field that is missing and
 * may not be created is passed over in silence (rule-api §4.2).
 * @throws Refusal 422 naming a value that does not fit its field; nothing is written then.
 */
export function writeGroups(account: Account, subscriber: Subscriber, entries: readonly GroupEntry[]): void {
  const plans = entries.flatMap((entry, index) => {
    const name = groupName(account, entry);
    return name === null ? [] : [{ entry, name, writes: plan(account, name, entry.values, `groups.${index}.values`) }];
  });
  for (const { writes } of plans) checkGroupSizes(account, subscriber, writes);
  for (const { entry, name, writes } of plans) {
    const group = account.schema.ensureGroup(name, entry.historical ?? false, account.now());
    if (entry.historical && account.switches.historicalOnPlainGroup === 'convert') group.historical = true;
    writeFields(account, subscriber, create(account, group, writes), true);
  }
}

/** Changes values of one existing row. @throws Refusal 404 when there is no such row. */
export function amendRow(
  account: Account,
  subscriber: Subscriber,
  identifier: RowIdentifier,
  values: readonly FieldEntry[],
): void {
  const found = findRow(account, subscriber, identifier);
  if (!found) throw notFound('Record');
  const writes = create(account, found.group, plan(account, found.group.name, values, 'values'));
  for (const { field, value: written } of writes) {
    if (written === null) found.row.values.delete(field.id);
    else found.row.values.set(field.id, written);
  }
}

/** The newest row that the identifier means. */
export function findRow(
  account: Account,
  subscriber: Subscriber,
  identifier: RowIdentifier,
): { group: Group; row: Row } | undefined {
  if ('data_id' in identifier) {
    for (const [groupId, rows] of subscriber.rows) {
      const row = rows.find(({ id }) => id === identifier.data_id);
      const group = account.schema.groups.get(groupId);
      if (row && group) return { group, row };
    }
    return undefined;
  }
  const group = account.schema.group(identifier.group);
  const field = group && account.schema.field(group, identifier.field);
  if (!group || !field) return undefined;
  const row = subscriber.rows.get(group.id)?.findLast(({ values }) => values.get(field.id) === identifier.value);
  return row && { group, row };
}

function groupName(account: Account, entry: GroupEntry): string | null {
  const known = account.schema.group(entry.group);
  if (known) return known.name;
  const creates = entry.create_if_not_exists ?? account.switches.createIfNotExistsDefault;
  return creates && typeof entry.group === 'string' ? entry.group : null;
}

function plan(account: Account, group: string, entries: readonly FieldEntry[], path: string): PlannedWrite[] {
  return entries.flatMap((entry, index) => {
    const known = fieldOf(account, group, entry.field);
    const creates = entry.create_if_not_exists ?? account.switches.createIfNotExistsDefault;
    if (!known && !(creates && typeof entry.field === 'string')) return [];
    const type = known?.type ?? typeFor(entry.value);
    const at = `${path}.${index}.value`;
    const parsed = parseValue(type, entry.value, account.switches);
    if ('mismatch' in parsed) throw invalid(at, parsed.mismatch);
    const stored = 'clear' in parsed ? null : parsed.value;
    return [{ groupName: group, fieldName: known?.name ?? String(entry.field), type, value: stored, path: at }];
  });
}

function fieldOf(account: Account, groupNamed: string, field: string | number) {
  const group = account.schema.group(groupNamed);
  return group && account.schema.field(group, field);
}

function create(account: Account, group: Group, planned: readonly PlannedWrite[]): FieldWrite[] {
  return planned.map(({ fieldName, type, value: stored }) => ({
    group,
    field: account.schema.ensureField(group, fieldName, type, account.now()),
    value: stored,
  }));
}
