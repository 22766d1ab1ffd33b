import type { Subscriber, Tag } from './model.js';
import { Refusal } from './refusal.js';

/** The account's tags by numeric id and by name, and who holds them. */
export class TagCatalogue {
  readonly byId = new Map<number, Tag>();
  private readonly byName = new Map<string, Tag>();
  private nextId = 1;

  /** @param changed told of each tag that a person gained or lost, by whatever way. */
  constructor(private readonly changed: (subscriber: Subscriber, tag: Tag, change: 'gained' | 'lost') => void) {}

  /** Finds a tag as the API reads one: a number or a digits-only string is an id, anything else a name (rule-api §2). */
  find(reference: string | number): Tag | undefined {
    const id = tagId(reference);
    return id === null ? this.named(String(reference)) : this.byId.get(id);
  }

  named(name: string): Tag | undefined {
    return this.byName.get(name);
  }

  /** The tags meant by `references`; unknown names are created. @throws Refusal 404 on an unknown id (rule-api §1.2). */
  resolve(references: readonly (string | number)[], now: Date): Tag[] {
    for (const reference of references) {
      const id = tagId(reference);
      if (id !== null && !this.byId.has(id)) throw new Refusal('not-found', `Tag with ID ${id} not found`);
    }
    return references.map((reference) => this.find(reference) ?? this.create(String(reference), now));
  }

  create(name: string, now: Date): Tag {
    return this.put({ id: this.nextId, name, description: '', createdAt: now, updatedAt: now, members: new Set() });
  }

  put(tag: Tag): Tag {
    this.byId.set(tag.id, tag);
    this.byName.set(tag.name, tag);
    this.nextId = Math.max(this.nextId, tag.id + 1);
    return tag;
  }

  /** @throws Refusal 409 `DuplicateTag` when the name is taken (rule-api §1.2). */
  rename(tag: Tag, name: string): void {
    const holder = this.byName.get(name);
    if (holder && holder !== tag) throw new Refusal('conflict', 'The tag exists already.', { code: 'DuplicateTag' });
    this.byName.delete(tag.name);
    tag.name = name;
    this.byName.set(name, tag);
  }

  remove(tag: Tag): void {
    this.byId.delete(tag.id);
    this.byName.delete(tag.name);
  }

  /** Gives the tag; says whether the person lacked it. */
  give(subscriber: Subscriber, tag: Tag): boolean {
    const gained = !subscriber.tags.has(tag.id);
    subscriber.tags.add(tag.id);
    tag.members.add(subscriber.id);
    if (gained) this.changed(subscriber, tag, 'gained');
    return gained;
  }

  /** Takes the tag away; says whether the person held it. */
  take(subscriber: Subscriber, tag: Tag): boolean {
    tag.members.delete(subscriber.id);
    const held = subscriber.tags.delete(tag.id);
    if (held) this.changed(subscriber, tag, 'lost');
    return held;
  }

  /** Whether two references mean the same tag: names and ids of one tag are duplicates too. */
  hasDuplicates(references: readonly (string | number)[]): boolean {
    const keys = references.map((reference) => this.find(reference)?.id ?? String(reference));
    return new Set(keys).size < keys.length;
  }
}

function tagId(reference: string | number): number | null {
  return /^\d+$/.test(String(reference)) ? Number(reference) : null;
}
