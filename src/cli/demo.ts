/**
 * `npm run demo`: the product's story in one shot, on real parts: an embedded Temporal server, workers, the webhook server and both
 * vendors' stand-ins over HTTP. Prints what was expected beside what was seen; the exit code tells whether they agree.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type SesamySandbox, type Span, startRuleSandbox, startSesamySandbox } from '../../sandbox/index.js';
import { createSubscribers } from '../client.js';
import { loadConfig } from '../config/index.js';
import { createLogger } from '../log.js';
import { installRuntime } from '../runtime.js';
import { findTemporalCli } from '../temporal/binary.js';
import { connectTemporal } from '../temporal/connect.js';
import { startEmbeddedTemporal } from '../temporal/embedded.js';
import { say, table } from './output.js';
import { startWebhookService, startWorkerService } from './service.js';

interface Step {
  step: string;
  expected: unknown;
  seen: unknown;
  ok: boolean;
  seconds: number;
}

const [...options] = process.argv.slice(2);
const json = options.includes('--json');
const webhookSecret = 'demo-webhook-secret';

async function main(): Promise<boolean> {
  const undo: (() => Promise<unknown>)[] = [];
  const steps: Step[] = [];
  try {
    const world = await build(undo);
    await story(world, steps);
  } finally {
    for (const stop of undo.reverse()) await stop();
  }
  print(steps);
  return steps.every(({ ok }) => ok);
}

async function build(undo: (() => Promise<unknown>)[]) {
  const log = createLogger({ level: 'error', format: 'human' });
  const runtime = installRuntime(log);
  undo.push(() => runtime.shutdown());
  const executable = await findTemporalCli({
    dataFolder: resolve(process.env.SESAMY_RULE_DATA || '.sesamy-rule'),
    log: say,
  });
  const folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-demo-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const temporal = await startEmbeddedTemporal({ executable, uiPort: false, dbFile: join(folder, 'temporal.db') });
  undo.push(() => temporal.stop());
  const sesamy = await startSesamySandbox({ population: { people: 25, seed: 7 }, rps: 0 });
  undo.push(() => sesamy.close());
  subscribeBefore(sesamy, { days: 3 });
  // One clock for all, which the story moves forward.
  const now = () => sesamy.now();
  const rule = await startRuleSandbox({ now });
  undo.push(() => rule.close());
  rule.addExampleJourneys();

  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    TEMPORAL_ADDRESS: temporal.address,
    SESAMY_VENDOR_ID: sesamy.vendorId,
    SESAMY_CLIENT_ID: sesamy.clientId,
    SESAMY_CLIENT_SECRET: sesamy.clientSecret,
    SESAMY_API_URL: sesamy.url,
    SESAMY_TOKEN_URL: sesamy.tokenUrl,
    SESAMY_RPS: '60',
    RULE_API_KEY: rule.apiKey,
    RULE_API_URL: rule.url,
    WEBHOOK_SECRET: webhookSecret,
    PORT: '0',
  };
  const config = loadConfig(env);
  const workers = await startWorkerService(config, env, log, now);
  undo.push(() => workers.stop());
  const webhook = await startWebhookService(config, env, log);
  undo.push(() => webhook.stop());
  sesamy.webhooks.setTarget({ url: webhook.url, headers: { Authorization: `Bearer ${webhookSecret}` } });
  const { connection, client } = await connectTemporal(env);
  undo.push(() => connection.close());
  return { rule, sesamy, subscribers: createSubscribers(client) };
}

/** Somebody subscribes, and time goes by: nobody listens yet. */
function subscribeBefore(sesamy: SesamySandbox, span: Span): void {
  const profile = { firstName: 'Nora', lastName: 'Lind', email: 'nora.lind@example.com' };
  const { id } = sesamy.addPerson({ profile });
  sesamy.purchase(id, { productSku: passOf(sesamy) });
  sesamy.advance(span);
}

function passOf({ world }: SesamySandbox): string {
  const pass = world.products.find(({ productType }) => productType === 'pass');
  if (!pass) throw new Error('there is no pass to buy');
  return pass.sku;
}

async function story({ rule, sesamy, subscribers }: Awaited<ReturnType<typeof build>>, steps: Step[]): Promise<void> {
  /** Looks until what is seen is what is expected, or the time is over; then writes the step down. */
  const expectStep = async (step: string, expected: unknown, look: () => unknown, withinSeconds = 20) => {
    const begin = Date.now();
    let seen: unknown;
    do {
      seen = await look();
      if (isDeepStrictEqual(seen, expected)) break;
      await delay(100);
    } while (Date.now() - begin < withinSeconds * 1_000);
    const ok = isDeepStrictEqual(seen, expected);
    steps.push({ step, expected, seen, ok, seconds: Math.round((Date.now() - begin) / 100) / 10 });
    say(`${ok ? '✔' : '✘'} ${step}`);
  };
  const inRule = (email: string | undefined) => (email ? rule.subscriber(email.toLowerCase()) : undefined);
  const field = (email: string | undefined, key: string) => inRule(email)?.fields[key]?.value;
  const day = (instant: string | undefined | null) => instant?.slice(0, 10);
  const people = sesamy.people();
  const confirmed = people.filter(({ profile }) => profile.email && profile.emailVerified !== false);

  sesamy.announceEveryone();
  await expectStep(
    'readers who confirmed their account are in Rule, guests are not',
    confirmed.length,
    () => rule.subscribers().length,
    40,
  );
  const started = (journey: string) =>
    rule
      .automationsStarted()
      .filter(({ automation }) => automation === journey)
      .map(({ subscriberId }) => rule.subscriber(subscriberId)?.email ?? '')
      .sort();
  const address = ({ profile }: { profile: { email?: string } }) => profile.email?.toLowerCase() ?? '';
  const newcomers = confirmed.filter(({ contracts }) => isNewcomer(contracts, sesamy.now()));
  await expectStep(
    'onboarding has begun for those who subscribed in the last week, and for nobody else',
    newcomers.map(address).sort(),
    () => started('Onboarding'),
  );

  const [buyer] = confirmed.filter(({ contracts }) => contracts.length === 0);
  if (!buyer || newcomers.length === 0)
    throw new Error('the invented readers all hold something already, or none of them is new');
  sesamy.purchase(buyer.id, { productSku: passOf(sesamy) });
  await expectStep(
    'a purchase by webhook: the onboarding of this reader begins',
    [...newcomers, buyer].map(address).sort(),
    () => started('Onboarding'),
  );

  const holding = (duration: string) =>
    confirmed.filter(
      ({ contracts: [only, ...others] }) =>
        others.length === 0 && only?.isActive && only.contractDuration === duration && !only.willCancelAt,
    );
  const [renewing] = holding('RENEWABLE');
  const [cancelling, failing, offline] = holding('RECURRING');
  const [term] = renewing?.contracts ?? [];
  const [subscription] = cancelling?.contracts ?? [];
  if (!renewing || !cancelling || !failing || !offline || !term || !subscription) {
    throw new Error('the invented readers hold too few subscriptions');
  }

  const renewed = sesamy.renew(term.id);
  await expectStep('a renewal by webhook: the new end of the term', day(renewed.expiresAt), () =>
    field(renewing.profile.email, 'Sesamy_Subscription.ExpiresAt'),
  );
  const cancelled = sesamy.cancel(subscription.id);
  await expectStep(
    'a cancellation by webhook: its day and the stage',
    [day(cancelled.willCancelAt), 'sesamy_stage_cancelling'],
    () => [
      field(cancelling.profile.email, 'Sesamy_Subscription.CanceledAt'),
      inRule(cancelling.profile.email)?.tags.find((tag) => tag.startsWith('sesamy_stage_')),
    ],
  );

  await expectStep('… and the mail of the renewal', [address(renewing)], () => started('Renewal thanks'));
  await sesamy.liveOn({ minutes: 25 }, { userId: cancelling.id });
  await expectStep(
    '… and of the cancellation, once the time for a regret has passed (the clock is moved 25 minutes)',
    [address(cancelling)],
    () => started('Cancellation save'),
  );

  const refused = rule.faults.add({
    path: `/subscribers/${inRule(failing.profile.email)?.id ?? 0}(\\?|$)`,
    method: 'PUT',
    kind: 'status',
    status: 400,
    body: JSON.stringify({ error: 'InvalidData', message: 'refused for the demo', fields: {} }),
  });
  sesamy.updateProfile(failing.id, { firstName: 'Åsa' });
  const listed = async (state: 'failed' | 'retrying') => {
    const ids: string[] = [];
    for await (const { userId } of subscribers.list({ vendorId: sesamy.vendorId, state })) ids.push(userId);
    return ids;
  };
  await expectStep('a reader whose data Rule refuses is found by search attribute', [failing.id], () =>
    listed('failed'),
  );
  rule.faults.remove(refused);
  await subscribers.resyncAll({ vendorId: sesamy.vendorId, state: 'failed' }, { by: 'demo' });
  await expectStep('… and is in step after “retrigger failed”', 'Åsa', () =>
    field(failing.profile.email, 'Subscriber.FirstName'),
  );

  const outage = rule.faults.add({ kind: 'status', status: 503 });
  sesamy.updateProfile(offline.id, { lastName: 'Öberg' });
  await expectStep('Rule is down: the reader is listed as retrying', [offline.id], () => listed('retrying'));
  rule.faults.remove(outage);
  await expectStep(
    'Rule is back: the change arrives by itself',
    'Öberg',
    () => field(offline.profile.email, 'Subscriber.LastName'),
    60,
  );

  await expectStep(
    'nobody is left failing',
    0,
    async () => (await listed('failed')).length + (await listed('retrying')).length,
  );
  // What has happened once does not go away by waiting.
  await expectStep(
    'requests outside the vendors’ documented shapes',
    0,
    () => rule.recorder.violations.length + sesamy.recorder.violations.length,
    0,
  );
  const touched = new Set([...newcomers, buyer, renewing, cancelling].map(address));
  await expectStep(
    'flows started for readers to whom nothing happened',
    [],
    () =>
      rule.automationsStarted().filter(({ subscriberId }) => !touched.has(rule.subscriber(subscriberId)?.email ?? '')),
    0,
  );
}

const dayMs = 24 * 60 * 60 * 1_000;

/** Every subscription of the reader is of the last week, and one runs. */
function isNewcomer(
  contracts: readonly { createdAt: string; contractDuration?: string; isActive: boolean }[],
  now: Date,
): boolean {
  const subscriptions = contracts.filter(({ contractDuration }) => contractDuration !== 'PERPETUAL');
  const isFresh = ({ createdAt }: { createdAt: string }) => now.getTime() - Date.parse(createdAt) < 7 * dayMs;
  return subscriptions.some(({ isActive }) => isActive) && subscriptions.every(isFresh);
}

function print(steps: Step[]): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok: steps.every(({ ok }) => ok), steps }, undefined, 2)}\n`);
    return;
  }
  // With blanks, at which the table can wrap: the column of the steps needs the room.
  const text = (value: unknown): string =>
    Array.isArray(value) && value.length > 0
      ? value.map(text).join(', ')
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
  const rows = steps.map(({ ok, step, expected, seen, seconds }) => [
    ok ? '✔' : '✘',
    String(seconds),
    step,
    text(expected),
    text(seen),
  ]);
  process.stdout.write(`\n${table(['', 's', 'step', 'expected', 'seen'], rows)}\n`);
  process.stdout.write(`${steps.filter(({ ok }) => ok).length} of ${steps.length} as expected\n`);
}

const unknown = options.filter((option) => option !== '--json');
if (unknown.length > 0) {
  say('The demo takes --json, and nothing else.');
  process.exit(2);
}

main().then(
  (ok) => {
    process.exitCode = ok ? 0 : 1;
  },
  (error: unknown) => {
    say(`The demo could not run: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  },
);
