/** What a write would change in Rule: pure. */
import type { Person } from '../activities/read-person.js';
import { compareFields, isOurTag, type MappingProblem, missingTags, tagsToRemove } from '../mapping/index.js';
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
  const { fields: compared, problems } = compareFields(person.mapped, types, held?.fields ?? {});
  const fields = compared.map(({ key, held: old, wanted, differs }) => change(key, old, differs ? wanted : old));
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

function change(key: string, old: string, next: string): FieldChange {
  const mark = old === next ? '=' : old === '' ? '+' : next === '' ? '−' : '~';
  return { key, mark, old, new: next };
}

function tagChanges(held: readonly string[], wanted: readonly string[]): TagChange[] {
  const leaving = new Set(tagsToRemove(held, wanted));
  const coming = new Set(missingTags(held, wanted));
  const all = [...new Set([...wanted, ...held.filter(isOurTag)])].sort();
  return all.map((tag) => ({ tag, mark: leaving.has(tag) ? '−' : coming.has(tag) ? '+' : '=' }));
}
