import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { type Client, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { createSubscribers, NoAnswerError, type Subscribers, visibilityQuery } from '../client.js';
import {
  type BackfillActivities,
  type BackfillVerdict,
  type FailedPerson,
  isOfAccount,
  type PeopleInput,
  parseSubscriberWorkflowId,
  provesAnswers,
  type SyncPeopleInput,
  type SyncPeopleResult,
  subscriberWorkflowId,
  type TrailEntry,
} from '../contract/index.js';
import { grpcStatus, grpcStatusOf } from '../grpc-status.js';
import { isAskedFor, stopped } from './stopped.js';

/** Well inside the workflow's heartbeat time-out. */
const heartbeatMs = 4_000;

/** A person who does not answer by then is listed; whoever waits so long for a place in the vendor's queue is done later all the same. */
const longestAnswerMs = 30 * 60_000;

/** What became of one person; the list of them is the heartbeat, in the order of the answers. */
interface Outcome {
  userId: string;
  verdict: BackfillVerdict;
  reason?: string;
  /** It failed, and not for the person's own sake. */
  ofAccount?: { waitMs?: number };
  status?: number;
}

/** The activities of the queue of workflow tasks: they call no vendor and take none of a vendor's slots. */
export function createBackfillActivities(client: Client): BackfillActivities {
  const subscribers = createSubscribers(client);
  return {
    syncPeople: (input) => syncPeople(client, subscribers, input),
    withoutWorkflow: (input) => withoutWorkflow(client, input),
  };
}

/**
 * Has each person's workflow sync them once, quietly and anew, some at a time: the vendor's queue decides when whose turn is. An attempt
 * that was cut off is carried on by the next from its last heartbeat; who is asked twice is asked under the same update id. When it is
 * cancelled, or runs into an outage, it begins nobody new and answers when those who are under way are done.
 */
async function syncPeople(client: Client, subscribers: Subscribers, input: SyncPeopleInput): Promise<SyncPeopleResult> {
  const context = Context.current();
  const { info, cancellationSignal } = context;
  const done: Outcome[] = Array.isArray(info.heartbeatDetails) ? [...info.heartbeatDetails] : [];
  const settled = new Set(done.map(({ userId }) => userId));
  const left = input.userIds.filter((userId) => !settled.has(userId));
  const abandon = new AbortController();
  setMaxListeners(0, abandon.signal);
  let rests = false;
  cancellationSignal.addEventListener('abort', () => {
    if (isAskedFor(cancellationSignal.reason)) rests = true;
    else abandon.abort(cancellationSignal.reason);
  });
  const request = { force: true, by: input.by };
  const updateId = `${input.by}-${info.workflowExecution?.runId ?? ''}-${info.activityId}`;
  const beat = setInterval(() => context.heartbeat(done), heartbeatMs);

  async function lane(): Promise<void> {
    for (let userId = next(); userId !== undefined; userId = next()) {
      const person = { vendorId: input.vendorId, userId };
      const ask = () => subscribers.sync(person, request, { timeoutMs: longestAnswerMs, updateId });
      done.push(outcomeOf(userId, await client.withAbortSignal(abandon.signal, () => answered(ask, abandon.signal))));
      context.heartbeat(done);
    }
  }
  const next = () => (rests || outageOf(done).length >= input.outageFrom ? undefined : left.shift());

  try {
    await Promise.all(Array.from({ length: input.atOnce }, lane));
  } catch (error) {
    // One that fails ends the attempt; the others need not be waited for.
    abandon.abort();
    if (cancellationSignal.aborted) throw stopped(cancellationSignal.reason);
    context.log.warn('Temporal does not answer', { code: grpcStatusOf(error) ?? 'unknown' });
    throw ApplicationFailure.create({ message: 'Temporal does not answer', type: 'temporal/activity' });
  } finally {
    clearInterval(beat);
  }
  return { ...summarize(done, input), left };
}

/** Pauses between tries; a workflow that was about to end or to continue as new takes the update at the next. */
const triesAfterMs = [200, 1_000, 3_000];

/** @throws when Temporal is away: then nothing is known of anybody, and the attempt is made again */
async function answered(ask: () => Promise<TrailEntry>, signal: AbortSignal): Promise<TrailEntry | undefined> {
  for (const waitMs of [...triesAfterMs, undefined]) {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NoAnswerError) return undefined;
      const isHere = error instanceof WorkflowUpdateFailedError || grpcStatusOf(error) === grpcStatus.NOT_FOUND;
      if (waitMs === undefined) {
        if (isHere) return undefined;
        throw error;
      }
    }
    await delay(waitMs, undefined, { signal });
  }
  return undefined;
}

function outcomeOf(userId: string, entry: TrailEntry | undefined): Outcome {
  if (!entry) return { userId, verdict: 'retrying', reason: 'temporal/no-answer', ofAccount: {} };
  const { failure, verdict = 'failed', reason } = entry;
  if (!failure) return { userId, verdict, ...(reason ? { reason } : {}) };
  const { type, status, waitMs } = failure;
  const base = { userId, reason: type, ...(status === undefined ? {} : { status }) };
  if (!isOfAccount(failure)) return { ...base, verdict: 'failed' };
  return { ...base, verdict: 'retrying', ofAccount: waitMs === undefined ? {} : { waitMs } };
}

/** Those who failed for the account's sake since both vendors last answered for anybody. */
function outageOf(outcomes: readonly Outcome[]): readonly Outcome[] {
  const lastAnswered = outcomes.findLastIndex(({ verdict }) => provesAnswers(verdict));
  return outcomes.slice(lastAnswered + 1).filter(({ ofAccount }) => ofAccount !== undefined);
}

/** The counts of a batch. */
function summarize(
  outcomes: readonly Outcome[],
  { final, outageFrom }: SyncPeopleInput,
): Omit<SyncPeopleResult, 'left'> {
  const counted = final ? outcomes : outcomes.filter(({ ofAccount }) => ofAccount === undefined);
  const met = outageOf(outcomes);
  const waitMs = Math.max(0, ...met.map(({ ofAccount }) => ofAccount?.waitMs ?? 0));
  return {
    verdicts: tally(counted.map(({ verdict }) => verdict)),
    reasons: tally(counted.flatMap(({ reason = [] }) => reason)),
    failed: counted.flatMap(failedPerson),
    again: outcomes.filter((one) => !counted.includes(one)).flatMap(failedPerson),
    ...(met.length >= outageFrom
      ? { outage: { why: met.at(-1)?.reason ?? '', ...(waitMs > 0 ? { waitMs } : {}) } }
      : {}),
  };
}

function tally<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  const counts = new Map<Key, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return Object.fromEntries(counts) as Record<Key, number>;
}

function failedPerson({ userId, verdict, reason, status }: Outcome): FailedPerson[] {
  if (verdict !== 'failed' && verdict !== 'retrying') return [];
  return [{ userId, verdict, type: reason ?? 'internal/unexpected', ...(status === undefined ? {} : { status }) }];
}

/**
 * One query to the visibility store for a page of people. It is a second or so behind: somebody who has just come is nudged once more,
 * which does no harm.
 */
async function withoutWorkflow(client: Client, { vendorId, userIds }: PeopleInput): Promise<string[]> {
  const ids = userIds.map((userId) => `'${subscriberWorkflowId({ vendorId, userId })}'`);
  const query = `${visibilityQuery({ vendorId })} AND WorkflowId IN (${ids.join(', ')})`;
  const known = new Set<string | undefined>();
  for await (const { workflowId } of client.workflow.list({ query })) {
    known.add(parseSubscriberWorkflowId(workflowId)?.userId);
  }
  return userIds.filter((userId) => !known.has(userId));
}
