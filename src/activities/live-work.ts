import { activityInfo, asyncLocalStorage } from '@temporalio/activity';

/** Priorities of live work and of what somebody waits for; whatever is caught up comes behind. */
const leastOfLive = 2;

/** Whether this is done in an activity that goes before others: then its calls do, too. */
export function isLiveWork(): boolean {
  if (asyncLocalStorage.getStore() === undefined) return false;
  return (activityInfo().priority?.priorityKey ?? Number.POSITIVE_INFINITY) <= leastOfLive;
}
