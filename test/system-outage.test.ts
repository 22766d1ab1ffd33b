/** Rule is away, or its answers are lost, while an event is told: with the real workflow and its retries, watched in Rule. */
import assert from 'node:assert/strict';
import type { Fault } from '../sandbox/common/faults.js';
import { eventually } from './support/eventually.js';
import { addressOf } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

const dayMs = 24 * 60 * 60_000;
const at = (days: number) => new Date(Date.now() + days * dayMs).toISOString();

interface Reader {
  id: string;
  ruleId: number;
}

async function known(system: System): Promise<Reader> {
  const id = aReader(system, { contract: { nextBillAt: at(-1) } });
  await system.subscribers.resync(system.person(id));
  await system.attempted(id);
  const ruleId = system.rule.subscriber(addressOf(id))?.id;
  assert.ok(ruleId);
  return { id, ruleId };
}

async function renew(system: System, { id }: Reader, days: number): Promise<void> {
  const held = system.sesamy.person(id);
  const contracts = (held?.contracts ?? []).map((one) => ({ ...one, updatedAt: at(0), nextBillAt: at(days) }));
  system.sesamy.setPerson({ ...held, contracts });
  await system.nudge(id, 'contract.1#update', { contractId: contractOf(id) });
}

/** Waits until so many events are told; a retry that is dated is made at once, as a person could ask for. */
async function untilTold(system: System, { id }: Reader, count: number): Promise<void> {
  await eventually(
    async () => {
      const status = await system.status(id);
      if (status?.state === 'retrying') await system.subscribers.sync(system.person(id));
      assert.deepEqual(
        [status?.told.map(({ outcome }) => outcome), status?.waiting, status?.state],
        [Array(count).fill('told'), [], 'ok'],
      );
    },
    { timeoutMs: 40_000, what: `${count} told` },
  );
}

function seen(system: System, { id, ruleId }: Reader) {
  const started = system.rule.automationsStarted().filter(({ subscriberId }) => subscriberId === ruleId);
  const rows = (system.rule.subscriber(addressOf(id))?.rows ?? []).map(({ values }) => values.Type);
  return { starts: started.length, rows };
}

const calls = {
  row: ({ ruleId }: Reader) => ({ method: 'POST', path: `/v3/custom-field-data/${ruleId}$` }),
  fire: ({ ruleId }: Reader) => ({ method: 'POST', path: `/v2/subscribers/${ruleId}/tags` }),
  'removal of the tag': ({ ruleId }: Reader) => ({ method: 'DELETE', path: `/v3/subscribers/${ruleId}/tags/` }),
  'recalculation of segments': ({ ruleId }: Reader) => ({ method: 'PUT', path: `/v3/subscribers/${ruleId}/tags` }),
};

/** More failures than the activity has attempts: the workflow takes over. */
const forAWhile = 5;
const faults: { name: string; fault: Fault }[] = [
  { name: 'answers 503 for a while', fault: { kind: 'status', status: 503, times: forAWhile } },
  { name: 'is done, but answers 503', fault: { kind: 'status', status: 503, when: 'after', times: 1 } },
  { name: 'hangs up for a while', fault: { kind: 'hang-up', times: forAWhile } },
  { name: 'is done, but hangs up', fault: { kind: 'hang-up', when: 'after', times: 1 } },
  { name: 'is done, but its answer breaks off', fault: { kind: 'cut-body', when: 'after', times: 1 } },
  { name: 'is done, but a proxy answers with a page', fault: { kind: 'html', status: 502, when: 'after', times: 1 } },
];

describe('Rule is away while an event is told', function () {
  this.timeout(90_000);
  let system: System;

  const start = async () => {
    const one = await startSystem({ timings: { extraLooksMs: [], recheckMs: 300 * dayMs } });
    one.rule.addAutomation({
      name: 'Renewed',
      trigger: { type: 'TAG', name: 'sesamy_event_renewed' },
      mails: [{ subject: 'Renewed', afterDays: 0 }],
    });
    return one;
  };
  const stories = faults.flatMap(({ name, fault }) =>
    Object.entries(calls).map(([call, point]) => ({ name: `the ${call} ${name}`, fault, point })),
  );
  const readers = new Map<string, Reader>();
  const readerOf = (name: string) => readers.get(name) as Reader;

  before(async () => {
    system = await start();
    await Promise.all(stories.map(async ({ name }) => readers.set(name, await known(system))));
    for (const [index, days] of [1, 31].entries()) {
      for (const { name, fault, point } of stories) system.rule.faults.add({ ...fault, ...point(readerOf(name)) });
      await Promise.all(stories.map(({ name }) => renew(system, readerOf(name), days)));
      await Promise.all(stories.map(({ name }) => untilTold(system, readerOf(name), index + 1)));
      // Of the first renewal there is no tag to be removed.
      if (index === 0) system.rule.faults.clear();
    }
  });
  after(() => system?.close());

  it('each fault has been met', () => assert.deepEqual(system.rule.faults.list(), []));

  for (const { name } of stories) {
    it(`${name}: two renewals start the flow twice, with two rows`, () => {
      assert.deepEqual(seen(system, readerOf(name)), { starts: 2, rows: ['renewed', 'renewed'] });
      assert.equal(system.rule.mails(addressOf(readerOf(name).id)).length, 2);
    });
  }

  for (const status of [429, 503]) {
    it(`${status} with Retry-After between row and tag: the tag comes once, later, and the row is not doubled`, async () => {
      const own = await start();
      try {
        const reader = await known(own);
        own.rule.faults.add({
          kind: 'status',
          status,
          headers: { 'retry-after': '7' },
          times: 1,
          ...calls.fire(reader),
        });
        await renew(own, reader, 1);
        await eventually(async () => assert.equal((await own.status(reader.id))?.state, 'retrying'));
        assert.deepEqual(seen(own, reader), { starts: 0, rows: ['renewed'] });
        const mark = own.rule.recorder.requests.length;
        await own.subscribers.sync(own.person(reader.id));
        if (status === 429)
          assert.equal(own.rule.recorder.requests.length, mark, 'the account is left alone meanwhile');
        await untilTold(own, reader, 1);
        assert.deepEqual(seen(own, reader), { starts: 1, rows: ['renewed'] });
      } finally {
        await own.close();
      }
    });
  }

  it('Rule blocks the account between row and tag: nothing is sent meanwhile, and the flow starts once after it', async () => {
    const own = await start();
    try {
      const reader = await known(own);
      const held = own.rule.faults.add({ kind: 'latency', ms: 400, times: 1, ...calls.fire(reader) });
      await renew(own, reader, 1);
      await eventually(() => assert.ok(!own.rule.faults.list().some(({ id }) => id === held)));
      own.rule.blockAccount({ seconds: 6, why: 'count' });
      await eventually(async () => assert.equal((await own.status(reader.id))?.state, 'retrying'));
      assert.deepEqual(seen(own, reader), { starts: 0, rows: ['renewed'] });
      const mark = own.rule.recorder.requests.length;
      await own.nudge(reader.id, 'userVendor.1#update');
      await own.subscribers.sync(own.person(reader.id));
      assert.equal(own.rule.recorder.requests.length, mark);
      await untilTold(own, reader, 1);
      assert.deepEqual(seen(own, reader), { starts: 1, rows: ['renewed'] });
    } finally {
      await own.close();
    }
  });
});
