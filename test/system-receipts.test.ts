import assert from 'node:assert/strict';
import { eventually } from './support/eventually.js';
import { planted } from './support/markers.js';
import { addressOf } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

const from = { name: 'Daily Example', email: 'no-reply@example.com' };

function receiptRows(system: System, id: string) {
  return (system.rule.subscriber(addressOf(id))?.rows ?? []).filter(({ group }) => group === 'Sesamy_Receipt');
}

/** A reader whom the program knows, with nothing paid yet. */
async function known(system: System, profile: Record<string, unknown> = {}): Promise<string> {
  const id = aReader(system, { profile });
  await system.subscribers.resync(system.person(id));
  await system.attempted(id);
  return id;
}

describe('receipts by the marketer’s automation', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem();
    system.rule.addAutomation({ name: 'Receipt', trigger: { type: 'TAG', name: 'sesamy_event_receipt' } });
  });
  after(() => system.close());

  it('a paid bill is a row with date, amount, currency, lines and link, and starts the flow once', async () => {
    const id = await known(system);
    const bought = system.sesamy.renew(contractOf(id));
    await eventually(() => assert.equal(receiptRows(system, id).length, 1));
    const bill = system.sesamy.person(id)?.bills.at(-1);
    assert.deepEqual(receiptRows(system, id)[0]?.values, {
      Id: bill?.id,
      Date: bill?.createdAt.slice(0, 10),
      Amount: `${bought.price}.00`,
      Currency: 'SEK',
      Lines: 'Daily Example Digital',
      Url: bill?.receiptUrl,
    });
    await system.attempted(id, 2);
    await system.nudge(id, 'contract.1#update');
    await system.attempted(id, 3);
    assert.equal(receiptRows(system, id).length, 1);
    assert.equal(system.rule.automationsStarted().length, 1);
  });

  it('a refund makes no receipt, and what was refunded before anybody looked has none', async () => {
    const id = await known(system);
    const starts = system.rule.automationsStarted().length;
    system.sesamy.webhooks.pause();
    system.sesamy.renew(contractOf(id));
    const bill = system.sesamy.person(id)?.bills.at(-1);
    assert.ok(bill);
    system.sesamy.refund(bill.id);
    system.sesamy.webhooks.resume();
    await system.attempted(id, 2);
    assert.deepEqual(receiptRows(system, id), []);
    assert.equal(system.rule.automationsStarted().length, starts);
  });
});

describe('receipts that are off', function () {
  this.timeout(60_000);

  it('cost no read of transactions, and there are none', async () => {
    const system = await startSystem({ receipts: { mode: 'off' } });
    const id = await known(system);
    const mark = system.sesamy.recorder.requests.length;
    system.sesamy.renew(contractOf(id));
    const status = await system.attempted(id, 2);
    assert.deepEqual(
      status.told.map(({ event }) => event.type),
      [],
    );
    assert.ok(!system.sesamyReads(mark).some((read) => read.includes('transactions')));
    assert.deepEqual(receiptRows(system, id), []);
    await system.close();
  });
});

describe('receipts as mails of their own', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem({ receipts: { mode: 'transactional', from } });
  });
  after(() => system.close());

  const mailsTo = (id: string) => system.rule.transactions().filter(({ to }) => to === addressOf(id));
  const decoded = (content: string) => Buffer.from(content, 'base64').toString('utf8');

  it('one mail for a bill, in the reader’s language, claimed by a row; no tag', async () => {
    const id = await known(system, { locale: 'en-GB' });
    system.sesamy.renew(contractOf(id));
    await eventually(() => assert.equal(mailsTo(id).length, 1));
    const [mail] = mailsTo(id);
    const body = mail?.body as { subject: string; from: typeof from; content: { html: string; plain: string } };
    assert.equal(body.subject, 'Your receipt from Daily Example');
    assert.deepEqual(body.from, from);
    assert.match(decoded(body.content.html), new RegExp(`Hello ${planted.firstName}!`));
    assert.match(decoded(body.content.plain), /Daily Example Digital/);
    assert.equal(receiptRows(system, id).length, 1);
    await system.nudge(id, 'contract.1#update');
    const status = await system.attempted(id, 3);
    assert.equal(mailsTo(id).length, 1);
    assert.equal(status.told.at(-1)?.outcome, 'sent');
    assert.ok(!system.rule.subscriber(addressOf(id))?.tags.includes('sesamy_event_receipt'));
  });

  it('Rule refuses for a while: sent once it takes it, once', async () => {
    const id = await known(system);
    system.rule.faults.add({
      kind: 'status',
      status: 429,
      path: '/transactionals',
      times: 1,
      headers: { 'retry-after': '1' },
    });
    system.sesamy.renew(contractOf(id));
    await eventually(async () => assert.equal((await system.status(id))?.state, 'retrying'));
    await system.subscribers.sync(system.person(id));
    await eventually(() => assert.equal(mailsTo(id).length, 1), { timeoutMs: 20_000 });
    assert.equal(receiptRows(system, id).length, 1);
  });

  it('the answer is lost: in doubt, listed, and not sent again until a person releases it', async () => {
    const id = await known(system);
    system.rule.faults.add({ kind: 'hang-up', path: '/transactionals', times: 1, when: 'after' });
    system.sesamy.renew(contractOf(id));
    await eventually(async () => assert.equal((await system.status(id))?.waiting[0]?.held, 'receipt'));
    const listed = async () => {
      const ids: string[] = [];
      for await (const { userId } of system.subscribers.list({ query: "FailureType = 'receipt/in-doubt'" }))
        ids.push(userId);
      return ids;
    };
    await eventually(async () => assert.deepEqual(await listed(), [id]));
    await system.nudge(id, 'contract.1#update');
    await system.attempted(id, 3);
    assert.equal(mailsTo(id).length, 1, 'it had gone out');
    await system.subscribers.decide(system.person(id), 'release', { what: 'receipt' });
    await eventually(() => assert.equal(mailsTo(id).length, 2));
    await eventually(async () => assert.deepEqual(await listed(), []));
    assert.equal(receiptRows(system, id).length, 1);
  });

  it('a person who knows that it went out discards it', async () => {
    const id = await known(system);
    system.rule.faults.add({ kind: 'hang-up', path: '/transactionals', times: 1, when: 'after' });
    system.sesamy.renew(contractOf(id));
    await eventually(async () => assert.equal((await system.status(id))?.waiting[0]?.held, 'receipt'));
    await system.subscribers.decide(system.person(id), 'discard', { what: 'receipt' });
    await eventually(async () => assert.equal((await system.status(id))?.told.at(-1)?.outcome, 'discarded'));
    assert.equal(mailsTo(id).length, 1);
  });
});
