import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Account } from './account.js';
import {
  anyIdentifier,
  checkEmail,
  checkPhone,
  findSubscriber,
  noQuery,
  numericId,
  parseBody,
  parseQuery,
  plainIdentifier,
} from './checks.js';
import type { Context } from './context.js';
import { checkGroupSizes, createFields, writeFields } from './field-writes.js';
import type { Subscriber } from './model.js';
import { invalid, notFound, Refusal } from './refusal.js';
import { planFields, v2Field } from './v2-fields.js';
import { pageOf, v2Paging } from './v2-paging.js';
import { upsert } from './v2-upsert.js';
import { v2ListedSubscriber, v2Subscriber } from './wire.js';

const putSchema = z
  .strictObject({
    email: z.string().optional(),
    phone_number: z.string().optional(),
    language: z
      .string()
      .regex(/^[a-z]{2}$/, 'Not an ISO 639-1 code.')
      .optional(),
    fields: z.array(v2Field).optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'Nothing to update.');

const deleteManySchema = z.strictObject({
  subscribers: z.array(
    z.union([
      z.strictObject({ email: z.string() }),
      z.strictObject({ phone_number: z.string() }),
      z.strictObject({ id: z.int().positive() }),
    ]),
  ),
});

type ById = { Params: { identifier: string } };

/** v2 calls about people (rule-api §2, §3). */
export function v2Subscribers(app: FastifyInstance, context: Context): void {
  const { account } = context;

  app.post('/subscribers', (request) => {
    parseQuery(noQuery, request);
    return upsert(context, request.body);
  });

  app.get('/subscribers', (request) => {
    const { items, meta } = pageOf(request, parseQuery(v2Paging, request), account.people.byId);
    return { subscribers: items.map((subscriber) => v2ListedSubscriber(account, subscriber)), meta };
  });

  app.delete('/subscribers', (request) => {
    parseQuery(noQuery, request);
    const found = parseBody(deleteManySchema, request.body).subscribers.map((identity) => {
      const [kind, value] = Object.entries(identity)[0] as ['email' | 'phone_number' | 'id', string | number];
      return findSubscriber(account, kind, String(value));
    });
    for (const subscriber of found) account.deleteSubscriber(subscriber);
    return { message: 'Success' };
  });

  app.get<ById>('/subscribers/:identifier', (request) => {
    const { identified_by: kind } = parseQuery(anyIdentifier, request);
    return { subscriber: v2Subscriber(account, findSubscriber(account, kind, request.params.identifier)) };
  });

  app.put<ById>('/subscribers/:identifier', (request) => {
    parseQuery(noQuery, request);
    const subscriber = account.people.byId.get(numericId(request.params.identifier));
    const body = parseBody(putSchema, request.body);
    if (!subscriber) throw notFound('Subscriber');
    put(account, subscriber, body);
    return { message: 'Success', subscriber: v2Subscriber(account, subscriber) };
  });

  app.delete<ById>('/subscribers/:identifier', (request) => {
    const { identified_by: kind } = parseQuery(plainIdentifier, request);
    account.deleteSubscriber(findSubscriber(account, kind, request.params.identifier));
    return { message: 'Success' };
  });

  app.get<ById>('/subscriber/:identifier/fields', (request) => {
    const { identified_by: kind } = parseQuery(plainIdentifier, request);
    return { groups: fieldGroups(account, findSubscriber(account, kind, request.params.identifier)) };
  });
}

function put(account: Account, subscriber: Subscriber, body: z.infer<typeof putSchema>): void {
  if (body.email !== undefined && account.switches.putEmail === 'refuse') {
    throw invalid('email', 'The email cannot be changed.');
  }
  const identity = {
    email: body.email === undefined ? null : checkEmail(body.email, 'email'),
    phoneNumber: body.phone_number === undefined ? null : checkPhone(account, body.phone_number, 'phone_number'),
  };
  checkFree(account, subscriber, 'email', identity.email);
  checkFree(account, subscriber, 'phone_number', identity.phoneNumber);
  const planned = planFields(account, body.fields ?? [], 'fields');
  checkGroupSizes(account, subscriber, planned);
  account.people.identify(subscriber, identity);
  if (body.language) subscriber.language = body.language;
  writeFields(account, subscriber, createFields(account, planned), account.switches.upsertAppendsToHistorical);
  account.touch(subscriber);
}

function checkFree(
  account: Account,
  subscriber: Subscriber,
  kind: 'email' | 'phone_number',
  value: string | null,
): void {
  const holder = value ? account.people.find(kind, value) : undefined;
  if (holder && holder !== subscriber) {
    throw new Refusal('conflict', `The ${kind} belongs to another subscriber.`, {
      status: account.switches.putTakenStatus,
    });
  }
}

/** Groups in which the person has data; of a historical group the newest row (rule-api §3). JSON is encoded on v2. */
function fieldGroups(account: Account, subscriber: Subscriber): unknown[] {
  return [...subscriber.rows].flatMap(([groupId, rows]) => {
    const group = account.schema.groups.get(groupId);
    if (!group) return [];
    const values = rows.at(-1)?.values;
    const fields = [...group.fields.values()].map(({ id, name, type }) => {
      const value = values?.get(id) ?? null;
      return {
        id,
        [account.switches.fieldsMemberName]: name,
        type,
        value: type === 'json' && value !== null ? JSON.stringify(value) : value,
      };
    });
    return [{ name: group.name, historical: group.historical, fields }];
  });
}
