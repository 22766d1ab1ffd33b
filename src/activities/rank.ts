import { activityInfo, asyncLocalStorage } from '@temporalio/activity';

/** Priorities of live work and of what somebody waits for; whatever is caught up comes behind. */
const leastOfLive = 2;

/**
 * The rank of what this activity asks of a vendor: live work goes first, then whoever is under way for longest. So those who have begun
 * end one after another and make room, instead of all at the same time.
 */
export function rankOfAttempt(): number {
  if (asyncLocalStorage.getStore() === undefined) return 0;
  const { priority, currentAttemptScheduledTimestampMs } = activityInfo();
  const isLive = (priority?.priorityKey ?? Number.POSITIVE_INFINITY) <= leastOfLive;
  return isLive ? 0 : currentAttemptScheduledTimestampMs;
}
