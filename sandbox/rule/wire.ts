import type { Account } from './account.js';
import type { Automation, Group, Row, Subscriber, Tag } from './model.js';
import { tagsOf } from './views.js';

/** Timestamp in an answer, UTC (rule-api §1). */
export function wireTime(account: Account, date: Date): string {
  const iso = date.toISOString();
  return account.switches.timestamps === 'iso' ? iso : iso.slice(0, 19).replace('T', ' ');
}

/** A person in a v2 answer about that person (rule-api §2, §3). */
export function v2Subscriber(account: Account, subscriber: Subscriber): Record<string, unknown> {
  return {
    ...v2Base(account, subscriber),
    custom_identifier: subscriber.customIdentifier,
    tags: tagsOf(account, subscriber),
    suppressed: suppressionsOf(account, subscriber),
    syncAtSegments: [],
  };
}

/** A person in the v2 list: `suppressed` is a boolean there (rule-api §3). */
export function v2ListedSubscriber(account: Account, subscriber: Subscriber): Record<string, unknown> {
  return {
    ...v2Base(account, subscriber),
    custom_identifier: subscriber.customIdentifier,
    tags: tagsOf(account, subscriber),
    suppressed: subscriber.suppressions.size > 0,
  };
}

/** A person in a v3 answer: `phone` here, `phone_number` in the request (rule-api §4.1). */
export function v3Subscriber(account: Account, subscriber: Subscriber): Record<string, unknown> {
  return {
    id: subscriber.id,
    email: subscriber.email,
    phone: subscriber.phoneNumber,
    custom_identifier: subscriber.customIdentifier,
    account_id: 1,
    status: statusOf(subscriber),
    language: subscriber.language,
    created_at: wireTime(account, subscriber.createdAt),
    updated_at: wireTime(account, subscriber.updatedAt),
  };
}

/** Suppressions in v2 answers: the shape of the official node client's types. */
export function suppressionsOf(account: Account, subscriber: Subscriber): Record<string, unknown>[] {
  return [...subscriber.suppressions].map((suppression, index) => {
    const [dispatcher, message] = suppression.split('/');
    return {
      id: subscriber.id * 10 + index,
      dispatcher_type: dispatcher === 'transaction' ? 'transactional' : dispatcher,
      message_type: message,
      suppressed_source_type: 'api',
      created_at: wireTime(account, subscriber.updatedAt),
      subscriber: { id: subscriber.id, email: subscriber.email, phone_number: subscriber.phoneNumber },
    };
  });
}

/** A tag; `full` as in the list, which alone has the timestamps. */
export function wireTag(account: Account, tag: Tag, full: boolean): Record<string, unknown> {
  const base = { id: tag.id, name: tag.name, description: tag.description };
  if (!full) return base;
  return { ...base, created_at: wireTime(account, tag.createdAt), updated_at: wireTime(account, tag.updatedAt) };
}

/** A group of the field schema (rule-api §3). */
export function wireGroup(account: Account, group: Group): Record<string, unknown> {
  return {
    id: group.id,
    name: group.name,
    fields: [...group.fields.values()].map(({ id, name, type }) => ({ id, name, type })),
    created_at: wireTime(account, group.createdAt),
    updated_at: wireTime(account, group.updatedAt),
  };
}

/** A record of custom-field data (rule-api §4.2), narrowed to `fields` when given. */
export function wireRecord(
  account: Account,
  group: Group,
  row: Row,
  fields?: readonly string[],
): Record<string, unknown> {
  const values = [...group.fields.values()].flatMap(({ id, name, type }) => {
    const value = row.values.get(id);
    if (value === undefined || (fields && !fields.includes(name))) return [];
    return [{ field_id: id, field_name: name, field_type: type, field_value: value }];
  });
  return {
    id: row.id,
    group_id: group.id,
    group_name: group.name,
    historical: group.historical,
    created_at: wireTime(account, row.createdAt),
    values,
  };
}

/** An automation as the official client's types have it; only the trigger's shape is documented (rule-api §7). */
export function wireAutomation(account: Account, automation: Automation): Record<string, unknown> {
  const { type, id } = automation.trigger;
  const name = (type === 'TAG' ? account.tags.byId.get(id) : account.segments.get(id))?.name;
  return {
    id: automation.id,
    name: automation.name,
    active: automation.active,
    trigger: { type, id, name },
    sendout_type: { value: 1, key: 'marketing', description: 'Marketing' },
    created_at: wireTime(account, automation.createdAt),
    updated_at: wireTime(account, automation.createdAt),
  };
}

function v2Base(account: Account, subscriber: Subscriber): Record<string, unknown> {
  return {
    id: subscriber.id,
    email: subscriber.email,
    phone_number: subscriber.phoneNumber,
    language: subscriber.language,
    opted_in: subscriber.optedIn,
    created_at: wireTime(account, subscriber.createdAt),
    updated_at: wireTime(account, subscriber.updatedAt),
  };
}

function statusOf(subscriber: Subscriber): 'ACTIVE' | 'BLOCKED' | 'PENDING' {
  if (subscriber.blocked) return 'BLOCKED';
  return subscriber.optedIn ? 'ACTIVE' : 'PENDING';
}
