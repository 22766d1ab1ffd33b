/** What the lanes of a run share: a namespace of the run's Temporal server, and the worker of all workflows. */
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createBackfillActivities, createPeopleActivities } from '../../../src/activities/index.js';
import { workflowTaskQueue } from '../../../src/contract/index.js';
import { connectTemporal, nativeConnectTemporal } from '../../../src/temporal/connect.js';
import { freshNamespace, sharedTemporal } from '../../support/temporal.js';

const bundle = fileURLToPath(new URL('../../../dist/workflow-bundle.js', import.meta.url));

export interface Hub {
  namespace: string;
  client: Client;
  connection: NativeConnection;
  close(): Promise<void>;
}

export async function startHub(): Promise<Hub> {
  const { address } = await sharedTemporal();
  const namespace = await freshNamespace();
  const env = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
  const native = await nativeConnectTemporal(env);
  const temporal = await connectTemporal(env);
  const worker = await Worker.create({
    connection: native.connection,
    namespace,
    taskQueue: workflowTaskQueue,
    activities: { ...createBackfillActivities(temporal.client), ...createPeopleActivities(temporal.client) },
    workflowBundle: { codePath: bundle },
    shutdownGraceTime: 100,
    shutdownForceTime: 5_000,
  });
  const run = worker.run();
  return {
    namespace,
    client: temporal.client,
    connection: native.connection,
    async close() {
      worker.shutdown();
      await run;
      await native.connection.close();
      await temporal.connection.close();
    },
  };
}
