import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Account } from './account.js';
import {
  anyIdentifier,
  checkTags,
  findSubscriber,
  numericId,
  parseBody,
  parseQuery,
  plainIdentifier,
  tagReference,
} from './checks.js';
import type { Context } from './context.js';
import type { Subscriber, Tag } from './model.js';
import { notFound } from './refusal.js';
import { recalculateSegments } from './segments.js';
import { giveTags, takeTag, unblockBy } from './tagging.js';
import { pageOf, v2Paging } from './v2-paging.js';
import { tagsOf } from './views.js';
import { wireTag } from './wire.js';

const POST_CALL = 'POST /v2/subscribers/{identifier}/tags';
const DELETE_CALL = 'DELETE /v2/subscribers/{identifier}/tags/{tag}';

const postSchema = z.strictObject({ tags: z.array(tagReference), automation: z.enum(['force', 'reset']).optional() });
const tagIdentifier = z.strictObject({ identified_by: z.enum(['id', 'name']) });
const tagQuery = tagIdentifier.extend({ with_count: z.enum(['true', 'false']).optional() });
const putSchema = z
  .strictObject({ name: z.string().min(1).optional(), description: z.string().optional() })
  .refine((body) => Object.keys(body).length > 0, 'Nothing to update.');

type ById = { Params: { identifier: string } };
type ByTag = { Params: { identifier: string; tag: string } };

/** v2 calls about one person's tags (rule-api §3). */
export function v2SubscriberTags(app: FastifyInstance, { account, jobs }: Context): void {
  app.get<ById>('/subscribers/:identifier/tags', (request) => {
    const { identified_by: kind } = parseQuery(anyIdentifier, request);
    return { tags: tagsOf(account, findSubscriber(account, kind, request.params.identifier)) };
  });

  app.post<ById>('/subscribers/:identifier/tags', (request) => {
    const { identified_by: kind } = parseQuery(plainIdentifier, request);
    const body = parseBody(postSchema, request.body);
    const subscriber = findSubscriber(account, kind, request.params.identifier);
    checkTags(account, body.tags);
    const tags = account.tags.resolve(body.tags, account.now());
    if (body.automation && account.switches.v2AutomationUnblocks) {
      unblockBy(account, subscriber, body.automation, POST_CALL);
    }
    giveTags(account, subscriber, tags, () => body.automation ?? null, POST_CALL);
    return { message: 'Success' };
  });

  app.delete<ById>('/subscribers/:identifier/tags/clear', (request) => {
    const { identified_by: kind } = parseQuery(plainIdentifier, request);
    clearTags(account, findSubscriber(account, kind, request.params.identifier));
    return { message: 'Success' };
  });

  app.delete<ByTag>('/subscribers/:identifier/tags/:tag', (request) => {
    const { identified_by: kind } = parseQuery(plainIdentifier, request);
    const subscriber = findSubscriber(account, kind, request.params.identifier);
    takeTag(account, subscriber, request.params.tag);
    jobs.enqueue(() => {
      if (account.people.byId.has(subscriber.id)) recalculateSegments(account, subscriber, DELETE_CALL);
    });
    return { message: 'Success' };
  });
}

/** v2 tag catalogue (rule-api §3). There is no create: tags appear when first given. */
export function v2Tags(app: FastifyInstance, { account }: Context): void {
  app.get('/tags', (request) => {
    const { items, meta } = pageOf(request, parseQuery(v2Paging, request), account.tags.byId);
    return { tags: items.map((tag) => wireTag(account, tag, true)), meta };
  });

  app.get<ById>('/tags/:identifier', (request) => {
    const query = parseQuery(tagQuery, request);
    const tag = findTag(account, query.identified_by, request.params.identifier);
    const count = query.with_count === 'true' ? { recipient_count: tag.members.size } : {};
    return { ...wireTag(account, tag, false), ...count };
  });

  app.put<ById>('/tags/:identifier', (request) => {
    const tag = findTag(account, parseQuery(tagIdentifier, request).identified_by, request.params.identifier);
    const body = parseBody(putSchema, request.body);
    if (body.name !== undefined) account.tags.rename(tag, body.name);
    if (body.description !== undefined) tag.description = body.description;
    tag.updatedAt = account.now();
    return wireTag(account, tag, false);
  });

  app.delete<ById>('/tags/:identifier', (request) => {
    const tag = findTag(account, parseQuery(tagIdentifier, request).identified_by, request.params.identifier);
    takeFromAll(account, tag);
    account.tags.remove(tag);
    return { message: 'Success' };
  });

  app.delete<ById>('/tags/:identifier/clear', (request) => {
    const tag = findTag(account, parseQuery(tagIdentifier, request).identified_by, request.params.identifier);
    takeFromAll(account, tag);
    return { message: 'Success' };
  });
}

function findTag(account: Account, kind: 'id' | 'name', value: string): Tag {
  const tag = kind === 'id' ? account.tags.byId.get(numericId(value)) : account.tags.named(value);
  if (!tag) throw notFound('Tag');
  return tag;
}

function clearTags(account: Account, subscriber: Subscriber): void {
  for (const id of [...subscriber.tags]) {
    const tag = account.tags.byId.get(id);
    if (tag) account.tags.take(subscriber, tag);
  }
  account.touch(subscriber);
}

function takeFromAll(account: Account, tag: Tag): void {
  for (const id of [...tag.members]) {
    const subscriber = account.people.byId.get(id);
    if (subscriber) account.tags.take(subscriber, tag);
  }
}
