import { z } from 'zod';
import { Faults } from '../common/faults.js';
import { Recorder } from '../common/recorder.js';
import { createSandboxServer, listen, type pathOf } from '../common/server.js';
import { Store } from '../common/store.js';
import { serveApi } from './api.js';
import { serveControls } from './control-routes.js';
import { Controls } from './controls.js';
import type { NotDone } from './live-on.js';
import type { Person } from './model.js';
import { isPage, servePages } from './pages/routes.js';
import { defaultSwitches, type SesamySwitches, switchesSchema } from './switches.js';
import { serveTokens, Tokens } from './tokens.js';
import { Webhooks, type WebhookTarget } from './webhooks.js';
import { World } from './world.js';

export interface SesamySandboxOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Default `daily`. */
  vendorId?: string;
  clientId?: string;
  clientSecret?: string;
  /** Where webhooks go; nowhere when left out. */
  webhook?: WebhookTarget;
  /** Invented people; none when left out. The same seed (default 1) and day give the same people. */
  population?: { people: number; seed?: number };
  switches?: Partial<SesamySwitches>;
  /** JSON file that keeps people and clock over restarts; what it holds goes before `population`. */
  dataFile?: string;
  /** Default: the real time. */
  now?: () => Date;
  /** Requests a second before a 429; default 5 (sesamy-api §9 Q14), 0 = no limit. */
  rps?: number;
  /** Lets each step of `liveOn` wait until the program is done with it; else it waits until the program has asked nothing for a while. */
  notDone?: NotDone;
}

export interface SesamySandbox extends Pick<Controls, keyof Controls> {
  /** For `SESAMY_API_URL`: paths begin `/management/` below it. */
  url: string;
  /** For `SESAMY_TOKEN_URL`. */
  tokenUrl: string;
  /** Page for people. */
  pageUrl: string;
  vendorId: string;
  clientId: string;
  clientSecret: string;
  recorder: Recorder;
  faults: Faults;
  /** To be changed in place, at any time. */
  switches: SesamySwitches;
  world: World;
  webhooks: Webhooks;
  close(): Promise<void>;
}

const snapshotSchema = z.object({
  version: z.literal(1),
  population: z.object({ people: z.int().min(0), seed: z.number(), epoch: z.iso.datetime() }),
  aheadMs: z.number(),
  ids: z.int(),
  changed: z.array(z.custom<Person>((value) => typeof value === 'object' && value !== null && 'profile' in value)),
  deleted: z.array(z.string()),
});

/** Starts a stand-in of Sesamy for one vendor: token endpoint, Management API, webhooks, control routes and a page for people. */
export async function startSesamySandbox(options: SesamySandboxOptions = {}): Promise<SesamySandbox> {
  const { vendorId = 'daily', clientId = 'sandbox-client', clientSecret = 'sandbox-secret' } = options;
  const credentials = { vendorId, clientId, clientSecret };
  const rps = options.rps ?? defaultSwitches.rps;
  const switches: SesamySwitches = switchesSchema.parse({ ...defaultSwitches, rps, ...options.switches });
  const realNow = options.now ?? (() => new Date());
  const { people = 0, seed = 1 } = options.population ?? {};
  const store = new Store(options.dataFile, () => world.snapshot());
  const world = new World(
    { people, seed, epoch: startOfDay(realNow()) },
    realNow,
    () => switches.lagMs,
    () => store.changed(),
  );
  const saved = await store.load();
  if (saved !== undefined) world.restore(snapshotSchema.parse(saved));

  const recorder = new Recorder();
  const faults = new Faults();
  const tokens = new Tokens(credentials, switches);
  const webhooks = new Webhooks(switches);
  webhooks.setTarget(options.webhook);
  const { notDone } = options;
  const controls = new Controls({ vendorId, world, switches, tokens, webhooks, recorder, notDone });
  const app = createSandboxServer({
    recorder,
    faults,
    isPage,
    controls: (scope) => serveControls(scope, { controls, world, switches, webhooks }),
  });
  const onViolation = (request: Parameters<typeof pathOf>[0], why: string) =>
    recorder.recordViolation(request.method, request.raw.url ?? '', why);
  servePages(app, { controls, world, webhooks, recorder });
  serveTokens(app, tokens, credentials, switches, onViolation);
  app.register((scope, _options, done) => {
    serveApi(scope, { world, switches, tokens, credentials, onViolation });
    done();
  });
  const url = await listen(app, options);

  return Object.assign(controls, {
    url,
    tokenUrl: `${url}/oauth/token`,
    pageUrl: `${url}/`,
    ...credentials,
    recorder,
    faults,
    switches,
    world,
    webhooks,
    async close() {
      await controls.livingOn.stop();
      await webhooks.close();
      await app.close();
      await store.close();
    },
  });
}

function startOfDay(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 86_400_000) * 86_400_000);
}

export type { Span } from './advance.js';
export type { Purchase, PurchaseInput } from './contract-life.js';
export type { LiveOnOptions, LiveOnProgress, NotDone, ReadReader } from './live-on.js';
export type * from './model.js';
export type { ExternalAccess, NewPerson, ProfilePatch, RawPerson } from './person-life.js';
export type { SesamySwitches } from './switches.js';
export type { EventType, WebhookAttempt, WebhookDelivery, WebhookEvent, WebhookTarget } from './webhooks.js';
