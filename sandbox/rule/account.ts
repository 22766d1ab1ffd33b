import type { ApiKeys } from './api-keys.js';
import { FieldSchema } from './field-schema.js';
import { Journeys } from './journeys.js';
import type {
  Automation,
  AutomationStart,
  Condition,
  Segment,
  Subscriber,
  Transaction,
  TriggerType,
  Unblock,
} from './model.js';
import { People } from './people.js';
import type { RuleSwitches } from './switches.js';
import { TagCatalogue } from './tag-catalogue.js';

/** Everything that one Rule account holds. Pure memory: HTTP, jobs and persistence are elsewhere. */
export class Account {
  readonly people: People;
  readonly tags = new TagCatalogue((subscriber, tag, change) => this.journeys.tagChanged(subscriber, tag.name, change));
  readonly journeys = new Journeys(this);
  readonly schema = new FieldSchema();
  readonly automations = new Map<number, Automation>();
  readonly segments = new Map<number, Segment>();
  readonly starts: AutomationStart[] = [];
  readonly unblocks: Unblock[] = [];
  readonly transactions: Transaction[] = [];
  private readonly byTrigger = new Map<string, Automation[]>();
  private lastRowId = 8800;

  constructor(
    readonly switches: RuleSwitches,
    readonly keys: ApiKeys,
    readonly now: () => Date,
  ) {
    this.people = new People(switches);
    this.createStandardFields();
  }

  nextRowId(): number {
    return ++this.lastRowId;
  }

  /** Makes sure that no new row gets an id up to this one (used when a saved account is loaded). */
  reserveRowId(id: number): void {
    this.lastRowId = Math.max(this.lastRowId, id);
  }

  /** Active automations that start on this tag or segment. */
  automationsOn(type: TriggerType, id: number): Automation[] {
    return (this.byTrigger.get(`${type} ${id}`) ?? []).filter((automation) => automation.active);
  }

  addAutomation(automation: Omit<Automation, 'id' | 'createdAt'>): Automation {
    return this.putAutomation({ ...automation, id: this.automations.size + 1, createdAt: this.now() });
  }

  putAutomation(automation: Automation): Automation {
    this.automations.set(automation.id, automation);
    const key = `${automation.trigger.type} ${automation.trigger.id}`;
    this.byTrigger.set(key, [...(this.byTrigger.get(key) ?? []), automation]);
    return automation;
  }

  addSegment(name: string, condition: Condition): Segment {
    const segment: Segment = { id: this.segments.size + 1, name, condition };
    this.segments.set(segment.id, segment);
    return segment;
  }

  segmentNamed(name: string): Segment | undefined {
    return [...this.segments.values()].find((segment) => segment.name === name);
  }

  touch(subscriber: Subscriber): void {
    subscriber.updatedAt = this.now();
  }

  deleteSubscriber(subscriber: Subscriber): void {
    for (const id of subscriber.tags) this.tags.byId.get(id)?.members.delete(subscriber.id);
    this.people.remove(subscriber);
    this.journeys.cancel(subscriber.id, 'deleted');
  }

  /** Fields that exist on every account, and the stock historical group (rule-api §5, §9). */
  private createStandardFields(): void {
    const now = this.now();
    const subscriber = this.schema.ensureGroup('Subscriber', false, now);
    for (const name of STANDARD_FIELDS) this.schema.ensureField(subscriber, name, 'text', now);
    const order = this.schema.ensureGroup('Order', true, now);
    for (const name of ['Number', 'Date', 'Currency', 'TotalPrice']) this.schema.ensureField(order, name, 'text', now);
  }
}

const STANDARD_FIELDS = [
  'FirstName',
  'LastName',
  'Source',
  'Zipcode',
  'City',
  'Address1',
  'Address2',
  'Number',
  'Country',
];
