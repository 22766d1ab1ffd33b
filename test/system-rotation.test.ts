/** A28: keys are rotated by the steps of docs/operations.md without a lost event. */
import assert from 'node:assert/strict';
import { eventually } from './support/eventually.js';
import { plantedKeys } from './support/markers.js';
import { addressOf } from './support/people.js';
import { type Publisher, type Publishers, startPublishers } from './support/publishers.js';
import { aReader } from './support/readers.js';

describe('A28: a key is rotated', function () {
  this.timeout(120_000);
  let all: Publishers;
  let daily: Publisher;

  before(async () => {
    all = await startPublishers(['daily']);
    daily = all.of('daily');
  });
  after(() => all.close());

  async function restartWorkers(): Promise<void> {
    await all.stopWorkers();
    await all.startWorkers();
  }

  async function known(): Promise<string> {
    const id = aReader(daily);
    await daily.nudge(id, 'userVendor.1#new');
    assert.equal((await daily.attempted(id)).state, 'ok');
    return id;
  }

  const ruleWrites = () => daily.rule.recorder.requests.filter(({ method }) => method !== 'GET').length;

  it('the webhook secret: both are taken while Sesamy changes over; afterwards the old one is refused', async () => {
    const old = daily.secrets.webhook;
    const next = `${plantedKeys.webhookSecret}-next`;
    daily.secrets.webhook = `${next},${old}`;
    await all.stopWebhook();
    await all.startWebhook();
    for (const secret of [old, next]) {
      const id = aReader(daily);
      assert.equal((await daily.nudge(id, 'userVendor.1#new', secret)).status, 202);
      await daily.attempted(id);
    }
    daily.secrets.webhook = next;
    await all.stopWebhook();
    await all.startWebhook();
    assert.equal((await daily.nudge(aReader(daily), 'userVendor.1#new', old)).status, 401);
    assert.equal((await daily.nudge(aReader(daily), 'userVendor.1#new', next)).status, 202);
  });

  it('Rule’s key: what came between the end of the old one and the start with the new one is done by itself', async () => {
    const id = await known();
    const next = `${plantedKeys.ruleKey}-next`;
    daily.rule.setApiKey(next);
    daily.sesamy.changeEmail(id, `rotated-${addressOf(id)}`);
    await daily.nudge(id, 'userVendor.1#update');
    const refused = await daily.attempted(id, 2);
    assert.deepEqual([refused.state, refused.failure?.type], ['retrying', 'rule/unauthorized']);
    daily.secrets.rule = next;
    await restartWorkers();
    await all.subscribers.resyncAll({ vendorId: 'daily', query: "SyncState = 'retrying'" });
    await eventually(() => assert.ok(daily.rule.subscriber(`rotated-${addressOf(id)}`)), { timeoutMs: 30_000 });
    assert.equal((await daily.attempted(id, 3)).state, 'ok');
  });

  it('Sesamy’s secret, with SESAMY_RULE_HASH_KEY set to the old one before: nobody is written again', async () => {
    const id = await known();
    const erased = await known();
    assert.ok((await all.subscribers.erase({ vendorId: 'daily', userId: erased })).erasedAt);
    const next = `${plantedKeys.clientSecret}-next`;
    all.env.SESAMY_RULE_HASH_KEY = daily.secrets.sesamy;
    daily.sesamy.replaceClientSecret(next);
    daily.secrets.sesamy = next;
    await restartWorkers();
    const before = ruleWrites();
    assert.equal((await all.subscribers.sync({ vendorId: 'daily', userId: id })).verdict, 'unchanged');
    assert.equal(ruleWrites(), before);
    const again = aReader(daily, { profile: { email: addressOf(erased) } });
    await daily.nudge(again, 'userVendor.1#new');
    assert.equal((await daily.attempted(again)).reason, 'erased-address', 'the erased stay erased');
  });

  it('Sesamy’s secret, with another hash key: everybody is written once more, silently, and that is all', async () => {
    const id = await known();
    all.env.SESAMY_RULE_HASH_KEY = `${plantedKeys.clientSecret}-another`;
    await restartWorkers();
    daily.rule.addAutomation({ name: 'On everybody', trigger: { type: 'TAG', name: 'sesamy' } });
    const started = daily.rule.automationsStarted().length;
    const person = { vendorId: 'daily', userId: id };
    assert.equal((await all.subscribers.sync(person)).verdict, 'updated');
    assert.equal((await all.subscribers.sync(person)).verdict, 'unchanged');
    assert.equal(daily.rule.automationsStarted().length, started);
  });
});
