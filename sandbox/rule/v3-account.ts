import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Account } from './account.js';
import type { ApiKey } from './api-keys.js';
import { noQuery, numericId, parseBody, parseQuery } from './checks.js';
import type { Context } from './context.js';
import { notFound } from './refusal.js';
import { v3Page, v3Paging } from './v3-paging.js';
import { v3Subscriber, wireAutomation, wireTime } from './wire.js';

const keySchema = z.strictObject({ name: z.string().min(1).max(255) });
const automationQuery = v3Paging.extend({
  active: z.enum(['true', 'false']).optional(),
  message_type: z.enum(['1', '2']).optional(),
  query: z.string().optional(),
});

type ById = { Params: { id: string } };

/** v3 keys (rule-api §1). */
export function v3ApiKeys(app: FastifyInstance, { account }: Context): void {
  app.get('/api-keys', (request) => {
    parseQuery(noQuery, request);
    return { data: [...account.keys.byId.values()].map((key) => wireKey(account, key)) };
  });

  app.post('/api-keys', async (request, reply) => {
    parseQuery(noQuery, request);
    const { name } = parseBody(keySchema, request.body);
    const created = account.keys.add(name, randomBytes(24).toString('hex'), account.now());
    return reply.code(201).send({ data: { ...wireKey(account, created), key: created.key } });
  });

  app.put<ById>('/api-keys/:id', (request) => {
    parseQuery(noQuery, request);
    const { name } = parseBody(keySchema, request.body);
    const key = findKey(account, request.params.id);
    key.name = name;
    key.updatedAt = account.now();
    return { data: wireKey(account, key) };
  });

  app.delete<ById>('/api-keys/:id', async (request, reply) => {
    parseQuery(noQuery, request);
    account.keys.byId.delete(findKey(account, request.params.id).id);
    return reply.code(204).send();
  });
}

/** v3 automations and the light lists for targeting (rule-api §1.1, §7). All automations here are e-mail ones. */
export function v3Editor(app: FastifyInstance, { account }: Context): void {
  app.get('/editor/automail', (request) => {
    const query = parseQuery(automationQuery, request);
    const found = [...account.automations.values()].filter(
      ({ active, name }) =>
        (query.active === undefined || String(active) === query.active) &&
        query.message_type !== '2' &&
        name.toLowerCase().includes((query.query ?? '').toLowerCase()),
    );
    return v3Page(
      found.map((automation) => wireAutomation(account, automation)),
      query,
    );
  });

  app.get<ById>('/editor/automail/:id', (request) => {
    parseQuery(noQuery, request);
    const automation = account.automations.get(numericId(request.params.id));
    if (!automation) throw notFound('Automation');
    return { data: wireAutomation(account, automation) };
  });

  app.get('/editor/recipients/segments', (request) => {
    const paging = parseQuery(v3Paging, request);
    return v3Page(
      [...account.segments.values()].map(({ id, name }) => ({ id, name })),
      paging,
    );
  });

  app.get('/editor/recipients/tags', (request) => {
    const paging = parseQuery(v3Paging, request);
    return v3Page(
      [...account.tags.byId.values()].map(({ id, name }) => ({ id, name })),
      paging,
    );
  });

  app.get('/editor/recipients/subscribers', (request) => {
    const page = v3Page([...account.people.byId.values()], parseQuery(v3Paging, request));
    return { ...page, data: page.data.map((subscriber) => v3Subscriber(account, subscriber)) };
  });
}

function findKey(account: Account, id: string): ApiKey {
  const key = account.keys.byId.get(numericId(id));
  if (!key) throw notFound('API key');
  return key;
}

function wireKey(account: Account, { id, name, createdAt, updatedAt }: ApiKey) {
  return { id, name, created_at: wireTime(account, createdAt), updated_at: wireTime(account, updatedAt) };
}
