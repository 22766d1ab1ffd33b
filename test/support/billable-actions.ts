import proto, { type temporal } from '@temporalio/proto';

const { EventType } = proto.temporal.api.enums.v1;

/**
 * What Temporal Cloud bills as an action, as far as a history shows it (https://docs.temporal.io/cloud/actions): each start (by continue-as-new
 * too), signal, update, timer, and call that writes search attributes.
 */
const billable: ReadonlySet<number> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
  EventType.EVENT_TYPE_TIMER_STARTED,
  EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
]);

/**
 * Billable actions of one run. An activity costs one for each attempt, the last of which is in its event. Heartbeats and queries are billed
 * as well and stand in no history: none is counted here.
 */
export function billableActions({ events }: temporal.api.history.v1.IHistory): number {
  let actions = 0;
  for (const { eventType, activityTaskStartedEventAttributes } of events ?? []) {
    if (billable.has(eventType ?? 0)) actions += 1;
    actions += activityTaskStartedEventAttributes?.attempt ?? 0;
  }
  return actions;
}
