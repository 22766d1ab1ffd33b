import assert from 'node:assert/strict';
import { eventually } from './support/eventually.js';
import { addressOf } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';
import { traces } from './support/traces.js';

/** An end is told as soon as it is seen; more than three of them pull the brake. */
const lifecycle = { endedWaitMs: 0, brake: { share: 0, atLeast: 3 } };

describe('the brake on ends of subscriptions', function () {
  this.timeout(90_000);
  let system: System;
  let readers: string[];

  before(async () => {
    system = await startSystem({ lifecycle });
    system.rule.addAutomation({ name: 'Goodbye', trigger: { type: 'TAG', name: 'sesamy_event_ended' } });
    readers = Array.from({ length: 8 }, () => aReader(system));
    for (const id of readers) await system.subscribers.resync(system.person(id));
    for (const id of readers) await system.attempted(id);
  });
  after(() => system.close());

  /** Starts of the flow on the end. */
  const told = () => system.rule.automationsStarted().filter(({ automation }) => automation === 'Goodbye');
  const rowsOf = (id: string) =>
    (system.rule.subscriber(addressOf(id))?.rows ?? []).filter(({ group }) => group === 'Sesamy_Event');
  const held = async () => {
    const ids: string[] = [];
    for await (const { userId } of system.subscribers.list({ query: "FailureType = 'lifecycle/held'" }))
      ids.push(userId);
    return ids;
  };
  const metric = async () => {
    const text = await (await fetch(new URL('/metrics', system.webhookUrl))).text();
    return /^sesamy_rule_ended_brake\{vendor="daily"\} (\d)$/m.exec(text)?.[1];
  };
  const logged = (text: string) => traces.logs.lines.filter((line) => line.includes(text)).length;

  it('lets the first few be told, holds the rest, lists them, and says so once', async () => {
    assert.equal(await metric(), '0');
    const before = logged('too many subscriptions seem to end at once');
    for (const id of readers) system.sesamy.endNow(contractOf(id));
    await eventually(async () => assert.ok((await held()).length > 0), { timeoutMs: 30_000 });
    for (const id of readers) await system.attempted(id, 2);
    const waiting = await held();
    assert.equal(waiting.length + told().length, readers.length, 'each is told or held');
    assert.ok(told().length <= 3 + 1, `${told().length} were told before the brake was on`);
    for (const id of waiting) assert.deepEqual(rowsOf(id), [], 'what is held is not in Rule');
    const status = await system.subscribers.brake(system.vendorId);
    assert.deepEqual([status?.on, status?.limit, status?.count], [true, 3, readers.length]);
    assert.equal(await metric(), '1');
    await eventually(() => assert.equal(logged('too many subscriptions seem to end at once'), before + 1));
    const [one] = waiting;
    assert.deepEqual(
      (await system.status(one ?? ''))?.waiting.map(({ held: what }) => what),
      ['ended'],
    );
  });

  it('who comes back while the end is held hears of neither', async () => {
    const [id] = await held();
    assert.ok(id);
    const starts = told().length;
    const ofAll = system.starts(id).length;
    system.sesamy.renew(contractOf(id));
    await system.attempted(id, 3);
    await eventually(() =>
      assert.deepEqual(
        rowsOf(id).map(({ values }) => values.Type),
        ['ended', 'returned'],
      ),
    );
    assert.equal(told().length, starts);
    assert.equal(system.starts(id).length, ofAll, 'nor do the state tags start anything that come back');
    const { tags = [] } = system.rule.subscriber(addressOf(id)) ?? {};
    assert.ok(tags.includes('sesamy_active_subscriber') && tags.includes('sesamy_stage_active'), tags.join(', '));
    await eventually(async () => assert.ok(!(await held()).includes(id)));
  });

  it('a person discards some and releases the others; then the brake is off, which is said once', async () => {
    const waiting = await held();
    const starts = told().length;
    const [mistaken, ...real] = waiting;
    assert.ok(mistaken && real.length > 0);
    await system.subscribers.decide(system.person(mistaken), 'discard', { what: 'ended' });
    await eventually(async () => assert.equal((await system.status(mistaken))?.told.at(-1)?.outcome, 'discarded'));
    await eventually(async () => assert.deepEqual((await held()).sort(), [...real].sort()));
    await system.subscribers.decideAll({ query: "FailureType = 'lifecycle/held'" }, 'release', { what: 'ended' });
    await eventually(() => assert.equal(told().length, starts + real.length), { timeoutMs: 20_000 });
    for (const id of real)
      assert.deepEqual(
        rowsOf(id).map(({ values }) => values.Type),
        ['ended'],
      );
    assert.deepEqual(rowsOf(mistaken), []);
    const before = logged('the brake is off');
    await system.subscribers.liftBrake(system.vendorId);
    await eventually(async () => assert.equal((await system.subscribers.brake(system.vendorId))?.on, false));
    assert.equal(await metric(), '0');
    await eventually(() => assert.equal(logged('the brake is off'), before + 1));
  });

  it('A32: everybody’s lists are empty for a while: the brake reports, nothing is removed and nobody is told', async () => {
    const running = Array.from({ length: 6 }, () => aReader(system));
    for (const id of running) await system.subscribers.resync(system.person(id));
    for (const id of running) await system.attempted(id);
    const starts = told().length;
    const tags = running.map((id) => system.rule.subscriber(addressOf(id))?.tags);
    for (const path of ['/management/contracts', '/management/entitlements']) {
      system.sesamy.faults.add({ kind: 'status', status: 200, body: '[]', path });
    }
    for (const id of running) await system.nudge(id, 'contract.1#update');
    for (const id of running) await system.attempted(id, 2);
    await eventually(async () => assert.equal((await system.subscribers.brake(system.vendorId))?.on, true));
    system.sesamy.faults.clear();
    for (const id of running) await system.nudge(id, 'contract.1#update');
    for (const id of running) await system.attempted(id, 3);
    assert.deepEqual(
      running.map((id) => system.rule.subscriber(addressOf(id))?.tags),
      tags,
    );
    assert.equal(told().length, starts);
  });
});
