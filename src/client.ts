import { randomUUID } from 'node:crypto';
import { type Client, WithStartWorkflowOperation, type WorkflowExecutionInfo } from '@temporalio/client';
import { type Payload, toPayloads } from '@temporalio/common';
import { beginAudit, readAudit, readFindings, signalAudit } from './audit.js';
import { readBackfill, signalBackfill, startBackfill } from './backfill.js';
import { brakeStatus } from './brake.js';
import {
  type AuditFinding,
  type AuditProgress,
  type AuditRequest,
  type BackfillKind,
  type BackfillProgress,
  type BackfillRequest,
  type BrakeStatus,
  brakeWorkflowId,
  discardSignal,
  type Erasure,
  eraseSignal,
  eraseUpdate,
  type FindingsRange,
  failedAtKey,
  failureTypeKey,
  type HeldRequest,
  lifecycleStageKey,
  liftErasureSignal,
  liftSignal,
  type Nudge,
  nextDueAtKey,
  nudgeSignals,
  type PersonId,
  parseSubscriberWorkflowId,
  pauseSignal,
  type ResyncRequest,
  releaseSignal,
  repairAuditSignal,
  resumeSignal,
  resyncSignal,
  type SubscriberStatus,
  type SyncNowRequest,
  type SyncState,
  sesamyVendorKey,
  signalOfEvent,
  statusQuery,
  stopAuditSignal,
  stopSignal,
  subscriberWorkflowId,
  subscriberWorkflowType,
  syncNowUpdate,
  syncStateKey,
  type TrailEntry,
  workflowTaskQueue,
} from './contract/index.js';
import { grpcStatus, grpcStatusOf } from './grpc-status.js';
import { orUnknown } from './or-unknown.js';

/** Which subscribers to list or to resync; all given conditions must hold. */
export interface SubscriberFilter {
  vendorId?: string;
  state?: Exclude<SyncState, 'new'>;
  stage?: string;
  /** The type of the last failure, for example `rule/unavailable`. */
  failureType?: string;
  /** Failing since this instant or later. */
  failedSince?: Date;
  /** Any further condition in Temporal's visibility query language. */
  query?: string;
}

/** One row of a listing, as Temporal's visibility store has it: a second or so behind. */
export interface SubscriberListing extends PersonId {
  workflowId: string;
  runId: string;
  state?: string;
  stage?: string;
  failureType?: string;
  failedAt?: Date;
  nextDueAt?: Date;
  startedAt: Date;
}

/** What is to become of what is held. */
export type Decision = 'release' | 'discard';

const decisionSignals = { release: releaseSignal, discard: discardSignal } as const;

/** The people this program looks after, by vendor and Sesamy user id. All that webhooks, commands and other programs need. */
export interface Subscribers {
  /**
   * Something happened to a person: starts their workflow or signals it. Resolves when Temporal has it stored; what it has not after
   * `timeoutMs` is given up, so that it is not tried again after its caller has gone.
   */
  notify(person: PersonId, nudge: Nudge, o?: { timeoutMs?: number }): Promise<void>;
  /**
   * One attempt now, quietly; resolves when it is over, whatever its outcome.
   * @throws {NoAnswerError} when no worker took it within `timeoutMs` (default two minutes); the attempt is still made later.
   */
  sync(
    person: PersonId,
    request?: SyncNowRequest,
    o?: { timeoutMs?: number /** The same id is the same request, asked again. */; updateId?: string },
  ): Promise<TrailEntry>;
  /** Write everything again, quietly, whenever a worker comes to it. */
  resync(person: PersonId, request?: ResyncRequest): Promise<void>;
  /**
   * What was done, what failed, what happens next; `undefined` where nobody has ever told of this person.
   * @throws {NoAnswerError} when no worker answers.
   */
  status(person: PersonId, o?: { timeoutMs?: number }): Promise<SubscriberStatus | undefined>;
  /**
   * Deletes a person in Rule, forgets them, and ignores what comes from now on, under another id with the same address too. Resolves
   * after the first try, whatever its outcome; it is tried again by itself. A person nobody has told of is erased all the same.
   * @throws {NoAnswerError} when no worker answers; Temporal has the request, and it is done as soon as one runs.
   */
  erase(person: PersonId, o?: { timeoutMs?: number }): Promise<Erasure>;
  /**
   * Takes an erasure back: the next message about the person begins anew.
   * @throws {WorkflowNotFoundError} where the person is not known
   */
  liftErasure(person: PersonId): Promise<void>;
  /** Whether a workflow looks after the person now. */
  exists(person: PersonId): Promise<boolean>;
  list(filter: SubscriberFilter): AsyncIterable<SubscriberListing>;
  count(filter: SubscriberFilter): Promise<number>;
  /** A quiet resync of everyone the filter finds, done by the Temporal server as a batch job; answers the job's id. */
  resyncAll(filter: SubscriberFilter, request?: ResyncRequest): Promise<string>;
  /**
   * Tells of what is held after all, if it is still true, or never: for one reader.
   * @throws {WorkflowNotFoundError} where the reader is not known
   */
  decide(person: PersonId, decision: Decision, request?: HeldRequest): Promise<void>;
  /** The same for everyone the filter finds, as a batch job; answers its id. */
  decideAll(filter: SubscriberFilter, decision: Decision, request?: HeldRequest): Promise<string>;
  /** The brake of a vendor; `undefined` where nobody has left for a while. */
  brake(vendorId: string): Promise<BrakeStatus | undefined>;
  /** Ends the brake: what it holds has been decided. */
  liftBrake(vendorId: string): Promise<void>;
  /**
   * Has everybody of a vendor, or a sample, compared in Rule with what Sesamy says; goes on in Temporal, behind all other work.
   * @returns false where an audit runs already: that one goes on
   * @throws {NoAnswerError} when no worker answers
   */
  startAudit(vendorId: string, request?: AuditRequest): Promise<boolean>;
  /** How far the audit is, or the last report; `undefined` where there is none. @throws {NoAnswerError} when no worker answers */
  audit(vendorId: string): Promise<AuditProgress | undefined>;
  /** Part of what was found, at most 200 at a time. @throws {NoAnswerError} when no worker answers */
  auditFindings(vendorId: string, range?: FindingsRange): Promise<AuditFinding[]>;
  /** Has what the last audit found mended, quietly. @returns false where there is none; so does the next */
  repairAudit(vendorId: string): Promise<boolean>;
  /** Ends a running audit or repair where it is. */
  stopAudit(vendorId: string): Promise<boolean>;
  /**
   * Goes through everybody of a vendor and writes them, quietly, behind all live work; survives workers and Temporal.
   * @returns false where one was running already: it goes on as it is
   */
  startBackfill(vendorId: string, request?: BackfillRequest, kind?: BackfillKind): Promise<boolean>;
  /** How far it is, or the report of the last one; `undefined` where there never was one, or Temporal has forgotten it. */
  backfill(vendorId: string, kind?: BackfillKind): Promise<BackfillProgress | undefined>;
  /** Nobody new is begun until it is resumed. @returns false where none is running; so do the next two */
  pauseBackfill(vendorId: string, kind?: BackfillKind): Promise<boolean>;
  resumeBackfill(vendorId: string, kind?: BackfillKind): Promise<boolean>;
  /** Ends it after those who are under way. What was written stays. */
  stopBackfill(vendorId: string, kind?: BackfillKind): Promise<boolean>;
  /** How far a batch job is. */
  batch(jobId: string): Promise<{ total: number; done: number; failed: number; finished: boolean }>;
}

/** Temporal took the request, but no worker answered in time. */
export class NoAnswerError extends Error {
  override name = 'NoAnswerError';
}

const defaultTimeoutMs = 120_000;
/** For a query, which only a worker can answer. */
const answerWithinMs = 15_000;

/** The library over a Temporal client: the only way in which webhooks and commands reach people. */
export function createSubscribers(client: Client): Subscribers {
  const startOptions = (person: PersonId) => ({
    workflowId: subscriberWorkflowId(person),
    taskQueue: workflowTaskQueue,
    args: [{ vendorId: person.vendorId, userId: person.userId }],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    typedSearchAttributes: [{ key: sesamyVendorKey, value: person.vendorId }],
    // Workflow tasks of all vendors share one queue: where the server knows fairness, a flood at one does not stand before the others.
    priority: { fairnessKey: person.vendorId },
    staticSummary: `${person.vendorId} / ${person.userId}`,
    staticDetails:
      'Keeps this reader in step between Sesamy and Rule. Signal `resync` (no input) writes everything again, quietly.',
  });

  return {
    async notify(person, nudge, { timeoutMs = defaultTimeoutMs } = {}) {
      const signal = nudgeSignals[signalOfEvent[nudge.event] ?? 'profileChanged'];
      await client.withDeadline(Date.now() + timeoutMs, () =>
        client.workflow.signalWithStart(subscriberWorkflowType, {
          ...startOptions(person),
          signal,
          signalArgs: [nudge],
        }),
      );
    },

    async sync(person, request = {}, { timeoutMs = defaultTimeoutMs, updateId = randomUUID() } = {}) {
      const startWorkflowOperation = new WithStartWorkflowOperation(subscriberWorkflowType, startOptions(person));
      return withDeadline(client, timeoutMs, () =>
        client.workflow.executeUpdateWithStart(syncNowUpdate, {
          startWorkflowOperation,
          args: [request],
          updateId,
        }),
      );
    },

    async resync(person, request = { by: 'operator' }) {
      await client.workflow.signalWithStart(subscriberWorkflowType, {
        ...startOptions(person),
        signal: resyncSignal,
        signalArgs: [request],
      });
    },

    async status(person, { timeoutMs = answerWithinMs } = {}) {
      const status = await withDeadline(client, timeoutMs, () =>
        orUnknown(client.workflow.getHandle(subscriberWorkflowId(person)).query(statusQuery)),
      );
      // A workflow ends when its erasure is taken back, and what has ended answers as it stood.
      const isLifted = status?.state === 'erased' && !(await isRunning(client, person));
      return isLifted ? undefined : status;
    },

    async erase(person, { timeoutMs = defaultTimeoutMs } = {}) {
      // First as a signal, which Temporal stores although no worker may run: an update alone would be lost then.
      const handle = await client.workflow.signalWithStart(subscriberWorkflowType, {
        ...startOptions(person),
        signal: eraseSignal,
      });
      return withDeadline(client, timeoutMs, () => handle.executeUpdate(eraseUpdate));
    },

    async liftErasure(person) {
      await client.workflow.getHandle(subscriberWorkflowId(person)).signal(liftErasureSignal);
    },

    exists: (person) => isRunning(client, person),

    async *list(filter) {
      for await (const info of client.workflow.list({ query: visibilityQuery(filter) })) {
        const listing = toListing(info);
        if (listing) yield listing;
      }
    },

    async count(filter) {
      return (await client.workflow.count(visibilityQuery(filter))).count;
    },

    resyncAll: (filter, request = { by: 'operator' }) =>
      signalAll(client, filter, resyncSignal.name, request, `resync by ${request.by ?? 'operator'}`),

    async decide(person, decision, request) {
      const handle = client.workflow.getHandle(subscriberWorkflowId(person));
      await handle.signal(decisionSignals[decision], request);
    },

    decideAll: (filter, decision, request) => signalAll(client, filter, decision, request, `${decision} by operator`),

    brake: (vendorId) => brakeStatus(client, vendorId),

    async liftBrake(vendorId) {
      // It may have ended by itself.
      await orUnknown(client.workflow.getHandle(brakeWorkflowId(vendorId)).signal(liftSignal));
    },

    async startAudit(vendorId, request = {}) {
      const running = await withDeadline(client, answerWithinMs, () => readAudit(client, vendorId));
      if (running && ['people', 'rule', 'repair'].includes(running.phase)) return false;
      await beginAudit(client, vendorId, request);
      return true;
    },

    audit: (vendorId) => withDeadline(client, answerWithinMs, () => readAudit(client, vendorId)),
    auditFindings: (vendorId, range = {}) =>
      withDeadline(client, answerWithinMs, () => readFindings(client, vendorId, range)),
    repairAudit: (vendorId) => signalAudit(client, vendorId, repairAuditSignal),
    stopAudit: (vendorId) => signalAudit(client, vendorId, stopAuditSignal),
    startBackfill: (vendorId, request = { by: 'operator' }, kind = 'backfill') =>
      startBackfill(client, vendorId, request, kind),
    backfill: (vendorId, kind = 'backfill') =>
      withDeadline(client, answerWithinMs, () => readBackfill(client, vendorId, kind)),
    pauseBackfill: (vendorId, kind = 'backfill') => signalBackfill(client, vendorId, kind, pauseSignal),
    resumeBackfill: (vendorId, kind = 'backfill') => signalBackfill(client, vendorId, kind, resumeSignal),
    stopBackfill: (vendorId, kind = 'backfill') => signalBackfill(client, vendorId, kind, stopSignal),

    async batch(jobId) {
      const job = await client.workflowService.describeBatchOperation({ namespace: client.options.namespace, jobId });
      const running = 1; // BATCH_OPERATION_STATE_RUNNING
      return {
        total: Number(job.totalOperationCount ?? 0),
        done: Number(job.completeOperationCount ?? 0),
        failed: Number(job.failureOperationCount ?? 0),
        finished: job.state !== running,
      };
    },
  };
}

/** One signal to everyone the filter finds, as a batch job of the server. */
async function signalAll(
  client: Client,
  filter: SubscriberFilter,
  signal: string,
  input: unknown,
  reason: string,
): Promise<string> {
  const jobId = `${signal}-${randomUUID()}`;
  await client.workflowService.startBatchOperation({
    namespace: client.options.namespace,
    jobId,
    visibilityQuery: visibilityQuery(filter),
    reason,
    signalOperation: {
      signal,
      input: { payloads: await payloadsOf(client, input) },
      identity: client.options.identity,
    },
  });
  return jobId;
}

/** A value as the client would send it, for calls that take payloads. */
async function payloadsOf(client: Client, value: unknown): Promise<Payload[]> {
  const { payloadConverter, payloadCodecs } = client.options.loadedDataConverter;
  let payloads = toPayloads(payloadConverter, value) ?? [];
  for (const codec of payloadCodecs) payloads = await codec.encode(payloads);
  return payloads;
}

/** The visibility query of a filter: running subscribers only, since an ended one has nothing to be done. */
export function visibilityQuery(filter: SubscriberFilter): string {
  const conditions = [`WorkflowType = ${quoted(subscriberWorkflowType)}`, `ExecutionStatus = 'Running'`];
  if (filter.vendorId) conditions.push(`SesamyVendor = ${quoted(filter.vendorId)}`);
  if (filter.state) conditions.push(`SyncState = ${quoted(filter.state)}`);
  if (filter.stage) conditions.push(`LifecycleStage = ${quoted(filter.stage)}`);
  if (filter.failureType) conditions.push(`FailureType = ${quoted(filter.failureType)}`);
  if (filter.failedSince) conditions.push(`FailedAt >= ${quoted(filter.failedSince.toISOString())}`);
  if (filter.query) conditions.push(`(${balanced(filter.query)})`);
  return conditions.join(' AND ');
}

/** A query that cannot be put in brackets; the rest of the filter would not hold for it. */
export class QueryError extends Error {
  override name = 'QueryError';
}

/**
 * @throws QueryError where a bracket outside quotes has no partner: such a query could step out of the filter around it. So could one
 * with a comment, since a quotation mark in it counts here and not at Temporal.
 */
async function isRunning(client: Client, person: PersonId): Promise<boolean> {
  const description = await orUnknown(client.workflow.getHandle(subscriberWorkflowId(person)).describe());
  return description?.status.name === 'RUNNING';
}

function balanced(query: string): string {
  const outside = query.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`/g, '');
  if (/\/[*/]|--|#/.test(outside)) throw new QueryError('The query has a comment; leave it out.');
  let depth = 0;
  for (const character of outside) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth < 0) break;
  }
  if (depth !== 0 || /['"`]/.test(outside))
    throw new QueryError('The query has a bracket or a quotation mark without its partner.');
  return query;
}

/** Both conditions, where both are given. @throws QueryError as above, before the brackets of `and` hide it */
export function and(condition: string | undefined, other: string | undefined): string | undefined {
  if (condition === undefined || other === undefined) return condition ?? other;
  return `${condition} AND (${balanced(other)})`;
}

function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function toListing(info: WorkflowExecutionInfo): SubscriberListing | undefined {
  const person = parseSubscriberWorkflowId(info.workflowId);
  if (!person) return undefined;
  const attributes = info.typedSearchAttributes;
  const state = attributes.get(syncStateKey);
  const stage = attributes.get(lifecycleStageKey);
  const failureType = attributes.get(failureTypeKey);
  const failedAt = attributes.get(failedAtKey);
  const nextDueAt = attributes.get(nextDueAtKey);
  return {
    ...person,
    workflowId: info.workflowId,
    runId: info.runId,
    ...(state ? { state } : {}),
    ...(stage ? { stage } : {}),
    ...(failureType ? { failureType } : {}),
    ...(failedAt ? { failedAt } : {}),
    ...(nextDueAt ? { nextDueAt } : {}),
    startedAt: info.startTime,
  };
}

async function withDeadline<T>(client: Client, timeoutMs: number, call: () => Promise<T>): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + timeoutMs, call);
  } catch (error) {
    if (grpcStatusOf(error) !== grpcStatus.DEADLINE_EXCEEDED) throw error;
    throw new NoAnswerError('no worker answered in time: is `sesamy-rule worker` (or `start`) running?');
  }
}

export * from './contract/index.js';
export { payloadCodecOf } from './temporal/encryption.js';
