import { setTimeout as delay } from 'node:timers/promises';
import type { AuditPhase, AuditProgress, Subscribers } from '../client.js';
import { progressLine } from './audit-report.js';
import { CommandError } from './errors.js';
import { mendOf } from './mends.js';
import { say } from './output.js';
import { sparingly } from './sparingly.js';
import { failureSentence } from './story.js';

const firstPollMs = 250;
const longestPollMs = 3_000;
/** Nothing has moved for so long: perhaps nobody works. */
const idleMs = 60_000;

const atWork: readonly AuditPhase[] = ['people', 'rule', 'repair'];

export function isRunning({ phase }: Pick<AuditProgress, 'phase'>): boolean {
  return atWork.includes(phase);
}

/**
 * Says how far the audit is until it is over. It goes on by itself when the watching ends.
 * @throws CommandError where it waits for something that only a person can mend
 */
export async function watchAudit(subscribers: Subscribers, vendorId: string): Promise<AuditProgress> {
  const begun = Date.now();
  let first: AuditProgress | undefined;
  let shown = '';
  const isDue = sparingly();
  let movedAt = begun;
  let warned = false;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
    const report = await subscribers.audit(vendorId);
    if (!report) throw new CommandError(`The audit of ${vendorId} is gone; begin another: sesamy-rule audit`);
    if (!isRunning(report)) return report;
    first ??= report;
    keyRefused(report);
    const line = report.waiting
      ? `  waits: ${failureSentence(report.waiting.failure)}; tried again ${report.waiting.until}`
      : progressLine(report, timeLeft(first, report, Date.now() - begun));
    if (isDue(report.waiting ? line : report.phase, line)) say(line);
    if (line !== shown) {
      shown = line;
      movedAt = Date.now();
    } else if (!warned && Date.now() - movedAt > idleMs) {
      say('  Nothing has moved for a minute: is there a worker for this vendor? sesamy-rule doctor finds out.');
      warned = true;
    }
    await delay(pollMs);
  }
}

function keyRefused({ vendorId, waiting }: AuditProgress): void {
  // The second is what the gate says of a key that was refused a moment ago.
  if (waiting?.failure.next !== 'fix-key' && waiting?.failure.type !== 'rule/key-refused') return;
  throw new CommandError(
    `The audit of ${vendorId} waits: ${failureSentence(waiting.failure)}: ${mendOf(waiting.failure)}; then it goes on by itself.`,
  );
}

/** By the pace since the watching began. */
function timeLeft(first: AuditProgress, { people, total }: AuditProgress, elapsedMs: number): string | undefined {
  const done = people - first.people;
  if (done < 20 || total === undefined || first.sample) return undefined;
  const minutes = Math.ceil(((total - people) * (elapsedMs / done)) / 60_000);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
