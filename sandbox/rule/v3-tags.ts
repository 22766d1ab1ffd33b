import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  anyIdentifier,
  bulkIdentity,
  checkTags,
  findMany,
  findSubscriber,
  noQuery,
  parseBody,
  parseQuery,
  tagReference,
} from './checks.js';
import type { Context } from './context.js';
import { recalculateSegments } from './segments.js';
import { giveTags, takeTag, unblockBy } from './tagging.js';

const PUT_CALL = 'PUT /v3/subscribers/{identifier}/tags';
const BULK_CALL = 'POST /v3/subscribers/tags';

const putSchema = z.strictObject({
  tags: z.array(tagReference),
  automation: z.enum(['send', 'force', 'reset']).optional(),
  sync_subscriber: z.boolean().optional(),
});
const bulkSchema = z.strictObject({
  subscribers: z.array(bulkIdentity).min(1),
  tags: z.array(tagReference),
  callback_url: z.url().optional(),
});

/** v3 tags (rule-api §4.3). Only PUT recalculates segments; no removal does. */
export function v3Tags(app: FastifyInstance, { account, jobs }: Context): void {
  app.put<{ Params: { identifier: string } }>('/subscribers/:identifier/tags', async (request, reply) => {
    const { identified_by: kind } = parseQuery(anyIdentifier, request);
    const body = parseBody(putSchema, request.body);
    const subscriber = findSubscriber(account, kind, request.params.identifier);
    checkTags(account, body.tags);
    const tags = account.tags.resolve(body.tags, account.now());
    if (body.automation) unblockBy(account, subscriber, body.automation, PUT_CALL);
    giveTags(account, subscriber, tags, () => body.automation ?? null, PUT_CALL);
    if (body.sync_subscriber !== false) recalculateSegments(account, subscriber, PUT_CALL);
    return reply.code(204).send();
  });

  app.delete<{ Params: { identifier: string; tag: string } }>(
    '/subscribers/:identifier/tags/:tag',
    async (request, reply) => {
      const { identified_by: kind } = parseQuery(anyIdentifier, request);
      takeTag(account, findSubscriber(account, kind, request.params.identifier), request.params.tag);
      return reply.code(204).send();
    },
  );

  app.post('/subscribers/tags', async (request, reply) => {
    parseQuery(noQuery, request);
    const body = parseBody(bulkSchema, request.body);
    checkTags(account, body.tags);
    const tags = account.tags.resolve(body.tags, account.now());
    jobs.enqueue(() => {
      for (const subscriber of findMany(account, body.subscribers)) {
        giveTags(account, subscriber, tags, () => null, BULK_CALL);
      }
    }, body.callback_url);
    return reply.code(204).send();
  });

  app.delete('/subscribers/tags', async (request, reply) => {
    parseQuery(noQuery, request);
    const body = parseBody(bulkSchema, request.body);
    checkTags(account, body.tags);
    jobs.enqueue(() => {
      const tags = body.tags.flatMap((reference) => account.tags.find(reference) ?? []);
      for (const subscriber of findMany(account, body.subscribers)) {
        for (const tag of tags) account.tags.take(subscriber, tag);
        account.touch(subscriber);
      }
    }, body.callback_url);
    return reply.code(204).send();
  });
}
