/** What is held, by the commands: listed, released, discarded; and the story of a reader's events. */
import assert from 'node:assert/strict';
import { emptyFolder, runCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { addressOf } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

interface Listing {
  total: number;
  subscribers: { userId: string; failureType?: string }[];
  brakes: { vendorId: string; on: boolean; count: number; limit: number }[];
}

describe('the commands for what is held', function () {
  this.timeout(120_000);
  let system: System;

  before(async () => {
    system = await startSystem({
      lifecycle: { endedWaitMs: 0, brake: { share: 0, atLeast: 1 } },
      receipts: { mode: 'transactional', from: { name: 'Daily Example', email: 'no-reply@example.com' } },
    });
  });
  after(() => system.close());

  const run = (...args: string[]) => runCli(args, { env: system.env, cwd: emptyFolder });

  async function known(): Promise<string> {
    const id = aReader(system);
    await system.subscribers.resync(system.person(id));
    await system.attempted(id);
    return id;
  }

  async function untilHeld(count: number): Promise<Listing> {
    let listing: Listing | undefined;
    await eventually(
      async () => {
        listing = (await run('list', '--held', '--json')).json<Listing>();
        assert.equal(listing.total, count);
      },
      { timeoutMs: 30_000 },
    );
    return listing as Listing;
  }

  it('nothing held: the list is empty, and deciding does nothing', async () => {
    assert.equal((await untilHeld(0)).brakes.length, 0);
    const released = await run('release', '--ended', '--yes', '--json');
    assert.equal(released.code, 0, released.stderr);
    assert.deepEqual(released.json(), { decision: 'release', total: 0, told: 0, notTold: 0 });
  });

  it('asks for what is meant, and asks before it decides for many', async () => {
    const neither = await run('release');
    assert.deepEqual([neither.code, neither.stdout], [2, '']);
    assert.match(neither.stderr, /--ended or --receipts/);
    const unknown = await run('discard', 'email|000000000000000000000bad', '--ended');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /is not known here/);
  });

  it('a receipt in doubt is listed and told in the reader’s story; discard settles it', async () => {
    const id = await known();
    system.rule.faults.add({ kind: 'hang-up', path: '/transactionals', times: 1, when: 'after' });
    system.sesamy.renew(contractOf(id));
    const { subscribers } = await untilHeld(1);
    assert.deepEqual(
      subscribers.map(({ userId, failureType }) => [userId, failureType]),
      [[id, 'receipt/in-doubt']],
    );
    const story = await run('status', id);
    assert.match(
      story.stdout,
      /receipt \(bill \w+\), happened .*: nobody knows whether it went out; sesamy-rule release or discard, --receipts/,
    );
    const discarded = await run('discard', id, '--receipts', '--json');
    assert.deepEqual((discarded.json() as { held: string[] }).held.length, 1);
    await untilHeld(0);
    assert.match((await run('status', id)).stdout, /receipt \(bill \w+\), happened .*: discarded by a person/);
    assert.equal(system.rule.transactions().length, 1);
  });

  it('held ends are listed with the brake and why; released for all at once, and the brake is off', async () => {
    const readers = [await known(), await known(), await known(), await known()];
    for (const id of readers) system.sesamy.endNow(contractOf(id));
    for (const id of readers) await system.attempted(id, 2);
    const listing = await untilHeld(readers.length - rowsOfAll(readers).length);
    assert.deepEqual(
      listing.brakes.map(({ vendorId, on, limit }) => [vendorId, on, limit]),
      [['daily', true, 1]],
    );
    const people = await run('list', '--held');
    assert.match(
      people.stderr,
      /The brake of daily is on since .*: 4 subscriptions seemed to end within an hour, more than 1\./,
    );
    const asked = await run('release', '--ended');
    assert.equal(asked.code, 2, 'nobody can be asked here');
    assert.match(asked.stderr, /add --yes/);
    const released = await run('release', '--ended', '--yes', '--json');
    assert.equal(released.code, 0, released.stderr);
    assert.equal((released.json() as { told: number }).told, listing.total);
    await eventually(() => assert.equal(rowsOfAll(readers).length, readers.length), { timeoutMs: 20_000 });
    assert.equal((await untilHeld(0)).brakes.length, 0);
    assert.match(
      (await run('status', readers[0] ?? '')).stdout,
      /ended \(Daily Example Digital\), happened .*: told: row and tag/,
    );
  });

  function rowsOfAll(ids: readonly string[]) {
    return ids.flatMap((id) =>
      (system.rule.subscriber(addressOf(id))?.rows ?? []).filter(({ values }) => values.Type === 'ended'),
    );
  }
});
