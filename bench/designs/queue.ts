/** The usual way without Temporal: a job for each event in BullMQ on Redis, and a worker that fetches, maps and writes. */
import { Worker } from 'bullmq';
import type { Vendor } from '../../src/activities/index.js';
import { activityLimits } from '../../src/worker.js';
import { type PersonEvent, syncPerson } from './activities.js';

export const queueName = 'events';

/** How long a job of a dead worker waits for another one: as long as the program's own heartbeat does (15 s), for both to be alike. */
export const lockMs = 15_000;

/** Starts the worker of this process; `REDIS_PORT` is where Redis listens. */
export async function startQueueWorker(vendor: Vendor, env: Record<string, string>): Promise<void> {
  const { maxConcurrentActivityTaskExecutions: concurrency, maxTaskQueueActivitiesPerSecond: perSecond } =
    activityLimits(vendor.requestsPerSecond);
  const worker = new Worker<PersonEvent>(queueName, ({ data }) => syncPerson(vendor, data), {
    connection: { host: '127.0.0.1', port: Number(env.REDIS_PORT) },
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    // As the engine's limit of the queue.
    limiter: { max: Math.ceil(perSecond), duration: Math.round((1_000 * Math.ceil(perSecond)) / perSecond) },
  });
  worker.on('error', () => {});
  await worker.waitUntilReady();
}
