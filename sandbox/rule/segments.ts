import type { Account } from './account.js';
import { startOnEntry } from './automations.js';
import type { Condition, Segment, Subscriber } from './model.js';

/**
 * Works out one person's segments anew and starts the automations of those entered. Only the calls that are documented to do
 * so come here; in between, membership is stale on purpose.
 */
export function recalculateSegments(account: Account, subscriber: Subscriber, call: string): void {
  for (const segment of account.segments.values()) {
    const belongs = matches(account, subscriber, segment.condition);
    if (belongs === subscriber.segments.has(segment.id)) continue;
    if (belongs) {
      subscriber.segments.add(segment.id);
      startOnEntry(account, subscriber, segment, call);
    } else {
      subscriber.segments.delete(segment.id);
    }
  }
}

/** Takes the person out of the segments built on a tag, so that the next recalculation enters them again (rule-api §7). */
export function leaveSegmentsOn(account: Account, subscriber: Subscriber, tagName: string): void {
  for (const segment of account.segments.values()) {
    if (mentionsTag(segment, tagName)) subscriber.segments.delete(segment.id);
  }
}

/** Whether a person belongs to a segment with this condition now. */
export function matches(account: Account, subscriber: Subscriber, condition: Condition): boolean {
  if ('tag' in condition) {
    const tag = account.tags.named(condition.tag);
    return tag !== undefined && subscriber.tags.has(tag.id);
  }
  if ('all' in condition) return condition.all.every((part) => matches(account, subscriber, part));
  if ('any' in condition) return condition.any.some((part) => matches(account, subscriber, part));
  if ('not' in condition) return !matches(account, subscriber, condition.not);
  const found = account.schema.byKey(condition.field);
  const value = found && subscriber.rows.get(found.group.id)?.at(-1)?.values.get(found.field.id);
  if ('filled' in condition) return (value !== undefined) === condition.filled;
  return Array.isArray(value) ? value.includes(condition.equals) : value === condition.equals;
}

function mentionsTag(segment: Segment, tagName: string): boolean {
  const mentions = (condition: Condition): boolean => {
    if ('tag' in condition) return condition.tag === tagName;
    if ('all' in condition) return condition.all.some(mentions);
    if ('any' in condition) return condition.any.some(mentions);
    return 'not' in condition && mentions(condition.not);
  };
  return mentions(segment.condition);
}
