import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import {
  backfillWorkflowId,
  reconcileScheduleId,
  scheduledReconcileWorkflowType,
  workflowTaskQueue,
} from './contract/index.js';

const minute = 60_000;
const hour = 60 * minute;

/** In UTC: the small hours where most publishers' readers are. Shorter periods count from there. */
const quietHour = 2;
/** So that the vendors of one installation do not begin in the same second. */
const longestJitterMs = hour;
/** A run that was missed for longer than this, because Temporal was away, is left to the next. */
const catchupMs = hour;

export type ScheduleChange = 'made' | 'updated' | 'removed' | 'kept';

/**
 * Brings a vendor's schedule in line with the settings. Safe to be called by several workers at once, at every start; one that a person
 * has paused stays so.
 *
 * @param everyHours 0 = there is to be none
 */
export async function ensureReconcileSchedule(
  client: Client,
  vendorId: string,
  everyHours: number,
): Promise<ScheduleChange> {
  const scheduleId = reconcileScheduleId(vendorId);
  const handle = client.schedule.getHandle(scheduleId);
  if (everyHours === 0) {
    try {
      await handle.delete();
      return 'removed';
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return 'kept';
      throw error;
    }
  }
  const wanted = scheduleOf(vendorId, everyHours);
  try {
    await client.schedule.create({ scheduleId, ...wanted });
    return 'made';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  if (!differs(await handle.describe(), wanted)) return 'kept';
  await handle.update(({ state }) => ({ ...wanted, state }));
  return 'updated';
}

function scheduleOf(vendorId: string, everyHours: number) {
  const every = everyHours * hour;
  return {
    spec: {
      intervals: [{ every, offset: (quietHour * hour) % every }],
      jitter: Math.min(longestJitterMs, every / 4),
    },
    action: {
      type: 'startWorkflow' as const,
      workflowType: scheduledReconcileWorkflowType,
      // Temporal puts the time behind it.
      workflowId: `${backfillWorkflowId('reconcile', vendorId)}/scheduled`,
      taskQueue: workflowTaskQueue,
      args: [{ vendorId }],
      staticSummary: `${vendorId}: reconcile by schedule`,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchupMs },
  };
}

function differs({ spec, action }: ScheduleDescription, wanted: ReturnType<typeof scheduleOf>): boolean {
  const [interval, ...others] = spec.intervals ?? [];
  const [own] = wanted.spec.intervals;
  return (
    others.length > 0 ||
    interval?.every !== own?.every ||
    (interval?.offset ?? 0) !== own?.offset ||
    (spec.jitter ?? 0) !== wanted.spec.jitter ||
    action.workflowType !== wanted.action.workflowType
  );
}
