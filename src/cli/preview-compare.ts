/** What a write would change in Rule: pure. */
import type { Person } from '../activities/read-person.js';
import { fieldsToWrite, isOurTag, type MappingProblem, type RuleFieldValue, tagsToRemove } from '../mapping/index.js';
import type { RuleFieldReading, RuleSubscriber } from '../rule/index.js';

/** `+` comes, `−` goes, `~` changes, `=` stays. */
export type Mark = '+' | '−' | '~' | '=';

export interface FieldChange {
  key: string;
  mark: Mark;
  /** What Rule holds; empty where it holds nothing. */
  old: string;
  /** What it will hold. */
  new: string;
}

export interface TagChange {
  tag: string;
  mark: Mark;
}

export interface Comparison {
  email: FieldChange;
  fields: FieldChange[];
  /** Ours only. */
  tags: TagChange[];
  /** How many tags of others the subscriber has: they are left alone. */
  otherTags: number;
  problems: MappingProblem[];
  changed: boolean;
}

/** A subscriber as Rule holds them. */
export interface Held {
  subscriber: RuleSubscriber;
  fields: Readonly<Record<string, RuleFieldReading>>;
  tags: readonly string[];
}

/** Old beside new. @param held `undefined` where Rule does not have the person @param types of the fields that the account has */
export function compare(
  person: Pick<Person, 'mapped' | 'tags'>,
  held: Held | undefined,
  types: ReadonlyMap<string, string>,
): Comparison {
  const { fields: written, problems } = fieldsToWrite(person.mapped, types);
  const byKey = new Map(written.map((field) => [field.key, field]));
  const fields = person.mapped.fields.map(({ key }) => fieldChange(key, held?.fields[key]?.value, byKey.get(key)));
  const tags = tagChanges(held?.tags ?? [], person.tags);
  const oldEmail = held?.subscriber.email ?? '';
  const email = change('E-mail', oldEmail, person.mapped.email ?? oldEmail);
  return {
    email,
    fields,
    tags,
    otherTags: (held?.tags ?? []).filter((tag) => !isOurTag(tag)).length,
    problems: [...person.mapped.problems, ...problems],
    changed: [email, ...fields, ...tags].some(({ mark }) => mark !== '='),
  };
}

function fieldChange(
  key: string,
  old: RuleFieldReading['value'] | undefined,
  write: RuleFieldValue | undefined,
): FieldChange {
  const before = asText(old);
  return change(key, before, write ? asText(write.value) : before);
}

function change(key: string, old: string, next: string): FieldChange {
  const mark = old === next ? '=' : old === '' ? '+' : next === '' ? '−' : '~';
  return { key, mark, old, new: next };
}

function tagChanges(held: readonly string[], wanted: readonly string[]): TagChange[] {
  const lost = new Set(tagsToRemove(held, wanted));
  const all = [...new Set([...wanted, ...held.filter(isOurTag)])].sort();
  return all.map((tag) => ({ tag, mark: lost.has(tag) ? '−' : held.includes(tag) ? '=' : '+' }));
}

/** Rule may give a list as one text, joined as we join it. */
function asText(value: string | string[] | null | undefined): string {
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}
