import { ControlRefusal } from '../common/controls.js';
import type { Account } from './account.js';
import type { Context } from './context.js';
import { exampleJourneys } from './example-journeys.js';
import { keyProblem } from './field-schema.js';
import { createFields, writeFields } from './field-writes.js';
import type { BlockReason } from './limits.js';
import type {
  AutomationMail,
  AutomationStart,
  Condition,
  JourneyMail,
  Progress,
  Subscriber,
  Transaction,
  TriggerType,
  Unblock,
} from './model.js';
import { parsePhone } from './phone.js';
import { matches, recalculateSegments } from './segments.js';
import { giveTags } from './tagging.js';
import { planFields } from './v2-fields.js';
import type { FieldType } from './values.js';
import { type AutomationView, type SubscriberView, viewAutomation, viewSubscriber } from './views.js';

/** A person: numeric id or e-mail address. */
export type PersonReference = string | number;

/** A person put into the account without any API call. */
export interface NewSubscriber {
  email?: string;
  phone_number?: string;
  custom_identifier?: string;
  language?: string;
  tags?: string[];
  /** By `Group.Field`; undefined fields are created as text. */
  fields?: Record<string, string | number | string[] | null>;
  blocked?: boolean;
  optedIn?: boolean;
  /** Such as `campaign/email`. */
  suppressed?: string[];
}

/** An automation to be added. */
export interface NewAutomation {
  name: string;
  trigger: { type: TriggerType; name: string };
  /** Default true. */
  active?: boolean;
  /** Without mails it only records its starts, and a person stays in progress until set. */
  mails?: readonly AutomationMail[];
  /** Names of tags: when a person in progress gains or loses one, pending mails are cancelled and the journey is completed. */
  endsOn?: { tagGained?: string[]; tagLost?: string[] };
}

/** What a person in Rule's own UI would do along with a tag; both off by default. */
export interface TagOptions {
  /** Start the tag's automations as this mode would. */
  automation?: 'send' | 'force' | 'reset';
  /** Recalculate the person's segments. */
  segments?: boolean;
}

/**
 * Looks at the account and prepares a world in it, as a person in Rule's own UI would: nothing here counts as a request, and
 * no automation starts unless asked for.
 */
export class RuleControls {
  constructor(
    protected readonly context: Context,
    private readonly changed: () => void,
  ) {}

  /** The account by its clock: whatever mail is due has gone out. */
  private get account(): Account {
    this.deliverDue();
    return this.context.account;
  }

  /** Time in the account. Its clock may be ahead of the real one. */
  now(): Date {
    return this.context.account.now();
  }

  /** Lets every mail go out that is due by the account's clock. Every other control, every call and every job does this first. */
  deliverDue(): void {
    if (this.context.account.journeys.deliverDue()) this.changed();
  }

  /** One person by id or address (case does not matter), or undefined. */
  subscriber(reference: PersonReference): SubscriberView | undefined {
    const found = this.find(reference);
    return found && viewSubscriber(this.account, found);
  }

  /** Everybody, by id. */
  subscribers(): SubscriberView[] {
    return [...this.account.people.byId.values()].map((one) => viewSubscriber(this.account, one));
  }

  /** People whose id, identities, tags or field values hold the text; at most `limit`, newest change first. */
  search(text: string, limit: number): { people: SubscriberView[]; total: number } {
    const wanted = text.toLowerCase();
    const all = this.subscribers().filter(
      (person) => wanted === '' || JSON.stringify(person).toLowerCase().includes(wanted),
    );
    all.sort((a, b) => b.updatedAt.localeCompare(a.updatedAt) || b.id - a.id);
    return { people: all.slice(0, limit), total: all.length };
  }

  /** Number of people, without making views of them. */
  get size(): number {
    return this.account.people.byId.size;
  }

  /** Every start of an automation since the account began, oldest first. */
  automationsStarted(): AutomationStart[] {
    return [...this.account.starts];
  }

  /** Number of those starts. */
  get startsCount(): number {
    return this.account.starts.length;
  }

  /** Mails of automations, planned, gone out, cancelled and withheld, in order of planning; of one person when given. */
  mails(reference?: PersonReference): JourneyMail[] {
    const { journeys } = this.account;
    const mails = reference === undefined ? journeys.mails : journeys.of(this.get(reference).id);
    return mails.map((mail) => ({ ...mail }));
  }

  /** How far the person is in each automation that ever started for them, by its name. */
  progress(reference: PersonReference): Record<string, Progress> {
    const { automations } = this.account;
    return Object.fromEntries(
      [...this.get(reference).progress].map(([id, progress]) => [automations.get(id)?.name ?? String(id), progress]),
    );
  }

  /** Every automation, by id. */
  automations(): AutomationView[] {
    return [...this.account.automations.values()].map((automation) => viewAutomation(this.account, automation));
  }

  /** People whom a tag call unblocked (rule-api §4.3). */
  unblocks(): Unblock[] {
    return [...this.account.unblocks];
  }

  /** Transactional messages taken for sending. */
  transactions(): Transaction[] {
    return [...this.account.transactions];
  }

  /** @throws ControlRefusal when the person exists or has no identity. */
  addSubscriber(person: NewSubscriber): SubscriberView {
    const { account } = this;
    const phoneNumber = person.phone_number ? parsePhone(person.phone_number, account.switches.phoneCountry) : null;
    const identity = { email: person.email ?? null, phoneNumber, customIdentifier: person.custom_identifier ?? null };
    if (!Object.values(identity).some(Boolean))
      throw new ControlRefusal('An email, phone_number or custom_identifier is needed.');
    const taken =
      (identity.email && account.people.find('email', identity.email)) ||
      (phoneNumber && account.people.find('phone_number', phoneNumber)) ||
      (identity.customIdentifier && account.people.find('custom_identifier', identity.customIdentifier));
    if (taken) throw new ControlRefusal('That identity is in the account already.', 409);
    const subscriber = account.people.create(
      identity,
      person.language ?? account.switches.accountLanguage,
      account.now(),
    );
    subscriber.blocked = person.blocked ?? false;
    subscriber.optedIn = person.optedIn ?? true;
    for (const suppression of person.suppressed ?? []) subscriber.suppressions.add(suppression);
    for (const [key, value] of Object.entries(person.fields ?? {})) this.write(subscriber, key, value);
    this.give(subscriber, person.tags ?? []);
    return this.done(subscriber);
  }

  deleteSubscriber(reference: PersonReference): void {
    this.account.deleteSubscriber(this.get(reference));
    this.changed();
  }

  /** Writes one field; null clears. A historical group gets a row. @throws Refusal when the value does not fit the type. */
  setField(reference: PersonReference, key: string, value: string | number | string[] | null): SubscriberView {
    const subscriber = this.get(reference);
    this.write(subscriber, key, value);
    return this.done(subscriber);
  }

  /** Makes these the person's only tags. */
  setTags(reference: PersonReference, names: readonly string[], options: TagOptions = {}): SubscriberView {
    const subscriber = this.get(reference);
    const { tags } = this.account;
    for (const id of [...subscriber.tags]) {
      const tag = tags.byId.get(id);
      if (tag && !names.includes(tag.name)) tags.take(subscriber, tag);
    }
    this.give(subscriber, names, options);
    return this.done(subscriber);
  }

  addTag(reference: PersonReference, name: string, options: TagOptions = {}): SubscriberView {
    const subscriber = this.get(reference);
    this.give(subscriber, [name], options);
    return this.done(subscriber);
  }

  removeTag(reference: PersonReference, name: string, options: Pick<TagOptions, 'segments'> = {}): SubscriberView {
    const subscriber = this.get(reference);
    const tag = this.account.tags.named(name);
    if (tag) this.account.tags.take(subscriber, tag);
    if (options.segments) recalculateSegments(this.account, subscriber, UI);
    return this.done(subscriber);
  }

  block(reference: PersonReference): SubscriberView {
    return this.change(reference, (subscriber) => {
      subscriber.blocked = true;
    });
  }

  unblock(reference: PersonReference): SubscriberView {
    return this.change(reference, (subscriber) => {
      subscriber.blocked = false;
    });
  }

  /** @param channel such as `campaign/email` (the default). */
  suppress(reference: PersonReference, channel = 'campaign/email'): SubscriberView {
    return this.change(reference, (subscriber) => subscriber.suppressions.add(channel));
  }

  unsuppress(reference: PersonReference, channel = 'campaign/email'): SubscriberView {
    return this.change(reference, (subscriber) => subscriber.suppressions.delete(channel));
  }

  /** Says how far the person is in an automation; null for never triggered. What is pending of it is cancelled unless in progress. */
  setProgress(reference: PersonReference, automation: string, progress: Progress | null): void {
    const found = [...this.account.automations.values()].find(({ name }) => name === automation);
    if (!found) throw new ControlRefusal(`No automation is named ${automation}.`);
    const subscriber = this.get(reference);
    if (progress) subscriber.progress.set(found.id, progress);
    else subscriber.progress.delete(found.id);
    if (progress !== 'in-progress') this.account.journeys.cancel(subscriber.id, 'progress set', found.id);
    this.changed();
  }

  /** Creates a field `Group.Field`. An existing field keeps its type, an existing group its kind. */
  defineField(key: string, type: FieldType = 'text', { historical = false } = {}): void {
    const problem = keyProblem(key);
    if (problem) throw new ControlRefusal(problem);
    const { schema, now } = this.account;
    const [group = '', field = ''] = key.split('.');
    schema.ensureField(schema.ensureGroup(group, historical, now()), field, type, now());
    this.changed();
  }

  /** Adds an automation on a tag (created if unknown) or on a segment by name; answers its id. */
  addAutomation(automation: NewAutomation): number {
    const { account } = this;
    const { type, name } = automation.trigger;
    const target =
      type === 'TAG'
        ? (account.tags.named(name) ?? account.tags.create(name, account.now()))
        : account.segmentNamed(name);
    if (!target) throw new ControlRefusal(`No segment is named ${name}.`);
    const added = account.addAutomation({
      name: automation.name,
      active: automation.active ?? true,
      trigger: { type, id: target.id },
      mails: [...(automation.mails ?? [])],
      endsOn: { tagGained: automation.endsOn?.tagGained ?? [], tagLost: automation.endsOn?.tagLost ?? [] },
    });
    this.changed();
    return added.id;
  }

  /** Adds those of {@link exampleJourneys} whose name is free; answers the names added. */
  addExampleJourneys(): string[] {
    const names = new Set([...this.account.automations.values()].map(({ name }) => name));
    const missing = exampleJourneys.filter(({ name }) => !names.has(name));
    for (const journey of missing) this.addAutomation(journey);
    return missing.map(({ name }) => name);
  }

  /** Adds a segment; those who belong to it now are in it without any automation starting. Answers its id. */
  addSegment(segment: { name: string; condition: Condition }): number {
    const { account } = this;
    const added = account.addSegment(segment.name, segment.condition);
    for (const subscriber of account.people.byId.values()) {
      if (matches(account, subscriber, added.condition)) subscriber.segments.add(added.id);
    }
    this.changed();
    return added.id;
  }

  /** Makes this the account's first key, in place of the former one. */
  setApiKey(key: string): void {
    const { keys, now } = this.account;
    keys.byId.set(MAIN_KEY, { id: MAIN_KEY, name: 'main', key, createdAt: now(), updatedAt: now() });
  }

  /** Revokes the account's first key: it is answered 401 from now on. */
  revokeKey(): void {
    this.account.keys.byId.delete(MAIN_KEY);
  }

  /** Blocks the account as too many requests or errors would (rule-api §8). */
  blockAccount({ seconds, why }: { seconds: number; why: BlockReason }): void {
    this.context.limits.blockFor(seconds, why, this.account.now());
  }

  unblockAccount(): void {
    this.context.limits.lift();
  }

  /** Whether and how long the account is blocked. */
  accountBlock(): { why: BlockReason; until: string } | null {
    const until = this.context.limits.blockedUntil(this.account.now());
    const why = this.context.limits.blockReason;
    return until && why ? { why, until: until.toISOString() } : null;
  }

  /** Resolves when asynchronous jobs and their callbacks are done. */
  settled(): Promise<void> {
    return this.context.jobs.settled();
  }

  private find(reference: PersonReference): Subscriber | undefined {
    const { people } = this.account;
    const isId = typeof reference === 'number' || /^\d+$/.test(reference);
    return isId ? people.byId.get(Number(reference)) : people.find('email', reference);
  }

  private get(reference: PersonReference): Subscriber {
    const found = this.find(reference);
    if (!found) throw new ControlRefusal(`No subscriber ${reference}.`, 404);
    return found;
  }

  private change(reference: PersonReference, edit: (subscriber: Subscriber) => void): SubscriberView {
    const subscriber = this.get(reference);
    edit(subscriber);
    return this.done(subscriber);
  }

  private done(subscriber: Subscriber): SubscriberView {
    this.account.touch(subscriber);
    this.changed();
    return viewSubscriber(this.account, subscriber);
  }

  private give(subscriber: Subscriber, names: readonly string[], options: TagOptions = {}): void {
    const { account } = this;
    const tags = names.map((name) => account.tags.named(name) ?? account.tags.create(name, account.now()));
    giveTags(account, subscriber, tags, () => options.automation ?? null, UI);
    if (options.segments) recalculateSegments(account, subscriber, UI);
  }

  private write(subscriber: Subscriber, key: string, value: string | number | string[] | null): void {
    const { account } = this;
    const type = account.schema.byKey(key) || !Array.isArray(value) ? {} : { type: 'multiple' as const };
    writeFields(
      account,
      subscriber,
      createFields(account, planFields(account, [{ key, value, ...type }], 'fields')),
      true,
    );
  }
}

/** Name of the caller in records of what was done without an API call. */
const UI = 'UI';
/** Id of the key that the stand-in was started with. */
export const MAIN_KEY = 1;
