import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Account } from './account.js';
import { noQuery, numericId, parseBody, parseQuery } from './checks.js';
import type { Context } from './context.js';
import type { Group, Row, Subscriber } from './model.js';
import { notFound } from './refusal.js';
import { amendRow, fieldEntry, findRow, reference, writeGroups } from './v3-field-writes.js';
import { v3Page, v3Paging } from './v3-paging.js';
import { wireRecord } from './wire.js';

const writeSchema = z.strictObject({
  groups: z
    .array(
      z.strictObject({
        group: reference,
        create_if_not_exists: z.boolean().optional(),
        historical: z.boolean().optional(),
        values: z.array(fieldEntry).min(1),
      }),
    )
    .min(1),
});
const amendSchema = z.strictObject({
  identifier: z.union([
    z.strictObject({ data_id: z.int() }),
    z.strictObject({ group: reference, field: reference, value: z.string() }),
  ]),
  values: z.array(fieldEntry).min(1),
});
const list = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const listQuery = v3Paging.extend({ 'groups_id[]': list.optional(), 'groups_name[]': list.optional() });
const groupQuery = v3Paging.extend({ 'fields[]': list.optional() });
const searchQuery = z
  .strictObject({
    data_id: z.string().regex(/^\d+$/).optional(),
    group: z.string().optional(),
    field: z.string().optional(),
    value: z.string().optional(),
  })
  .refine(
    (query) => query.data_id || (query.group && query.field && query.value),
    'data_id, or group, field and value.',
  );

type ById = { Params: { id: string } };
type ByGroup = { Params: { id: string; group: string } };

/** v3 custom-field data: profile fields and rows of historical groups, by numeric id only (rule-api §4.2, §5). */
export function v3FieldData(app: FastifyInstance, { account }: Context): void {
  app.post<ById>('/custom-field-data/:id', async (request, reply) => {
    parseQuery(noQuery, request);
    const body = parseBody(writeSchema, request.body);
    const subscriber = find(account, request);
    writeGroups(account, subscriber, body.groups);
    account.touch(subscriber);
    return reply.code(201).send();
  });

  app.put<ById>('/custom-field-data/:id', async (request, reply) => {
    parseQuery(noQuery, request);
    const body = parseBody(amendSchema, request.body);
    const subscriber = find(account, request);
    amendRow(account, subscriber, body.identifier, body.values);
    account.touch(subscriber);
    return reply.code(204).send();
  });

  app.get<ById>('/custom-field-data/:id', (request) => {
    const query = parseQuery(listQuery, request);
    const wanted = [...(query['groups_id[]'] ?? []), ...(query['groups_name[]'] ?? [])];
    const records = recordsOf(account, find(account, request)).filter(
      ({ group }) => wanted.length === 0 || wanted.includes(group.name) || wanted.includes(String(group.id)),
    );
    return v3Page(
      records.map(({ group, row }) => wireRecord(account, group, row)),
      query,
    );
  });

  app.get<ByGroup>('/custom-field-data/:id/group/:group', (request) => {
    const query = parseQuery(groupQuery, request);
    const subscriber = find(account, request);
    const group = findGroup(account, request.params.group);
    const rows = subscriber.rows.get(group.id) ?? [];
    return v3Page(
      rows.map((row) => wireRecord(account, group, row, query['fields[]'])),
      query,
    );
  });

  app.get<ById>('/custom-field-data/:id/search', (request) => {
    const { data_id, group = '', field = '', value = '' } = parseQuery(searchQuery, request);
    const subscriber = find(account, request);
    const found = findRow(account, subscriber, data_id ? { data_id: Number(data_id) } : { group, field, value });
    if (!found) throw notFound('Record');
    return { data: wireRecord(account, found.group, found.row) };
  });

  app.delete<ByGroup>('/custom-field-data/:id/group/:group', async (request, reply) => {
    parseQuery(noQuery, request);
    const subscriber = find(account, request);
    subscriber.rows.delete(findGroup(account, request.params.group).id);
    account.touch(subscriber);
    return reply.code(204).send();
  });
}

function find(account: Account, request: FastifyRequest<ById>): Subscriber {
  const subscriber = account.people.byId.get(numericId(request.params.id));
  if (!subscriber) throw notFound('Subscriber');
  return subscriber;
}

function findGroup(account: Account, name: string): Group {
  const group = account.schema.group(name);
  if (!group) throw notFound('Group');
  return group;
}

function recordsOf(account: Account, subscriber: Subscriber): { group: Group; row: Row }[] {
  return [...subscriber.rows].flatMap(([groupId, rows]) => {
    const group = account.schema.groups.get(groupId);
    return group ? rows.map((row) => ({ group, row })) : [];
  });
}
