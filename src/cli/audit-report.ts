/** The report of an audit for people: counts, the first findings, and what they mean. */
import { type AuditFinding, type AuditProgress, type DifferenceKind, differenceKinds } from '../client.js';
import { readers } from './batch.js';
import { mendOf } from './mends.js';
import { facts, table } from './output.js';
import { percent, type SampleShare, shareOf } from './sample-share.js';
import { failureSentence } from './story.js';

interface Meaning {
  what: string;
  /** What a repair does about it. */
  repair: string;
}

const resync = 'written again, quietly';

const meanings: Readonly<Record<DifferenceKind, Meaning>> = {
  'edited-field': { what: 'a field has another value than Sesamy gives', repair: resync },
  'refused-field': { what: 'the same, and Rule refused the value', repair: 'none: mend the data at Sesamy' },
  'lost-tag': { what: 'a tag of ours that is due is not there', repair: resync },
  'surplus-tag': { what: 'a tag of ours is there and not due', repair: resync },
  'other-address': { what: 'Rule has another e-mail address', repair: resync },
  missing: { what: 'confirmed at Sesamy, not in Rule', repair: `${resync}; not if deleted by hand` },
  'deleted-in-rule': { what: 'deleted in Rule by hand', repair: 'none: sesamy-rule resync --recreate, one by one' },
  surplus: { what: "in Rule with our tag 'sesamy', nobody's at Sesamy", repair: 'our status tags leave' },
};

/** So many findings are shown; `--json` and `--csv` have all that are kept. */
export const shownFindings = 20;

/** Counts by kind, and what else is to be said of them. */
export function reportLines(report: AuditProgress, findings: readonly AuditFinding[]): string[] {
  const kinds = differenceKinds.filter((kind) => report.counts[kind] > 0);
  return [
    `Audit of ${report.vendorId}: ${headline(report)}`,
    '',
    ...facts([
      ['Begun', report.startedAt],
      ['Ended', report.finishedAt],
      ['Readers looked at', lookedAt(report)],
      ['In Rule gone through', report.sample ? undefined : `${report.inRule} subscribers`],
      [
        'Not to be in Rule',
        report.notDue > 0 ? `${report.notDue} (guests, shared addresses, erased, gone)` : undefined,
      ],
      [
        'Unclear',
        report.unclear > 0 ? `${report.unclear}: Sesamy's answer lacks what was there, or being written` : undefined,
      ],
      [
        'No workflow',
        report.unwatched > 0 ? `${report.unwatched}: at Sesamy and in Rule, looked after by nobody` : undefined,
      ],
      ['Not read', unread(report)],
      ['Incomplete', report.incomplete && `a list ended early (${report.incomplete}): not everybody was seen`],
    ]),
    ...(kinds.length > 0
      ? [
          '',
          table(
            ['difference', 'readers', 'meaning', 'repair'],
            kinds.map((kind) => [kind, String(report.counts[kind]), meanings[kind].what, meanings[kind].repair]),
          ),
        ]
      : []),
    ...(report.settled > 0
      ? [`Of the surplus, ${report.settled} hold only the tag 'sesamy', as they should; they count as no difference.`]
      : []),
    ...shareLines(report),
    ...findingLines(report, findings),
    ...repairLines(report),
  ];
}

function headline({ phase, differing, waiting }: AuditProgress): string {
  if (waiting)
    return `waits: ${failureSentence(waiting.failure)}: ${mendOf(waiting.failure)}; tried again ${waiting.until}`;
  const found = differing === 0 ? 'no differences' : `${differing} ${readers(differing)} with differences`;
  switch (phase) {
    case 'done':
      return found;
    case 'stopped':
      return `stopped before its end; ${found} so far`;
    default:
      return `still running; ${found} so far`;
  }
}

function lookedAt({ people, sample, total }: AuditProgress): string {
  const all = total === undefined ? '' : ` of ${total}`;
  return sample ? `${people}, a sample of ${sample.size}${all} (seed ${sample.seed})` : `${people}${all}`;
}

function unread({ unread: types, unreadPeople }: AuditProgress): string | undefined {
  const counts = Object.entries(types).map(([type, count]) => `${count} ${type}`);
  if (counts.length === 0) return undefined;
  const ids = unreadPeople.slice(0, 3).map(({ userId, ruleId }) => userId ?? `Rule ${ruleId}`);
  return `${counts.join(', ')}; for example ${ids.join(', ')}`;
}

/** What the sample says of everybody; `undefined` without one. */
export function sampleShare({ sample, people, differing, unclear, total = 0 }: AuditProgress): SampleShare | undefined {
  return sample && shareOf(differing, people - unclear, total);
}

function shareLines(report: AuditProgress): string[] {
  const seen = sampleShare(report);
  if (!seen) return [];
  const { share, low, high } = seen;
  const sure =
    low === high
      ? 'Everybody was looked at, so that is certain.'
      : `Of all ${report.total} it is, with 95 % certainty, between ${percent(low)} and ${percent(high)}.`;
  return [
    '',
    `${percent(share)} of the sample have a difference. ${sure} Surplus people in Rule are looked for by a full audit only.`,
  ];
}

function findingLines(report: AuditProgress, findings: readonly AuditFinding[]): string[] {
  if (findings.length === 0) return [];
  const shown = findings.slice(0, shownFindings);
  const rows = shown.map(({ userId, ruleId, kind, fields, tags, state, settled }) => [
    userId ?? '',
    ruleId === undefined ? '' : String(ruleId),
    kind,
    [...(fields ?? []), ...(tags ?? []), ...(settled ? ['settled'] : [])].join(', '),
    state ?? '',
  ]);
  const more = report.kept - shown.length;
  return [
    '',
    table(['reader', 'Rule id', 'difference', 'fields or tags', 'state'], rows),
    ...(more > 0 ? [`${more} more are listed by --json or --csv.`] : []),
    ...(report.leftOut > 0 ? [`${report.leftOut} are counted and not listed; a repair mends them too.`] : []),
  ];
}

function repairLines({ repair, toMend, vendorId }: AuditProgress): string[] {
  if (repair) {
    const { told, cleared, leftAlone, startedAt, finishedAt } = repair;
    return [
      '',
      `Repair ${finishedAt ? `of ${finishedAt}` : `since ${startedAt}, still running`}: ${told} ${readers(told)} told to write everything again, quietly; our status tags left ${cleared} surplus ${cleared === 1 ? 'subscriber' : 'subscribers'}${leftAlone > 0 ? `; ${leftAlone} were left alone` : ''}.`,
    ];
  }
  if (toMend.resync + toMend.surplus === 0) return [];
  return ['', `To mend what is ours, quietly: sesamy-rule audit --last --repair --vendor ${vendorId}`];
}

/** How far a running audit is, in a line. */
export function progressLine(
  { phase, people, total, inRule, differing, repair }: AuditProgress,
  left?: string,
): string {
  const until = left ? `; about ${left} left` : '';
  switch (phase) {
    case 'people':
      return `  compared ${people}${total === undefined ? '' : ` of ${total}`}, ${differing} differ${until}`;
    case 'rule':
      return `  gone through ${inRule} subscribers in Rule, ${differing} differ`;
    case 'repair':
      return `  repair: ${repair?.told ?? 0} told, ${repair?.cleared ?? 0} cleared`;
    default:
      return `  ${phase}`;
  }
}
