import assert from 'node:assert/strict';
import { type RuleSandbox, startRuleSandbox } from '../sandbox/rule/index.js';
import { VendorError } from '../src/http/errors.js';
import {
  type AccountGate,
  createAccountGate,
  createRuleClient,
  type RuleClient,
  type RuleMail,
} from '../src/rule/index.js';

const email = 'kim@example.com';

/** The one call that may start automations. */
const fireCall = 'POST /v2/subscribers/{identifier}/tags';

describe('the Rule client against the stand-in', () => {
  let sandbox: RuleSandbox;
  let gate: AccountGate;
  let client: RuleClient;

  beforeEach(async () => {
    sandbox = await startRuleSandbox({ switches: { jobDelayMs: 1 } });
    gate = createAccountGate({ random: () => 0 });
    client = createRuleClient({ apiUrl: sandbox.url, apiKey: sandbox.apiKey, gate });
  });

  afterEach(async () => {
    await client.close();
    await sandbox.close();
    assert.deepEqual(sandbox.recorder.violations, []);
    const started = sandbox.automationsStarted().filter(({ call }) => call !== fireCall);
    assert.deepEqual(started, [], 'every call of the client but one is silent');
  });

  async function failure(work: Promise<unknown>): Promise<VendorError> {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof VendorError, `expected a VendorError, got ${error}`);
    return error;
  }

  const held = (reference: string | number = email) => {
    const subscriber = sandbox.subscriber(reference);
    assert.ok(subscriber);
    return subscriber;
  };

  it('creates and updates a subscriber by address, with fields of each type and tags', async () => {
    sandbox.addAutomation({ name: 'welcome', trigger: { type: 'TAG', name: 'sesamy' } });
    const created = await client.upsertByEmail({
      email,
      tags: ['sesamy', 'sesamy_active_subscriber'],
      fields: [
        { key: 'Subscriber.FirstName', value: 'Åsa', type: 'text' },
        { key: 'Sesamy_User.Created', value: '2026-01-01', type: 'date' },
        { key: 'Sesamy_Subscription.At', value: '2026-01-01 10:00:00', type: 'datetime' },
        { key: 'Sesamy_ActiveProducts.SKU', value: ['a', 'b'], type: 'multiple' },
      ],
    });
    assert.equal(created.id, held().id);
    assert.deepEqual([created.email, created.suppressed], [email, false]);
    assert.deepEqual(created.tags?.sort(), ['sesamy', 'sesamy_active_subscriber']);
    assert.deepEqual(held().fields['Sesamy_ActiveProducts.SKU'], { type: 'multiple', value: ['a', 'b'] });

    const fields = [{ key: 'Subscriber.FirstName', value: '', type: 'text' as const }];
    const again = await client.upsertByEmail({ email, fields, tags: ['sesamy'] });
    assert.equal(again.id, created.id);
    assert.equal(held().fields['Subscriber.FirstName'], undefined);
  });

  it('updates by id, address included, and calls a taken address by its name', async () => {
    const { id } = sandbox.addSubscriber({ email, tags: ['sesamy'] });
    sandbox.addSubscriber({ email: 'alex@example.com' });
    const fields = [{ key: 'Subscriber.LastName', value: 'Berg', type: 'text' as const }];
    const updated = await client.update(id, { email: 'kim.new@example.com', fields });
    assert.deepEqual([updated.id, updated.email, updated.tags], [id, 'kim.new@example.com', ['sesamy']]);
    assert.equal(held(id).fields['Subscriber.LastName']?.value, 'Berg');
    for (const status of [409, 422, 400] as const) {
      sandbox.switches.putTakenStatus = status;
      assert.equal(
        (await failure(client.update(id, { email: 'alex@example.com' }))).type,
        'rule/email-taken',
        `${status}`,
      );
    }
    assert.equal((await failure(client.update(4711, { fields }))).type, 'rule/not-found');
  });

  it('names the field that Rule refuses, on both writes', async () => {
    const { id } = sandbox.addSubscriber({ email });
    sandbox.defineField('Sesamy_User.Created', 'date');
    const fields = [
      { key: 'Subscriber.FirstName', value: 'Kim', type: 'text' as const },
      { key: 'Sesamy_User.Created', value: 'yesterday', type: 'date' as const },
    ];
    for (const work of [client.update(id, { fields }), client.upsertByEmail({ email, fields, tags: ['sesamy'] })]) {
      const error = await failure(work);
      assert.deepEqual([error.type, error.next], ['rule/invalid', 'fix-data']);
      assert.deepEqual(Object.keys(error.fields ?? {}), ['Sesamy_User.Created']);
    }
  });

  it('adds tags silently, and recalculates segments only where asked for', async () => {
    const { id } = sandbox.addSubscriber({ email });
    sandbox.addAutomation({ name: 'on tag', trigger: { type: 'TAG', name: 'a' } });
    sandbox.addSegment({ name: 'has a', condition: { tag: 'a' } });
    await client.addTags(id, ['a', 'b'], { recalculateSegments: false });
    assert.deepEqual([held().tags.sort(), held().segments], [['a', 'b'], []]);
    await client.addTags(id, ['b'], { recalculateSegments: true });
    assert.deepEqual(held().segments, ['has a']);
    assert.equal((await failure(client.addTags(4711, ['a'], { recalculateSegments: false }))).type, 'rule/not-found');
  });

  it('removes and lists tags, and keeps a blocked person blocked', async () => {
    const { id } = sandbox.addSubscriber({ email, tags: ['a', 'b', 'theirs'], blocked: true });
    await client.removeTags(id, ['a', 'b']);
    await sandbox.settled();
    assert.deepEqual(await client.listTags(id), ['theirs']);
    await client.addTags(id, ['c'], { recalculateSegments: true });
    assert.equal(held().blocked, true);
  });

  it('starts automations by fire alone, and again each time it is asked', async () => {
    const { id } = sandbox.addSubscriber({ email });
    const tag = 'sesamy_event_renewed';
    sandbox.addAutomation({ name: 'renewed', trigger: { type: 'TAG', name: tag } });
    await client.addTags(id, [tag], { recalculateSegments: true });
    await client.removeTag(id, tag);
    assert.deepEqual(sandbox.automationsStarted(), []);
    await client.fire(id, [tag, 'sesamy_stage_active']);
    assert.deepEqual(held().tags.sort(), [tag, 'sesamy_stage_active']);
    await client.fire(id, [tag]);
    await client.removeTag(id, tag);
    await client.fire(id, [tag]);
    assert.deepEqual(
      sandbox
        .automationsStarted()
        .map(({ automation, subscriberId, mode, pass }) => [automation, subscriberId, mode, pass]),
      ['first', 'restart', 'again'].map((pass) => ['renewed', id, 'reset', pass]),
    );
    assert.equal((await failure(client.fire(4711, [tag]))).type, 'rule/not-found');
  });

  it('keeps a blocked person blocked when it fires', async () => {
    const { id } = sandbox.addSubscriber({ email, blocked: true });
    sandbox.addAutomation({ name: 'ended', trigger: { type: 'TAG', name: 'sesamy_event_ended' } });
    await client.fire(id, ['sesamy_event_ended']);
    assert.equal(held().blocked, true);
    assert.deepEqual(sandbox.unblocks(), []);
    assert.deepEqual(
      sandbox.automationsStarted().map(({ withheld }) => withheld),
      ['blocked'],
    );
  });

  for (const tagNotHeld of ['not-found', 'success'] as const) {
    it(`removes one tag at once, whether one that is not held is answered ${tagNotHeld}`, async () => {
      sandbox.switches.tagNotHeld = tagNotHeld;
      sandbox.addSegment({ name: 'has a', condition: { tag: 'a' } });
      const { id } = sandbox.addSubscriber({ email });
      await client.addTags(id, ['a', 'å ä/ö', 'theirs'], { recalculateSegments: true });
      await client.removeTag(id, 'a');
      await client.removeTag(id, 'å ä/ö');
      assert.deepEqual([held().tags, held().segments], [['theirs'], ['has a']]);
      await client.removeTag(id, 'a');
      await client.removeTag(id, 'nobody_has_this');
      await client.removeTag(4711, 'a');
      assert.deepEqual(held().tags, ['theirs']);
    });
  }

  it('appends a row for each event, and finds it by its id', async () => {
    const { id } = sandbox.addSubscriber({ email });
    const values = { ID: 'renewed/c1/2026-01-01', Type: 'renewed', Product: 'Nyheter på nätet', Empty: '' };
    const where = { group: 'Sesamy_Event', field: 'ID', value: values.ID };
    assert.equal(await client.findRow(id, where), false);
    await client.appendRow(id, { group: 'Sesamy_Event', values });
    await client.appendRow(id, { group: 'Sesamy_Event', values: { ...values, ID: 'ended/c1/2026-02-01' } });
    const { Empty: _, ...kept } = values;
    assert.deepEqual(
      held().rows.map((one) => [one.group, one.values]),
      [
        ['Sesamy_Event', kept],
        ['Sesamy_Event', { ...kept, ID: 'ended/c1/2026-02-01' }],
      ],
    );
    assert.equal(await client.findRow(id, where), true);
    assert.equal(await client.findRow(id, { ...where, value: 'ended/c1/2026-02-02' }), false);
    assert.equal(await client.findRow(id, { ...where, group: 'Sesamy_Receipt' }), false);
    assert.deepEqual(await client.readFields(id), {});
    assert.equal(await client.findRow(4711, where), false);
    assert.equal((await failure(client.appendRow(4711, { group: 'Sesamy_Event', values }))).type, 'rule/not-found');
  });

  const mail: RuleMail = {
    name: 'Kvitto',
    subject: 'Ditt kvitto på köpet',
    from: { name: 'Dagbladet', email: 'no-reply@example.com' },
    to: { name: 'Åsa Öberg', email },
    html: '<p>Åsa läser i sjön för 99 €</p>',
    text: 'Åsa läser i sjön för 99 €',
  };

  it('sends an e-mail whose contents come out as they went in', async () => {
    const id = await client.sendEmail(mail);
    const { name: _, ...nameless } = mail.to;
    assert.notEqual(await client.sendEmail({ ...mail, to: nameless }), id);
    const [transaction, second] = sandbox.transactions();
    assert.ok(transaction);
    assert.deepEqual(
      [transaction.id, transaction.to, transaction.name, transaction.subject],
      [id, email, mail.name, mail.subject],
    );
    const { content } = transaction.body as { content: { html: string; plain: string } };
    const decode = (text: string) => Buffer.from(text, 'base64').toString('utf8');
    assert.deepEqual([decode(content.html), decode(content.plain)], [mail.html, mail.text]);
    assert.equal(second?.to, email);
    const error = await failure(client.sendEmail({ ...mail, to: { email: 'not an address' } }));
    assert.deepEqual([error.type, error.unknownOutcome], ['rule/invalid', false]);
  });

  it('says of a write whose answer was lost that it may have been done, and lets the caller find out', async () => {
    const { id } = sandbox.addSubscriber({ email });
    sandbox.addAutomation({ name: 'ended', trigger: { type: 'TAG', name: 'sesamy_event_ended' } });
    const writes = [
      () => client.fire(id, ['sesamy_event_ended']),
      () => client.appendRow(id, { group: 'Sesamy_Event', values: { ID: 'ended/c1' } }),
      () => client.sendEmail(mail),
    ];
    for (const write of writes) {
      sandbox.faults.add({ kind: 'hang-up', when: 'after', times: 1 });
      const error = await failure(write());
      assert.deepEqual([error.type, error.unknownOutcome], ['rule/unavailable', true]);
    }
    assert.equal(sandbox.automationsStarted().length, 1);
    assert.deepEqual(await client.listTags(id), ['sesamy_event_ended']);
    assert.equal(await client.findRow(id, { group: 'Sesamy_Event', field: 'ID', value: 'ended/c1' }), true);
    assert.equal(sandbox.transactions().length, 1);
  });

  it('suppresses, and sees who is suppressed', async () => {
    const { id } = sandbox.addSubscriber({ email });
    assert.equal((await client.get(id))?.suppressed, false);
    await client.suppress(id);
    await sandbox.settled();
    assert.ok(held().suppressed.length > 0);
    assert.equal((await client.get(id))?.suppressed, true);
    const upserted = await client.upsertByEmail({ email, fields: [], tags: ['sesamy'] });
    assert.deepEqual([upserted.id, upserted.suppressed], [id, true]);
  });

  for (const tags of ['all', 'sent', 'none'] as const) {
    it(`reads an upsert whose answer lists ${tags} of the tags`, async () => {
      sandbox.switches.upsertReplyTags = tags;
      sandbox.addSubscriber({ email, tags: ['theirs'] });
      const { tags: read } = await client.upsertByEmail({ email, fields: [], tags: ['sesamy'] });
      const expected = { all: ['sesamy', 'theirs'], sent: ['sesamy'], none: undefined };
      assert.deepEqual(read && [...read].sort(), expected[tags]);
    });
  }

  it('finds people by address and id, and answers undefined for those whom Rule does not know', async () => {
    const { id } = sandbox.addSubscriber({ email: 'kim+a@example.com', tags: ['a'] });
    assert.equal((await client.findByEmail('kim+a@example.com'))?.id, id);
    assert.deepEqual((await client.get(id))?.tags, ['a']);
    assert.equal(await client.findByEmail('nobody@example.com'), undefined);
    assert.equal(await client.get(4711), undefined);
  });

  for (const name of ['name', 'key'] as const) {
    it(`reads fields whose ${name} names them`, async () => {
      sandbox.switches.fieldsMemberName = name;
      sandbox.defineField('Sesamy_ActiveProducts.SKU', 'multiple');
      sandbox.defineField('Sesamy_Event.At', 'text', { historical: true });
      const values = { 'Subscriber.FirstName': 'Kim', 'Sesamy_ActiveProducts.SKU': ['a', 'b'], 'Sesamy_Event.At': 'x' };
      const { id } = sandbox.addSubscriber({ email, fields: values });
      const read = await client.readFields(id);
      assert.deepEqual(read['Subscriber.FirstName'], { type: 'text', value: 'Kim' });
      assert.deepEqual(read['Sesamy_ActiveProducts.SKU'], { type: 'multiple', value: ['a', 'b'] });
      assert.equal(read['Sesamy_Event.At'], undefined);
    });
  }

  it('lists the types of all fields, over several pages', async () => {
    for (let group = 0; group < 130; group += 1) sandbox.defineField(`Group${group}.A`, group % 2 ? 'date' : 'text');
    const types = await client.listFieldTypes();
    assert.deepEqual([types.get('Group0.A'), types.get('Group129.A')], ['text', 'date']);
  });

  it('makes the fields that are missing, with their types and as often as wanted', async () => {
    const wanted = [
      { key: 'Sesamy_User.ID', type: 'text' },
      { key: 'Sesamy_User.Created', type: 'date' },
      { key: 'Sesamy_ActiveProducts.SKU', type: 'multiple' },
    ] as const;
    await client.createFields(wanted);
    await client.createFields(wanted);
    await client.createFields([]);
    const types = await client.listFieldTypes();
    for (const { key, type } of wanted) assert.equal(types.get(key), type);
    assert.equal(sandbox.recorder.requests.length, 3, 'no fields, no call');
    const error = await failure(client.createFields([{ key: 'Sesamy_User.Created', type: 'text' }]));
    assert.deepEqual([error.type, error.fields], ['rule/invalid', { 'Sesamy_User.Created': 'refused' }]);
  });

  it('lists everybody in pages, with tags and whether Rule sends them anything', async () => {
    for (let count = 0; count < 130; count += 1) sandbox.addSubscriber({ email: `p${count}@example.com` });
    sandbox.addSubscriber({ email, tags: ['sesamy', 'vip'], suppressed: ['campaign/email'] });
    const first = await client.listSubscribers();
    const second = await client.listSubscribers(first.next);
    assert.deepEqual([first.subscribers.length, second.subscribers.length, second.next], [100, 31, undefined]);
    const last = second.subscribers.at(-1);
    assert.deepEqual([last?.email, last?.tags, last?.mailable], [email, ['sesamy', 'vip'], false]);
    assert.equal(first.subscribers[0]?.mailable, true);
  });

  it('lists the active automations on tags and segments, however many a page has', async () => {
    sandbox.addSegment({ name: 'Paying', condition: { tag: 'sesamy_active_subscriber' } });
    sandbox.addAutomation({ name: 'Thanks', trigger: { type: 'SEGMENT', name: 'Paying' } });
    sandbox.addAutomation({ name: 'Off', trigger: { type: 'TAG', name: 'sesamy' }, active: false });
    for (let count = 0; count < 60; count += 1) {
      sandbox.addAutomation({ name: `Flow ${count}`, trigger: { type: 'TAG', name: `tag-${count}` } });
    }
    const found = (await client.listAutomations()) ?? [];
    assert.deepEqual(
      found.slice(0, 2).map(({ name, trigger }) => [name, trigger?.type, trigger?.name]),
      [
        ['Thanks', 'SEGMENT', 'Paying'],
        ['Flow 0', 'TAG', 'tag-0'],
      ],
    );
    assert.equal(found.length, 61);
  });

  it('may be refused a list, or what only some keys may read, without closing the gate for the account', async () => {
    const { id } = sandbox.addSubscriber({ email });
    for (const status of [401, 403, 404]) {
      sandbox.faults.add({ kind: 'status', status, path: '/editor/automail', times: 1 });
      assert.equal(await client.listAutomations(), undefined);
    }
    sandbox.faults.add({ kind: 'status', status: 403, path: '/v2/subscribers', times: 1 });
    assert.equal((await failure(client.checkRead('subscribers'))).type, 'rule/forbidden');
    for (const what of ['tags', 'customizations', 'subscribers', 'fields', 'fieldData'] as const) {
      await client.checkRead(what, id);
    }
    assert.equal(gate.snapshot().open, true);
  });

  it('checks the key, and asks nothing more of an account that refuses it', async () => {
    await client.checkKey();
    sandbox.revokeKey();
    assert.equal((await failure(client.checkKey())).type, 'rule/unauthorized');
    const asked = sandbox.recorder.requests.length;
    assert.equal((await failure(client.checkKey())).type, 'rule/key-refused');
    assert.equal(sandbox.recorder.requests.length, asked);
  });

  for (const why of ['count', 'errors'] as const) {
    it(`reads how long the account is blocked for its ${why}, and keeps away`, async () => {
      sandbox.blockAccount({ seconds: 600, why });
      const error = await failure(client.get(1));
      assert.equal(error.type, 'rule/rate-limited');
      assert.ok(Math.abs((error.waitMs ?? 0) - 600_000) <= 2_000, `${error.waitMs} ms`);
      const asked = sandbox.recorder.requests.length;
      assert.equal((await failure(client.addTags(1, ['a'], { recalculateSegments: false }))).type, 'rule/blocked');
      assert.equal(sandbox.recorder.requests.length, asked);
      assert.equal(gate.snapshot().reason, 'blocked');
    });
  }

  it('brakes by itself before the account is blocked', async () => {
    sandbox.switches.allowedRequests = 20;
    const types: string[] = [];
    for (let call = 0; call < 30; call += 1) {
      await client.checkKey().catch((error: VendorError) => types.push(error.type));
    }
    assert.deepEqual([...new Set(types)], ['rule/blocked']);
    assert.equal(sandbox.recorder.requests.length, 20);
    assert.equal(gate.snapshot().reason, 'braking');
  });

  const faults = [
    { fault: { kind: 'status', status: 503 }, type: 'rule/unavailable' },
    { fault: { kind: 'hang-up' }, type: 'rule/unavailable' },
    { fault: { kind: 'html' }, type: 'rule/not-json' },
    { fault: { kind: 'cut-body' }, type: 'rule/not-json' },
    { fault: { kind: 'wrong-shape' }, type: 'rule/wrong-shape' },
  ] as const;
  for (const { fault, type } of faults) {
    it(`calls the fault ${fault.kind} ${type}, and the outcome of the write unknown`, async () => {
      const { id } = sandbox.addSubscriber({ email });
      sandbox.faults.add({ ...fault, times: 1 });
      const error = await failure(client.update(id, { fields: [] }));
      assert.deepEqual([error.type, error.next, error.unknownOutcome], [type, 'wait', true]);
      await client.update(id, { fields: [{ key: 'Subscriber.FirstName', value: 'Kim', type: 'text' }] });
    });
  }
});
