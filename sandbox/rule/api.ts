import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from './context.js';
import type { RequestCounter } from './counts.js';
import { stockholmTime } from './limits.js';
import { type ApiVersion, Refusal, undocumented } from './refusal.js';
import { v2Customizations } from './v2-customizations.js';
import { v2Subscribers } from './v2-subscribers.js';
import { v2Suppressions } from './v2-suppressions.js';
import { v2SubscriberTags, v2Tags } from './v2-tags.js';
import { v2Transactionals } from './v2-transactionals.js';
import { v3ApiKeys, v3Editor } from './v3-account.js';
import { v3Consent } from './v3-consent.js';
import { v3FieldData } from './v3-field-data.js';
import { v3Subscribers } from './v3-subscribers.js';
import { v3Tags } from './v3-tags.js';

export interface ApiDeps {
  context: Context;
  counter: RequestCounter;
  /** Told of each request outside the documented shapes. */
  onViolation: (request: FastifyRequest, why: string) => void;
  /** Told of each request that may change something. */
  onChange: () => void;
}

/** Serves `/api/v2` and `/api/v3`. */
export async function serveApi(app: FastifyInstance, deps: ApiDeps): Promise<void> {
  const v2 = [v2Subscribers, v2SubscriberTags, v2Tags, v2Customizations, v2Suppressions, v2Transactionals];
  const v3 = [v3Subscribers, v3Tags, v3Consent, v3FieldData, v3ApiKeys, v3Editor];
  app.setNotFoundHandler((request, reply) => {
    deps.onViolation(request, 'This path is no part of the API.');
    return reply.code(404).send({ error: 'NotFound', message: 'The API is served below /api/v2 and /api/v3.' });
  });
  await app.register(version('v2', v2, deps), { prefix: '/api/v2' });
  await app.register(version('v3', v3, deps), { prefix: '/api/v3' });
}

type Routes = (app: FastifyInstance, context: Context) => void;

function version(name: ApiVersion, routes: readonly Routes[], deps: ApiDeps) {
  const { context, counter } = deps;
  return async (app: FastifyInstance): Promise<void> => {
    const metered = () => name === 'v3' || context.account.switches.v2SharesBudget;

    /** Key first, then the limits, then the shape. A key in the body is known only after parsing (rule-api §1). */
    app.addHook('onRequest', async (request, reply) => {
      if (context.account.journeys.deliverDue()) deps.onChange();
      counter.request(request.method, request.is404 ? undefined : request.routeOptions.url);
      const key = keyBeside(name, request);
      if (key === undefined && name === 'v2' && hasBody(request)) return;
      if (!enter(context, metered(), key, reply)) return reply;
      checkShape(name, request);
    });
    app.addHook('preHandler', async (request, reply) => {
      if (name === 'v3' || keyBeside(name, request) !== undefined || !hasBody(request)) return;
      if (!enter(context, metered(), keyInBody(request.body), reply)) return reply;
      checkShape(name, request);
    });
    // Before the handler, not after the answer: a fault may take the answer away, and what changed is saved some time later anyway.
    app.addHook('preHandler', async (request) => {
      if (request.method !== 'GET') deps.onChange();
    });
    app.addHook('onSend', async (_request, reply, payload) => {
      counter.answer(reply.statusCode);
      reply.header('date', context.account.now().toUTCString());
      if (!metered()) return payload;
      if (reply.statusCode !== 429 && reply.statusCode !== 401) {
        context.limits.answered(reply.statusCode, context.account.now());
      }
      reply.headers(context.limits.headers(reply.statusCode));
      return payload;
    });
    app.setNotFoundHandler((request) => {
      const path = request.url.split('?')[0];
      throw new Refusal('not-found', `No source documents ${request.method} ${path}.`, { violation: true });
    });
    app.setErrorHandler((error, request, reply) => refuse(name, error, request, reply, deps));
    for (const add of routes) add(app, context);
  };
}

/** Whether a request may go on; if not, it has been answered with 429. @throws Refusal 401. A wrong key belongs to no account: it is not counted anywhere. */
function enter({ account, limits }: Context, metered: boolean, key: string | undefined, reply: FastifyReply): boolean {
  if (key === undefined || !account.keys.accepts(key))
    throw new Refusal('unauthorized', 'The key is missing or wrong.');
  const until = metered ? limits.admit(account.now()) : null;
  if (!until) return true;
  const wallTime = stockholmTime(until);
  reply.code(429).type('text/plain; charset=UTF-8').header('retry-after', wallTime);
  reply.send(`Too Many Requests. You can continue at ${wallTime}.`);
  return false;
}

function keyBeside(name: ApiVersion, request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  if (header !== undefined) return /^Bearer (.+)$/.exec(header)?.[1] ?? '';
  const key = name === 'v2' ? (request.query as Record<string, unknown>).apikey : undefined;
  return typeof key === 'string' ? key : undefined;
}

function keyInBody(body: unknown): string | undefined {
  const key = body !== null && typeof body === 'object' && 'apikey' in body ? body.apikey : undefined;
  return typeof key === 'string' ? key : undefined;
}

function hasBody(request: FastifyRequest): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== '0');
}

/** What every documented call has in common: an encoded path and the version's content type (rule-api §1). */
function checkShape(name: ApiVersion, request: FastifyRequest): void {
  const path = request.raw.url?.split('?')[0] ?? '';
  if (!/^(?:[\w\-.!~*'()/]|%[0-9A-Fa-f]{2})*$/.test(path)) throw undocumented('The path is not URL-encoded.');
  if (!hasBody(request)) return;
  const type = (request.headers['content-type'] ?? '').replace(/\s/g, '').toLowerCase();
  if (name === 'v3' && type !== 'application/json;charset=utf-8') {
    throw undocumented('A v3 body needs the content type application/json;charset=utf-8.');
  }
  if (name === 'v2' && !type.startsWith('application/json')) {
    throw undocumented('A v2 body needs the content type application/json.');
  }
}

function refuse(name: ApiVersion, error: unknown, request: FastifyRequest, reply: FastifyReply, deps: ApiDeps) {
  const refusal = error instanceof Refusal ? error : parserRefusal(error);
  if (!refusal) {
    request.log.error(error);
    return reply.code(500).send({ error: 'UnexpectedError', message: 'An unexpected error occurred.' });
  }
  if (refusal.violation) deps.onViolation(request, refusal.message);
  return reply.code(refusal.status(name)).send(refusal.body(name));
}

/** What fastify itself refuses: a body that is no JSON, too large, or of another type. */
function parserRefusal(error: unknown): Refusal | undefined {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (!(error instanceof Error) || status >= 500) return undefined;
  if (status === 413) return new Refusal('too-large', 'The body is too large.', { violation: true });
  return undocumented(`The body cannot be read: ${error.message}`);
}
