import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ControlRefusal } from '../common/controls.js';
import { matching } from './api.js';
import { addressLines, profilePatch, rawPerson } from './control-shapes.js';
import type { Controls } from './controls.js';
import { type SesamySwitches, switchesSchema } from './switches.js';
import { eventTypes, targetSchema, type Webhooks } from './webhooks.js';
import type { World } from './world.js';

export interface ControlRoutesDeps {
  controls: Controls;
  world: World;
  switches: SesamySwitches;
  webhooks: Webhooks;
}

type ById = { Params: { id: string } };

/** Forms send empty text for what is not filled in. */
const text = z.preprocess((value) => (value === '' ? undefined : value), z.string().optional());
const amount = z.coerce.number().optional();
const span = z.strictObject({ days: amount, hours: amount, minutes: amount });
/** With `wait` the answer comes when all is done. */
const liveOn = span.extend({ userId: text, stepDays: amount, wait: z.boolean().optional() });

/** Everything that the object in process can do, over HTTP and in JSON. */
export function serveControls(app: FastifyInstance, { controls, world, switches, webhooks }: ControlRoutesDeps): void {
  app.get('/people', (request) => {
    const query = z
      .strictObject({ search: text, limit: z.coerce.number().int().positive().default(100) })
      .parse(request.query);
    return matching(world.everybody(), (query.search ?? '').toLowerCase()).slice(0, query.limit);
  });
  app.get<ById>('/people/:id', (request) => {
    const person = controls.person(request.params.id);
    if (!person) throw new ControlRefusal('There is no such person.', 404);
    return person;
  });
  app.post('/people', (request, reply) => {
    const body = z.strictObject({ id: text, profile: profilePatch.optional() }).parse(request.body ?? {});
    return reply.code(201).send(controls.addPerson(body));
  });
  app.put<ById>('/people/:id', (request) =>
    controls.setPerson({ ...rawPerson.parse(request.body), id: request.params.id }),
  );
  app.patch<ById>('/people/:id', (request) =>
    controls.updateProfile(request.params.id, profilePatch.parse(request.body)),
  );
  app.delete<ById>('/people/:id', (request, reply) => {
    controls.deletePerson(request.params.id);
    return reply.code(204).send();
  });
  app.post<ById>('/people/:id/name', (request) =>
    controls.updateProfile(request.params.id, z.strictObject({ firstName: text, lastName: text }).parse(request.body)),
  );
  app.post<ById>('/people/:id/address', (request) =>
    controls.changeAddress(request.params.id, addressLines.parse(request.body)),
  );
  app.post<ById>('/people/:id/email', (request) =>
    controls.changeEmail(request.params.id, z.strictObject({ email: z.string().min(1) }).parse(request.body).email),
  );
  app.post<ById>('/people/:id/confirm', (request) => controls.confirm(request.params.id));
  app.post<ById>('/people/:id/tags', (request) =>
    controls.addTag(request.params.id, z.strictObject({ tag: z.string().min(1) }).parse(request.body).tag),
  );
  app.delete<{ Params: { id: string; tag: string } }>('/people/:id/tags/:tag', (request) =>
    controls.removeTag(request.params.id, request.params.tag),
  );
  app.post<ById>('/people/:id/purchase', (request) => {
    const body = z.strictObject({ productSku: z.string(), purchaseOptionId: text, giftTo: text }).parse(request.body);
    return controls.purchase(request.params.id, body);
  });
  app.post<ById>('/people/:id/article', (request) => {
    const { productSku } = z.strictObject({ productSku: text }).parse(request.body ?? {});
    return controls.buyArticle(request.params.id, productSku);
  });
  app.post<ById>('/people/:id/external', (request) => {
    const body = z.strictObject({ productSku: text, expiresAt: text, listName: text }).parse(request.body ?? {});
    return controls.grantExternal(request.params.id, body);
  });
  app.delete<ById>('/people/:id/external', (request) => controls.revokeExternal(request.params.id));
  app.delete<{ Params: { id: string; entitlementId: string } }>('/people/:id/external/:entitlementId', (request) =>
    controls.revokeExternal(request.params.id, request.params.entitlementId),
  );

  app.get<ById>('/contracts/:id', (request) => controls.contract(request.params.id));
  const acts = {
    renew: (id: string) => controls.renew(id),
    cancel: (id: string) => controls.cancel(id),
    regret: (id: string) => controls.regret(id),
    'fail-payment': (id: string) => controls.failPayment(id),
    'recover-payment': (id: string) => controls.recoverPayment(id),
    expire: (id: string) => controls.expire(id),
    'end-now': (id: string) => controls.endNow(id),
  };
  for (const [name, act] of Object.entries(acts)) {
    app.post<ById>(`/contracts/:id/${name}`, (request) => act(request.params.id));
  }
  app.post<ById>('/bills/:id/refund', (request) => controls.refund(request.params.id));

  app.get('/products', () => world.products);
  app.get('/switches', () => switches);
  app.patch('/switches', (request) => Object.assign(switches, switchesSchema.partial().parse(request.body)));
  app.get('/clock', () => ({ now: world.timestamp() }));
  app.post('/clock', (request) => {
    controls.advance(span.parse(request.body));
    return { now: world.timestamp() };
  });
  app.get('/live-on', () => controls.livingOn.progress());
  app.post('/live-on', (request, reply) => {
    const { userId, stepDays, wait, ...time } = liveOn.parse(request.body);
    const ended = controls.livingOn.start(time, { userId, stepDays });
    if (wait) return ended;
    ended.catch((error: unknown) => console.error('The stand-in of Sesamy could not live on:', error));
    return reply.code(202).send(controls.livingOn.progress());
  });
  app.delete('/live-on', () => controls.livingOn.stop());
  app.post('/tokens/revoke', (_request, reply) => {
    controls.revokeTokens();
    return reply.code(204).send();
  });

  app.get('/webhooks', () => webhooks.sent);
  app.put('/webhooks/target', (request, reply) => {
    webhooks.setTarget(targetSchema.parse(request.body));
    return reply.code(204).send();
  });
  app.delete('/webhooks/target', (_request, reply) => {
    webhooks.setTarget(undefined);
    return reply.code(204).send();
  });
  app.post('/webhooks/pause', (_request, reply) => {
    webhooks.pause();
    return reply.code(204).send();
  });
  app.post('/webhooks/resume', (_request, reply) => {
    webhooks.resume();
    return reply.code(204).send();
  });
  app.post('/webhooks/drop', (request) => {
    const { count } = z.strictObject({ count: z.int().positive().optional() }).parse(request.body ?? {});
    return { dropped: webhooks.drop(count ?? Number.POSITIVE_INFINITY) };
  });
  app.post<ById>('/webhooks/:id/resend', (request, reply) => {
    if (!webhooks.resend(Number(request.params.id))) throw new ControlRefusal('There is no such webhook.', 404);
    return reply.code(204).send();
  });
  app.post('/announce', (request) => {
    const body = z
      .strictObject({ eventType: z.enum(eventTypes), userId: z.string(), contractId: text, entitlementId: text })
      .optional()
      .parse(request.body);
    if (!body) return { webhooks: controls.announceEveryone() };
    const { eventType, userId, contractId, entitlementId } = body;
    const ids = { ...(contractId ? { contractId } : {}), ...(entitlementId ? { entitlementId } : {}) };
    controls.announce(eventType, userId, ids);
    return { webhooks: 1 };
  });
}
