/** The metrics of Temporal's SDK, as Prometheus scrapes them from a worker process. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { freePort } from '../src/temporal/ports.js';
import { type RunningCli, startCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { addressOf, aProfile } from './support/people.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';
import { traces } from './support/traces.js';

describe('the metrics of a worker process', function () {
  this.timeout(60_000);
  let system: System;
  let worker: RunningCli;
  let address: string;

  before(async () => {
    address = `127.0.0.1:${await freePort('127.0.0.1')}`;
    system = await startSystem({ workers: false, env: { SESAMY_RULE_METRICS_ADDRESS: address } });
    worker = await startCli(['worker'], { env: system.env });
  });
  after(async () => {
    assert.equal(await worker?.stop(), 0);
    await system?.close();
  });

  it('hold every name that the manual calls useful, of the vendor’s own queue', async () => {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    const body = JSON.stringify({ error: 'Invalid', message: `${addressOf(id)} is bad` });
    system.rule.faults.add({ kind: 'status', status: 400, method: 'PUT', body });
    system.sesamy.setPerson({ ...system.sesamy.person(id), profile: aProfile(id, { firstName: 'Changed' }) });
    await system.nudge(id, 'userVendor.1#update');
    assert.equal((await system.attempted(id, 2)).state, 'failed');

    const manual = readFileSync(new URL('../docs/operations.md', import.meta.url), 'utf8');
    const useful = [...manual.matchAll(/^\| `(temporal_\w+)` /gm)].map(([, name = '']) => name);
    assert.ok(useful.length >= 5, useful.join(', '));
    // A count that has never gone up is not served, and these never should: a vendor’s refusal is no mistake of the program.
    const mistakes = useful.filter((name) => name.endsWith('_failed'));
    assert.equal(mistakes.length, 2);
    const isServed = (text: string, name: string) => new RegExp(`^${name}(?:_bucket)?\\{`, 'm').test(text);
    await eventually(async () => {
      const answer = await fetch(`http://${address}/metrics`);
      assert.equal(answer.status, 200);
      const text = await answer.text();
      traces.metrics.push(text);
      assert.deepEqual(
        useful.filter((name) => !isServed(text, name)),
        mistakes,
        'names that are not served',
      );
      assert.match(text, /^temporal_activity_execution_latency_bucket\{.*task_queue="sesamy-rule\/daily"/m);
    });
  });
});
