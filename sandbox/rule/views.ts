import type { Account } from './account.js';
import type { Automation, AutomationMail, Group, Row, Subscriber, TriggerType } from './model.js';
import type { FieldType, FieldValue } from './values.js';

/** A person as tests and people look at it: names instead of ids. */
export interface SubscriberView {
  id: number;
  email: string | null;
  phone_number: string | null;
  custom_identifier: string | null;
  language: string;
  blocked: boolean;
  optedIn: boolean;
  /** Such as `campaign/email`. */
  suppressed: string[];
  tags: string[];
  segments: string[];
  /** Filled fields of plain groups by `Group.Field`. */
  fields: Record<string, { type: FieldType; value: FieldValue }>;
  /** Rows of historical groups, oldest first. */
  rows: RowView[];
  createdAt: string;
  updatedAt: string;
}

export interface RowView {
  id: number;
  group: string;
  createdAt: string;
  values: Record<string, FieldValue>;
}

/** An automation with the name of what it starts on. */
export interface AutomationView {
  id: number;
  name: string;
  active: boolean;
  trigger: { type: TriggerType; name: string };
  mails: AutomationMail[];
  endsOn: { tagGained: string[]; tagLost: string[] };
}

export function viewAutomation(account: Account, automation: Automation): AutomationView {
  const { id, name, active, trigger, mails, endsOn } = automation;
  const target = (trigger.type === 'TAG' ? account.tags.byId : account.segments).get(trigger.id);
  return { id, name, active, trigger: { type: trigger.type, name: target?.name ?? String(trigger.id) }, mails, endsOn };
}

export function viewSubscriber(account: Account, subscriber: Subscriber): SubscriberView {
  const view: SubscriberView = {
    id: subscriber.id,
    email: subscriber.email,
    phone_number: subscriber.phoneNumber,
    custom_identifier: subscriber.customIdentifier,
    language: subscriber.language,
    blocked: subscriber.blocked,
    optedIn: subscriber.optedIn,
    suppressed: [...subscriber.suppressions].sort(),
    tags: tagsOf(account, subscriber).map((tag) => tag.name),
    segments: [...subscriber.segments].map((id) => account.segments.get(id)?.name ?? String(id)),
    fields: {},
    rows: [],
    createdAt: subscriber.createdAt.toISOString(),
    updatedAt: subscriber.updatedAt.toISOString(),
  };
  for (const [groupId, rows] of subscriber.rows) {
    const group = account.schema.groups.get(groupId);
    if (!group) continue;
    if (group.historical) view.rows.push(...rows.map((row) => viewRow(group, row)));
    else addFields(view, group, rows[0]);
  }
  return view;
}

/** The person's tags, by id. */
export function tagsOf(account: Account, subscriber: Subscriber): { id: number; name: string }[] {
  return [...subscriber.tags].flatMap((id) => {
    const tag = account.tags.byId.get(id);
    return tag ? [{ id, name: tag.name }] : [];
  });
}

function viewRow(group: Group, row: Row): RowView {
  const values: RowView['values'] = {};
  for (const field of group.fields.values()) {
    const value = row.values.get(field.id);
    if (value !== undefined) values[field.name] = value;
  }
  return { id: row.id, group: group.name, createdAt: row.createdAt.toISOString(), values };
}

function addFields(view: SubscriberView, group: Group, row: Row | undefined): void {
  for (const field of group.fields.values()) {
    const value = row?.values.get(field.id);
    if (value !== undefined) view.fields[`${group.name}.${field.name}`] = { type: field.type, value };
  }
}
