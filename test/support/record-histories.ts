/**
 * `npm run record-histories [name …]`: lives short lives of invented people on a real server and writes their histories to
 * test/histories. To be run when the workflow gains a path that no recorded history takes; those that exist are left as they are.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { BackfillKind } from '../../src/client.js';
import { auditWorkflowId, workflowTaskQueue } from '../../src/contract/index.js';
import { ensureReconcileSchedule } from '../../src/reconcile-schedule.js';
import { installRuntime } from '../../src/runtime.js';
import { eventually } from './eventually.js';
import { aContract, addressOf, anEntitlement, aProfile } from './people.js';
import { aReader, contractOf } from './readers.js';
import { type System, startSystem } from './system.js';
import { stopSharedTemporal, temporalCli } from './temporal.js';
import { traceLogger } from './traces.js';

/** Answers the user id of whose workflow it is, or the id of another workflow. */
type Life = (system: System) => Promise<string>;

const ended = ({ subscribers, vendorId }: System, kind: BackfillKind) =>
  eventually(async () => assert.ok((await subscribers.backfill(vendorId, kind))?.endedAt), { timeoutMs: 60_000 });

const lives: Record<string, Life> = {
  async 'first-sync'(system) {
    const id = aReader(system);
    await system.nudge(id, 'contract.1#purchased');
    await system.attempted(id);
    return id;
  },
  async changes(system) {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    const contract = contractOf(id);
    system.sesamy.setPerson({
      profile: aProfile(id, { firstName: 'Renamed' }),
      contracts: [aContract(id, contract, { willCancelAt: '2027-01-15T10:00:00Z' })],
      entitlements: [anEntitlement('e', contract)],
    });
    await system.nudge(id, 'contract#cancelRequest', { contractId: contract });
    await system.attempted(id, 2);
    await system.nudge(id, 'entitlement.1#update');
    await system.attempted(id, 3);
    return id;
  },
  async guest(system) {
    const id = aReader(system, { profile: { emailVerified: false } });
    await system.nudge(id, 'checkout.1#confirm');
    await system.attempted(id);
    system.sesamy.confirm(id);
    await system.attempted(id, 2);
    return id;
  },
  async 'failed-then-resync'(system) {
    const id = aReader(system);
    const fault = system.rule.faults.add({
      kind: 'status',
      status: 400,
      method: 'POST',
      path: '/v2/subscribers',
      body: JSON.stringify({ error: 'InvalidEmail', message: 'no', fields: {} }),
    });
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    system.rule.faults.remove(fault);
    await system.subscribers.resync(system.person(id));
    await system.attempted(id, 2);
    return id;
  },
  async outage(system) {
    const id = aReader(system);
    const fault = system.rule.faults.add({ kind: 'status', status: 503 });
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    await system.nudge(id, 'userVendor.1#update');
    system.rule.faults.remove(fault);
    await system.subscribers.sync(system.person(id));
    await system.attempted(id, 2);
    return id;
  },
  /** Events found and told, one delivery that has to be tried again, and a receipt in doubt that is discarded. */
  async lifecycle(system) {
    const id = aReader(system);
    await system.subscribers.resync(system.person(id));
    await system.attempted(id);
    system.sesamy.renew(contractOf(id));
    await system.attempted(id, 2);
    system.rule.faults.add({ kind: 'status', status: 503, method: 'POST', path: '/tags' });
    system.sesamy.failPayment(contractOf(id));
    await eventually(async () => assert.equal((await system.status(id))?.state, 'retrying'));
    system.rule.faults.clear();
    await system.subscribers.sync(system.person(id));
    await system.attempted(id, 4);
    system.sesamy.cancel(contractOf(id));
    await system.attempted(id, 5);
    system.sesamy.regret(contractOf(id));
    await system.attempted(id, 6);
    await system.subscribers.decide(system.person(id), 'discard');
    return id;
  },
  /** A pause, an outage that is waited out, somebody who fails, and people who are begun once more. */
  async backfill(system) {
    const { subscribers, vendorId, sesamy, rule } = system;
    for (let person = 0; person < 60; person += 1) aReader(system);
    rule.faults.add({ kind: 'status', status: 400, method: 'POST', path: '/v2/subscribers', skip: 8, times: 1 });
    await subscribers.startBackfill(vendorId, { by: 'operator' });
    await eventually(() => assert.ok(rule.size > 10));
    await subscribers.pauseBackfill(vendorId);
    const fault = sesamy.faults.add({ kind: 'status', status: 403, path: '/management/contracts' });
    await subscribers.resumeBackfill(vendorId);
    await eventually(async () => assert.equal((await subscribers.backfill(vendorId))?.stage, 'waiting'), {
      timeoutMs: 60_000,
    });
    sesamy.faults.remove(fault);
    await subscribers.resumeBackfill(vendorId);
    await ended(system, 'backfill');
    return `backfill/${vendorId}`;
  },
  async reconcile(system) {
    const { subscribers, vendorId } = system;
    const known = aReader(system);
    await subscribers.sync(system.person(known));
    await eventually(async () => assert.equal(await subscribers.count({ vendorId }), 1));
    aReader(system);
    await subscribers.startBackfill(vendorId, { by: 'operator' }, 'reconcile');
    await ended(system, 'reconcile');
    return `reconcile/${vendorId}`;
  },
  async 'reconcile-by-schedule'(system) {
    const { client, vendorId } = system;
    aReader(system);
    await ensureReconcileSchedule(client, vendorId, 24);
    const handle = client.schedule.getHandle(`reconcile/${vendorId}`);
    await handle.trigger();
    await ended(system, 'reconcile');
    const [action] = (await handle.describe()).info.recentActions;
    return action?.action.workflow.workflowId ?? assert.fail('nothing was started');
  },
  /** An audit that finds a reader to mend and a surplus one, and its repair. */
  async audit(system) {
    const ids = [aReader(system), aReader(system)];
    await Promise.all(ids.map((id) => system.subscribers.resync(system.person(id))));
    for (const id of ids) await system.attempted(id);
    system.rule.removeTag(addressOf(ids[0] ?? ''), 'sesamy_active_subscriber');
    system.rule.addSubscriber({ email: 'stray@example.com', tags: ['sesamy', 'sesamy_stage_active'] });
    await eventually(async () => assert.equal(await system.subscribers.count({}), ids.length));
    await system.subscribers.startAudit(system.vendorId, { repair: true });
    await eventually(async () => assert.equal((await system.subscribers.audit(system.vendorId))?.phase, 'done'));
    return auditWorkflowId(system.vendorId);
  },
  /** One that is stopped in an outage, begun again, and goes on in a second run. */
  async 'audit-continued'(system) {
    const ids = Array.from({ length: 4 }, () => aReader(system));
    await Promise.all(ids.map((id) => system.subscribers.resync(system.person(id))));
    for (const id of ids) await system.attempted(id);
    await eventually(async () => assert.equal(await system.subscribers.count({}), ids.length));
    const fault = system.sesamy.faults.add({ kind: 'status', status: 503 });
    await system.client.workflow.signalWithStart('audit', {
      workflowId: auditWorkflowId(system.vendorId),
      taskQueue: workflowTaskQueue,
      args: [{ vendorId: system.vendorId, eventsPerRun: 40 }],
      signal: 'begin',
    });
    const report = () => system.subscribers.audit(system.vendorId);
    await eventually(async () => assert.ok((await report())?.waiting), { timeoutMs: 30_000 });
    await system.subscribers.stopAudit(system.vendorId);
    await eventually(async () => assert.equal((await report())?.phase, 'stopped'));
    system.sesamy.faults.remove(fault);
    await system.subscribers.startAudit(system.vendorId);
    await eventually(async () => assert.equal((await report())?.phase, 'done'));
    return auditWorkflowId(system.vendorId);
  },
  async 'continued-as-new'(system) {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    const handle = system.client.workflow.getHandle(`subscriber/${system.vendorId}/${id}`);
    const first = (await handle.describe()).runId;
    for (let attempt = 2; (await handle.describe()).runId === first; attempt += 1) {
      await system.nudge(id, 'userVendor.1#update', {
        occured_at: new Date(Date.UTC(2026, 0, 1) + attempt * 60_000).toISOString(),
      });
      await system.attempted(id, attempt);
    }
    await system.subscribers.sync(system.person(id));
    return id;
  },
};

/** Leaves out where a history was recorded: file names of stack traces, the machine's name. Replays read neither. */
function withoutMachine(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return undefined;
  return typeof value === 'string' && /^\d+@/.test(value) ? 'recorded' : value;
}

/** By Temporal's own CLI: the form that its UI downloads and that replays read. */
async function show({ env }: System, workflowId: string, runId: string): Promise<string> {
  const place = ['--address', env.TEMPORAL_ADDRESS ?? '', '--namespace', env.TEMPORAL_NAMESPACE ?? ''];
  const { stdout } = await promisify(execFile)(
    await temporalCli(),
    ['workflow', 'show', '--workflow-id', workflowId, '--run-id', runId, '--output', 'json', ...place],
    { maxBuffer: 50_000_000 },
  );
  return JSON.stringify(JSON.parse(stdout, withoutMachine), undefined, 1);
}

/** Writes a run's history when it has come to its end or to rest. */
async function write(name: string, system: System, workflowId: string, runId: string): Promise<void> {
  let json = '';
  await eventually(async () => {
    json = await show(system, workflowId, runId);
    const { events } = JSON.parse(json) as { events: { eventType: string }[] };
    // At rest: nothing is scheduled that is not done.
    const ends = ['TIMER_STARTED', 'UPDATE_COMPLETED', 'CONTINUED_AS_NEW', 'EXECUTION_COMPLETED'];
    assert.ok(
      ends.some((end) => events.at(-1)?.eventType.endsWith(end)),
      events.at(-1)?.eventType,
    );
  });
  writeFileSync(new URL(`../histories/${name}.json`, import.meta.url), `${json}\n`);
  console.log(`${name}: ${json.length} bytes`);
}

const runtime = installRuntime(traceLogger());
const wanted = process.argv.slice(2);
/** In these something has to happen in the middle. */
const slow = ['backfill'];
for (const [name, live] of Object.entries(lives)) {
  const file = new URL(`../histories/${name}.json`, import.meta.url);
  if (wanted.length > 0 ? !wanted.includes(name) : existsSync(file)) continue;
  const system = await startSystem(slow.includes(name) ? { env: { SESAMY_RPS: '12' } } : {});
  const id = await live(system);
  const workflowId = id.includes('/') ? id : `subscriber/${system.vendorId}/${id}`;
  const { runId } = await system.client.workflow.getHandle(workflowId).describe();
  await write(name, system, workflowId, runId);
  for await (const run of system.client.workflow.list({
    query: `WorkflowId = '${workflowId}' AND ExecutionStatus = 'ContinuedAsNew'`,
  })) {
    await write(`${name}-first-run`, system, workflowId, run.runId);
  }
  await system.close();
}
await stopSharedTemporal();
await runtime.shutdown();
