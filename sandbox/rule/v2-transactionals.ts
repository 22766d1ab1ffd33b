import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { checkEmail, checkPhone, noQuery, parseBody, parseQuery } from './checks.js';
import type { Context } from './context.js';
import type { Transaction } from './model.js';

const block = z.strictObject({
  title: z.string(),
  body: z.string(),
  image: z.string().optional(),
  url: z.string().optional(),
});
const template = z.array(z.strictObject({ block_id: z.string(), block_content: z.array(block).min(1) })).min(1);

/** Content of an e-mail is base64, of a text message plain text (rule-api §6). */
const bodySchema = z.discriminatedUnion('transaction_type', [
  z.strictObject({
    transaction_type: z.literal('email'),
    transaction_name: z.string().min(1),
    subject: z.string().min(1),
    from: z.strictObject({ name: z.string(), email: z.string() }),
    to: z.strictObject({ name: z.string().optional(), email: z.string() }),
    content: z.union([z.strictObject({ plain: z.base64(), html: z.base64() }), template]),
  }),
  z.strictObject({
    transaction_type: z.literal('text_message'),
    from: z.strictObject({ name: z.string().min(1) }),
    to: z.strictObject({ phone_number: z.string() }),
    content: z.string().min(1),
  }),
]);

/** v2 `POST /transactionals` (rule-api §6). Nothing is sent; the message is kept to be looked at. */
export function v2Transactionals(app: FastifyInstance, { account }: Context): void {
  app.post('/transactionals', (request) => {
    parseQuery(noQuery, request);
    const body = parseBody(bodySchema, request.body);
    const email = body.transaction_type === 'email';
    const transaction: Transaction = {
      id: account.transactions.length + 1,
      at: account.now().toISOString(),
      type: body.transaction_type,
      to: email ? checkEmail(body.to.email, 'to.email') : checkPhone(account, body.to.phone_number, 'to.phone_number'),
      name: email ? body.transaction_name : null,
      subject: email ? body.subject : null,
      body,
    };
    account.transactions.push(transaction);
    return { transaction_id: transaction.id };
  });
}
