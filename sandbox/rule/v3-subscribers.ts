import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { anyIdentifier, checkEmail, checkPhone, findSubscriber, noQuery, parseBody, parseQuery } from './checks.js';
import type { Context } from './context.js';
import type { Subscriber } from './model.js';
import { invalid, Refusal, undocumented } from './refusal.js';
import { v3Subscriber } from './wire.js';

const createSchema = z.strictObject({
  email: z.string().nullable().optional(),
  phone_number: z.string().nullable().optional(),
  custom_identifier: z.string().min(1).optional(),
  status: z.enum(['ACTIVE', 'BLOCKED', 'PENDING']).optional(),
  language: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'Not a BCP 47 tag.')
    .optional(),
});

/** v3 create and delete of one person (rule-api §4.1, §4.4). */
export function v3Subscribers(app: FastifyInstance, context: Context): void {
  const { account } = context;

  app.post('/subscribers', async (request, reply) => {
    parseQuery(noQuery, request);
    const body = parseBody(createSchema, request.body);
    const existing = find(context, body);
    if (existing) {
      if (account.switches.v3ExistingStatus !== 200) throw existsAlready(account.switches.v3ExistingStatus);
      setStatus(existing, body);
      account.touch(existing);
      return { data: v3Subscriber(account, existing) };
    }
    const language = body.language ?? account.switches.accountLanguage;
    const subscriber = account.people.create(readIdentity(context, body), language, account.now());
    setStatus(subscriber, body);
    return reply.code(201).send({ data: v3Subscriber(account, subscriber) });
  });

  app.delete<{ Params: { identifier: string } }>('/subscribers/:identifier', async (request, reply) => {
    const { identified_by: kind } = parseQuery(anyIdentifier, request);
    account.deleteSubscriber(findSubscriber(account, kind, request.params.identifier));
    return reply.code(204).send();
  });
}

type Body = z.infer<typeof createSchema>;

function readIdentity({ account }: Context, body: Body) {
  return {
    email: body.email ? checkEmail(body.email, 'email') : null,
    phoneNumber: body.phone_number ? checkPhone(account, body.phone_number, 'phone_number') : null,
    customIdentifier: body.custom_identifier ?? null,
  };
}

function find(context: Context, body: Body): Subscriber | undefined {
  const { people } = context.account;
  const { email, phoneNumber, customIdentifier } = readIdentity(context, body);
  if (!email && !phoneNumber && !customIdentifier) {
    throw undocumented('A subscriber needs an email, a phone_number or a custom_identifier.');
  }
  return (
    (email ? people.find('email', email) : undefined) ??
    (phoneNumber ? people.find('phone_number', phoneNumber) : undefined) ??
    (customIdentifier ? people.find('custom_identifier', customIdentifier) : undefined)
  );
}

function setStatus(subscriber: Subscriber, { status, language }: Body): void {
  if (status) {
    subscriber.blocked = status === 'BLOCKED';
    subscriber.optedIn = status !== 'PENDING';
  }
  if (language) subscriber.language = language;
}

function existsAlready(status: 409 | 422): Refusal {
  if (status === 422) return invalid('email', 'The email has already been taken.');
  return new Refusal('conflict', 'The subscriber exists already.');
}
