import type { Command } from 'commander';
import type { BackfillKind, BackfillProgress, Subscribers } from '../client.js';
import { openVendors } from '../vendors.js';
import { duration, reportLines } from './backfill-report.js';
import { watchBackfill } from './backfill-watch.js';
import { confirm } from './batch.js';
import { CommandError, UsageError } from './errors.js';
import { command, type VendorOption, vendorOption } from './options.js';
import { answer, type OutputOptions, say } from './output.js';
import { type Session, vendorIdOf, withSession } from './session.js';

interface BackfillOptions extends OutputOptions, VendorOption {
  start?: boolean;
  pause?: boolean;
  resume?: boolean;
  stop?: boolean;
  yes?: boolean;
  /** False with `--no-wait`. */
  wait: boolean;
}

interface ReconcileOptions extends BackfillOptions {
  full?: boolean;
  status?: boolean;
}

/** `backfill`: write everybody, quietly; look on, pause, resume, stop. */
export function backfillCommand(): Command {
  return steering(
    command('backfill', 'write all readers of Sesamy to Rule, quietly; without options: how far it is', [
      ['sesamy-rule backfill --start', 'shows how many, asks, begins, and shows how far it is'],
      ['sesamy-rule backfill', 'look on from any terminal; Ctrl-C ends the looking only'],
      ['sesamy-rule backfill --pause', 'begin nobody new until --resume'],
      ['sesamy-rule backfill --no-wait --json', 'how far it is, or the last report'],
    ])
      .addOption(vendorOption())
      .option('--start', 'begin one; where one runs already, look on'),
  ).action((options: BackfillOptions) => {
    const action = actionOf(options);
    return run('backfill', options, action ?? 'look', false);
  });
}

/** `reconcile`: find readers whom no workflow looks after, and write them, quietly. */
export function reconcileCommand(): Command {
  return steering(
    command('reconcile', 'find readers of whom no webhook has ever told, and write them, quietly', [
      ['sesamy-rule reconcile', 'look for them now; the schedule does so every day'],
      ['sesamy-rule reconcile --full', 'write everybody again; asks first'],
      ['sesamy-rule reconcile --status', 'how far it is, or the last report'],
    ])
      .addOption(vendorOption())
      .option('--full', 'write those too who have a workflow')
      .option('--status', 'begin nothing, only look'),
  ).action((options: ReconcileOptions) => {
    const action = actionOf({ ...options, start: undefined });
    if (action && (options.full || options.status)) throw new UsageError('Say one thing at a time.');
    return run('reconcile', options, action ?? (options.status ? 'look' : 'start'), options.full === true);
  });
}

function steering(base: Command): Command {
  return base
    .option('--pause', 'begin nobody new; those under way are finished')
    .option('--resume', 'go on, also where it waits for a vendor')
    .option('--stop', 'end it; what was written stays')
    .option('--yes', 'do not ask')
    .option('--no-wait', 'do not look on until it has ended');
}

const actions = ['start', 'pause', 'resume', 'stop'] as const;
type Action = (typeof actions)[number] | 'look';

function actionOf(options: BackfillOptions): Action | undefined {
  const [action, ...others] = actions.filter((name) => options[name] === true);
  if (others.length > 0) throw new UsageError(`Say one of --${actions.join(', --')}.`);
  return action;
}

async function run(kind: BackfillKind, options: BackfillOptions, action: Action, full: boolean): Promise<void> {
  const asked = (config: Parameters<typeof vendorIdOf>[0]) => vendorIdOf(config, options.vendor);
  await withSession(asked, async (session, vendorId) => {
    const { subscribers } = session;
    if (action === 'start') {
      if (kind === 'backfill' || full) await ask(session, vendorId, kind, options);
      const started = await subscribers.startBackfill(vendorId, { by: 'operator', ...(full ? { full } : {}) }, kind);
      if (!started && full) await refuseLesser(subscribers, vendorId, kind);
      say(started ? 'It has begun.' : 'One is running already; it goes on as it is.');
    } else if (action !== 'look') {
      await steer(subscribers, vendorId, kind, action);
    }
    const looksOn = options.wait && action !== 'pause' && action !== 'resume';
    const progress = looksOn
      ? await watchBackfill(subscribers, vendorId, kind)
      : await subscribers.backfill(vendorId, kind);
    if (!progress)
      throw new CommandError(
        `There has been no ${kind} of ${vendorId} yet, or Temporal has forgotten it; to begin one: sesamy-rule ${kind}${kind === 'backfill' ? ' --start' : ''} --vendor ${vendorId}`,
      );
    answer(options, progress, () => reportLines(progress));
    if (action === 'start' && isAmiss(progress)) process.exitCode = 1;
  });
}

/** A walk that leaves out those who have a workflow must not pass for one of everybody. */
async function refuseLesser(subscribers: Subscribers, vendorId: string, kind: BackfillKind): Promise<void> {
  const running = await subscribers.backfill(vendorId, kind);
  if (!running || running.full) return;
  throw new CommandError(
    `A ${kind} of ${vendorId} is running that leaves readers with a workflow alone; end it with sesamy-rule ${kind} --stop --vendor ${vendorId} or wait for it, then begin this one again.`,
  );
}

/** Whoever waited for everybody to be written has to know that they are not. */
function isAmiss({ endedAt, stage, incomplete }: BackfillProgress): boolean {
  return endedAt !== undefined && (stage !== 'done' || incomplete);
}

async function steer(
  subscribers: Subscribers,
  vendorId: string,
  kind: BackfillKind,
  action: 'pause' | 'resume' | 'stop',
): Promise<void> {
  const calls = {
    pause: () => subscribers.pauseBackfill(vendorId, kind),
    resume: () => subscribers.resumeBackfill(vendorId, kind),
    stop: () => subscribers.stopBackfill(vendorId, kind),
  };
  if (!(await calls[action]())) throw new CommandError(`No ${kind} of ${vendorId} is running.`);
  say(told[action]);
}

const told = {
  pause: 'Nobody new is begun; those under way are finished within half a minute or so.',
  resume: 'It goes on.',
  stop: 'It ends after those who are under way.',
} as const;

/** Says how many it is about and how long that takes, and asks; not where one is running already. */
async function ask(session: Session, vendorId: string, kind: BackfillKind, options: BackfillOptions): Promise<void> {
  const current = await session.subscribers.backfill(vendorId, kind).catch(() => undefined);
  if (current && !current.endedAt) return;
  const { total, perSecond } = await sizeOf(session, vendorId);
  const many = total === undefined ? 'all readers that Sesamy has' : `${total} readers`;
  say(`This writes ${many} to Rule, quietly${pace(total, perSecond)}. No automation is started by it.`);
  if (!options.yes) await confirm('Begin?', total);
}

/** Sesamy requests of a quiet sync. */
const readsPerReader = 3;

/** How long it takes, or how many an hour where Sesamy's list does not say how many there are. */
function pace(total: number | undefined, perSecond: number | undefined): string {
  if (!perSecond) return '';
  const takes =
    total === undefined
      ? `an hour is enough for about ${Math.floor((3_600 * perSecond) / readsPerReader)}, and Sesamy's list does not say how many there are`
      : `that takes about ${duration((total * readsPerReader) / perSecond)}`;
  return `; at ${perSecond} requests a second ${takes}`;
}

/** What Sesamy says; nothing where this machine has no credentials, or Sesamy does not say. */
async function sizeOf({ config }: Session, vendorId: string): Promise<{ total?: number; perSecond?: number }> {
  const vendor = config.vendors.find(({ id }) => id === vendorId);
  if (!vendor) return {};
  const vendors = openVendors([vendor]);
  try {
    const page = await vendors.get(vendorId)?.sesamy.listUserIds(0);
    const perSecond = vendor.sesamy.requestsPerSecond;
    return page?.total === undefined ? { perSecond } : { total: page.total, perSecond };
  } finally {
    await vendors.close();
  }
}
