import type { LifecycleMemory } from '../contract/lifecycle.js';
import { own } from './look.js';
import { isCancelling, isRunning, millisOf, type StageContract } from './subscriptions.js';

/** Sesamy's API may show a cancellation a little later than its webhook tells of it (sesamy-api §4.3), but not this much later. */
const shownWithinMs = 10 * 60_000;
/** The webhook's time of a cancellation and the contract's last change are of two clocks. */
const sameRequestMs = 5 * 60_000;

/**
 * The times of cancel requests, by contract id, without those of a cancellation that is over: taken back, or carried out before the
 * contract ran again. Else the next cancellation would be taken for that one, and be told of with its date, or not at all.
 */
export function standingRequests(
  requests: Readonly<Record<string, string>>,
  contracts: readonly StageContract[],
  before: LifecycleMemory | undefined,
  now: Date,
): Record<string, string> {
  const running = new Map(contracts.filter(isRunning).map((contract) => [contract.id, contract]));
  const isOver = (id: string, at: number): boolean => {
    const contract = running.get(id);
    if (!contract) return false;
    const gone = before?.lapsed ?? before?.leaving;
    if (gone && at <= Date.parse(gone.at)) return true;
    if (isCancelling(contract)) return false;
    const remembered = own(before?.contracts, id)?.cancelling;
    return (
      (remembered !== undefined && at <= Date.parse(remembered.since) + sameRequestMs) ||
      now.getTime() - at > shownWithinMs
    );
  };
  return Object.fromEntries(
    Object.entries(requests).filter(([id, text]) => {
      const at = millisOf(text);
      return at !== undefined && !isOver(id, at);
    }),
  );
}
