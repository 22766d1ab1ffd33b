import type { Command } from 'commander';
import type { Vendor } from '../activities/vendor.js';
import { type BackfillProgress, createSubscribers, type Subscribers } from '../client.js';
import { connectTemporal } from '../temporal/connect.js';
import { openVendors } from '../vendors.js';
import { checkAccess, hasTemporal } from './activate-access.js';
import { type Automations, judgeAutomations } from './activate-automations.js';
import { type Before, lookOn, startBackfill, whatWas } from './activate-backfill.js';
import { countHeads } from './activate-people.js';
import {
  tellAutomations,
  tellBackfill,
  tellBefore,
  tellChecks,
  tellFields,
  tellHeads,
  tellTags,
} from './activate-tell.js';
import { canAsk, confirm, readers } from './batch.js';
import type { Check } from './doctor-checks.js';
import { environment } from './environment.js';
import { UsageError } from './errors.js';
import { type FieldPlan, laterGroups, planFields } from './field-plan.js';
import type { HeadCount } from './head-count.js';
import { command, type VendorOption, vendorOption } from './options.js';
import { type OutputOptions, say } from './output.js';
import { patiently } from './patient.js';
import { readSettings } from './read-settings.js';
import { noVendors, vendorIdOf } from './session.js';

interface ActivateOptions extends OutputOptions, VendorOption {
  dryRun?: boolean;
  yes?: boolean;
  /** False with `--no-wait`. */
  wait: boolean;
}

/** All that an activation found and did: what `--json` prints. Members of steps that were not come to are absent. */
export interface Activation {
  vendorId: string;
  dryRun: boolean;
  /** False where a key or a right is missing; nothing was written then. */
  ok: boolean;
  checks: Check[];
  /** What there was before; absent where Temporal was not asked. */
  before?: Before;
  fields?: FieldPlan & { made: boolean; later: readonly string[] };
  readers?: HeadCount;
  automations?: Automations;
  /** Whether this run started it; false where one ran already. */
  started?: boolean;
  /** How far it was last; its report once it has ended. */
  backfill?: BackfillProgress;
}

/** `activate`: from keys to everybody in Rule, step by step, looked at before it is done. */
export function activateCommand(): Command {
  return command(
    'activate',
    'go live: check the keys, make the fields, count who would be written, ask, and write everybody',
    [
      ['sesamy-rule activate --dry-run', 'look at all of it; writes nothing anywhere'],
      ['sesamy-rule activate', 'asks before it writes; shows how far it is, and the report'],
      [
        'sesamy-rule activate --yes --no-wait --json',
        'for scripts: does not ask, and ends when the backfill is started',
      ],
    ],
  )
    .addHelpText(
      'after',
      '\nSafe to repeat. Nobody gets a mail from automations on our tags: a backfill starts none. docs/going-live.md has the whole day.',
    )
    .addOption(vendorOption())
    .option('--dry-run', 'only look')
    .option('--yes', 'do not ask')
    .option('--no-wait', 'do not follow the backfill to its end')
    .action(activate);
}

async function activate(options: ActivateOptions): Promise<void> {
  const env = environment();
  const config = readSettings(env, { webhook: false });
  const vendorId = vendorIdOf(config, options.vendor);
  const dryRun = options.dryRun === true;
  // Counting everybody takes a while: not for nothing.
  if (!dryRun && !options.yes && !canAsk()) {
    throw new UsageError('Nobody can be asked here: look first with --dry-run, then add --yes.');
  }
  const vendors = openVendors(config.vendors.filter(({ id }) => id === vendorId));
  try {
    const vendor = vendors.get(vendorId);
    if (!vendor) throw new UsageError(noVendors);
    const show = (lines: readonly string[]) => {
      if (!options.json && lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
    };
    const report = await run(vendor, { ...options, dryRun, env, show });
    if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    if (!report.ok) process.exitCode = 1;
  } finally {
    await vendors.close();
  }
}

interface Run extends ActivateOptions {
  dryRun: boolean;
  env: NodeJS.ProcessEnv;
  /** Prints for people. */
  show: (lines: readonly string[]) => void;
}

async function run(vendor: Vendor, o: Run): Promise<Activation> {
  const checks = await checkAccess(vendor, o.env, { dryRun: o.dryRun });
  const report: Activation = { vendorId: vendor.id, dryRun: o.dryRun, ok: true, checks };
  report.ok = checks.every(({ result }) => result !== 'failed');
  o.show(tellChecks(checks));
  if (!report.ok) {
    o.show(['Nothing was written. Mend what failed, then run it again.']);
    return report;
  }
  if (!hasTemporal(checks)) {
    await look(vendor, report, o);
    o.show([nothingWritten]);
    return report;
  }
  const { connection, client } = await connectTemporal(o.env);
  try {
    await goOn(vendor, createSubscribers(client), report, o);
    return report;
  } finally {
    await connection.close();
  }
}

const nothingWritten = 'Nothing was written. To do it: sesamy-rule activate';

async function goOn(vendor: Vendor, subscribers: Subscribers, report: Activation, o: Run): Promise<void> {
  const before = await whatWas(subscribers, vendor.id);
  report.before = before;
  o.show(tellBefore(before));
  const isUnderWay = before.backfill !== undefined && before.backfill.endedAt === undefined;
  if (isUnderWay && !o.dryRun) {
    // It has been looked at and agreed to; to read everybody beside it would take its budget.
    await follow(subscribers, report, o);
    return;
  }
  const { readers: counted, plan } = await look(vendor, report, o);
  if (o.dryRun) {
    o.show([nothingWritten]);
    return;
  }
  const total = counted.heads.create + counted.heads.update;
  const question = `Write ${total} ${readers(total)} to Rule? Nobody gets a mail from the automations on our tags: 0 are started.`;
  if (!o.yes) await confirm(question, total);
  await patiently(() => vendor.rule.createFields(plan.make));
  if (report.fields) report.fields.made = plan.make.length > 0;
  if (plan.make.length > 0) say(`${plan.make.length} ${plan.make.length === 1 ? 'field' : 'fields'} made.`);
  await follow(subscribers, report, o);
}

/** Fields, heads, tags and automations as they are: reads only. */
async function look(
  vendor: Vendor,
  report: Activation,
  { show }: Run,
): Promise<{ readers: HeadCount; plan: FieldPlan }> {
  const plan = planFields(await patiently(() => vendor.rule.listFieldTypes()));
  report.fields = { ...plan, made: false, later: laterGroups };
  show(tellFields(plan));
  const counted = await countHeads(vendor);
  report.readers = counted;
  show([...tellHeads(counted), ...tellTags(counted)]);
  report.automations = judgeAutomations(await patiently(() => vendor.rule.listAutomations()));
  show(tellAutomations(report.automations));
  return { readers: counted, plan };
}

async function follow(subscribers: Subscribers, report: Activation, o: Run): Promise<void> {
  report.started = await startBackfill(subscribers, report.vendorId);
  say(report.started ? 'The backfill has begun.' : 'A backfill is under way already; it goes on as it is.');
  const progress = await lookOn(subscribers, report.vendorId, o);
  if (progress) report.backfill = progress;
  o.show(tellBackfill(progress));
  // Whoever waited for everybody to be written has to know that they are not.
  if (progress?.endedAt && (progress.stage !== 'done' || progress.incomplete)) process.exitCode = 1;
}
