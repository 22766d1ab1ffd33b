import type { Client } from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import {
  type AuditFinding,
  type AuditProgress,
  type AuditRequest,
  auditFindingsQuery,
  auditProgressQuery,
  auditWorkflowId,
  auditWorkflowType,
  beginAuditSignal,
  type FindingsRange,
  workflowTaskQueue,
} from './contract/index.js';
import { orUnknown } from './or-unknown.js';

/** Starts the vendor's audit workflow, or has the one that keeps the last report begin anew. */
export async function beginAudit(client: Client, vendorId: string, request: AuditRequest): Promise<void> {
  await client.workflow.signalWithStart(auditWorkflowType, {
    workflowId: auditWorkflowId(vendorId),
    taskQueue: workflowTaskQueue,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [{ vendorId }],
    signal: beginAuditSignal,
    signalArgs: [request],
    staticSummary: `${vendorId}: audit`,
    staticDetails:
      'Reads Rule back and compares it with Sesamy. Query `progress`; signals `begin`, `repair` and `stop` need no input.',
  });
}

/** `undefined` where there never was an audit, or Temporal has forgotten it. */
export async function readAudit(client: Client, vendorId: string): Promise<AuditProgress | undefined> {
  return orUnknown(client.workflow.getHandle(auditWorkflowId(vendorId)).query(auditProgressQuery));
}

export async function readFindings(client: Client, vendorId: string, range: FindingsRange): Promise<AuditFinding[]> {
  const handle = client.workflow.getHandle(auditWorkflowId(vendorId));
  return (await orUnknown(handle.query(auditFindingsQuery, range))) ?? [];
}

/** @returns false where there is no audit workflow */
export async function signalAudit(client: Client, vendorId: string, signal: SignalDefinition<[]>): Promise<boolean> {
  const signalled = client.workflow.getHandle(auditWorkflowId(vendorId)).signal(signal);
  return (await orUnknown(signalled.then(() => true))) ?? false;
}
