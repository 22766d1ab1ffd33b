/** The stand-in of Rule: what rule-api documents of v2 and v3, over HTTP, with a memory, a page and faults on request. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Faults } from '../common/faults.js';
import { Recorder } from '../common/recorder.js';
import { createSandboxServer, listen } from '../common/server.js';
import { Store } from '../common/store.js';
import { Account } from './account.js';
import { serveApi } from './api.js';
import { ApiKeys } from './api-keys.js';
import type { Context } from './context.js';
import { serveControls } from './control-routes.js';
import { MAIN_KEY, RuleControls } from './controls.js';
import { type Counts, RequestCounter } from './counts.js';
import { Jobs } from './jobs.js';
import { Limits } from './limits.js';
import { isPage, servePages } from './page/routes.js';
import { undocumented } from './refusal.js';
import { loadSnapshot, toSnapshot } from './snapshot.js';
import { defaultSwitches, type RuleSwitches } from './switches.js';

export type { NewAutomation } from './controls.js';
export { exampleJourneys } from './example-journeys.js';
export type {
  AutomationMail,
  AutomationStart,
  Condition as SegmentCondition,
  JourneyMail,
  Progress as AutomationProgress,
  Transaction as RuleTransaction,
  Unblock,
} from './model.js';
export { defaultSwitches, type RuleSwitches } from './switches.js';
export type { FieldType, FieldValue } from './values.js';
export type { AutomationView, RowView, SubscriberView } from './views.js';

export interface RuleSandboxOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Default `rule-sandbox-key`. */
  apiKey?: string;
  switches?: Partial<RuleSwitches>;
  /** JSON file in which the account is kept between runs. Default: in memory only. */
  dataFile?: string;
  /** Clock of the account: timestamps, windows and blocks. Jobs wait by the real clock. */
  now?: () => Date;
}

/** A running stand-in. What it holds is looked at and prepared by the methods of {@link RuleControls}. */
export class RuleSandbox extends RuleControls {
  constructor(
    context: Context,
    private readonly parts: {
      app: FastifyInstance;
      store: Store;
      counter: RequestCounter;
      recorder: Recorder;
      faults: Faults;
      origin: string;
    },
  ) {
    super(context, () => parts.store.changed());
  }

  /** Base to be given as `RULE_API_URL`; `/v2` and `/v3` are below it. */
  get url(): string {
    return `${this.parts.origin}/api`;
  }

  /** The page for people. */
  get pageUrl(): string {
    return `${this.parts.origin}/`;
  }

  /** The account's first key; empty when it is revoked. */
  get apiKey(): string {
    return this.context.account.keys.byId.get(MAIN_KEY)?.key ?? '';
  }

  get recorder(): Recorder {
    return this.parts.recorder;
  }

  get faults(): Faults {
    return this.parts.faults;
  }

  /** May be changed while it runs. */
  get switches(): RuleSwitches {
    return this.context.account.switches;
  }

  /** API requests since the start. Those met by a fault that answers in Rule's place are not among them. */
  counts(): Counts {
    return this.parts.counter.read();
  }

  /** Finishes the jobs that wait, saves, and stops. */
  async close(): Promise<void> {
    await this.parts.app.close();
    await this.context.jobs.drain();
    await this.parts.store.close();
  }
}

/** @throws when the port is taken or the data file is not one of ours. */
export async function startRuleSandbox(options: RuleSandboxOptions = {}): Promise<RuleSandbox> {
  const { apiKey = 'rule-sandbox-key', now = () => new Date() } = options;
  const switches = { ...defaultSwitches, ...options.switches };
  const keys = new ApiKeys();
  keys.add('main', apiKey, now());
  const account = new Account(switches, keys, now);
  const store = new Store(options.dataFile, () => toSnapshot(account));
  const saved = await store.load();
  if (saved !== undefined) loadSnapshot(account, saved);

  const recorder = new Recorder();
  const faults = new Faults();
  const counter = new RequestCounter();
  const jobs = new Jobs(switches, {
    before: () => account.journeys.deliverDue(),
    after: () => store.changed(),
  });
  const context: Context = { account, limits: new Limits(switches), jobs };
  const controls = new RuleControls(context, () => store.changed());
  const outage = createOutage(faults);
  const app = createSandboxServer({
    recorder,
    faults,
    isPage,
    parseBody,
    bodyLimit: 16 * 1024 * 1024,
    controls: (scope) => serveControls(scope, { controls, switches, counter, setDown: outage.set }),
  });
  await serveApi(app, {
    context,
    counter,
    onViolation: ({ method, raw }: FastifyRequest, why) => recorder.recordViolation(method, raw.url ?? '', why),
    onChange: () => store.changed(),
  });
  await servePages(app, {
    controls,
    requests: (limit) => recorder.requests.slice(-limit).reverse(),
    violations: () => recorder.violations,
    isDown: outage.isOn,
  });
  const origin = await listen(app, { host: options.host ?? '127.0.0.1', port: options.port ?? 0 });
  return new RuleSandbox(context, { app, store, counter, recorder, faults, origin });
}

/** Rule taken down as a whole: a fault that answers every call with 503. */
function createOutage(faults: Faults): { set: (down: boolean) => void; isOn: () => boolean } {
  let id: string | undefined;
  const isOn = () => faults.list().some((fault) => fault.id === id);
  const set = (down: boolean) => {
    if (down === isOn()) return;
    if (down) id = faults.add({ kind: 'status', status: 503, path: '^/api/', body: 'Service Unavailable' });
    else if (id) faults.remove(id);
  };
  return { set, isOn };
}

/** Every body of the API is JSON. */
function parseBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw undocumented('The body is not valid JSON.');
  }
}
