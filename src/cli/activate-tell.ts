/** An activation step by step, in sentences and tables for people. */
import type { BackfillProgress } from '../client.js';
import { fieldTable } from '../mapping/index.js';
import type { Automations, Hanging } from './activate-automations.js';
import type { Before } from './activate-backfill.js';
import { reportLines } from './backfill-report.js';
import { readers } from './batch.js';
import type { Check } from './doctor-checks.js';
import { type FieldPlan, laterGroups, mendOfLeftOut } from './field-plan.js';
import type { HeadCount, Heads, TagCount } from './head-count.js';
import { table } from './output.js';

export function tellChecks(checks: readonly Check[]): string[] {
  return [
    '1. Keys and rights',
    table(
      ['check', 'result', 'what was found'],
      checks.map(({ check, result, detail }) => [check, result, detail]),
    ),
    ...checks.flatMap(({ check, mend }) => (mend ? [`${check}: ${mend.replaceAll('\n', '\n  ')}`] : [])),
    '',
  ];
}

export function tellFields({ make, there, asText, leftOut }: FieldPlan): string[] {
  const wrong = leftOut.map(({ key, has, wanted }) => `${key} is ${has}, not ${wanted}`);
  return [
    `2. Fields in Rule: ${there} of ${fieldTable.length} are there with their type, ${make.length} are to be made`,
    ...(make.length > 0
      ? [
          table(
            ['to be made', 'type'],
            make.map(({ key, type }) => [key, type]),
          ),
        ]
      : []),
    ...(asText.length > 0
      ? [
          `There as text, so dates and lists are written as text, lists joined by commas (a type cannot be changed): ${asText.join(', ')}.`,
        ]
      : []),
    ...(wrong.length > 0
      ? [`Of a type that our value does not fit, so they are left out: ${wrong.join('; ')}. Mend: ${mendOfLeftOut}.`]
      : []),
    `The groups ${laterGroups.join(' and ')} have a row for each event and bill. Rule's API makes such groups by their first row only, so they come with the first event.`,
    '',
  ];
}

const fates: Readonly<Record<keyof Heads, [who: string, fate: string]>> = {
  create: ['new in Rule', 'written for the first time'],
  update: ['in Rule already, by address', 'our fields and tags are written; all else stays'],
  guest: ['guests', 'skipped until the address is verified'],
  noEmail: ['without an e-mail address', 'skipped until there is one'],
  sharedAddress: [
    "with another user's address",
    'that user owns the subscriber: a running subscription first, then the newest',
  ],
  unusableId: ['with an id that could be an address or a number', 'skipped: it must not become a workflow id'],
  unreadable: ['in a form that we cannot read', 'tried all the same, and listed as failed if it fails'],
};

export function tellHeads({ listed, heads, inRule, notMailable, withoutProfile, problems }: HeadCount): string[] {
  const kinds = Object.keys(fates) as (keyof Heads)[];
  return [
    `3. Readers: ${listed} at Sesamy, ${inRule} subscribers in Rule`,
    table(
      ['readers', 'who', 'what happens'],
      kinds.map((kind) => [String(heads[kind]), ...fates[kind]]),
    ),
    ...(notMailable > 0
      ? [`Suppressed or opted out in Rule, and stay so: ${notMailable} of those who are there already.`]
      : []),
    ...(withoutProfile > 0
      ? [
          `Without their profile in Sesamy's list: ${withoutProfile}. Whether these are guests, and their own tags, show at their sync.`,
        ]
      : []),
    ...problems.map(({ field, code, readers: count }) => `Left out: ${field}: ${code} (${count} ${readers(count)})`),
    '',
  ];
}

/** Publishers with a tag for each campaign have hundreds: the most frequent are shown. */
const mostTags = 60;

export function tellTags({ tags: { from, unattributed, list, olderSpelling } }: HeadCount): string[] {
  const shown = [...list].sort(mostFirst).slice(0, mostTags);
  return [
    `   Tags that they will have, from the lists of ${from}:`,
    table(
      ['tag', 'readers', ...(unattributed > 0 ? ['accesses without owner'] : [])],
      shown.map(({ tag, readers: count, unattributed: more }) => [
        tag,
        String(count),
        ...(unattributed > 0 ? [more ? String(more) : ''] : []),
      ]),
    ),
    ...(list.length > shown.length ? [`… and ${list.length - shown.length} more, see --json.`] : []),
    ...(from === 'contracts'
      ? [
          'Sesamy does not list accesses without a reader: product tags are counted by running contracts, and external access and gifts are not in the list.',
        ]
      : []),
    ...(unattributed > 0
      ? [
          `Accesses that cannot be attributed in the preview: ${unattributed}. Sesamy's list names no owner, and these come from no contract in it: external access, some gifts. Other gifts count for the giver, whose contract they come from. At their sync each reader is asked for by id and gets what is theirs.`,
        ]
      : []),
    ...(olderSpelling.length > 0
      ? [
          '   Tags of ours in an older spelling, which leave:',
          table(
            ['tag', 'readers'],
            [...olderSpelling].sort(mostFirst).map(({ tag, readers: count }) => [tag, String(count)]),
          ),
        ]
      : []),
    'Tags of ours that no longer apply to a reader leave; tags of other names stay, and so does everybody who is in Rule only.',
    '',
  ];
}

function mostFirst(a: TagCount, b: TagCount): number {
  return b.readers - a.readers || (b.unattributed ?? 0) - (a.unattributed ?? 0) || (a.tag < b.tag ? -1 : 1);
}

export function tellAutomations({
  listed,
  onOurTags,
  onSilentTags,
  onSegments,
  onUnknownTags,
  others,
}: Automations): string[] {
  const title = '4. Active automations in Rule';
  if (!listed) {
    return [
      title,
      'The key may not list them, so look in Rule yourself: those on our tags (docs/tags.md) start when something happens to a reader, and for nobody during the backfill. Those on segments start when a reader enters the segment, which no caller can silence.',
      '',
    ];
  }
  return [
    `${title}: ${onOurTags.length + onSilentTags.length} on our tags, ${onSegments.length} on segments, ${others + onUnknownTags.length} on others`,
    ...hangings(onOurTags, 'tag'),
    ...(onOurTags.length > 0
      ? ['They start when something happens to a reader from now on. During the backfill they start for nobody.']
      : []),
    ...hangings(onSilentTags, 'tag'),
    ...(onSilentTags.length > 0
      ? [
          'Never started by us: these tags are always given silently. Hang them on an event tag instead (docs/lifecycle.md).',
        ]
      : []),
    ...hangings(onSegments, 'segment'),
    ...(onSegments.length > 0
      ? [
          'No caller can silence these: Rule starts them when a reader enters the segment. The backfill does not ask Rule to recalculate segments, but what it writes counts as soon as Rule does so: at the first change of a reader, or by itself. Pause those that must not start for readers who were there before.',
        ]
      : []),
    ...hangings(onUnknownTags, 'tag'),
    ...(onUnknownTags.length > 0
      ? ['Rule does not tell the names of these tags; look there whether they are ours.']
      : []),
    '',
  ];
}

function hangings(list: readonly Hanging[], kind: string): string[] {
  if (list.length === 0) return [];
  return [
    table(
      ['automation', kind],
      list.map(({ automation, on }) => [automation, on]),
    ),
  ];
}

export function tellBefore({ readers: known, failing, backfill }: Before): string[] {
  if (known === 0 && !backfill) return [];
  const failed = failing > 0 ? `, of whom ${failing} fail (sesamy-rule list --state failed, or retrying)` : '';
  return [
    `Already there: ${known} ${readers(known)} looked after by a workflow${failed}. What is right is written again as it is.`,
    ...(backfill ? [backfillSentence(backfill)] : []),
    '',
  ];
}

function backfillSentence({ stage, startedAt, endedAt, done }: BackfillProgress): string {
  if (endedAt === undefined) return `A backfill is under way (${stage}, since ${startedAt}, ${done} done so far).`;
  return `The last backfill ended ${endedAt} (${stage}, ${done} done).`;
}

export function tellBackfill(progress: BackfillProgress | undefined): string[] {
  const title = '5. Backfill';
  if (!progress)
    return [title, 'It waits for a worker: run `sesamy-rule worker` (or `start`). Look: sesamy-rule backfill'];
  const words =
    progress.stage === 'paused'
      ? 'It stays paused until sesamy-rule backfill --resume.'
      : 'It goes on by itself. Look: sesamy-rule backfill';
  const goesOn = progress.endedAt === undefined ? [words] : [];
  return [title, ...reportLines(progress), ...goesOn];
}
