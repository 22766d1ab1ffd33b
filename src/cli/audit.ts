import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type AuditFinding, type AuditProgress, type AuditRequest, mostFindingsAtOnce } from '../client.js';
import type { Config } from '../config/index.js';
import { auditCsv } from './audit-csv.js';
import { reportLines, sampleShare, shownFindings } from './audit-report.js';
import { isRunning, watchAudit } from './audit-watch.js';
import { confirm } from './batch.js';
import { CommandError, UsageError } from './errors.js';
import { command, parseLimit, type VendorOption, vendorOption } from './options.js';
import { answer, type OutputOptions, say } from './output.js';
import { type Session, vendorIdOf, withSession } from './session.js';

interface AuditOptions extends OutputOptions, VendorOption {
  sample?: number;
  seed?: number;
  repair?: boolean;
  yes?: boolean;
  csv?: string;
  last?: boolean;
  stop?: boolean;
  failOnDifference?: boolean;
  /** False with `--no-wait`. */
  wait: boolean;
}

/** `audit`: whether Rule holds what Sesamy says, and mending what does not. */
export function auditCommand(): Command {
  return command('audit', 'read Rule back and list what differs from Sesamy; with --repair mend it, quietly', [
    ['sesamy-rule audit', 'compare everybody; goes on in Temporal when you leave with Ctrl-C'],
    ['sesamy-rule audit --sample 400', '400 readers at random, and what they say of everybody'],
    ['sesamy-rule audit --last --csv findings.csv', 'the last report, one row for each finding'],
    ['sesamy-rule audit --last --repair', 'mend what it found; shows how many and asks first'],
    ['sesamy-rule audit --fail-on-difference --json', 'for scripts: exit code 1 where anything differs'],
  ])
    .addOption(vendorOption())
    .option('--sample <count>', 'only so many readers, drawn at random', parseLimit)
    .option('--seed <number>', 'draw the same places as a sample before', parseLimit)
    .option(
      '--repair',
      'mend what was found: ours only, quietly; nobody is deleted, written anew after a deletion, or mailed',
    )
    .option('--yes', 'do not ask before the repair')
    .option('--csv <file>', 'write one row for each finding; - is stdout')
    .option('--last', 'show the last report, or how far the running audit is, instead of beginning one')
    .option('--stop', 'end the running audit or repair where it is')
    .option('--no-wait', 'do not wait until it is over')
    .option('--fail-on-difference', 'exit code 1 where anything differs or could not be read')
    .action(audit);
}

async function audit(options: AuditOptions): Promise<void> {
  const { json, csv, last, stop, sample, seed, repair, yes, wait } = options;
  if (json && csv === '-') throw new UsageError('--json and --csv - both want stdout; give --csv a file.');
  if (seed !== undefined && sample === undefined) throw new UsageError('--seed is for --sample.');
  if (last && sample !== undefined) throw new UsageError('Either --last or a new --sample; not both.');
  if (stop && (last || repair || sample !== undefined)) throw new UsageError('--stop goes alone.');
  if (repair && !yes && !wait) throw new UsageError('--repair asks when the audit is over: wait for it, or add --yes.');
  const asked = (config: Config) => vendorIdOf(config, options.vendor);
  await withSession(asked, async (session, vendorId) => {
    if (stop) return stopIt(session, vendorId, options);
    const begun = last ? await lastReport(session, vendorId) : await begin(session, vendorId, options);
    const seen = wait && !last ? await watchAudit(session.subscribers, vendorId) : begun;
    const report = repair ? await repaired(session, seen, options) : seen;
    await show(session, report, options);
    const isClean = report.differing === 0 && Object.keys(report.unread).length === 0 && !report.incomplete;
    if (options.failOnDifference && !isClean) process.exitCode = 1;
  });
}

async function lastReport({ subscribers }: Session, vendorId: string): Promise<AuditProgress> {
  const report = await subscribers.audit(vendorId);
  if (!report || report.phase === 'idle') {
    throw new CommandError(`There is no audit of ${vendorId}; to begin one: sesamy-rule audit`);
  }
  return report;
}

async function begin(session: Session, vendorId: string, options: AuditOptions): Promise<AuditProgress> {
  const { sample, seed = randomInt(1, 1_000_000_000), repair, yes } = options;
  const request: AuditRequest = {
    ...(sample === undefined ? {} : { sample: { size: sample, seed } }),
    // Decided already, so it does not depend on this process.
    ...(repair && yes ? { repair: true } : {}),
  };
  const isNew = await session.subscribers.startAudit(vendorId, request);
  if (!isNew && repair && !options.wait) {
    throw new CommandError(
      `An audit of ${vendorId} runs already, so --repair was not taken; when that one is over: sesamy-rule audit --last --repair`,
    );
  }
  say(
    isNew
      ? `The audit of ${vendorId} has begun. It goes on in Temporal if you leave: sesamy-rule audit --last shows it.`
      : `An audit of ${vendorId} runs already; this is that one.`,
  );
  return lastReport(session, vendorId);
}

async function stopIt(session: Session, vendorId: string, options: AuditOptions): Promise<void> {
  const before = await lastReport(session, vendorId);
  if (!isRunning(before)) throw new CommandError(`No audit of ${vendorId} is running.`);
  await session.subscribers.stopAudit(vendorId);
  const report = await watchAudit(session.subscribers, vendorId);
  await show(session, report, options);
}

/** Asks, and has the audit mend what it found. One that was begun with `--repair --yes` has done so already. */
async function repaired(session: Session, seen: AuditProgress, options: AuditOptions): Promise<AuditProgress> {
  const { subscribers } = session;
  const { vendorId, toMend } = seen;
  if (isRunning(seen)) {
    if (!options.last) return seen;
    throw new CommandError(`The audit of ${vendorId} still runs; mend what it finds when it is over.`);
  }
  const total = toMend.resync + toMend.surplus;
  if (total === 0) {
    if (!seen.repair) say('Nothing to mend.');
    return seen;
  }
  say(
    `To mend: ${toMend.resync} to be written again, quietly; ${toMend.surplus} in Rule without a workflow, of whom those whom Sesamy does not know lose our status tags.`,
  );
  if (!options.yes) await confirm('Mend them?', total);
  await subscribers.repairAudit(vendorId);
  if (!options.wait) return (await subscribers.audit(vendorId)) ?? seen;
  return watchAudit(subscribers, vendorId);
}

async function show(session: Session, report: AuditProgress, options: AuditOptions): Promise<void> {
  const { json, csv } = options;
  const wanted = json || csv !== undefined ? report.kept : shownFindings;
  const findings = await firstFindings(session, report.vendorId, Math.min(wanted, report.kept));
  if (csv !== undefined) {
    const text = auditCsv(report.vendorId, findings);
    if (csv === '-') {
      process.stdout.write(text);
      for (const line of reportLines(report, [])) say(line);
      return;
    }
    await writeFile(csv, text);
    say(`${findings.length} findings are in ${csv}.`);
  }
  const share = sampleShare(report);
  answer(options, { ...report, ...(share ? { share } : {}), findings }, () => reportLines(report, findings));
}

async function firstFindings({ subscribers }: Session, vendorId: string, count: number): Promise<AuditFinding[]> {
  const found: AuditFinding[] = [];
  while (found.length < count) {
    const limit = Math.min(count - found.length, mostFindingsAtOnce);
    const more = await subscribers.auditFindings(vendorId, { offset: found.length, limit });
    if (more.length === 0) break;
    found.push(...more);
  }
  return found;
}
