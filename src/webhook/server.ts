import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { type Nudge, type PersonId, signalOfEvent } from '../contract/index.js';
import { grpcStatusOf } from '../grpc-status.js';
import { type Logger, loggedError } from '../log.js';
import type { Metrics } from '../metrics.js';
import { withinTime } from '../time-limit.js';
import { answerBrokenRequest, answerError, bodyLimitBytes, noSuchRoute } from './answers.js';
import { createCredentialCheck, unauthorised } from './credential.js';
import { parseEvent, type WebhookEvent } from './event.js';
import { Refusal, tryAgain } from './refusal.js';
import { closeGracefully } from './shutdown.js';
import { createTurns, TooBusyError, type Turns } from './turns.js';

export interface WebhookDeps {
  /** The configured vendors; each secret opens its vendor only. */
  vendors: ReadonlyMap<string, { secrets: readonly string[] }>;
  /** Takes a nudge; resolves when Temporal has stored it. What has taken `timeoutMs` is given up. */
  subscribers: { notify(person: PersonId, nudge: Nudge, o: { timeoutMs: number }): Promise<void> };
  /** Whether Temporal answers. */
  ready: () => Promise<boolean>;
  metrics: Metrics;
  log: Logger;
  /** How long Temporal may take before the sender is asked to come again. Default 5000. */
  temporalTimeoutMs?: number;
  /** How long a request may take to arrive as a whole. Default 10 000. */
  requestTimeoutMs?: number;
  /** How long requests under way may take to end when the server is closed. Default 10 000. */
  closeTimeoutMs?: number;
}

/**
 * How many events are on their way to Temporal at one time, and how many of a vendor wait their turn. A service that takes 100 a second
 * has done with those that are on their way in less than a second, and with those that wait before their time is up; a burst of
 * a thousand purchases is taken whole by one that is in health.
 */
const inHand = { atOnce: 64, waiting: 1_000 };

declare module 'fastify' {
  interface FastifyRequest {
    /** Vendors which the request's secret opens. */
    openedVendors: ReadonlySet<string>;
    /** Set once the body is known to be an event of a vendor that the secret opens: what may be counted and logged. */
    event: WebhookEvent | undefined;
  }
}

/**
 * The HTTP server that takes Sesamy's webhooks (sesamy-api §4), not listening yet. A 202 means that Temporal has the event. The
 * answer to everything else is `{ "error": code, "reason": sentence }`.
 *
 * @throws {TypeError} when a vendor has no secret
 */
export function createWebhookServer(deps: WebhookDeps): FastifyInstance {
  const { vendors, metrics, log, temporalTimeoutMs = 5_000, requestTimeoutMs = 10_000, closeTimeoutMs = 10_000 } = deps;
  const credentialCheck = createCredentialCheck(vendors);
  const turns = createTurns(inHand);
  const onError = answerError(log);
  const app = fastify({
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: requestTimeoutMs,
    // Node looks for late requests every 30 s unless told otherwise.
    http: { connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs) },
    // While closing our own hook answers, in the same shape as always.
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (_error, request, reply) => onError(noSuchRoute(request), request, reply),
  });
  const closing = closeGracefully(app, closeTimeoutMs);
  app.setErrorHandler(onError);
  app.decorateRequest('event', undefined);
  app.decorateRequest('openedVendors');

  app.addHook('onRequest', async (request) => {
    if (closing()) throw tryAgain('closing', 'This server is stopping.');
    if (request.is404) throw noSuchRoute(request);
  });

  app.post('/webhooks/sesamy', {
    // Before the body is read: who has no secret is not listened to.
    onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
      metrics.webhookOpened();
      reply.raw.once('close', () => metrics.webhookClosed());
      request.openedVendors = credentialCheck(request.headers.authorization);
      // Whatever it says it is, the body is read as JSON; the parser refuses names such as __proto__.
      request.headers['content-type'] = 'application/json';
    },
    onResponse: async (request: FastifyRequest, reply: FastifyReply) => record(deps, request, reply),
    handler: async (request, reply) => {
      const event = parseEvent(request.body);
      checkVendor(vendors, request.openedVendors, event.person.vendorId);
      request.event = event;
      await hand(deps, turns, event, temporalTimeoutMs);
      return reply.code(202).send({ accepted: true });
    },
  });

  app.get('/healthz', () => ({ ok: true }));
  app.get('/readyz', async () => {
    const ready = await withinTime(temporalTimeoutMs, deps.ready).catch(() => false);
    if (!ready) throw tryAgain('temporal-away', 'Temporal does not answer.');
    return { ready: true };
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  return app;
}

/** A secret that does not open all vendors must not be a means to find out which others there are. */
function checkVendor(vendors: WebhookDeps['vendors'], opened: ReadonlySet<string>, vendorId: string): void {
  if (opened.has(vendorId)) return;
  if (opened.size < vendors.size) {
    throw unauthorised('The secret of the Authorization header is not that of this vendor.');
  }
  throw new Refusal(404, 'unknown-vendor', 'The vendor of this event is not configured here.');
}

/** Resolves when Temporal has the event. A success that comes too late does no harm: the event comes again, and is a nudge only. */
async function hand(
  { subscribers, log }: WebhookDeps,
  turns: Turns,
  { person, nudge }: WebhookEvent,
  timeoutMs: number,
): Promise<void> {
  try {
    await turns.take(person.vendorId, timeoutMs, (left) =>
      withinTime(left, () => subscribers.notify(person, nudge, { timeoutMs: left })),
    );
  } catch (error) {
    // No line in the log for each: there are many of them, and the counter tells.
    if (error instanceof TooBusyError)
      throw tryAgain('temporal-busy', 'More events come than Temporal takes; send it again.');
    // Without its stack: while Temporal is away there is one for each webhook.
    const { name, code = grpcStatusOf(error) } = loggedError(error);
    log.warn({ err: { name, code }, vendor: person.vendorId, user: person.userId }, 'Temporal did not take a webhook');
    throw tryAgain('temporal-away', 'Temporal did not take the event; send it again.');
  }
}

function record(
  { metrics, log }: WebhookDeps,
  { event }: FastifyRequest,
  { statusCode, elapsedTime }: FastifyReply,
): void {
  const type = event?.nudge.event;
  const vendorId = event?.person.vendorId;
  metrics.webhookAnswered({ vendorId, event: type, status: statusCode, seconds: elapsedTime / 1000 });
  const facts = {
    status: statusCode,
    ...(type === undefined ? {} : { event: Object.hasOwn(signalOfEvent, type) ? type : 'other' }),
    ...(event === undefined ? {} : { vendor: vendorId, user: event.person.userId }),
    ms: Math.round(elapsedTime),
  };
  log.info(facts, 'webhook answered');
}
