/** What happened to a reader, in sentences: ids, names of fields and tags, verdicts and instants, never a value. */
import type {
  FailureDetails,
  LifecycleEvent,
  RowOnlyReason,
  SubscriberStatus,
  SyncChanges,
  SyncReason,
  SyncState,
  ToldEvent,
  TrailEntry,
  WaitingEvent,
} from '../client.js';
import { mendOf } from './mends.js';

export const reasons: Readonly<Record<SyncReason, string>> = {
  'guest/no-email': 'a guest: Sesamy has no e-mail address',
  'guest/email-not-verified': 'a guest: the e-mail address is not verified at Sesamy',
  'deleted-in-rule': 'somebody deleted the subscriber in Rule; only --recreate writes it again',
  'shared-address': 'the e-mail address belongs to another Sesamy user; nothing was touched',
  'erased-address': 'the e-mail address is that of somebody who was erased on request; nothing was written',
  erased: 'erased on request',
  'not-at-sesamy': 'Sesamy does not know this user id',
  'missing-user': 'Sesamy does not show the user any more; a second look decides',
  'missing-in-rule': 'Rule does not know the subscriber; a second look decides',
  'missing-rows': 'Sesamy shows no contracts or entitlements any more; a second look decides',
};

const states: Readonly<Record<SyncState, string>> = {
  new: 'nothing has been tried yet',
  ok: 'Rule holds what Sesamy says',
  retrying: 'failing; tried again by itself',
  failed: 'failing; waits for a webhook, a resync or the regular recheck',
  skipped: 'not written to Rule',
  erased: 'erased on request; nothing is written, whatever comes',
};

export function stateSentence({ state, reason, failedAt, syncedAt }: SubscriberStatus): string {
  const since = failedAt ? ` (since ${failedAt})` : state === 'ok' && syncedAt ? ` (last seen so ${syncedAt})` : '';
  return `${state}: ${reason ? reasons[reason] : states[state]}${since}`;
}

/** The attempts, a line each; a row of looks that found nothing is one line. */
export function trailLines(trail: readonly TrailEntry[]): string[] {
  const lines: string[] = [];
  let idle: TrailEntry[] = [];
  const flush = () => {
    const [first] = idle;
    const last = idle.at(-1);
    if (first && last && idle.length > 2) {
      lines.push(`  ${last.at}  nothing to write, ${idle.length} times since ${first.at}`);
    } else {
      lines.push(...idle.map(line));
    }
    idle = [];
  };
  for (const entry of trail) {
    if (isIdle(entry)) {
      idle.push(entry);
      continue;
    }
    flush();
    lines.push(line(entry));
  }
  flush();
  return lines;
}

const line = (entry: TrailEntry) => `  ${entry.at}  ${attemptSentence(entry)}`;

function isIdle({ verdict, problems = [] }: TrailEntry): boolean {
  return verdict === 'unchanged' && problems.length === 0;
}

/** One attempt. */
export function attemptSentence(entry: TrailEntry): string {
  const parts = [outcome(entry)];
  const problems = (entry.problems ?? []).map(({ field, code }) => `${field}: ${code}`);
  if (problems.length > 0) parts.push(`to mend: ${problems.join(', ')}`);
  return `${parts.join('; ')} (${entry.why.join(', ')})`;
}

function outcome({ verdict, reason, changes, failure }: TrailEntry): string {
  if (failure) return `failed: ${failureSentence(failure)}`;
  switch (verdict) {
    case 'created':
      return `written to Rule: ${changeSentence(changes)}`;
    case 'updated':
      return `changed in Rule: ${changeSentence(changes)}`;
    case 'unchanged':
      return 'nothing to write';
    default:
      return `${verdict ?? 'no outcome'}${reason ? `: ${reasons[reason]}` : ''}${changes?.tagsRemoved.length ? `; ${changeSentence(changes)}` : ''}`;
  }
}

/** The longest list of names that a line has room for. */
const listed = 6;

function changeSentence(changes: SyncChanges | undefined): string {
  const { fields = [], tagsAdded = [], tagsRemoved = [], addressChanged = false, movedFrom } = changes ?? {};
  const parts = [
    ...(fields.length > listed ? [`${fields.length} fields`] : fields.length > 0 ? [fields.join(', ')] : []),
    ...tagsAdded.map((tag) => `+${tag}`),
    ...tagsRemoved.map((tag) => `−${tag}`),
    ...(addressChanged ? ['new e-mail address, same Rule id'] : []),
    ...(movedFrom === undefined ? [] : [`moved from Rule subscriber ${movedFrom}, whose address was taken by another`]),
  ];
  return parts.join(', ') || 'segments only';
}

export function failureSentence({ type, status, method, path, requestId, fields }: FailureDetails): string {
  const facts = [
    ...(status === undefined ? [] : [`status ${status}`]),
    ...(method && path ? [`${method} ${path}`] : []),
    ...(fields?.length ? [`fields ${fields.join(', ')}`] : []),
    ...(requestId ? [`request ${requestId}`] : []),
  ];
  return facts.length > 0 ? `${type} (${facts.join('; ')})` : type;
}

/**
 * What to do about a failing reader; the command included where one helps.
 *
 * @param reader as commands take them (`named` in session.ts)
 */
export function adviceFor(failure: FailureDetails, reader: string): string {
  const mend = mendOf(failure);
  const retried = failure.next === 'wait' || failure.next === 'fix-key';
  if (retried) return failure.next === 'wait' ? mend : `${mend}; then it is tried again by itself`;
  return `${mend}; then: sesamy-rule resync ${reader}`;
}

const rowOnlyReasons: Readonly<Record<RowOnlyReason, string>> = {
  over: 'it was over by the time it could be told',
  countered: 'it was undone before it could be told',
  'no-mail': 'the reader gets no mail from Rule',
};

const outcomes: Readonly<Record<ToldEvent['outcome'], string>> = {
  told: 'told: row and tag',
  recorded: 'row only',
  sent: 'mail sent',
  nothing: 'nothing to tell any more',
  held: 'held',
  'in-doubt': 'in doubt',
  'no-subscriber': 'nobody to tell it to',
  discarded: 'discarded by a person',
  dropped: 'dropped: there is nobody in Rule to tell it to',
};

/** An event of the reader's life. */
export function eventSentence({ type, product, billId, at }: LifecycleEvent): string {
  const about = billId ? ` (bill ${billId})` : product ? ` (${product})` : '';
  return `${type}${about}, happened ${at}`;
}

export function toldSentence({ event, outcome, reason }: ToldEvent): string {
  return `${eventSentence(event)}: ${outcomes[outcome]}${reason ? `, ${rowOnlyReasons[reason]}` : ''}`;
}

export function waitingSentence({ event, held }: WaitingEvent): string {
  if (held === 'ended') {
    return `${eventSentence(event)}: held by the brake; sesamy-rule release or discard, --ended`;
  }
  if (held === 'receipt') {
    return `${eventSentence(event)}: nobody knows whether it went out; sesamy-rule release or discard, --receipts`;
  }
  return `${eventSentence(event)}: is told next`;
}
