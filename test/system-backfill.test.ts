import assert from 'node:assert/strict';
import type { BackfillProgress } from '../src/client.js';
import { eventually } from './support/eventually.js';
import { addressOf } from './support/people.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

/** Everything that a marketer could hang a flow on and that a backfill gives. */
const ourTags = ['sesamy', 'sesamy_active_subscriber', 'sesamy_stage_active', 'sesamy_stage_lapsed'];

describe('the backfill', function () {
  this.timeout(120_000);
  let system: System;
  afterEach(() => system.close());

  async function ended(): Promise<BackfillProgress> {
    let progress: BackfillProgress | undefined;
    await eventually(
      async () => {
        progress = await system.subscribers.backfill(system.vendorId);
        assert.ok(progress?.endedAt, JSON.stringify(progress));
      },
      { timeoutMs: 90_000, what: 'the end' },
    );
    return progress as unknown as BackfillProgress;
  }

  it('A1, A23: everybody is written and counted, a poisoned person is listed, no automation starts, the budget is kept and used', async () => {
    const people = 300;
    const rps = 50;
    system = await startSystem({
      sesamy: { population: { people, seed: 7 }, switches: { envelope: 'data' } },
      env: { SESAMY_RPS: String(rps) },
    });
    const poisoned = aReader(system);
    const address = aReader(system, {}, 'auth0|reader-of-an-address@example.com');
    for (const tag of ourTags) system.rule.addAutomation({ name: `On ${tag}`, trigger: { type: 'TAG', name: tag } });
    system.rule.faults.add({
      kind: 'status',
      status: 400,
      method: 'POST',
      path: '/v2/subscribers',
      skip: 20,
      times: 1,
      body: JSON.stringify({ error: 'InvalidEmail', message: 'no', fields: {} }),
    });
    assert.ok(poisoned && address);

    assert.equal(await system.subscribers.backfill(system.vendorId), undefined);
    assert.equal(await system.subscribers.startBackfill(system.vendorId), true);
    const report = await ended();
    console.log(JSON.stringify(report, undefined, 1));
    const reads = system.sesamy.recorder.requests.filter(({ method }) => method === 'GET');
    const per = new Map<string, number>();
    for (const { at } of reads) per.set(at.slice(14, 19), (per.get(at.slice(14, 19)) ?? 0) + 1);
    console.log([...per.values()].join(' '));
    console.log(reads.length, system.sesamy.recorder.busiestSecond(), system.rule.size);
    await system.rule.settled();
    assert.equal(system.rule.automationsStarted().length, 0);
  });
});
