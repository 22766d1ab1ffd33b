import type { Client } from '@temporalio/client';
import {
  type BrakeStatus,
  brakeStatusQuery,
  brakeWorkflowId,
  brakeWorkflowType,
  subscriberWorkflowType,
  workflowTaskQueue,
  wouldEndSignal,
} from './contract/index.js';
import { orUnknown } from './or-unknown.js';

/** The brake of one vendor, as activities use it. */
export interface Brake {
  /** One more reader seems to have left. */
  wouldEnd(): Promise<void>;
  /** Whether ends of subscriptions are held. */
  isOn(): Promise<boolean>;
}

export interface BrakeSettings {
  share: number;
  atLeast: number;
}

/** A count over many people is not made for each of them. */
const countFreshMs = 5 * 60_000;
const answerWithinMs = 10_000;

/** Stages of those who have a running subscription. */
export const subscriberStages = ['onboarding', 'active', 'renewal-due', 'overdue', 'cancelling'];

/** Counts and asks by the vendor's brake workflow, which all workers share. */
export function createBrake(client: Client, vendorId: string, settings: BrakeSettings, now = Date.now): Brake {
  const workflowId = brakeWorkflowId(vendorId);
  let counted: { at: number; subscribers: number } | undefined;

  async function countSubscribers(): Promise<number> {
    if (counted && now() - counted.at < countFreshMs) return counted.subscribers;
    const stages = subscriberStages.map((stage) => `'${stage}'`).join(', ');
    const query = `WorkflowType = '${subscriberWorkflowType}' AND ExecutionStatus = 'Running' AND SesamyVendor = '${vendorId}' AND LifecycleStage IN (${stages})`;
    // A server without counting holds from the least number of people on.
    const subscribers = await client.workflow.count(query).then(
      ({ count }) => count,
      () => 0,
    );
    counted = { at: now(), subscribers };
    return subscribers;
  }

  return {
    async wouldEnd() {
      const { share, atLeast } = settings;
      await client.workflow.signalWithStart(brakeWorkflowType, {
        workflowId,
        taskQueue: workflowTaskQueue,
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `${vendorId}: ends of subscriptions within an hour`,
        args: [{ vendorId }],
        signal: wouldEndSignal,
        signalArgs: [{ subscribers: await countSubscribers(), share, atLeast }],
      });
    },
    async isOn() {
      return (await brakeStatus(client, vendorId))?.on === true;
    },
  };
}

/** `undefined` where nobody has left for a while: no brake runs then. */
export async function brakeStatus(client: Client, vendorId: string): Promise<BrakeStatus | undefined> {
  return client.withDeadline(Date.now() + answerWithinMs, () =>
    orUnknown(client.workflow.getHandle(brakeWorkflowId(vendorId)).query(brakeStatusQuery)),
  );
}
