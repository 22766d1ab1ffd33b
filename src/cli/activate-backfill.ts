import { type BackfillProgress, NoAnswerError, type Subscribers } from '../client.js';
import { watchBackfill } from './backfill-watch.js';

/** What an earlier activation left. */
export interface Before {
  /** Readers whom a workflow looks after. */
  readers: number;
  failing: number;
  /** The backfill that runs, or the last one. */
  backfill?: BackfillProgress;
}

export async function whatWas(subscribers: Subscribers, vendorId: string): Promise<Before> {
  const [readers, failing, backfill] = await Promise.all([
    subscribers.count({ vendorId }),
    subscribers.count({ vendorId, query: "SyncState IN ('failed', 'retrying')" }),
    subscribers.backfill(vendorId),
  ]);
  return { readers, failing, ...(backfill ? { backfill } : {}) };
}

/** Starts one unless one runs already. @returns false where one does: it goes on as it is */
export function startBackfill(subscribers: Subscribers, vendorId: string): Promise<boolean> {
  return subscribers.startBackfill(vendorId, { by: 'activate' });
}

/** How far it is, at its end or now; `undefined` while no worker has come to it. */
export async function lookOn(
  subscribers: Subscribers,
  vendorId: string,
  { wait }: { wait: boolean },
): Promise<BackfillProgress | undefined> {
  if (wait) return watchBackfill(subscribers, vendorId, 'backfill');
  try {
    return await subscribers.backfill(vendorId);
  } catch (error) {
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  }
}
