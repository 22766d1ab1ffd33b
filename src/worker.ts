import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createActivities, createBackfillActivities, createPeopleActivities, type Vendor } from './activities/index.js';
import { activityTaskQueue, workflowTaskQueue } from './contract/index.js';
import { packageRoot } from './package-root.js';

/**
 * Sesamy reads of a quiet sync: user, contracts, entitlements. The vendor's budget in requests becomes one in activities by it. A live
 * sync reads the transactions too where receipts are on: then the pace of the processes is what keeps the budget.
 */
const readsPerSync = 3;

/** Time for running attempts to end when a worker is stopped; what is cut off then is done by another worker. */
const graceMs = 10_000;

export interface WorkersOptions {
  connection: NativeConnection;
  namespace: string;
  /** By which those activities reach people that only talk to Temporal. */
  client: Client;
  vendors: readonly Vendor[];
  /** Sesamy requests a second, by vendor id: kept by the server for all workers together. */
  requestsPerSecond: (vendorId: string) => number;
  /** What the activities take for now; the real time unless the vendors are stand-ins whose clock was moved. */
  now?: () => Date;
  graceMs?: number;
}

export interface Workers {
  /** Settles when all have stopped; rejects when one of them failed. */
  done: Promise<void>;
  /** Takes no more work, lets running attempts end, then stops. */
  stop(): Promise<void>;
}

/** How much of a vendor's queue may be taken, by the Sesamy requests a second. */
export function activityLimits(
  rps: number,
): Required<Pick<WorkerOptions, 'maxTaskQueueActivitiesPerSecond' | 'maxConcurrentActivityTaskExecutions'>> {
  return {
    // Acts in the server for the whole queue, so the budget holds however many workers there are.
    maxTaskQueueActivitiesPerSecond: rps / readsPerSync,
    maxConcurrentActivityTaskExecutions: Math.min(Math.max(Math.ceil(rps), 4), 40),
  };
}

/** One worker for workflow tasks and one for each vendor's activities: vendors cannot slow each other. */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  const { connection, namespace } = options;
  // Workers write and read payloads as their client does.
  const { payloadCodecs } = options.client.options.loadedDataConverter;
  const common = {
    connection,
    namespace,
    dataConverter: { payloadCodecs },
    maxHeartbeatThrottleInterval: '5 seconds',
    shutdownGraceTime: options.graceMs ?? graceMs,
    shutdownForceTime: (options.graceMs ?? graceMs) + 10_000,
  };
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: workflowTaskQueue,
      activities: { ...createBackfillActivities(options.client), ...createPeopleActivities(options.client) },
      workflowBundle: { codePath: fileURLToPath(new URL('dist/workflow-bundle.js', packageRoot)) },
    }),
    ...options.vendors.map((vendor) => {
      const rps = options.requestsPerSecond(vendor.id);
      return Worker.create({
        ...common,
        taskQueue: activityTaskQueue(vendor.id),
        activities: createActivities(vendor, options.now),
        ...activityLimits(rps),
      });
    }),
  ]);
  const runs = workers.map((worker) => worker.run());
  const done = Promise.all(runs).then(() => undefined);
  const shutdown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  // One that fails takes the others with it: half a process would look alive and do nothing.
  done.catch(shutdown);
  return {
    done,
    async stop() {
      shutdown();
      await Promise.allSettled(runs);
    },
  };
}
