import assert from 'node:assert/strict';
import { fieldTable } from '../src/mapping/index.js';
import { eventually } from './support/eventually.js';
import { planted } from './support/markers.js';
import { aContract, addressOf, anEntitlement, aProfile, nextId } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

describe('from a webhook to a subscriber in Rule', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem({ mapping: { timeZone: 'Europe/Stockholm' } });
  });
  after(() => system.close());

  const inRule = (id: string) => system.rule.subscriber(addressOf(id));

  it('A4: every field of the table arrives under exactly its key and type', async () => {
    const id = nextId();
    system.sesamy.setPerson({
      profile: aProfile(id),
      contracts: [aContract(id, 'c-a4', { willCancelAt: '2026-12-31T23:30:00Z', expiresAt: '2027-01-31T23:30:00Z' })],
      entitlements: [anEntitlement('e-a4', 'c-a4')],
    });
    assert.equal((await system.nudge(id, 'contract.1#purchased', { contractId: 'c-a4' })).status, 202);
    await system.attempted(id);

    const fields = inRule(id)?.fields ?? {};
    const expected: Record<string, [string, unknown]> = {
      'Subscriber.Email': ['text', addressOf(id)],
      'Subscriber.FirstName': ['text', planted.firstName],
      'Subscriber.LastName': ['text', planted.lastName],
      'Subscriber.Phone': ['text', planted.phone],
      'Sesamy_User.ID': ['text', id],
      // 23:30 UTC on 31 December is 1 January in Stockholm.
      'Sesamy_User.Created': ['date', '2026-01-01'],
      'Sesamy_BillingAddress.FirstName': ['text', planted.firstName],
      'Sesamy_BillingAddress.LastName': ['text', planted.lastName],
      'Sesamy_BillingAddress.Street': ['text', planted.street],
      'Sesamy_BillingAddress.City': ['text', planted.city],
      'Sesamy_BillingAddress.Zip': ['text', '111 22'],
      'Sesamy_BillingAddress.Country': ['text', 'SE'],
      'Sesamy_ActiveProducts.SKU': ['multiple', ['sid:digital']],
      'Sesamy_ActiveProducts.Titles': ['multiple', ['Daily Example Digital']],
      'Sesamy_ActiveProducts.OptionTitles': ['multiple', ['Monthly']],
      'Sesamy_Subscription.Status': ['text', 'ACTIVE'],
      'Sesamy_Subscription.ExpiresAt': ['date', '2027-02-01'],
      'Sesamy_Subscription.CanceledAt': ['date', '2027-01-01'],
      'Sesamy_Subscription.CreatedAt': ['date', '2026-01-15'],
    };
    assert.deepEqual(
      Object.keys(expected).sort(),
      fieldTable.map(({ key }) => key).sort(),
      'all 19 fields are looked at',
    );
    assert.deepEqual(
      Object.fromEntries(Object.keys(expected).map((key) => [key, [fields[key]?.type, fields[key]?.value]])),
      expected,
    );
  });

  it('A5, A6: every tag family arrives, and those that no longer apply leave; tags that are not ours stay', async () => {
    const id = nextId();
    const single = aContract(id, 'c-t2', {
      status: 'CLOSED',
      contractDuration: 'PERPETUAL',
      items: [{ sku: 'sid:single', name: 'Single Issue' }],
    });
    system.sesamy.setPerson({
      profile: aProfile(id, { tags: ['Vinklubben'] }),
      contracts: [aContract(id, 'c-t1', { status: 'OVERDUE' }), single],
      entitlements: [
        anEntitlement('e-t1', 'c-t1'),
        anEntitlement('e-t2', undefined, { sku: 'sid:library', title: 'Library Å', purchaseOption: undefined }),
        anEntitlement('e-t3', 'c-of-the-giver', { sku: 'sid:gift', title: 'Gift', purchaseOption: undefined }),
      ],
    });
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    const all = [
      'sesamy',
      'sesamy_active_entitlement_daily-example-digital',
      'sesamy_active_entitlement_gift',
      'sesamy_active_entitlement_library-a',
      'sesamy_active_sku_po_sid-digital-po-month',
      'sesamy_active_sku_sid-digital',
      'sesamy_active_sku_sid-gift',
      'sesamy_active_sku_sid-library',
      'sesamy_active_subscriber',
      'sesamy_has_external_access',
      'sesamy_has_gifted_subscription',
      'sesamy_made_single_purchase',
      'sesamy_overdue_contract',
      'sesamy_stage_overdue',
      'sesamy_tag_vinklubben',
    ];
    assert.deepEqual([...(inRule(id)?.tags ?? [])].sort(), all);

    for (const foreign of ['sesamy_vip', 'Newsletter', '48213x']) system.rule.addTag(addressOf(id), foreign);
    system.sesamy.setPerson({
      profile: aProfile(id, { tags: [] }),
      contracts: [
        aContract(id, 'c-t1', { status: 'EXPIRED', isActive: false, expiresAt: '2026-11-01T00:00:00Z' }),
        single,
      ],
      entitlements: [anEntitlement('e-t1', 'c-t1', { hasAccess: false })],
    });
    await system.nudge(id, 'contract.1#update', { contractId: 'c-t1' });
    await system.attempted(id, 2);
    await eventually(() =>
      assert.deepEqual([...(inRule(id)?.tags ?? [])].sort(), [
        '48213x',
        'Newsletter',
        'sesamy',
        'sesamy_made_single_purchase',
        'sesamy_stage_lapsed',
        'sesamy_vip',
      ]),
    );
    assert.deepEqual(inRule(id)?.fields['Sesamy_ActiveProducts.SKU']?.value, ['sid:single']);
  });

  it('A3: a guest never appears in Rule; once confirmed, appears complete without help', async () => {
    const id = aReader(system, { profile: { emailVerified: false } });
    await system.nudge(id, 'checkout.1#confirm');
    const guest = await system.attempted(id);
    assert.deepEqual([guest.state, guest.reason], ['skipped', 'guest/email-not-verified']);
    assert.equal(inRule(id), undefined);
    system.sesamy.confirm(id);
    await system.attempted(id, 2);
    await eventually(() => assert.ok(inRule(id)?.tags.includes('sesamy_active_subscriber')));
    assert.equal(inRule(id)?.fields['Subscriber.FirstName']?.value, planted.firstName);
  });

  it('A7: two contracts on one product, spelled differently, give one product entry', async () => {
    const id = nextId();
    system.sesamy.setPerson({
      profile: aProfile(id),
      contracts: [
        aContract(id, 'c-p1', {
          items: [{ sku: 'sid:1', name: 'Daily Example Digital' }],
          createdAt: '2026-01-01T00:00:00Z',
        }),
        aContract(id, 'c-p2', {
          items: [{ sku: 'sid:2', name: 'daily example  digital' }],
          createdAt: '2026-02-01T00:00:00Z',
        }),
      ],
      entitlements: [],
    });
    await system.nudge(id, 'contract.1#update');
    await system.attempted(id);
    assert.deepEqual(inRule(id)?.fields['Sesamy_ActiveProducts.Titles']?.value, ['Daily Example Digital']);
    assert.deepEqual(inRule(id)?.fields['Sesamy_ActiveProducts.SKU']?.value, ['sid:1', 'sid:2']);
  });

  it('A8: an invalid phone costs the phone only, and is reported', async () => {
    const id = aReader(system, { profile: { mobilePhone: '12', workPhone: '' } });
    await system.nudge(id, 'userVendor.1#update');
    const status = await system.attempted(id);
    assert.equal(status.state, 'ok');
    assert.equal(inRule(id)?.fields['Subscriber.Phone'], undefined);
    assert.ok(inRule(id)?.fields['Subscriber.FirstName']);
    assert.deepEqual(status.trail.at(-1)?.problems, [{ field: 'Subscriber.Phone', code: 'invalid-phone' }]);
  });

  for (const [eventType, signal] of Object.entries({
    'userVendor.1#new': 'profileChanged',
    'userVendor.1#update': 'profileChanged',
    'contract.1#purchased': 'purchased',
    'contract.1#update': 'contractChanged',
    'contract#cancelRequest': 'cancelRequested',
    'checkout.1#confirm': 'purchased',
    'entitlement.1#new': 'accessChanged',
    'entitlement.1#update': 'accessChanged',
    'userVendor.2#renamed': 'profileChanged',
  })) {
    it(`a webhook ${eventType} is the signal ${signal} and syncs the person`, async () => {
      const id = aReader(system);
      assert.equal((await system.nudge(id, eventType, { contractId: contractOf(id) })).status, 202);
      const status = await system.attempted(id);
      assert.deepEqual(status.trail[0]?.why, [signal]);
      assert.ok(inRule(id)?.tags.includes('sesamy'));
    });
  }

  it('keeps the day of a cancel request that only the webhook tells', async () => {
    const requestDay = await startSystem({ mapping: { canceledAt: 'request-day' } });
    try {
      const id = aReader(requestDay);
      const contractId = contractOf(id);
      requestDay.sesamy.setPerson({
        profile: aProfile(id),
        contracts: [aContract(id, contractId, { willCancelAt: '2027-01-15T10:00:00Z' })],
        entitlements: [anEntitlement(`e-${id.slice(-6)}`, contractId)],
      });
      await requestDay.nudge(id, 'contract#cancelRequest', { contractId, occured_at: '2026-11-03T10:00:00Z' });
      await requestDay.attempted(id);
      assert.equal(
        requestDay.rule.subscriber(addressOf(id))?.fields['Sesamy_Subscription.CanceledAt']?.value,
        '2026-11-03',
      );
    } finally {
      await requestDay.close();
    }
  });
});

describe('what a sync costs', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem();
    // The entitlement canary, the token and the account's field types are asked for once in a process.
    const warm = aReader(system);
    await system.nudge(warm, 'userVendor.1#new');
    await system.attempted(warm);
  });
  after(() => system.close());

  /** Does something and answers what it cost, when the person is at rest. */
  async function cost(id: string, attempts: number, act: () => Promise<unknown>) {
    const rule = system.rule.recorder.requests.length;
    const sesamy = system.sesamy.recorder.requests.length;
    await act();
    await system.attempted(id, attempts);
    await system.rule.settled();
    return { writes: system.ruleWrites(rule), sesamy: system.sesamyReads(sesamy) };
  }

  it('a live first sync: four reads at Sesamy (the transactions for receipts), two writes at Rule (state, segments)', async () => {
    const id = aReader(system);
    const { writes, sesamy } = await cost(id, 1, () => system.nudge(id, 'contract.1#purchased'));
    assert.equal(sesamy.length, 4, sesamy.join(', '));
    assert.deepEqual(writes, [
      'POST /api/v2/subscribers',
      `PUT /api/v3/subscribers/${system.rule.subscriber(addressOf(id))?.id}/tags`,
    ]);
  });

  it('a quiet first sync: one write', async () => {
    const id = aReader(system);
    const { writes, sesamy } = await cost(id, 1, () => system.subscribers.resync(system.person(id)));
    assert.deepEqual(writes, ['POST /api/v2/subscribers']);
    assert.equal(sesamy.length, 3);
  });

  it('unchanged: no write', async () => {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    const { writes, sesamy } = await cost(id, 2, () => system.nudge(id, 'userVendor.1#update'));
    assert.deepEqual(writes, []);
    assert.equal(sesamy.length, 4);
  });

  it('changed fields and a changed address: two writes, and the same Rule id', async () => {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    const ruleId = system.rule.subscriber(addressOf(id))?.id;
    const moved = `moved-${addressOf(id)}`;
    const { writes } = await cost(id, 2, async () => {
      system.sesamy.webhooks.pause();
      system.sesamy.changeEmail(id, moved);
      system.sesamy.updateProfile(id, { firstName: `${planted.firstName} B` });
      system.sesamy.webhooks.drop(Number.POSITIVE_INFINITY);
      system.sesamy.webhooks.resume();
      await system.nudge(id, 'userVendor.1#update');
    });
    assert.deepEqual(writes, [`PUT /api/v2/subscribers/${ruleId}`, `PUT /api/v3/subscribers/${ruleId}/tags`]);
    assert.equal(system.rule.subscriber(moved)?.id, ruleId);
    assert.equal(system.rule.subscriber(addressOf(id)), undefined);
  });

  it('lost tags: one write more', async () => {
    const id = nextId();
    const person = (active: boolean) => ({
      profile: aProfile(id),
      contracts: [aContract(id, 'c-lost', active ? {} : { status: 'EXPIRED', isActive: false })],
      entitlements: [anEntitlement('e-lost', 'c-lost', { hasAccess: active })],
    });
    system.sesamy.setPerson(person(true));
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    system.sesamy.setPerson(person(false));
    const { writes } = await cost(id, 2, () => system.nudge(id, 'contract.1#update', { contractId: 'c-lost' }));
    const ruleId = system.rule.subscriber(addressOf(id))?.id;
    assert.deepEqual(writes, [
      `PUT /api/v2/subscribers/${ruleId}`,
      'DELETE /api/v3/subscribers/tags',
      `PUT /api/v3/subscribers/${ruleId}/tags`,
    ]);
    assert.deepEqual(system.starts(id), [], 'nothing that is lost starts a flow');
  });

  it('twenty webhooks at once: three syncs at the most', async () => {
    const id = aReader(system);
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        system.nudge(id, 'contract.1#update', {
          occured_at: new Date(Date.UTC(2026, 10, 1, 0, 0, index)).toISOString(),
        }),
      ),
    );
    const status = await system.attempted(id, 1);
    assert.ok(status.attempts <= 3, `${status.attempts} syncs`);
  });

  it('A13: the same webhook fifty times: one visible change, no automation', async () => {
    const id = aReader(system);
    const body = {
      eventType: 'contract.1#purchased',
      vendorId: system.vendorId,
      userId: id,
      occured_at: '2026-11-02T08:00:00Z',
    };
    const mark = system.rule.recorder.requests.length;
    const answers = await Promise.all(Array.from({ length: 50 }, () => system.post(body)));
    assert.ok(answers.every(({ status }) => status === 202));
    await system.attempted(id, 1);
    assert.deepEqual(
      system.ruleWrites(mark).filter((write) => write.startsWith('POST')),
      ['POST /api/v2/subscribers'],
    );
    assert.deepEqual(system.starts(id), []);
  });

  it('from the webhook to in-step in sixteen history events at the most', async () => {
    const id = aReader(system);
    await system.nudge(id, 'contract.1#purchased');
    await system.attempted(id);
    const handle = system.client.workflow.getHandle(`subscriber/${system.vendorId}/${id}`);
    let events: string[] = [];
    await eventually(async () => {
      const history = await handle.fetchHistory();
      events = (history.events ?? []).map((event) => String(event.eventType));
      assert.ok(events.length >= 11);
    });
    assert.ok(events.length <= 16, `${events.length} events`);
  });

  it('no answer that is expected from Rule is an error', async () => {
    assert.equal(system.rule.counts().errorPercent, 0);
  });
});
