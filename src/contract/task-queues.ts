/** Workflow tasks of every vendor: they cost no vendor call, so they share one queue. */
export const workflowTaskQueue = 'sesamy-rule';

/**
 * The activities of one vendor. A queue each, because the vendor's request budget is kept by the server as the queue's rate limit,
 * and because one vendor's backlog must not stand in another's way.
 */
export function activityTaskQueue(vendorId: string): string {
  return `${workflowTaskQueue}/${vendorId}`;
}
