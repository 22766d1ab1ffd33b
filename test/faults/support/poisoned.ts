/** Among many readers a few with whom nothing goes: they delay nobody, and can be listed with the reason. */
import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.js';
import { addressOf } from '../../support/people.js';
import { aReader } from '../../support/readers.js';
import { type System, startSystem } from '../../support/system.js';

/** Adds the tests, with so many readers. */
export function describePoisoned(people: number): void {
  describe(`A23: three poisoned readers among ${people}`, () => {
    let system: System;
    let well: string[];
    /** Rule refuses the address; Sesamy cannot show the contracts; Sesamy does not answer at all. */
    let refused: string;
    let broken: string;
    let silent: string;

    before(async () => {
      system = await startSystem();
      system.sesamy.webhooks.setTarget(undefined);
      // First in the queue, and in the way if anybody is.
      [refused = '', broken = '', silent = ''] = [
        aReader(system, { profile: { email: 'refused@poisoned.example.com' } }),
        aReader(system),
        aReader(system),
      ];
      system.rule.faults.add({
        kind: 'status',
        status: 400,
        method: 'POST',
        path: '/v2/subscribers$',
        times: 1,
        body: JSON.stringify({ error: 'InvalidEmail', message: 'bad', fields: { 'subscribers.email': 'bad' } }),
      });
      await system.nudge(refused, 'userVendor.1#new');
      await eventually(() => assert.deepEqual(system.rule.faults.list(), []));
      const user = (id: string) => `${id.slice(-24)}(?![0-9a-f])`;
      system.sesamy.faults.add({ kind: 'status', status: 500, path: `/management/contracts.*${user(broken)}` });
      system.sesamy.faults.add({ kind: 'latency', ms: 3_600_000, path: `/management/users/.*${user(silent)}` });
      for (const id of [broken, silent]) await system.nudge(id, 'userVendor.1#new');
      well = Array.from({ length: people }, () => aReader(system));
      await Promise.all(well.map((id) => system.nudge(id, 'userVendor.1#new')));
    });
    after(() => system?.close());

    it('everybody else is in Rule while the poisoned are still being tried', async () => {
      await eventually(
        () =>
          assert.deepEqual(
            well.filter((id) => !system.rule.subscriber(addressOf(id))),
            [],
          ),
        {
          timeoutMs: 300_000,
        },
      );
      for (const id of [broken, silent]) assert.equal(system.rule.subscriber(addressOf(id)), undefined);
    });

    it('each is listed with its state and reason, and shows the answer’s status; nobody else is', async () => {
      await eventually(
        async () => {
          const listed: [string, string | undefined][] = [];
          for (const state of ['failed', 'retrying'] as const)
            for await (const { userId, failureType } of system.subscribers.list({ state }))
              listed.push([`${state} ${userId}`, failureType]);
          assert.deepEqual(
            listed.sort(),
            [
              [`failed ${refused}`, 'rule/invalid'],
              [`retrying ${broken}`, 'sesamy/unavailable'],
              [`retrying ${silent}`, 'sesamy/unavailable'],
            ].sort(),
          );
        },
        { timeoutMs: 120_000 },
      );
      const failure = async (id: string) => (await system.status(id))?.failure;
      assert.equal((await failure(refused))?.status, 400);
      const { status, path } = (await failure(broken)) ?? {};
      assert.deepEqual([status, path], [500, '/management/contracts']);
      assert.equal((await failure(silent))?.path, '/management/users/{userId}');
    });
  });
}
