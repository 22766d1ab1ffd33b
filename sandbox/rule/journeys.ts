import type { Account } from './account.js';
import { withheldFor } from './automations.js';
import type { Automation, AutomationStart, JourneyMail, Subscriber } from './model.js';

const dayMs = 86_400_000;

/**
 * Mails of automations: planned when one starts, gone out by the account's clock. Nothing waits for a timer: whoever looks at the account
 * or changes it calls {@link deliverDue} first, so that a clock that jumps is as good as one that runs.
 */
export class Journeys {
  /** Every mail that was ever planned, in order of planning. */
  readonly mails: JourneyMail[] = [];
  private readonly byPerson = new Map<number, JourneyMail[]>();
  /** Planned mails by due time; cancelled ones stay until their time comes. */
  private readonly queue: JourneyMail[] = [];

  constructor(private readonly account: Account) {}

  /** The person's mails, in order of planning; of a deleted person too. */
  of(subscriberId: number): readonly JourneyMail[] {
    return this.byPerson.get(subscriberId) ?? [];
  }

  /** Takes a mail in, new or from a saved account. */
  put(mail: JourneyMail): void {
    this.mails.push(mail);
    const others = this.byPerson.get(mail.subscriberId);
    if (others) others.push(mail);
    else this.byPerson.set(mail.subscriberId, [mail]);
    if (mail.state === 'planned') this.queue.splice(this.placeFor(mail.dueAt), 0, mail);
  }

  /** Plans a pass of the automation and sends what is to go at once. What is pending of an earlier pass is left alone. */
  plan(subscriber: Subscriber, automation: Automation, { trigger }: AutomationStart, start: number): void {
    const now = this.account.now();
    for (const { subject, afterDays } of automation.mails) {
      this.put({
        id: this.mails.length + 1,
        subscriberId: subscriber.id,
        automation: automation.name,
        automationId: automation.id,
        start,
        trigger,
        subject,
        plannedAt: now.toISOString(),
        dueAt: new Date(now.getTime() + afterDays * dayMs).toISOString(),
        state: 'planned',
      });
    }
    this.deliverDue();
  }

  /** Lets every mail go out that is due by now, in order of due time. Says whether there was one. */
  deliverDue(): boolean {
    const [next] = this.queue;
    if (!next) return false;
    const now = this.account.now().toISOString();
    if (next.dueAt > now) return false;
    for (const mail of this.queue.splice(0, this.placeFor(now))) if (mail.state === 'planned') this.send(mail);
    return true;
  }

  /** Ends the person's journeys that end when this tag is gained or lost. */
  tagChanged(subscriber: Subscriber, tag: string, change: 'gained' | 'lost'): void {
    if (subscriber.progress.size === 0) return;
    this.deliverDue();
    for (const [id, progress] of subscriber.progress) {
      const ends = this.account.automations.get(id)?.endsOn;
      if (progress !== 'in-progress' || !ends) continue;
      if (!(change === 'gained' ? ends.tagGained : ends.tagLost).includes(tag)) continue;
      this.cancel(subscriber.id, `${change} ${tag}`, id);
      subscriber.progress.set(id, 'completed');
    }
  }

  /** Cancels what is planned for the person, of one automation or of all. */
  cancel(subscriberId: number, why: string, automationId?: number): void {
    for (const mail of this.of(subscriberId)) {
      if (mail.state !== 'planned' || (automationId !== undefined && mail.automationId !== automationId)) continue;
      Object.assign(mail, { state: 'cancelled', why, cancelledAt: this.account.now().toISOString() });
    }
  }

  /** Whom a mail may reach is judged when it goes out, not when it was planned. */
  private send(mail: JourneyMail): void {
    const subscriber = this.account.people.byId.get(mail.subscriberId);
    if (!subscriber) return;
    const why = subscriber.email ? withheldFor(subscriber) : 'no-address';
    mail.state = why ? 'withheld' : 'sent';
    if (why) mail.why = why;
    const pending = this.of(subscriber.id).some(
      (other) => other.automationId === mail.automationId && other.state === 'planned',
    );
    if (!pending && subscriber.progress.has(mail.automationId)) {
      subscriber.progress.set(mail.automationId, 'completed');
    }
  }

  /** Number of mails in the queue that are due at this time or before. */
  private placeFor(dueAt: string): number {
    let low = 0;
    let high = this.queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.queue[middle]?.dueAt ?? '') <= dueAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
