/** Which of all that happens starts a flow in Rule: every state tag has an automation here, and every event has one. */
import assert from 'node:assert/strict';
import { aContract, addressOf, anEntitlement, aProfile, nextId } from './support/people.js';
import { aReader, contractOf, type ReaderOverrides } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

const dayMs = 24 * 60 * 60_000;
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs).toISOString();

describe('what starts a flow', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem({ timings: { missingUserMs: 500 } });
    system.rule.addExampleJourneys();
  });
  after(() => system.close());

  const inRule = (id: string) => system.rule.subscriber(addressOf(id));
  const rows = (id: string) => (inRule(id)?.rows ?? []).map(({ values }) => values.Type);

  function changeContract(id: string, change: Record<string, unknown>): void {
    const held = system.sesamy.person(id);
    const contracts = (held?.contracts ?? []).map((one) => ({ ...one, updatedAt: daysAgo(0), ...change }));
    system.sesamy.setPerson({ ...held, contracts });
  }

  it('a quiet first look starts nothing; what a live one then finds gained starts once, however often it is told', async () => {
    const id = aReader(system, { contract: { status: 'OVERDUE' } });
    await system.subscribers.resync(system.person(id));
    await system.attempted(id);
    const { tags = [] } = inRule(id) ?? {};
    assert.ok(['sesamy', 'sesamy_active_subscriber', 'sesamy_stage_overdue'].every((tag) => tags.includes(tag)));
    assert.deepEqual(system.starts(id), []);

    changeContract(id, { status: 'ACTIVE' });
    for (const _ of [1, 2, 3]) await system.nudge(id, 'contract.1#update', { contractId: contractOf(id) });
    await system.attempted(id, 2);
    await system.nudge(id, 'userVendor.1#update');
    const { attempts } = await system.attempted(id, 3);
    await system.subscribers.resync(system.person(id));
    await system.attempted(id, attempts + 1);
    assert.deepEqual(rows(id), ['payment-recovered']);
    assert.deepEqual(system.starts(id), ['sesamy_event_payment-recovered', 'sesamy_stage_active']);
  });

  it('a quiet look gives gained state tags silently, and the live one after it does not make up for that', async () => {
    const id = aReader(system, { contract: { status: 'OVERDUE' } });
    await system.subscribers.resync(system.person(id));
    await system.attempted(id);
    changeContract(id, { status: 'ACTIVE' });
    await system.subscribers.resync(system.person(id));
    await system.attempted(id, 2);
    assert.ok(inRule(id)?.tags.includes('sesamy_stage_active'));
    await system.nudge(id, 'userVendor.1#update');
    await system.attempted(id, 3);
    assert.deepEqual(rows(id), ['payment-recovered'], 'the event is told nevertheless');
    assert.deepEqual(system.starts(id), ['sesamy_event_payment-recovered']);
  });

  it('the stages of a subscription that ends start nothing: their events wait, and flows would not', async () => {
    const id = aReader(system);
    await system.subscribers.resync(system.person(id));
    await system.attempted(id);
    changeContract(id, { willCancelAt: daysAgo(-10), expiresAt: daysAgo(-10) });
    await system.nudge(id, 'contract#cancelRequest', { contractId: contractOf(id) });
    await system.attempted(id, 2);
    assert.ok(inRule(id)?.tags.includes('sesamy_stage_cancelling'));
    changeContract(id, { status: 'EXPIRED', isActive: false, expiresAt: daysAgo(0) });
    await system.nudge(id, 'contract.1#update', { contractId: contractOf(id) });
    await system.attempted(id, 3);
    assert.ok(inRule(id)?.tags.includes('sesamy_stage_lapsed'));
    assert.deepEqual(system.starts(id), []);
  });

  it('segments: stale after quiet writes, up to date after the next live look, which starts what hangs on entering them', async () => {
    const id = nextId();
    const live = async (city: string, attempts: number) => {
      aReader(system, { profile: { billingAddress: { city } }, entitlement: { title: 'Segments' } }, id);
      await system.nudge(id, 'userVendor.1#update');
      await system.attempted(id, attempts);
      await system.rule.settled();
    };
    const quiet = async (city: string, attempts: number) => {
      aReader(system, { profile: { billingAddress: { city } }, entitlement: { title: 'Segments' } }, id);
      await system.subscribers.resync(system.person(id));
      await system.attempted(id, attempts);
      assert.equal(inRule(id)?.fields['Sesamy_BillingAddress.City']?.value, city, 'the field itself is up to date');
    };
    const segments = {
      'By tag': { tag: 'sesamy_active_entitlement_segments' },
      'By field': { field: 'Sesamy_BillingAddress.City', equals: 'Malmö' },
    };
    for (const [name, condition] of Object.entries(segments)) {
      system.rule.addSegment({ name, condition });
      system.rule.addAutomation({ name: `Entered ${name}`, trigger: { type: 'SEGMENT', name } });
    }
    const seen = () => [[...(inRule(id)?.segments ?? [])].sort(), system.starts(id).sort()];

    await quiet('Malmö', 1);
    assert.deepEqual(seen(), [[], []], 'nobody is put into a segment quietly');
    await live('Malmö', 2);
    assert.deepEqual(seen(), [
      ['By field', 'By tag'],
      ['By field', 'By tag'],
    ]);
    const mark = system.rule.recorder.requests.length;
    await live('Malmö', 3);
    assert.deepEqual(system.ruleWrites(mark), [], 'once is enough');
    await quiet('Lund', 4);
    assert.deepEqual(seen()[0], ['By field', 'By tag'], 'nor taken out of one');
    await live('Lund', 5);
    assert.deepEqual(seen()[0], ['By tag']);
    await quiet('Malmö', 6);
    await live('Malmö', 7);
    assert.deepEqual(seen(), [
      ['By field', 'By tag'],
      ['By field', 'By field', 'By tag'],
    ]);
  });

  describe('A31: a guest bought two days ago, and the webhook of the purchase was lost', () => {
    const guest: ReaderOverrides = {
      profile: { emailVerified: false, createdAt: daysAgo(2) },
      contract: { createdAt: daysAgo(2), updatedAt: daysAgo(2), nextBillAt: daysAgo(-28) },
      entitlement: { createdAt: daysAgo(2) },
    };
    const onboarding = ['sesamy_active_subscriber', 'sesamy_event_subscribed', 'sesamy_stage_onboarding'];

    it('confirms under the same id: one onboarding, no win-back', async () => {
      const id = nextId();
      system.sesamy.setPerson({ profile: aProfile(id, guest.profile), contracts: [], entitlements: [] });
      await system.nudge(id, 'userVendor.1#new');
      assert.equal((await system.attempted(id)).reason, 'guest/email-not-verified');
      aReader(system, guest, id);
      system.sesamy.confirm(id);
      await system.attempted(id, 2);
      await system.nudge(id, 'contract.1#update', { contractId: contractOf(id) });
      await system.attempted(id, 3);
      assert.deepEqual(rows(id), ['subscribed']);
      assert.deepEqual(system.starts(id).sort(), onboarding);
    });

    it('confirms under a new id: one onboarding, no win-back, and the end of the old id takes nothing away', async () => {
      const old = aReader(system, guest);
      await system.nudge(old, 'userVendor.1#new');
      assert.equal((await system.attempted(old)).reason, 'guest/email-not-verified');
      const id = nextId();
      system.sesamy.deletePerson(old);
      system.sesamy.setPerson({
        profile: aProfile(id, { email: addressOf(old), createdAt: daysAgo(0) }),
        contracts: [aContract(id, contractOf(old), guest.contract)],
        entitlements: [anEntitlement(`e-${old.slice(-6)}`, contractOf(old), guest.entitlement)],
      });
      await system.nudge(id, 'userVendor.1#new');
      await system.attempted(id);
      await system.nudge(old, 'userVendor.1#update');
      const ended = system.client.workflow.getHandle(`subscriber/${system.vendorId}/${old}`).result();
      assert.deepEqual(await ended, { because: 'gone-from-sesamy' });
      await system.nudge(id, 'contract.1#update', { contractId: contractOf(old) });
      await system.attempted(id, 2);
      await system.rule.settled();
      assert.deepEqual(rows(old), ['subscribed'], 'by the address, which is the same');
      assert.deepEqual(system.starts(id).sort(), onboarding);
      assert.ok(onboarding.every((tag) => inRule(old)?.tags.includes(tag)));
    });
  });
});
