/**
 * The worker process of a design that the program is compared with: `main.ts <design>`, settings in the environment as `sesamy-rule worker`
 * has them. Same engine, same number of slots, same limit of the queue, same clients of both vendors.
 */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { loadConfig } from '../../src/config/index.js';
import { activityTaskQueue, workflowTaskQueue } from '../../src/contract/index.js';
import { createLogger } from '../../src/log.js';
import { installRuntime } from '../../src/runtime.js';
import { openVendors } from '../../src/vendors.js';
import { activityLimits } from '../../src/worker.js';
import { eventActivities, noActivities } from './activities.js';
import { startQueueWorker } from './queue.js';

const design = process.argv[2] ?? '';
const env = process.env as Record<string, string>;
const [config] = loadConfig(env).vendors;
if (!config) throw new Error('no vendor is configured');
installRuntime(createLogger({ level: 'error', format: 'json' }));

if (design === 'queue') {
  const [vendor] = openVendors([config]).all;
  if (!vendor) throw new Error('no vendor is open');
  await startQueueWorker(vendor, env);
} else {
  const [vendor] = openVendors([config]).all;
  if (!vendor) throw new Error('no vendor is open');
  const connection = await NativeConnection.connect({ address: env.TEMPORAL_ADDRESS });
  const common = { connection, namespace: env.TEMPORAL_NAMESPACE, maxHeartbeatThrottleInterval: '5 seconds' };
  const ownBundle = new URL('./workflows.ts', import.meta.url);
  const workflows =
    design === 'floor'
      ? { workflowBundle: { codePath: fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url)) } }
      : { workflowsPath: fileURLToPath(ownBundle) };
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: workflowTaskQueue, ...workflows }),
    Worker.create({
      ...common,
      taskQueue: activityTaskQueue(config.id),
      activities: { ...noActivities, ...eventActivities(vendor) },
      ...activityLimits(config.sesamy.requestsPerSecond),
    }),
  ]);
  for (const worker of workers) void worker.run();
}
console.log('ready');
