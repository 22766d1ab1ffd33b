import type { LifecycleEvent, LifecycleEventType } from '../contract/lifecycle.js';
import { dayKey, isFresh, type Look } from './look.js';
import { renewalOf } from './stage.js';
import { isCancelling, isOverdue, type StageContract } from './subscriptions.js';

/** Whether an event that waits to be told may still start a flow: it is neither over nor too old. A receipt never is. */
export function isStillTrue(look: Look, event: LifecycleEvent): boolean {
  if (event.type === 'receipt') return true;
  if (!isFresh(look, Date.parse(event.at))) return false;
  const subscribes = look.running.length > 0;
  const contract = look.running.find(({ id }) => id === event.contractId);
  switch (event.type) {
    case 'single-purchase':
      return true;
    case 'subscribed':
    case 'returned':
      return subscribes;
    case 'ended':
    case 'win-back':
      return !subscribes;
    case 'renewed':
      return contract !== undefined;
    case 'renewal-due':
      return (
        contract !== undefined && !isCancelling(contract) && !isOverdue(contract) && isToCome(look, contract, event)
      );
    case 'payment-failed':
      return contract !== undefined && isOverdue(contract);
    case 'payment-recovered':
      return contract !== undefined && !isOverdue(contract);
    case 'cancel-requested':
      return contract !== undefined && isCancelling(contract);
    case 'cancel-regretted':
      return contract !== undefined && !isCancelling(contract);
  }
}

/** The renewal of a notice, by its id, is still to come. */
function isToCome({ now, settings }: Look, contract: StageContract, { id }: LifecycleEvent): boolean {
  const { renewsAt } = renewalOf(contract, settings.longTermDays);
  return renewsAt !== undefined && Date.parse(renewsAt) > now && id.split('.').at(-2) === dayKey(renewsAt);
}

/** Events that answer another one: nobody wants to hear that a payment went through who was not told that it had failed. */
const answers: Partial<Record<LifecycleEventType, LifecycleEventType>> = {
  returned: 'ended',
  'payment-recovered': 'payment-failed',
  'cancel-regretted': 'cancel-requested',
};

/** Which of the waiting events a new one answers before it was told: neither of the two starts a flow then. */
export function unansweredBy(event: LifecycleEvent, waiting: readonly LifecycleEvent[]): LifecycleEvent | undefined {
  return waiting.findLast((other) => other.type === answers[event.type] && other.contractId === event.contractId);
}

/** Events of which only the last is worth a mail when several could not be told in time. */
const repeating: readonly LifecycleEventType[] = ['renewed', 'renewal-due', 'win-back'];

/** Which of the waiting events a new one of the same kind takes the place of. */
export function outdatedBy(event: LifecycleEvent, waiting: readonly LifecycleEvent[]): LifecycleEvent[] {
  if (!repeating.includes(event.type)) return [];
  return waiting.filter(
    (other) => !other.rowOnly && other.type === event.type && other.contractId === event.contractId,
  );
}
