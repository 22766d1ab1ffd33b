import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import {
  type BackfillKind,
  type BackfillProgress,
  type BackfillRequest,
  backfillWorkflowId,
  backfillWorkflowType,
  progressQuery,
  sesamyVendorKey,
  workflowTaskQueue,
} from './contract/index.js';
import { orUnknown } from './or-unknown.js';

/** @returns false where one is running already */
export async function startBackfill(
  client: Client,
  vendorId: string,
  request: BackfillRequest,
  kind: BackfillKind,
): Promise<boolean> {
  try {
    await client.workflow.start(backfillWorkflowType, {
      workflowId: backfillWorkflowId(kind, vendorId),
      taskQueue: workflowTaskQueue,
      args: [{ ...request, vendorId, kind }],
      // Refused rather than attached to, so that the caller can be told which of the two it was.
      workflowIdConflictPolicy: 'FAIL',
      typedSearchAttributes: [{ key: sesamyVendorKey, value: vendorId }],
      staticSummary: `${vendorId}: ${kind}${request.full ? ', everybody' : ''}`,
      staticDetails:
        'Goes through all readers of the vendor. Signals `pause`, `resume` and `stop` (no input) steer it.',
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** The report of one that has ended is its result; one that was ended by hand answers with how far it was. */
export async function readBackfill(
  client: Client,
  vendorId: string,
  kind: BackfillKind,
): Promise<BackfillProgress | undefined> {
  const handle = client.workflow.getHandle(backfillWorkflowId(kind, vendorId));
  const description = await orUnknown(handle.describe());
  if (!description) return undefined;
  const { status, closeTime } = description;
  if (status.name === 'COMPLETED') return (await handle.result()) as BackfillProgress;
  const progress = await orUnknown(handle.query(progressQuery));
  if (!progress || closeTime === undefined) return progress;
  return { ...progress, stage: 'stopped', endedAt: closeTime.toISOString() };
}

/** @returns false where none is running */
export async function signalBackfill(
  client: Client,
  vendorId: string,
  kind: BackfillKind,
  signal: SignalDefinition<[]>,
): Promise<boolean> {
  const signalled = client.workflow.getHandle(backfillWorkflowId(kind, vendorId)).signal(signal);
  return (await orUnknown(signalled.then(() => true))) ?? false;
}
