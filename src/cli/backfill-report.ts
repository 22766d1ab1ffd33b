/** How far a walk through everybody is, in words. Ids, counts, verdicts and instants only. */
import type { BackfillKind, BackfillProgress, BackfillVerdict } from '../client.js';
import { readers } from './batch.js';
import { facts } from './output.js';
import { quoted } from './session.js';
import { reasons } from './story.js';

const verdicts: Readonly<Record<BackfillVerdict, string>> = {
  created: 'written to Rule for the first time, or found there',
  updated: 'written again in Rule',
  unchanged: 'right already',
  skipped: 'not to be written',
  waiting: 'something is missing; a second look decides',
  gone: 'no longer at Sesamy',
  retrying: 'failed; tried again by themselves',
  failed: 'failed; wait for other data',
};

/** One line: `running: 120 of 300 readers, 4.8 a second, about 38 s left`. */
export function progressLine({
  stage,
  done,
  total,
  listed,
  perSecond,
  secondsLeft,
  waiting,
}: BackfillProgress): string {
  const of = total === undefined ? `${done} ${readers(done)}, ${listed} listed so far` : `${done} of ${total} readers`;
  return [
    `${stage}: ${of}`,
    ...(perSecond === undefined ? [] : [`${perSecond} a second`]),
    ...(secondsLeft === undefined || stage !== 'running' ? [] : [`about ${duration(secondsLeft)} left`]),
    ...(stage === 'paused' ? ['until --resume'] : []),
    ...(waiting ? [`waits until ${waiting.until}: ${waitingWords(waiting.why)}`] : []),
  ].join(', ');
}

function waitingWords(why: string): string {
  return why === 'list-ended-early' ? 'Sesamy lists fewer readers than it has; it is asked again' : why;
}

/** `40 s`, `12 min`, `5 h 20 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** All that is known of it. */
export function reportLines(progress: BackfillProgress): string[] {
  const { kind, vendorId, full, stage, startedAt, endedAt, by, total, done, listed, leftAlone, failed } = progress;
  const what = kind === 'reconcile' && full ? 'Reconcile of everybody' : titles[kind];
  return [
    `${what}, vendor ${vendorId}`,
    '',
    ...facts([
      ['State', endedAt ? stage : progressLine(progress)],
      ['Started', `${startedAt}${by ? ` by ${by}` : ''}`],
      ['Ended', endedAt],
      [
        'Readers',
        total === undefined && stage !== 'done'
          ? `${done} done, ${listed} listed so far`
          : `${done} done of ${total ?? listed}`,
      ],
      ['Have a workflow', leftAlone > 0 ? `${leftAlone}, left alone` : undefined],
      ...Object.entries(progress.verdicts).map(
        ([verdict, count]) => [verdict, `${count}, ${verdicts[verdict as BackfillVerdict]}`] as const,
      ),
      ['Automations', `${progress.automationsStarted} started by our tags`],
      ['Rate', endedAt && progress.perSecond ? `${progress.perSecond} readers a second` : undefined],
    ]),
    ...(Object.keys(progress.reasons).length > 0 ? ['', 'Why:'] : []),
    ...Object.entries(progress.reasons).map(([reason, count]) => `  ${count} ${reason}${meaning(reason)}`),
    ...(failed.length > 0 ? ['', 'Failed, the first first:'] : []),
    ...failed.map(
      ({ userId, type, status, verdict }) =>
        `  ${quoted(userId)}  ${type}${status === undefined ? '' : ` (status ${status})`}, ${verdict}`,
    ),
    ...(progress.failedMore > 0 ? [`  and ${progress.failedMore} more: sesamy-rule list --state failed`] : []),
    ...warnings(progress),
  ];
}

const titles: Readonly<Record<BackfillKind, string>> = {
  backfill: 'Backfill',
  reconcile: 'Reconcile of readers without a workflow',
};

function meaning(reason: string): string {
  const text = (reasons as Readonly<Record<string, string>>)[reason];
  return text ? `: ${text}` : '';
}

function warnings({ incomplete, unusableIds }: BackfillProgress): string[] {
  return [
    ...(unusableIds > 0
      ? [
          '',
          `${unusableIds} ${readers(unusableIds)} left out: their ids at Sesamy look like an address or a telephone number (docs/decisions/user-ids-with-at-sign.md).`,
        ]
      : []),
    ...(incomplete
      ? [
          '',
          "Not everybody was seen: Sesamy's list of users ended early or gave the same page again; ask Sesamy support.",
        ]
      : []),
  ];
}
