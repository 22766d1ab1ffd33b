/**
 * Both vendors as plain objects behind the clients' interfaces, for properties over hundreds of random lives. How the real clients
 * speak to the real shapes is tested against the stand-ins.
 */
import type { Vendor } from '../../src/activities/index.js';
import { VendorError } from '../../src/http/errors.js';
import { defaultLifecycleSettings } from '../../src/lifecycle/index.js';
import { defaultMappingSettings, type Source } from '../../src/mapping/index.js';
import { defaultReceiptSettings } from '../../src/receipts/index.js';
import type { RuleClient, RuleField, RuleMail, RuleRow } from '../../src/rule/index.js';
import type { SesamyBill, SesamyClient, SesamyTransaction } from '../../src/sesamy/index.js';

interface Held {
  id: number;
  email: string;
  fields: Map<string, string | string[]>;
  tags: Set<string>;
  /** Of historical groups, oldest first. */
  rows: RuleRow[];
}

/** Rule's subscribers; `log` holds the names of the calls that wrote. */
export class MemoryRule {
  readonly subscribers = new Map<number, Held>();
  readonly log: string[] = [];
  /** What would have started automations, in order. */
  readonly fired: { id: number; tags: string[] }[] = [];
  /** A mail's id is its place, counted from one. */
  readonly mails: RuleMail[] = [];
  #nextId = 1;

  byEmail(email: string): Held | undefined {
    return [...this.subscribers.values()].find((held) => held.email === email);
  }

  readonly client: RuleClient = {
    upsertByEmail: async ({ email, fields, tags }) => {
      this.log.push('upsertByEmail');
      let held = this.byEmail(email);
      if (!held) {
        held = { id: this.#nextId++, email, fields: new Map(), tags: new Set(), rows: [] };
        this.subscribers.set(held.id, held);
      }
      this.#write(held, fields);
      for (const tag of tags) held.tags.add(tag);
      return this.#view(held);
    },
    update: async (id, { email, fields }) => {
      this.log.push('update');
      const held = this.#get(id);
      const other = email === undefined ? undefined : this.byEmail(email);
      if (other && other !== held) throw failure('rule/email-taken', 409);
      if (email !== undefined) held.email = email;
      this.#write(held, fields ?? []);
      return this.#view(held);
    },
    addTags: async (id, tags) => {
      this.log.push('addTags');
      for (const tag of tags) this.#get(id).tags.add(tag);
    },
    removeTags: async (id, tags) => {
      this.log.push('removeTags');
      for (const tag of tags) this.#get(id).tags.delete(tag);
    },
    removeTag: async (id, tag) => {
      this.log.push('removeTag');
      this.subscribers.get(id)?.tags.delete(tag);
    },
    fire: async (id, tags) => {
      if (tags.length === 0) return;
      this.log.push('fire');
      for (const tag of tags) this.#get(id).tags.add(tag);
      this.fired.push({ id, tags: [...new Set(tags)] });
    },
    findRow: async (id, { group, field, value }) =>
      (this.subscribers.get(id)?.rows ?? []).some((row) => row.group === group && row.values[field] === value),
    appendRow: async (id, { group, values }) => {
      this.log.push('appendRow');
      this.#get(id).rows.push({ group, values: { ...values } });
    },
    sendEmail: async (mail) => {
      this.log.push('sendEmail');
      return this.mails.push(structuredClone(mail));
    },
    listTags: async (id) => [...this.#get(id).tags],
    remove: async (id) => {
      this.log.push('remove');
      this.subscribers.delete(id);
    },
    findByEmail: async (email) => {
      const held = this.byEmail(email);
      return held && this.#view(held);
    },
    get: async (id) => {
      const held = this.subscribers.get(id);
      return held && this.#view(held);
    },
    readFields: async () => ({}),
    listFieldTypes: async () => new Map([['Sesamy_User.ID', 'text']]),
    checkKey: async () => {},
    checkRead: async () => {},
    createFields: async () => {},
    listSubscribers: async () => ({ subscribers: [...this.subscribers.values()].map((held) => this.#view(held)) }),
    listAutomations: async () => [],
    suppress: async () => {},
    close: async () => {},
  };

  #get(id: number): Held {
    const held = this.subscribers.get(id);
    if (!held) throw failure('rule/not-found', 404);
    return held;
  }

  #view(held: Held) {
    return { id: held.id, email: held.email, tags: [...held.tags], suppressed: false, mailable: true };
  }

  #write(held: Held, fields: readonly RuleField[]): void {
    for (const { key, value } of fields) {
      if (value.length === 0) held.fields.delete(key);
      else held.fields.set(key, value);
    }
  }
}

function failure(type: string, status: number): VendorError {
  return new VendorError({
    type,
    next: 'give-up',
    reason: 'of the test',
    status,
    method: 'PUT',
    path: '/subscribers/{id}',
  });
}

/** Sesamy's word on one person; `undefined` for nobody. */
export function memorySesamy(
  source: () => Omit<Source, 'cancelRequestedAt'> | undefined,
  payments: () => { transactions: SesamyTransaction[]; bills: SesamyBill[] } = () => ({ transactions: [], bills: [] }),
): SesamyClient {
  return {
    getUser: async () => source()?.user,
    listUserIds: async () => ({ ids: [], rows: 0 }),
    listContracts: async () => source()?.contracts ?? [],
    listEntitlements: async () => source()?.entitlements ?? [],
    listTransactions: async () => payments().transactions,
    getBill: async (billId) => payments().bills.find(({ id }) => id === billId),
    userPage: async () => ({ rows: [], received: 0, unreadable: 0 }),
    contractPage: async () => ({ rows: [], received: 0, unreadable: 0 }),
    entitlementPage: async () => ({ rows: [], received: 0, unreadable: 0 }),
    checkToken: async () => {},
    checkRead: async () => {},
    checkAccess: async () => {},
    close: async () => {},
  };
}

export function memoryVendor(rule: MemoryRule, sesamy: SesamyClient): Vendor {
  const minute = 60_000;
  return {
    id: 'daily',
    sesamy,
    rule: rule.client,
    gate: { check() {}, enter: () => ({ done() {} }), snapshot: () => ({ open: true, probing: false }) },
    fieldTypes: { get: () => rule.client.listFieldTypes(), forget() {} },
    mapping: defaultMappingSettings,
    lifecycle: defaultLifecycleSettings,
    receipts: defaultReceiptSettings,
    timings: {
      extraLooksMs: [45_000, 5 * minute],
      missingRowsMs: 15 * minute,
      missingUserMs: 24 * 60 * minute,
      recheckMs: 3 * 24 * 60 * minute,
      guestMs: 30 * 24 * 60 * minute,
    },
    requestsPerSecond: 300,
    reconcile: { everyHours: 0, share: 1 },
    hashKey: 'a key of the test',
  };
}
