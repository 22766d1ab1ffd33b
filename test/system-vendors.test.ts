/** A26: several vendors in one deployment; what happens to one leaves the others alone. */
import assert from 'node:assert/strict';
import { addressOf, nextId } from './support/people.js';
import { type Publisher, type Publishers, startPublishers } from './support/publishers.js';
import { aReader } from './support/readers.js';

describe('several vendors in one deployment', function () {
  this.timeout(120_000);
  let all: Publishers;
  let daily: Publisher;
  let weekly: Publisher;

  before(async () => {
    all = await startPublishers(['daily', 'weekly'], { requestsPerSecond: 12 });
    [daily, weekly] = [all.of('daily'), all.of('weekly')];
  });
  after(() => all.close());

  afterEach(() => {
    daily.sesamy.faults.clear();
    daily.rule.faults.clear();
  });

  it('one user id at both is two people: each arrives in the account of its vendor only', async () => {
    const id = aReader(daily);
    aReader(weekly, { profile: { email: `weekly-${addressOf(id)}` } }, id);
    assert.equal((await daily.nudge(id, 'userVendor.1#new')).status, 202);
    assert.equal((await weekly.nudge(id, 'userVendor.1#new')).status, 202);
    await Promise.all([daily.attempted(id), weekly.attempted(id)]);
    assert.deepEqual(
      [daily, weekly].map(({ rule }) => rule.subscribers().map(({ email }) => email)),
      [[addressOf(id)], [`weekly-${addressOf(id)}`]],
    );
  });

  it('the webhook secret of one opens nothing of the other', async () => {
    const id = aReader(weekly);
    assert.equal((await weekly.nudge(id, 'userVendor.1#new', daily.secrets.webhook)).status, 401);
    assert.equal(await weekly.status(id), undefined);
  });

  const troubles: [what: string, begin: (other: Publisher) => void][] = [
    ['Rule is down', ({ rule }) => rule.faults.add({ kind: 'status', status: 503 })],
    ['Rule’s key is refused', ({ rule }) => rule.faults.add({ kind: 'status', status: 401 })],
    ['Sesamy hangs', ({ sesamy }) => sesamy.faults.add({ kind: 'latency', ms: 6_000, path: '/management' })],
  ];
  for (const [what, begin] of troubles) {
    it(`A26: ${what} at one, with people waiting: a reader of the other is in step meanwhile`, async () => {
      begin(daily);
      const waiting = Array.from({ length: 12 }, () => aReader(daily));
      await Promise.all(waiting.map((id) => daily.nudge(id, 'userVendor.1#new')));
      const id = aReader(weekly);
      await weekly.nudge(id, 'userVendor.1#new');
      assert.equal((await weekly.attempted(id)).state, 'ok');
      assert.ok(weekly.rule.subscriber(addressOf(id)));
      const done = waiting.filter((one) => daily.rule.subscriber(addressOf(one)));
      assert.deepEqual(done, [], 'the trouble lasts');
    });
  }

  it('a vendor is taken out and put back by a rolling restart; the others go on, and what waits is done later', async () => {
    const id = aReader(weekly);
    await weekly.nudge(id, 'userVendor.1#new');
    await weekly.attempted(id);
    all.name('daily');
    await all.stopWorkers();
    await all.startWorkers();
    weekly.sesamy.changeEmail(id, `changed-${addressOf(id)}`);
    assert.equal((await weekly.nudge(id, 'userVendor.1#update')).status, 202, 'Temporal has it until a worker comes');
    const other = aReader(daily);
    await daily.nudge(other, 'userVendor.1#new');
    assert.equal((await daily.attempted(other)).state, 'ok');
    assert.equal((await weekly.status(id))?.attempts, 1);

    await all.stopWebhook();
    await all.startWebhook();
    const unknown = await weekly.nudge(nextId(), 'userVendor.1#new');
    assert.equal(unknown.status, 401, 'its secret opens nothing any more');

    all.name('daily', 'weekly');
    await all.stopWorkers();
    await all.startWorkers();
    await all.stopWebhook();
    await all.startWebhook();
    await weekly.attempted(id, 2);
    assert.ok(weekly.rule.subscriber(`changed-${addressOf(id)}`));
  });

  it('A26: a flood at one does not stand in the other’s way', async () => {
    const flood = Array.from({ length: 60 }, () => aReader(daily));
    await Promise.all(flood.map((id) => daily.nudge(id, 'userVendor.1#new')));
    const id = aReader(weekly);
    await weekly.nudge(id, 'userVendor.1#new');
    await weekly.attempted(id);
    const done = flood.filter((one) => daily.rule.subscriber(addressOf(one))).length;
    assert.ok(done < flood.length / 2, `${done} of the flood were done first`);
  });
});
