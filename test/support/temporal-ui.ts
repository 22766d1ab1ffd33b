import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';

/** What the Temporal UI shows of a run in words, as the program wrote it. */
export interface RunInWords {
  /** Title of the run and what it is for. */
  summary: string | undefined;
  details: string | undefined;
  /** The tab of the run's own account of itself, in markdown. */
  currentDetails: string;
  /** Each scheduled activity with its summary, oldest first. */
  activities: { type: string; summary: string | undefined }[];
  /** The reason of each timer, oldest first. */
  timers: (string | undefined)[];
}

type Payload = Parameters<typeof defaultPayloadConverter.fromPayload>[0];

/** Reads a run as the Temporal UI does: by the description, the metadata query and the history. */
export async function runInWords(client: Client, workflowId: string): Promise<RunInWords> {
  const text = (payload: Payload | null | undefined) =>
    payload ? defaultPayloadConverter.fromPayload<string>(payload) : undefined;
  const handle = client.workflow.getHandle(workflowId);
  const description = await handle.describe();
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  const events = (await handle.fetchHistory()).events ?? [];
  return {
    summary: await description.staticSummary(),
    details: await description.staticDetails(),
    currentDetails: metadata.currentDetails ?? '',
    activities: events.flatMap(({ activityTaskScheduledEventAttributes: scheduled, userMetadata }) =>
      scheduled ? [{ type: scheduled.activityType?.name ?? '', summary: text(userMetadata?.summary) }] : [],
    ),
    timers: events.flatMap(({ timerStartedEventAttributes: timer, userMetadata }) =>
      timer ? [text(userMetadata?.summary)] : [],
    ),
  };
}
