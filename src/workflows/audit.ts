import {
  ActivityCancellationType,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type AuditActivities,
  type AuditProgress,
  auditFindingsQuery,
  auditProgressQuery,
  beginAuditSignal,
  type PeopleActivities,
  repairAuditSignal,
  stopAuditSignal,
  vendorIdPattern,
} from '../contract/index.js';
import {
  type AuditState,
  auditProgress,
  type CarriedAudit,
  carryAudit,
  describeAudit,
  findingsIn,
  finish,
  isAtWork,
  pauseMs,
  recordAuditFailure,
  recordBegin,
  recordInspection,
  recordMended,
  recordPeoplePage,
  recordRepair,
  recordStop,
  recordTaggedPage,
  recordToldPage,
  recordTotal,
  restoreAudit,
  type Target,
  takeStrays,
  toBeTold,
  turnPhase,
} from './audit-state.js';
import { activityOptions, failureDetails } from './vendor-activities.js';

/** So many people are in the vendor's queue at once: enough to keep it going, and few enough to stop soon. */
const window = 20;
/** A report, and what a repair needs, is kept so long. */
const keptFor = '30 days';
/** Past this many events a run that has nothing to do starts afresh, since whoever asks it for its report replays them. */
const longHistory = 300;

export interface AuditInput {
  vendorId: string;
  /** Past this many events the work goes on in a run of its own; by default when Temporal suggests it. */
  eventsPerRun?: number;
  /** Carried over from the run before. */
  state?: CarriedAudit;
}

/**
 * Audits one vendor when it is asked to, and keeps the report for a while: what Rule holds is read back person by person, behind all
 * other work and within the vendor's budget. Ends when nobody has asked for anything for thirty days.
 *
 * @returns the last report
 */
export async function audit(input: AuditInput): Promise<AuditProgress> {
  const { vendorId, eventsPerRun = Number.POSITIVE_INFINITY } = input;
  if (!vendorIdPattern.test(vendorId)) {
    throw ApplicationFailure.nonRetryable('vendorId is needed, of the form Sesamy gives it', 'contract/bad-input');
  }
  const state = restoreAudit(input.state);
  let work: CancellationScope | undefined;

  setHandler(auditProgressQuery, () => auditProgress(state, vendorId), {
    description: 'How far the audit is, or its report',
  });
  setHandler(auditFindingsQuery, (range) => findingsIn(state, range), {
    description: 'What was found, 200 at a time: {"offset": 0, "limit": 200}',
  });
  setHandler(beginAuditSignal, (request) => recordBegin(state, request, Date.now()), {
    description:
      'Begin an audit of everybody, or of a sample: {"sample": {"size": 500, "seed": 1}}; ignored while one runs',
  });
  setHandler(repairAuditSignal, () => recordRepair(state, Date.now()), {
    description: 'Mend what the last audit found, quietly; needs no input',
  });
  setHandler(
    stopAuditSignal,
    () => {
      recordStop(state);
      if (state.stopping) work?.cancel();
    },
    { description: 'End the audit or the repair where it is; needs no input' },
  );

  const startAfresh = () => continueAsNew<typeof audit>({ ...input, state: carryAudit(state) });

  for (;;) {
    while (isAtWork(state)) {
      work = new CancellationScope();
      if (!state.stopping) await untilStopped(state, work, () => step(state, vendorId));
      work = undefined;
      if (state.stopping) finish(state, 'stopped', Date.now());
      setCurrentDetails(describeAudit(state, vendorId));
      const { continueAsNewSuggested, historyLength } = workflowInfo();
      if ((continueAsNewSuggested || historyLength > eventsPerRun) && allHandlersFinished()) await startAfresh();
    }
    if (workflowInfo().historyLength > longHistory) await startAfresh();
    const isAsked = await condition(() => isAtWork(state), keptFor, { summary: 'keeps the report' });
    if (!isAsked) return auditProgress(state, vendorId);
  }
}

/** Does the work; when a person stops it, what waits in the vendor's queue is called off. */
async function untilStopped(state: AuditState, scope: CancellationScope, work: () => Promise<void>): Promise<void> {
  try {
    await scope.run(work);
  } catch (error) {
    if (!(isCancellation(error) && state.stopping)) throw error;
  }
}

/** One page of the list, or those who were taken from it, or the end of a phase. */
async function step(state: AuditState, vendorId: string): Promise<void> {
  const pause = pauseMs(state, Date.now());
  if (pause > 0) {
    const summary = `wait: ${state.waiting?.failure.type ?? 'a failure'}`;
    await condition(() => state.stopping, pause, { summary });
  } else if (state.queue.length > 0) {
    await workOff(state, vendorId);
  } else if (!state.listedAll) {
    await attempted(state, undefined, () => turnPage(state, vendorId));
  } else if (state.phase === 'repair' && state.strays.size > 0) {
    takeStrays(state, 10 * window);
  } else {
    turnPhase(state, Date.now());
  }
}

/** Fetches the next page of the list that the phase goes through. */
async function turnPage(state: AuditState, vendorId: string): Promise<void> {
  const { listed: offset, request, phase } = state;
  const { countPeople, listPeople, resyncPeople } = peopleActivities();
  const page = typeof state.page === 'string' ? { page: state.page } : {};
  if (phase === 'rule') {
    const { listTagged } = vendorActivities(vendorId, 'a page of everybody in Rule');
    const next = typeof state.page === 'object' ? { page: state.page } : {};
    recordTaggedPage(state, await listTagged({ vendorId, ...next }));
    return;
  }
  if (phase === 'repair') {
    const people = await listPeople({ vendorId, offset, ...page });
    const userIds = toBeTold(state, people);
    if (userIds.length > 0) await resyncPeople({ vendorId, userIds });
    recordToldPage(state, people, userIds.length);
    return;
  }
  if (state.total === undefined) recordTotal(state, await countPeople({ vendorId }));
  const sample = request.sample && { ...request.sample, total: state.total ?? 0 };
  recordPeoplePage(state, await listPeople({ vendorId, offset, ...page, ...(sample ? { sample } : {}) }));
}

/** Looks at, or mends, those whose turn it is, a window of them at a time; while a vendor takes nothing, one to find out. */
async function workOff(state: AuditState, vendorId: string): Promise<void> {
  const isProbe = state.waiting !== undefined;
  const lane = async () => {
    do {
      const target = state.queue.shift();
      if (!target) return;
      await attempted(state, target, () => one(state, vendorId, target));
    } while (!isProbe && !state.waiting && !state.stopping);
  };
  await Promise.all(Array.from({ length: isProbe ? 1 : window }, lane));
}

async function one(state: AuditState, vendorId: string, target: Target): Promise<void> {
  const { userId, ruleId = 0 } = target;
  if (userId !== undefined) {
    const { inspectSubscriber } = vendorActivities(vendorId, `compare ${userId}`);
    recordInspection(state, target, await inspectSubscriber({ vendorId, userId }));
  } else if (state.phase === 'repair') {
    const { mendStray } = vendorActivities(vendorId, `clear subscriber ${ruleId} of status tags`);
    const mended = await mendStray({ vendorId, ruleId });
    if (mended.resync) await peopleActivities().resyncPeople({ vendorId, userIds: [mended.resync] });
    recordMended(state, target, mended);
  } else {
    const { inspectStray } = vendorActivities(vendorId, `who is subscriber ${ruleId}`);
    recordInspection(state, target, await inspectStray({ vendorId, ruleId }));
  }
}

/** A failure is the state's matter, except that of being stopped. */
async function attempted(state: AuditState, target: Target | undefined, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isCancellation(error)) throw error;
    recordAuditFailure(state, target, failureDetails(error), Date.now());
  }
}

function vendorActivities(vendorId: string, summary: string) {
  return proxyActivities<AuditActivities>({
    ...activityOptions({ vendorId }),
    summary,
    // Behind everything else: an audit has time.
    priority: { priorityKey: 5 },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
}

function peopleActivities() {
  return proxyActivities<PeopleActivities>({
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: '15 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumAttempts: 3 },
  });
}
