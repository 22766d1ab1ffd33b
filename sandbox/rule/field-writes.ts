import type { Account } from './account.js';
import type { Field, Group, Row, Subscriber } from './model.js';
import { invalid } from './refusal.js';
import { type FieldType, type FieldValue, sizeOf } from './values.js';

/** Values of one group combined, in bytes (rule-api §2). */
export const GROUP_LIMIT_BYTES = 65 * 1024;

/** One field to be written; null clears. */
export interface FieldWrite {
  group: Group;
  field: Field;
  value: FieldValue | null;
}

/** A field that a call wants to write, before it is known whether the whole call is good. */
export interface PlannedWrite {
  groupName: string;
  fieldName: string;
  type: FieldType;
  value: FieldValue | null;
  /** Where the value stands in the request, for the refusal. */
  path: string;
}

/**
 * Refuses a call that would make a group larger than 65 KiB. Rows of a historical group are measured one by one, since it is
 * unknown whether the limit spans them (rule-api §5).
 * @throws Refusal naming the value that went over.
 */
export function checkGroupSizes(
  account: Account,
  subscriber: Subscriber | undefined,
  planned: readonly PlannedWrite[],
): void {
  const totals = new Map<string, number>();
  for (const write of planned) {
    const total = totals.get(write.groupName) ?? untouchedBytes(account, subscriber, write.groupName, planned);
    const grown = total + (write.value === null ? 0 : sizeOf(write.value));
    if (grown > GROUP_LIMIT_BYTES) throw invalid(write.path, `The values of ${write.groupName} exceed 65 KiB.`);
    totals.set(write.groupName, grown);
  }
}

function untouchedBytes(
  account: Account,
  subscriber: Subscriber | undefined,
  groupName: string,
  planned: readonly PlannedWrite[],
): number {
  const group = account.schema.group(groupName);
  const row = group && !group.historical ? subscriber?.rows.get(group.id)?.[0] : undefined;
  if (!group || !row) return 0;
  const written = new Set(planned.filter((write) => write.groupName === groupName).map((write) => write.fieldName));
  let bytes = 0;
  for (const field of group.fields.values()) {
    const value = row.values.get(field.id);
    if (value !== undefined && !written.has(field.name)) bytes += sizeOf(value);
  }
  return bytes;
}

/** Creates the groups and fields that a checked plan names and turns it into writes. */
export function createFields(account: Account, planned: readonly PlannedWrite[]): FieldWrite[] {
  const now = account.now();
  return planned.map(({ groupName, fieldName, type, value }) => {
    const group = account.schema.ensureGroup(groupName, false, now);
    return { group, field: account.schema.ensureField(group, fieldName, type, now), value };
  });
}

/**
 * Writes values: a plain group keeps one row that is overwritten field by field, a historical group gets a new row
 * (rule-api §5), one for each group in `writes`.
 */
export function writeFields(
  account: Account,
  subscriber: Subscriber,
  writes: readonly FieldWrite[],
  append: boolean,
): void {
  const rows = new Map<Group, Row>();
  for (const { group, field, value } of writes) {
    const row = rows.get(group) ?? rowFor(account, subscriber, group, append);
    rows.set(group, row);
    if (value === null) row.values.delete(field.id);
    else row.values.set(field.id, value);
  }
}

function rowFor(account: Account, subscriber: Subscriber, group: Group, append: boolean): Row {
  const rows = subscriber.rows.get(group.id) ?? [];
  const newest = rows.at(-1);
  if (newest && !(group.historical && append)) return newest;
  const row: Row = { id: account.nextRowId(), createdAt: account.now(), values: new Map() };
  subscriber.rows.set(group.id, [...rows, row]);
  return row;
}
