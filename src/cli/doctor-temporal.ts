import type { Client } from '@temporalio/client';
import { activityTaskQueue, workflowTaskQueue } from '../client.js';
import { connectTemporal, type TemporalConnection } from '../temporal/connect.js';
import { checkSearchAttributes, type SearchAttributeCheck } from '../temporal/search-attributes.js';
import { type Check, type Finding, failed, look } from './doctor-checks.js';
import { namesTemporal } from './environment.js';

/** Temporal: reachable, namespace, search attributes, and a worker on each queue. */
export async function checkTemporal(env: NodeJS.ProcessEnv, vendorIds: readonly string[]): Promise<Check[]> {
  let temporal: TemporalConnection;
  try {
    temporal = await connectTemporal(env, { timeoutMs: 5_000 });
  } catch (error) {
    if (namesTemporal(env)) return [failed('Temporal', error)];
    const detail = 'no server is running yet, and none is named; `sesamy-rule start` brings one';
    return [{ check: 'Temporal', result: 'note', detail }];
  }
  const { client, connection, namespace, address } = temporal;
  try {
    const queues = [
      { queue: workflowTaskQueue, type: workflowTasks },
      ...vendorIds.map((id) => ({ queue: activityTaskQueue(id), type: activityTasks })),
    ];
    return [
      { check: 'Temporal', result: 'ok', detail: `answers at ${address}, namespace ${namespace}` },
      await look('Search attributes', async () =>
        attributes(await checkSearchAttributes(connection, namespace), namespace),
      ),
      ...(await Promise.all(
        queues.map(({ queue, type }) => look(`Worker on ${queue}`, () => pollers(client, queue, type))),
      )),
    ];
  } finally {
    await connection.close();
  }
}

function attributes(checks: readonly SearchAttributeCheck[], namespace: string): Finding | string {
  const wrong = checks.filter(({ found, expected }) => found !== undefined && found !== expected);
  const missing = checks.filter(({ found }) => found === undefined);
  const names = (list: readonly SearchAttributeCheck[]) => list.map(({ name }) => name).join(', ');
  const command = (verb: string) => `temporal operator search-attribute ${verb} --namespace ${namespace}`;
  const create = (list: readonly SearchAttributeCheck[]) =>
    list.map(({ name, expected }) => `${command('create')} --name ${name} --type ${cliType(expected)}`);
  if (wrong.length > 0) {
    const mend = [...wrong.map(({ name }) => `${command('remove')} --name ${name}`), ...create(wrong)].join('\n');
    return { result: 'failed', detail: `of another type: ${names(wrong)}`, mend };
  }
  if (missing.length > 0) {
    const detail = `missing: ${names(missing)}; the first worker registers them where it may`;
    return { result: 'warning', detail, mend: create(missing).join('\n') };
  }
  return `all ${checks.length} are registered`;
}

/** `KEYWORD_LIST` of the SDK is `KeywordList` for the Temporal CLI. */
function cliType(type: string): string {
  return type
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('');
}

/** temporal.api.enums.v1.TaskQueueType */
const workflowTasks = 1;
const activityTasks = 2;

/** Temporal goes on listing a worker for minutes after it has ended; one that runs asks anew at least once a minute. */
const freshMs = 90_000;

async function pollers(client: Client, queue: string, taskQueueType: number): Promise<Finding | string> {
  const { namespace } = client.options;
  const { pollers } = await client.withDeadline(Date.now() + 5_000, () =>
    client.workflowService.describeTaskQueue({ namespace, taskQueue: { name: queue }, taskQueueType }),
  );
  const fresh = pollers.filter(
    ({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1_000 < freshMs,
  );
  if (fresh.length > 0) return `${fresh.length} ${fresh.length === 1 ? 'is' : 'are'} there`;
  return {
    result: 'warning',
    detail: 'nobody takes work from this queue',
    mend: 'run `sesamy-rule worker` (or `start`)',
  };
}
