import type { Account } from './account.js';
import type { Automation, AutomationStart, Segment, StartMode, Subscriber, Tag, TriggerType } from './model.js';

/** Mode that a call asks for; null tags silently. */
export type TagMode = Exclude<StartMode, 'segment'> | null;

/**
 * Starts the automations of a tag that was just given, by the table of rule-api §7.
 *
 * @param lacked whether the person lacked the tag before this call: then every mode starts at step 1.
 */
export function startOnTag(
  account: Account,
  subscriber: Subscriber,
  tag: Tag,
  lacked: boolean,
  mode: TagMode,
  call: string,
): void {
  if (mode === null) return;
  account.journeys.deliverDue();
  for (const automation of account.automationsOn('TAG', tag.id)) {
    const pass = passFor(subscriber, automation, lacked, mode);
    if (pass) record(account, subscriber, automation, { type: 'TAG', name: tag.name }, call, mode, pass);
  }
}

/** Starts the automations of a segment that the person entered. */
export function startOnEntry(account: Account, subscriber: Subscriber, segment: Segment, call: string): void {
  account.journeys.deliverDue();
  for (const automation of account.automationsOn('SEGMENT', segment.id)) {
    const pass = subscriber.progress.has(automation.id) ? 'again' : 'first';
    record(account, subscriber, automation, { type: 'SEGMENT', name: segment.name }, call, 'segment', pass);
  }
}

function passFor(
  subscriber: Subscriber,
  automation: Automation,
  lacked: boolean,
  mode: StartMode,
): AutomationStart['pass'] | null {
  const progress = subscriber.progress.get(automation.id);
  if (!progress) return 'first';
  if (lacked) return 'again';
  if (mode === 'force') return progress === 'in-progress' ? 'on-top' : 'again';
  if (mode === 'reset') return progress === 'in-progress' ? 'restart' : 'again';
  return null;
}

function record(
  account: Account,
  subscriber: Subscriber,
  automation: Automation,
  trigger: { type: TriggerType; name: string },
  call: string,
  mode: StartMode,
  pass: AutomationStart['pass'],
): void {
  if (cancelsPending(account, mode, pass)) account.journeys.cancel(subscriber.id, 'restarted', automation.id);
  subscriber.progress.set(automation.id, 'in-progress');
  const start: AutomationStart = {
    at: account.now().toISOString(),
    subscriberId: subscriber.id,
    automation: automation.name,
    trigger,
    call,
    mode,
    pass,
    withheld: withheldFor(subscriber),
  };
  const place = account.starts.push(start) - 1;
  account.journeys.plan(subscriber, automation, start, place);
}

/** `reset` cancels pending mails; whether also those of somebody who lost the tag in between is not documented. */
function cancelsPending(account: Account, mode: StartMode, pass: AutomationStart['pass']): boolean {
  return pass === 'restart' || (mode === 'reset' && account.switches.resetCancelsAfterTagLost);
}

/** Automations are marketing: a blocked, suppressed or not yet opted-in person gets no mail from them. */
export function withheldFor(subscriber: Subscriber): AutomationStart['withheld'] {
  if (subscriber.blocked) return 'blocked';
  if (subscriber.suppressions.has('campaign/email')) return 'suppressed';
  return subscriber.optedIn ? null : 'not-opted-in';
}
