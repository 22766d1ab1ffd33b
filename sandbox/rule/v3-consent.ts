import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bulkIdentity, findMany, noQuery, parseBody, parseQuery } from './checks.js';
import type { Context } from './context.js';
import type { Subscriber } from './model.js';
import { messageTypes } from './v2-suppressions.js';

const blockSchema = z.strictObject({
  subscribers: z.array(bulkIdentity).min(1),
  callback_url: z.url().optional(),
});
const suppressionSchema = z.strictObject({
  subscribers: z.array(bulkIdentity).min(1).max(1000),
  message_types: z.array(z.enum(messageTypes)).min(1).optional(),
  callback_url: z.url().optional(),
});

/** v3 blocks and suppressions, all of them jobs (rule-api §4.4). */
export function v3Consent(app: FastifyInstance, { account, jobs }: Context): void {
  const block = (blocked: boolean) => async (request: FastifyRequest, reply: FastifyReply) => {
    parseQuery(noQuery, request);
    const body = parseBody(blockSchema, request.body);
    jobs.enqueue(() => {
      for (const subscriber of findMany(account, body.subscribers)) {
        subscriber.blocked = blocked;
        account.touch(subscriber);
      }
    }, body.callback_url);
    return reply.code(204).send();
  };
  /** Marketing only: a v3 suppression leaves transactional messages alone. */
  const suppress =
    (change: (subscriber: Subscriber, suppression: string) => void) =>
    async (request: FastifyRequest, reply: FastifyReply) => {
      parseQuery(noQuery, request);
      const body = parseBody(suppressionSchema, request.body);
      jobs.enqueue(() => {
        for (const subscriber of findMany(account, body.subscribers)) {
          for (const message of body.message_types ?? messageTypes) change(subscriber, `campaign/${message}`);
          account.touch(subscriber);
        }
      }, body.callback_url);
      return reply.code(204).send();
    };

  app.post('/subscribers/block', block(true));
  app.post('/subscribers/unblock', block(false));
  app.post(
    '/suppressions/',
    suppress((subscriber, suppression) => subscriber.suppressions.add(suppression)),
  );
  app.delete(
    '/suppressions/',
    suppress((subscriber, suppression) => subscriber.suppressions.delete(suppression)),
  );
}
