import type { Field, Group } from './model.js';
import type { FieldType } from './values.js';

/** The account's custom-field groups and fields. A field's type is fixed when it is created (rule-api §9). */
export class FieldSchema {
  readonly groups = new Map<number, Group>();
  private readonly byName = new Map<string, Group>();
  private nextGroupId = 1;
  private nextFieldId = 1;

  /** Finds a group by name or numeric id (rule-api §4.2). */
  group(reference: string | number): Group | undefined {
    if (typeof reference === 'number') return this.groups.get(reference);
    return this.byName.get(reference) ?? (/^\d+$/.test(reference) ? this.groups.get(Number(reference)) : undefined);
  }

  /** Finds a field of the group by name or numeric id. */
  field(group: Group, reference: string | number): Field | undefined {
    if (typeof reference === 'string') {
      const named = group.fields.get(reference);
      if (named || !/^\d+$/.test(reference)) return named;
    }
    const id = Number(reference);
    for (const field of group.fields.values()) if (field.id === id) return field;
    return undefined;
  }

  /** The field behind `Group.Field`. */
  byKey(key: string): { group: Group; field: Field } | undefined {
    const [groupName = '', fieldName = ''] = key.split('.');
    const group = this.byName.get(groupName);
    const field = group?.fields.get(fieldName);
    return group && field ? { group, field } : undefined;
  }

  ensureGroup(name: string, historical: boolean, now: Date): Group {
    const found = this.byName.get(name);
    if (found) return found;
    return this.put({ id: this.nextGroupId, name, historical, createdAt: now, updatedAt: now, fields: new Map() });
  }

  ensureField(group: Group, name: string, type: FieldType, now: Date): Field {
    const found = group.fields.get(name);
    if (found) return found;
    const field: Field = { id: this.nextFieldId++, name, type };
    group.fields.set(name, field);
    group.updatedAt = now;
    return field;
  }

  put(group: Group): Group {
    this.groups.set(group.id, group);
    this.byName.set(group.name, group);
    this.nextGroupId = Math.max(this.nextGroupId, group.id + 1);
    for (const field of group.fields.values()) this.nextFieldId = Math.max(this.nextFieldId, field.id + 1);
    return group;
  }
}

/**
 * Says what is wrong with a `Group.Field` key, or null. Exactly one dot (rule-api §2); brackets and colons are refused because
 * they delimit a field in Rule's templates (`[CustomField:Group.Field]`, rule-api §9). Which characters Rule reserves is unknown.
 */
export function keyProblem(key: string): string | null {
  if (/[[\]:]/.test(key)) return 'The key holds a reserved character.';
  const parts = key.split('.');
  return parts.length === 2 && parts.every((part) => part.trim() !== '')
    ? null
    : 'The key must be Group.Field with exactly one dot.';
}
