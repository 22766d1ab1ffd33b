import type { Erasure, HeldKind, PersonId, TrailEntry } from '../contract/index.js';
import { dueAt, heldOf, nextWhy, type SubscriberState } from './subscriber-state.js';

/** The run in a few lines of markdown, for people who open it in the Temporal UI. Ids, dates and verdicts only. */
export function describe(state: SubscriberState, person: PersonId): string {
  if (state.erasure) return describeErasure(state.erasure, person);
  const due = dueAt(state);
  const held = heldOf(state);
  const last = state.trail.at(-1);
  const lines = [
    `**${state.state}**${state.reason ? ` (${state.reason})` : ''}${state.known.stage ? ` · stage ${state.known.stage}` : ''}`,
    '',
    `- vendor \`${person.vendorId}\`, user \`${person.userId}\`, Rule subscriber ${state.known.ruleId ?? 'not written yet'}`,
  ];
  if (last) lines.push(`- last attempt ${last.at}: ${outcome(last)} (${last.why.join(', ')})`);
  if (state.failure)
    lines.push(`- failing since ${state.failedAt ?? last?.at ?? 'now'}: ${advice(state.failure.next)}`);
  if (held) lines.push(`- waits for a person: ${heldWhy[held.what]}; send the signal \`release\` or \`discard\``);
  if (due) lines.push(`- next ${new Date(due).toISOString()}: ${nextWhy(state)}`);
  return lines.join('\n');
}

const heldWhy: Readonly<Record<HeldKind, string>> = {
  ended: 'too many subscriptions seemed to end at once, so the brake holds the end of this one',
  receipt: 'nobody knows whether the mail of a receipt went out',
};

function describeErasure({ askedAt, erasedAt, at, failure }: Erasure & { at: number }, person: PersonId): string {
  const whose = `- vendor \`${person.vendorId}\`, user \`${person.userId}\``;
  if (erasedAt)
    return `**erased** on ${erasedAt}\n\n${whose}\n- nothing is written, whatever comes; the signal \`liftErasure\` takes it back`;
  const next = failure ? `\n- failed, ${failure.type}; next try ${new Date(at).toISOString()}` : '';
  return `**being erased**, asked for on ${askedAt}\n\n${whose}${next}`;
}

function outcome(entry: TrailEntry): string {
  if (entry.failure)
    return `failed, ${entry.failure.type}${entry.failure.status ? ` (status ${entry.failure.status})` : ''}`;
  return entry.reason ? `${entry.verdict}, ${entry.reason}` : (entry.verdict ?? 'unknown');
}

function advice(next: string): string {
  switch (next) {
    case 'wait':
      return 'tried again by itself';
    case 'fix-key':
      return 'the key or its rights need mending; tried again by itself';
    case 'fix-data':
      return 'the data needs mending at its source; then send the signal `resync`';
    default:
      return 'send the signal `resync` when the cause is mended';
  }
}
