import type { Subscriber } from './model.js';
import type { RuleSwitches } from './switches.js';

export const identifierKinds = ['email', 'phone_number', 'id', 'custom_identifier'] as const;
/** How a person is named in a call (`identified_by`, or the one member of a bulk entry). */
export type IdentifierKind = (typeof identifierKinds)[number];

/** Everybody in the account, found by id and by each identity without a scan. */
export class People {
  readonly byId = new Map<number, Subscriber>();
  private readonly ids = {
    email: new Map<string, number>(),
    phone_number: new Map<string, number>(),
    custom_identifier: new Map<string, number>(),
  };
  private nextId = 9001;

  constructor(private readonly switches: RuleSwitches) {}

  find(kind: IdentifierKind, value: string | number): Subscriber | undefined {
    if (kind === 'id') return this.byId.get(Number(value));
    const text = kind === 'email' ? this.emailKey(String(value)) : String(value);
    const id = this.ids[kind].get(text);
    return id === undefined ? undefined : this.byId.get(id);
  }

  /** Form in which an address is stored and compared (rule-api §12 row 10). */
  emailKey(email: string): string {
    return this.switches.emailCaseInsensitive ? email.trim().toLowerCase() : email.trim();
  }

  create(identity: Identity, language: string, now: Date): Subscriber {
    const subscriber: Subscriber = {
      id: this.nextId,
      email: null,
      phoneNumber: null,
      customIdentifier: null,
      language,
      blocked: false,
      optedIn: true,
      createdAt: now,
      updatedAt: now,
      tags: new Set(),
      segments: new Set(),
      suppressions: new Set(),
      rows: new Map(),
      progress: new Map(),
    };
    this.put(subscriber);
    this.identify(subscriber, identity);
    return subscriber;
  }

  put(subscriber: Subscriber): void {
    this.byId.set(subscriber.id, subscriber);
    this.nextId = Math.max(this.nextId, subscriber.id + 1);
    const { email, phoneNumber, customIdentifier } = subscriber;
    this.identify(subscriber, { email, phoneNumber, customIdentifier });
  }

  /** Sets the given identities; null and undefined ones stay as they are. */
  identify(subscriber: Subscriber, identity: Identity): void {
    if (identity.email) {
      if (subscriber.email) this.ids.email.delete(this.emailKey(subscriber.email));
      subscriber.email = this.emailKey(identity.email);
      this.ids.email.set(subscriber.email, subscriber.id);
    }
    if (identity.phoneNumber) {
      if (subscriber.phoneNumber) this.ids.phone_number.delete(subscriber.phoneNumber);
      subscriber.phoneNumber = identity.phoneNumber;
      this.ids.phone_number.set(subscriber.phoneNumber, subscriber.id);
    }
    if (identity.customIdentifier) {
      subscriber.customIdentifier = identity.customIdentifier;
      this.ids.custom_identifier.set(identity.customIdentifier, subscriber.id);
    }
  }

  remove(subscriber: Subscriber): void {
    this.byId.delete(subscriber.id);
    if (subscriber.email) this.ids.email.delete(this.emailKey(subscriber.email));
    if (subscriber.phoneNumber) this.ids.phone_number.delete(subscriber.phoneNumber);
    if (subscriber.customIdentifier) this.ids.custom_identifier.delete(subscriber.customIdentifier);
  }
}

/** Identities of a person; the phone number is in E.164 already. */
export interface Identity {
  email?: string | null;
  phoneNumber?: string | null;
  customIdentifier?: string | null;
}
