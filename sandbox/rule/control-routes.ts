import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ControlRefusal } from '../common/controls.js';
import type { RuleControls } from './controls.js';
import type { RequestCounter } from './counts.js';
import type { Condition } from './model.js';
import { type RuleSwitches, switchChoices } from './switches.js';
import { fieldTypes } from './values.js';

export interface ControlDeps {
  controls: RuleControls;
  switches: RuleSwitches;
  counter: RequestCounter;
  /** Answers every API call with 503, or stops doing so. */
  setDown: (down: boolean) => void;
}

const value = z.union([z.string(), z.number(), z.array(z.string()), z.null()]);
const newSubscriber = z.strictObject({
  email: z.string().optional(),
  phone_number: z.string().optional(),
  custom_identifier: z.string().optional(),
  language: z.string().optional(),
  tags: z.array(z.string()).optional(),
  fields: z.record(z.string(), value).optional(),
  blocked: z.boolean().optional(),
  optedIn: z.boolean().optional(),
  suppressed: z.array(z.string()).optional(),
});
const tagOptions = z.strictObject({
  automation: z.enum(['send', 'force', 'reset']).optional(),
  segments: z.boolean().optional(),
});
const tagBody = tagOptions.extend({ name: z.string().min(1) });
const tagsBody = tagOptions.extend({ names: z.array(z.string().min(1)) });
const channel = z.strictObject({ channel: z.string().optional() });
const automation = z.strictObject({
  name: z.string(),
  trigger: z.strictObject({ type: z.enum(['TAG', 'SEGMENT']), name: z.string() }),
  active: z.boolean().optional(),
  mails: z.array(z.strictObject({ subject: z.string().min(1), afterDays: z.number().min(0) })).optional(),
  endsOn: z
    .strictObject({ tagGained: z.array(z.string()).optional(), tagLost: z.array(z.string()).optional() })
    .optional(),
});
const condition: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    z.strictObject({ tag: z.string() }),
    z.strictObject({ field: z.string(), equals: z.string() }),
    z.strictObject({ field: z.string(), filled: z.boolean() }),
    z.strictObject({ all: z.array(condition) }),
    z.strictObject({ any: z.array(condition) }),
    z.strictObject({ not: condition }),
  ]),
);

type ByRef = { Params: { ref: string } };

/** The controls over HTTP, under `/_sandbox` (JSON), for people and other processes. A mistake is answered with 400. */
export function serveControls(app: FastifyInstance, deps: ControlDeps): void {
  const { controls, switches, counter } = deps;
  app.get('/counts', () => counter.read());
  app.get('/automations-started', () => controls.automationsStarted());
  app.get('/unblocks', () => controls.unblocks());
  app.get('/mails', () => controls.mails());
  app.get('/transactions', () => controls.transactions());
  app.post('/settled', async () => {
    await controls.settled();
    return OK;
  });
  app.get('/switches', () => switches);
  app.patch('/switches', (request) => Object.assign(switches, readSwitches(switches, request.body)));

  app.post('/fields', (request) => {
    const body = z
      .strictObject({ key: z.string(), type: z.enum(fieldTypes).optional(), historical: z.boolean().optional() })
      .parse(request.body);
    controls.defineField(body.key, body.type, { historical: body.historical });
    return OK;
  });
  app.get('/automations', () => controls.automations());
  app.post('/example-journeys', () => ({ added: controls.addExampleJourneys() }));
  app.post('/automations', (request) => ({ id: controls.addAutomation(automation.parse(request.body)) }));
  app.post('/segments', (request) => ({
    id: controls.addSegment(z.strictObject({ name: z.string(), condition }).parse(request.body)),
  }));
  app.put('/key', (request) => {
    controls.setApiKey(z.strictObject({ key: z.string().min(1) }).parse(request.body).key);
    return OK;
  });
  app.delete('/key', () => {
    controls.revokeKey();
    return OK;
  });
  app.post('/account-block', (request) => {
    controls.blockAccount(
      z.strictObject({ seconds: z.number().positive(), why: z.enum(['count', 'errors']) }).parse(request.body),
    );
    return controls.accountBlock();
  });
  app.delete('/account-block', () => {
    controls.unblockAccount();
    return OK;
  });
  app.post('/down', () => {
    deps.setDown(true);
    return OK;
  });
  app.delete('/down', () => {
    deps.setDown(false);
    return OK;
  });
  servePeople(app, controls);
}

function servePeople(app: FastifyInstance, controls: RuleControls): void {
  app.get('/subscribers', () => controls.subscribers());
  app.post('/subscribers', (request) => controls.addSubscriber(newSubscriber.parse(request.body)));
  app.get<ByRef>('/subscribers/:ref', (request) => found(controls.subscriber(request.params.ref)));
  app.delete<ByRef>('/subscribers/:ref', (request) => {
    controls.deleteSubscriber(request.params.ref);
    return OK;
  });
  app.put<ByRef>('/subscribers/:ref/field', (request) => {
    const body = z.strictObject({ key: z.string(), value }).parse(request.body);
    return controls.setField(request.params.ref, body.key, body.value);
  });
  app.put<ByRef>('/subscribers/:ref/tags', (request) => {
    const { names, ...options } = tagsBody.parse(request.body);
    return controls.setTags(request.params.ref, names, options);
  });
  app.post<ByRef>('/subscribers/:ref/tags', (request) => {
    const { name, ...options } = tagBody.parse(request.body);
    return controls.addTag(request.params.ref, name, options);
  });
  app.delete<ByRef>('/subscribers/:ref/tags', (request) => {
    const { name, segments } = tagBody.parse(request.body);
    return controls.removeTag(request.params.ref, name, { segments });
  });
  app.post<ByRef>('/subscribers/:ref/block', (request) => controls.block(request.params.ref));
  app.delete<ByRef>('/subscribers/:ref/block', (request) => controls.unblock(request.params.ref));
  app.post<ByRef>('/subscribers/:ref/suppression', (request) =>
    controls.suppress(request.params.ref, channel.parse(request.body ?? {}).channel),
  );
  app.delete<ByRef>('/subscribers/:ref/suppression', (request) =>
    controls.unsuppress(request.params.ref, channel.parse(request.body ?? {}).channel),
  );
  app.get<ByRef>('/subscribers/:ref/mails', (request) => controls.mails(request.params.ref));
  app.get<ByRef>('/subscribers/:ref/progress', (request) => controls.progress(request.params.ref));
  app.put<ByRef>('/subscribers/:ref/progress', (request) => {
    const body = z
      .strictObject({ automation: z.string(), progress: z.enum(['in-progress', 'completed']).nullable() })
      .parse(request.body);
    controls.setProgress(request.params.ref, body.automation, body.progress);
    return OK;
  });
}

const OK = { ok: true };

function found<T>(one: T | undefined): T {
  if (one === undefined) throw new ControlRefusal('Nobody is known by this.', 404);
  return one;
}

/** Only known switches, each with a value of the kind that it has. */
function readSwitches(switches: RuleSwitches, body: unknown): Partial<RuleSwitches> {
  const sent = z.record(z.string(), z.unknown()).parse(body);
  for (const [name, sentValue] of Object.entries(sent)) {
    if (!(name in switches)) throw new ControlRefusal(`There is no switch ${name}.`);
    const choices: readonly unknown[] | undefined = switchChoices[name as keyof RuleSwitches];
    const fits = choices
      ? choices.includes(sentValue)
      : typeof sentValue === typeof switches[name as keyof RuleSwitches];
    if (!fits) throw new ControlRefusal(`Not a value for ${name}.`);
  }
  return sent as Partial<RuleSwitches>;
}
