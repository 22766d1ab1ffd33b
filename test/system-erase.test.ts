/** Erasing races with whatever else happens to a reader; at the end of every order nobody is left in Rule. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { runCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { addressOf } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

const orders = 100;
const lanesAtOnce = 20;

/** What happens to a reader around the erasure, in any order. */
const happenings = ['webhook', 'cancel request', 'backfill', 'resync', 'address change', 'erase'] as const;
type Happening = (typeof happenings)[number];

describe('erasing a reader', function () {
  this.timeout(180_000);
  let system: System;

  before(async () => {
    system = await startSystem({ rule: {} });
  });
  after(() => system.close());

  const isGone = (id: string) =>
    system.rule.subscribers().every(({ fields }) => fields['Sesamy_User.ID']?.value !== id);

  async function happen(what: Happening, id: string): Promise<unknown> {
    switch (what) {
      case 'webhook':
        return system.nudge(id, 'contract.1#purchased', { contractId: contractOf(id) });
      case 'cancel request':
        return system.nudge(id, 'contract#cancelRequest', { contractId: contractOf(id) });
      case 'backfill':
        return system.subscribers.sync(system.person(id), { force: true });
      case 'resync':
        return system.subscribers.resync(system.person(id), { recreate: true });
      case 'address change':
        system.sesamy.changeEmail(id, `moved-${addressOf(id)}`);
        return undefined;
      case 'erase':
        return system.subscribers.erase(system.person(id));
    }
  }

  it(`A16: ${orders} random orders of webhooks, backfill, resync, an address change and the erasure: absent at the end of all`, async () => {
    const fault = system.rule.faults.add({ kind: 'latency', ms: 40, times: 300 });
    const order = fc.record({
      isKnown: fc.boolean(),
      steps: fc.shuffledSubarray([...happenings, 'webhook' as const], { minLength: happenings.length + 1 }),
      pauses: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 8, maxLength: 8 }),
    });
    const cases = fc.sample(order, { numRuns: orders, seed: 2026 });
    const lane = async (mine: typeof cases) => {
      for (const { isKnown, steps, pauses } of mine) {
        const id = aReader(system);
        if (isKnown) await system.subscribers.sync(system.person(id));
        const under: Promise<unknown>[] = [];
        for (const [index, step] of steps.entries()) {
          under.push(happen(step, id));
          await delay(pauses[index]);
        }
        await Promise.all(under);
        assert.ok((await system.status(id))?.erasure?.erasedAt, `${id}: ${steps.join(', ')}`);
        erased.push(id);
      }
    };
    const erased: string[] = [];
    const lanes = Array.from({ length: lanesAtOnce }, (_, lead) =>
      cases.filter((_case, index) => index % lanesAtOnce === lead),
    );
    await Promise.all(lanes.map(lane));
    system.rule.faults.remove(fault);
    assert.equal(erased.length, orders);
    // Whatever was on its way has come by now: everybody has had one more message.
    await Promise.all(erased.map((id) => system.nudge(id, 'userVendor.1#update')));
    await Promise.all(erased.map((id) => system.subscribers.sync(system.person(id), { force: true, recreate: true })));
    const left = erased.filter((id) => !isGone(id));
    assert.deepEqual(left, []);
    const held = new Set(system.rule.subscribers().map(({ email }) => email));
    const addresses = erased.flatMap((id) => [addressOf(id), `moved-${addressOf(id)}`]);
    assert.deepEqual(
      addresses.filter((address) => held.has(address)),
      [],
    );
  });

  it('Rule is down: nothing is written meanwhile, and it is done when Rule is back', async () => {
    const id = aReader(system);
    await system.subscribers.sync(system.person(id));
    const fault = system.rule.faults.add({ kind: 'status', status: 503, method: 'DELETE', times: 4 });
    const first = await system.subscribers.erase(system.person(id));
    assert.deepEqual([first.erasedAt, first.failure?.type], [undefined, 'rule/unavailable']);
    await system.nudge(id, 'contract.1#update', { contractId: contractOf(id) });
    assert.equal((await system.subscribers.sync(system.person(id), { force: true })).reason, 'erased');
    system.rule.faults.remove(fault);
    // The next try is dated; to be asked again by a person cuts the wait short.
    assert.ok((await system.subscribers.erase(system.person(id))).erasedAt);
    assert.ok(isGone(id));
  });

  it('a worker that is stopped and started again goes on with it', async () => {
    const id = aReader(system);
    await system.subscribers.sync(system.person(id));
    await system.stopWorkers();
    await assert.rejects(system.subscribers.erase(system.person(id), { timeoutMs: 1_000 }), { name: 'NoAnswerError' });
    assert.ok(!isGone(id));
    await system.startWorkers();
    await eventually(async () => assert.ok((await system.status(id))?.erasure?.erasedAt), { timeoutMs: 20_000 });
    assert.ok(isGone(id));
  });

  it('by command: asks first, says what was deleted and what stays, lists the erased, and can be taken back', async () => {
    const id = aReader(system);
    await system.subscribers.sync(system.person(id));
    const run = (...args: string[]) => runCli(args, { env: system.env });
    const unasked = await run('erase', id);
    assert.equal(unasked.code, 2);
    assert.match(unasked.stderr, /--yes/);
    assert.ok(!isGone(id));
    const refused = await run('erase', id, '--lift');
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /is not erased/);

    const done = await run('erase', id, '--yes');
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /is erased .*deleted in Rule: \d+/);
    assert.match(done.stdout, /On record/);
    assert.ok(isGone(id));
    const again = await run('erase', id, '--yes', '--json');
    assert.equal(again.code, 0, again.stderr);
    assert.ok(again.json<{ erasedAt?: string }>().erasedAt);
    const listed = (await run('list', '--state', 'erased', '--json')).json<{ subscribers: { userId: string }[] }>();
    assert.ok(listed.subscribers.some(({ userId }) => userId === id));
    assert.match((await run('status', id)).stdout, /erased: erased on request/);
    const resynced = await run('resync', id);
    assert.deepEqual([resynced.code, resynced.stdout], [1, '']);
    assert.match(resynced.stderr, /is erased on request: nothing is written\. .* --lift/);
    assert.match((await run('preview', id)).stdout, /Verdict +would not be written: erased on request/);

    assert.equal((await run('erase', id, '--lift')).code, 0);
    await eventually(async () => assert.equal(await system.subscribers.status(system.person(id)), undefined));
    assert.match((await run('erase', id, '--lift')).stderr, /is not erased: there is nothing to take back/);
    await eventually(async () => {
      assert.equal((await system.subscribers.sync(system.person(id))).verdict, 'created');
    });
    assert.ok(!isGone(id));
  });
});

describe('a webhook while the same reader waits in a long queue', function () {
  this.timeout(60_000);

  it('overtakes the reader’s own quiet attempt, which is done with it', async () => {
    const system = await startSystem({ env: { SESAMY_RPS: '4' } });
    try {
      const ids = Array.from({ length: 20 }, () => aReader(system));
      const [last = ''] = ids.slice(-1);
      for (const id of ids) await system.subscribers.resync(system.person(id));
      await system.nudge(last, 'contract.1#purchased', { contractId: contractOf(last) });
      const status = await system.attempted(last);
      const done = await Promise.all(ids.map(async (id) => (await system.status(id))?.attempts ?? 0));
      assert.ok(done.filter((attempts) => attempts > 0).length < ids.length / 2, `done: ${done.join(' ')}`);
      assert.equal(status.trail.length, 1);
      assert.deepEqual([...(status.trail[0]?.why ?? [])].sort(), ['purchased', 'resync']);
    } finally {
      await system.close();
    }
  });
});
