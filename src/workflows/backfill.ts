import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type BackfillActivities,
  type BackfillKind,
  type BackfillProgress,
  type BackfillRequest,
  backfillWorkflowId,
  type FailureDetails,
  type ListingActivities,
  pauseSignal,
  progressQuery,
  resumeSignal,
  sesamyVendorKey,
  stopSignal,
  vendorIdPattern,
} from '../contract/index.js';
import {
  type BackfillState,
  batchSize,
  describeBackfill,
  freshBackfill,
  isThrough,
  lanes,
  mayBegin,
  paceWaitMs,
  progressOf,
  recordBatch,
  recordBatchFailure,
  recordListed,
  recordListFailure,
  recordPage,
  recordPause,
  recordResume,
  recordUnbegun,
  takeBatch,
} from './backfill-state.js';
import { activityOptions } from './vendor-activities.js';

const defaultEventsPerRun = 2_000;

export interface BackfillInput extends BackfillRequest {
  vendorId: string;
  kind: BackfillKind;
  /** Past this many events it goes on in a run of its own. Default 2,000. */
  eventsPerRun?: number;
  /** Carried over from the run before. */
  state?: BackfillState;
}

/** The activities that only talk to Temporal. One waits for its people as long as it takes; a worker that died is noticed by its heartbeat. */
const { syncPeople, withoutWorkflow } = proxyActivities<BackfillActivities>({
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/**
 * Goes through everybody whom Sesamy lists for a vendor and has each person's own workflow sync them, quietly: there is one way to Rule.
 * The vendor's budget is the limit; live work goes before.
 *
 * @returns the report
 */
export async function backfill(input: BackfillInput): Promise<BackfillProgress> {
  const { vendorId, kind, eventsPerRun = defaultEventsPerRun } = input;
  if (!vendorIdPattern.test(vendorId) || (kind !== 'backfill' && kind !== 'reconcile')) {
    throw ApplicationFailure.nonRetryable('vendorId and kind are needed', 'contract/bad-input');
  }
  const state = input.state ?? freshBackfill(Date.now());
  state.pace = { since: Date.now(), calls: 0 };
  let underWay = 0;
  /** Of the batches that are under way: cancelled, they begin nobody new and end when those whom they have begun are done. */
  const scopes = new Set<CancellationScope>();
  const rest = () => {
    for (const scope of scopes) scope.cancel();
  };

  setHandler(progressQuery, () => progressOf(state, input), { description: 'How far it is' });
  setHandler(
    pauseSignal,
    () => {
      recordPause(state);
      rest();
    },
    { description: 'Begin nobody new until `resume`' },
  );
  setHandler(resumeSignal, () => recordResume(state, Date.now()), { description: 'Go on, also when it waits' });
  setHandler(
    stopSignal,
    () => {
      state.stopped = true;
      rest();
    },
    { description: 'End it after those who are under way' },
  );
  const say = () => setCurrentDetails(describeBackfill(state, input));
  say();

  const isLong = () => workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > eventsPerRun;
  const leaves = () => state.stopped || isLong();

  /** Keeps a batch of listed people ready. */
  async function list(): Promise<void> {
    const { listUsers } = proxyActivities<ListingActivities>({
      ...activityOptions({ vendorId }),
      // So that a walk of a vendor for whom no worker runs can be stopped.
      scheduleToCloseTimeout: '1 hour',
      // Before the people of this walk, so that they do not run out, and behind all else.
      priority: { priorityKey: 4 },
    });
    const bounded = kind === 'reconcile' && !input.full;
    const untilNextPage = () =>
      Math.max((state.listWaiting?.until ?? 0) - Date.now(), bounded ? paceWaitMs(state, Date.now()) : 0);
    while (!state.listEnded) {
      await condition(() => leaves() || (!state.paused && state.queue.length < batchSize(state)));
      if (leaves()) return;
      const waitMs = untilNextPage();
      if (waitMs > 0) {
        const summary = state.listWaiting ? `ask again: ${state.listWaiting.why}` : 'keep to the share of the budget';
        await condition(() => leaves() || state.paused || untilNextPage() <= 0, waitMs, { summary });
        continue;
      }
      try {
        const page = await listUsers({ vendorId, offset: state.offset });
        const ids = recordPage(state, page, Date.now());
        const wanted = bounded && ids.length > 0 ? await withoutWorkflow({ vendorId, userIds: ids }) : ids;
        recordListed(state, wanted, ids.length - wanted.length, Date.now());
      } catch (error) {
        if (isCancellation(error)) throw error;
        const { type, waitMs: asked } = detailsOf(error);
        recordListFailure(state, { type, waitMs: asked }, Date.now());
      }
      say();
    }
  }

  async function lane(): Promise<void> {
    const goesOn = () => leaves() || isThrough(state, underWay) || mayBegin(state, underWay, Date.now());
    for (;;) {
      const untilProbe = state.outage && !state.paused ? state.outage.until - Date.now() : 0;
      if (untilProbe > 0)
        await condition(goesOn, untilProbe, { summary: `see whether it is over: ${state.outage?.why}` });
      else await condition(goesOn);
      if (leaves() || isThrough(state, underWay)) return;
      if (!mayBegin(state, underWay, Date.now())) continue;
      const batch = takeBatch(state, underWay);
      underWay += 1;
      const scope = new CancellationScope();
      scopes.add(scope);
      try {
        const result = await scope.run(() => syncPeople({ vendorId, by: kind, ...batch }));
        recordBatch(state, result, Date.now());
      } catch (error) {
        if (isCancellation(error)) {
          // The whole workflow is cancelled, and not this batch alone.
          if (CancellationScope.current().consideredCancelled) throw error;
          recordUnbegun(state, batch.userIds);
        } else recordBatchFailure(state, batch.userIds, detailsOf(error).type, Date.now());
      } finally {
        scopes.delete(scope);
        underWay -= 1;
      }
      say();
    }
  }

  await Promise.all([list(), ...Array.from({ length: lanes }, lane)]);
  if (!state.stopped && !isThrough(state, underWay)) {
    const { state: _before, ...walk } = input;
    await continueAsNew<typeof backfill>({ ...walk, state });
  }
  state.endedAt = Date.now();
  say();
  return progressOf(state, input);
}

function detailsOf(error: unknown): Pick<FailureDetails, 'type' | 'waitMs'> {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const details = cause.details?.[0] as FailureDetails | undefined;
    return details?.type ? details : { type: cause.type ?? 'internal/unexpected' };
  }
  if (error instanceof ActivityFailure) return { type: 'temporal/activity' };
  throw error;
}

export interface ScheduledReconcileInput {
  vendorId: string;
}

/**
 * What the vendor's schedule starts. A schedule gives each run an id of its own, so the reconcile is a child under the one id that
 * commands know too.
 */
export async function scheduledReconcile({ vendorId }: ScheduledReconcileInput): Promise<'done' | 'runs-already'> {
  try {
    const child = await startChild(backfill, {
      workflowId: backfillWorkflowId('reconcile', vendorId),
      args: [{ vendorId, kind: 'reconcile', by: 'schedule' }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      typedSearchAttributes: [{ key: sesamyVendorKey, value: vendorId }],
      staticSummary: `${vendorId}: reconcile`,
    });
    await child.result();
    return 'done';
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'runs-already';
    throw error;
  }
}
