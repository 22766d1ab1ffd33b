import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { bulkIdentity, findMany, findSubscriber, noQuery, parseBody, parseQuery } from './checks.js';
import type { Context } from './context.js';
import { pageOf, v2Paging } from './v2-paging.js';
import { suppressionsOf } from './wire.js';

/** Ways of reaching a person; a suppression is for one or more of them. */
export const messageTypes = ['email', 'text_message'] as const;

const messages = z.array(z.enum(messageTypes)).min(1);
const createSchema = z.strictObject({
  subscribers: z.array(bulkIdentity).min(1).max(1000),
  suppress_on: z.strictObject({ campaign: messages.optional(), transaction: messages.optional() }).optional(),
});
const deleteQuery = z.strictObject({
  identified_by: z.enum(['email', 'phone_number', 'id']),
  dispatcher_type: z.enum(['campaign', 'transaction']).optional(),
  message_type: z.enum(messageTypes).optional(),
});

/** v2 suppressions (rule-api §3); `suppress_on` left out means every channel. */
export function v2Suppressions(app: FastifyInstance, { account }: Context): void {
  app.post('/suppressions', (request) => {
    parseQuery(noQuery, request);
    const { subscribers, suppress_on } = parseBody(createSchema, request.body);
    const on = suppress_on ?? { campaign: [...messageTypes], transaction: [...messageTypes] };
    for (const subscriber of findMany(account, subscribers)) {
      for (const message of on.campaign ?? []) subscriber.suppressions.add(`campaign/${message}`);
      for (const message of on.transaction ?? []) subscriber.suppressions.add(`transaction/${message}`);
      account.touch(subscriber);
    }
    return { message: 'Success' };
  });

  app.get('/suppressions', (request) => {
    const suppressed = new Map([...account.people.byId].filter(([, subscriber]) => subscriber.suppressions.size > 0));
    const { items, meta } = pageOf(request, parseQuery(v2Paging, request), suppressed);
    return { suppressions: items.flatMap((subscriber) => suppressionsOf(account, subscriber)), meta };
  });

  app.delete<{ Params: { identifier: string } }>('/suppressions/:identifier', (request) => {
    const query = parseQuery(deleteQuery, request);
    const subscriber = findSubscriber(account, query.identified_by, request.params.identifier);
    for (const suppression of [...subscriber.suppressions]) {
      const [dispatcher, message] = suppression.split('/');
      if (query.dispatcher_type && query.dispatcher_type !== dispatcher) continue;
      if (query.message_type && query.message_type !== message) continue;
      subscriber.suppressions.delete(suppression);
    }
    account.touch(subscriber);
    return { message: 'Success' };
  });
}
