import { z } from 'zod';
import { compact, optional } from '../http/json.js';
import type { RuleFieldReading, RuleSubscriber } from './types.js';

/** Numbers live, digits in quotes in some types and mocks (rule-api §1). */
const idSchema = z.union([z.int().positive(), z.string().regex(/^\d{1,15}$/)]).transform(Number);

const tagSchema = z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]);
const tagList = z.array(tagSchema);

/** A flag in lists, an array of suppressions elsewhere (rule-api §3); when in doubt the stricter reading. */
const suppressedSchema = z
  .unknown()
  .optional()
  .transform((value) => (Array.isArray(value) ? value.length > 0 : Boolean(value)));

const subscriberShape = z.object({
  id: idSchema,
  email: optional(z.string()),
  tags: optional(tagList),
  suppressed: suppressedSchema,
  opted_in: optional(z.boolean()),
  created_at: optional(z.string()),
});

/** "Success" in any letter case, or a flag (rule-api §1). */
const acknowledged = z.union([
  z.looseObject({ message: z.string().regex(/^success/i) }),
  z.looseObject({ success: z.literal(true) }),
]);

function toSubscriber(
  { created_at, opted_in, ...subscriber }: z.infer<typeof subscriberShape>,
  beside: boolean,
): RuleSubscriber {
  const suppressed = subscriber.suppressed || beside;
  return compact({ ...subscriber, suppressed, mailable: !suppressed && opted_in !== false, createdAt: created_at });
}

/** An answer about one subscriber; one that was suppressed may be reported beside it instead of in it (rule-api §2). */
export const subscriberReply: z.ZodType<RuleSubscriber> = z
  .object({ subscriber: subscriberShape, suppressed: suppressedSchema })
  .transform(({ subscriber, suppressed }) => toSubscriber(subscriber, suppressed));

/** Where a v2 list says that its next page is (rule-api §1.1). */
const pageMeta = optional(z.object({ next: optional(z.string()) }));

/** A page of `GET /subscribers` (rule-api §3). */
export const subscribersReply = z
  .object({ subscribers: z.array(subscriberShape.transform((row) => toSubscriber(row, false))), meta: pageMeta })
  .transform(({ subscribers, meta }) => ({ subscribers, next: meta?.next }));

/** The answer to an upsert. `undefined` where it says that the write was done and names nobody, as for many at once (rule-api §2). */
export const upsertReply: z.ZodType<RuleSubscriber | undefined> = z.unknown().transform((answer, context) => {
  const named = subscriberReply.safeParse(answer);
  if (named.success) return named.data;
  const silent = !(typeof answer === 'object' && answer !== null && 'subscriber' in answer && answer.subscriber);
  if (silent && acknowledged.safeParse(answer).success) return undefined;
  context.issues.push(...named.error.issues.map((issue) => ({ ...issue, input: undefined })));
  return z.NEVER;
});

/** The answer to a v3 write where it has a body at all: most have none (rule-api §1). Anything else would be somebody else speaking. */
export const doneReply = z.union([
  acknowledged,
  z.looseObject({ data: z.unknown() }),
  z.strictObject({}),
  z.array(z.unknown()).length(0),
]);

export const tagsReply = z.object({ tags: tagList }).transform(({ tags }) => tags);

/** Any answer of success that is JSON: what matters is that the service behind the address is Rule's. */
export const anyReply = z.looseObject({});

const fieldShape = z.object({
  name: optional(z.string()),
  key: optional(z.string()),
  type: optional(z.string()),
  value: z.unknown().optional(),
});

const groupShape = z.object({
  name: z.string(),
  historical: optional(z.boolean()),
  fields: optional(z.array(fieldShape)),
});

/**
 * Fields by `Group.Field`. The member that names a field is `name` or `key`, depending on the source (rule-api §3). Historical groups
 * are left out: they hold events, not the person's state.
 */
export const fieldsReply = z.object({ groups: z.array(groupShape) }).transform(({ groups }, context) => {
  const readings: Record<string, RuleFieldReading> = {};
  for (const [group, { name, historical, fields }] of groups.entries()) {
    if (historical) continue;
    for (const [index, field] of (fields ?? []).entries()) {
      const key = field.name ?? field.key;
      if (!key) {
        context.addIssue({ code: 'custom', path: ['groups', group, 'fields', index, 'name'] });
        return z.NEVER;
      }
      readings[key.includes('.') ? key : `${name}.${key}`] = compact({
        type: field.type,
        value: plainValue(field.value),
      });
    }
  }
  return readings;
});

function plainValue(value: unknown): string | string[] | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const rowShape = z
  .object({ values: optional(z.array(z.object({ field_value: z.unknown().optional() }))) })
  .transform(({ values }) => compact({ values: values?.map((one) => plainValue(one.field_value)) }));

/** The rows that a search found, each with its values where the answer tells them (rule-api §4.2). */
export const rowsReply = z
  .object({ data: z.union([z.array(rowShape), rowShape.transform((row) => [row]), z.null().transform(() => [])]) })
  .transform(({ data }) => data);

/** The answer to a mail: a number live (rule-api §6). */
export const transactionReply = z.object({ transaction_id: idSchema }).transform((answer) => answer.transaction_id);

/** One page of `GET /customizations`: field types by `Group.Field`, and where the next page is (rule-api §1.1, §3). */
export const fieldTypesReply = z
  .object({
    groups: z.array(
      z.object({ name: z.string(), fields: optional(z.array(z.object({ name: z.string(), type: z.string() }))) }),
    ),
    meta: pageMeta,
  })
  .transform(({ groups, meta }) => ({
    types: groups.flatMap(({ name, fields }) =>
      (fields ?? []).map((field): [string, string] => [`${name}.${field.name}`, field.type]),
    ),
    next: meta?.next,
  }));

const triggerShape = z.object({ type: z.string(), id: idSchema, name: optional(z.string()) });

/** One page of automations (rule-api §7): a trigger of a kind that we do not know counts as none. */
export const automationsReply = z
  .object({
    data: optional(
      z.array(
        z.object({
          id: idSchema,
          name: z.string(),
          active: optional(z.boolean()),
          trigger: optional(triggerShape),
        }),
      ),
    ),
  })
  .transform(({ data }) => (data ?? []).map(toAutomation));

/** An automation as it is listed, with what it says of being active. */
export interface ListedAutomation {
  id: number;
  name: string;
  active?: boolean;
  trigger?: { type: 'TAG' | 'SEGMENT'; id: number; name?: string };
}

interface AutomationShape {
  id: number;
  name: string;
  active: boolean | undefined;
  trigger: z.infer<typeof triggerShape> | undefined;
}

function toAutomation({ id, name, active, trigger }: AutomationShape): ListedAutomation {
  // Upper case by its types; its error texts have it in lower case.
  const type = (['TAG', 'SEGMENT'] as const).find((one) => one === trigger?.type.toUpperCase());
  return compact({
    id,
    name,
    active,
    trigger: trigger && type ? compact({ type, id: trigger.id, name: trigger.name || undefined }) : undefined,
  });
}

/** The answer about one tag, by its id: its name. */
export const tagReply = z.object({ name: z.string().min(1) }).transform(({ name }) => name);
