/** The 19 fields of one reader on the whole system: what becomes of each when Sesamy has no value for it any more, or a later mapping another. */
import assert from 'node:assert/strict';
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { SyncResult } from '../src/contract/index.js';
import { fieldTable, mappingVersion } from '../src/mapping/index.js';
import { restore, type SubscriberState } from '../src/workflows/subscriber-state.js';
import { planted } from './support/markers.js';
import { addressOf, aProfile } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

type Values = Record<string, unknown>;

describe('the fields of a reader', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem({ timings: { missingRowsMs: 0, extraLooksMs: [] } });
  });
  after(() => system.close());

  const inRule = (id: string) => system.rule.subscriber(addressOf(id));
  const valuesOf = (id: string): Values =>
    Object.fromEntries(fieldTable.map(({ key }) => [key, inRule(id)?.fields[key]?.value]));

  /** A reader of whom every field has a value. */
  async function complete(): Promise<string> {
    const id = aReader(system, {
      contract: { expiresAt: '2027-03-01T12:00:00Z', willCancelAt: '2027-02-01T12:00:00Z' },
    });
    await system.subscribers.resync(system.person(id));
    await system.attempted(id);
    return id;
  }

  describe('A17: blank at Sesamy after it was filled', () => {
    let before: Values;
    let after: Values;

    const isBlank = (value: unknown) => value === undefined || ['null', '""', '[]'].includes(JSON.stringify(value));

    it('each of the 19 was filled', async () => {
      const id = await complete();
      before = valuesOf(id);
      assert.deepEqual(
        fieldTable.map(({ key }) => key).filter((key) => isBlank(before[key])),
        [],
      );
      const tags = inRule(id)?.tags;
      assert.ok(tags?.includes('sesamy_stage_cancelling'));
      const { firstName, lastName, mobilePhone, billingAddress, createdAt, ...rest } = aProfile(id);
      assert.ok(firstName && lastName && mobilePhone && billingAddress && createdAt);
      const blank = { email: '', firstName: '', lastName: '   ', createdAt: '', billingAddress: { street: '' } };
      system.sesamy.setPerson({ profile: { ...rest, ...blank }, contracts: [], entitlements: [] });
      await system.nudge(id, 'userVendor.1#update');
      const status = await system.attempted(id, 2);
      assert.equal(status.state, 'ok');
      after = valuesOf(id);
    });

    for (const { key, missing } of fieldTable) {
      it(`${key} is ${missing === 'clear' ? 'emptied' : 'kept as it was'}`, () => {
        if (missing === 'keep') assert.deepEqual(after[key], before[key]);
        else assert.ok(isBlank(after[key]), JSON.stringify(after[key]));
      });
    }
  });

  it('who was synced once stays when Sesamy calls the address unverified: nothing is removed, and changes still arrive', async () => {
    const id = await complete();
    const before = [valuesOf(id), [...(inRule(id)?.tags ?? [])].sort()];
    const unverified = async (change: Record<string, unknown>, attempts: number) => {
      const profile = aProfile(id, { emailVerified: false, ...change });
      system.sesamy.setPerson({ ...system.sesamy.person(id), profile });
      await system.nudge(id, 'userVendor.1#update');
      return system.attempted(id, attempts);
    };
    const status = await unverified({}, 2);
    await system.rule.settled();
    assert.deepEqual([status.state, status.reason], ['ok', undefined]);
    assert.deepEqual([valuesOf(id), [...(inRule(id)?.tags ?? [])].sort()], before);
    await unverified({ firstName: 'Changed' }, 3);
    assert.equal(valuesOf(id)['Subscriber.FirstName'], 'Changed');
  });

  describe('A35: written under an earlier mapping, of which Rule holds other values', () => {
    /** A reader as the earlier version left them: in the memory of the workflow, and in Rule. */
    async function ofEarlierMapping(): Promise<string> {
      const id = await complete();
      const workflowId = `subscriber/${system.vendorId}/${id}`;
      const { known } = await lastResult(system.client, workflowId);
      assert.equal(known.mappingVersion, mappingVersion);
      const handle = system.client.workflow.getHandle(workflowId);
      const { taskQueue } = await handle.describe();
      await handle.terminate('begins anew with an earlier memory');
      const state: SubscriberState = { ...restore(undefined), known: { ...known, mappingVersion: mappingVersion - 1 } };
      await system.client.workflow.start('subscriber', {
        workflowId,
        taskQueue,
        args: [{ ...system.person(id), state }],
      });
      system.rule.setField(addressOf(id), 'Sesamy_Subscription.Status', 'active');
      system.rule.setField(addressOf(id), 'Subscriber.Phone', '0701740617');
      return id;
    }

    function assertMended(id: string): void {
      const values = valuesOf(id);
      assert.deepEqual([values['Sesamy_Subscription.Status'], values['Subscriber.Phone']], ['ACTIVE', planted.phone]);
      assert.deepEqual(system.starts(id), []);
    }

    it('is mended by a resync, though nothing is new at Sesamy', async () => {
      const id = await ofEarlierMapping();
      await system.subscribers.resync(system.person(id));
      const { trail } = await system.attempted(id);
      assert.deepEqual([trail[0]?.verdict, trail[0]?.changes?.fields.length], ['updated', fieldTable.length]);
      assertMended(id);
    });

    it('and by the next webhook, which trusts no hash of another mapping', async () => {
      const id = await ofEarlierMapping();
      await system.nudge(id, 'contract.1#update', { contractId: contractOf(id) });
      const { trail } = await system.attempted(id);
      assert.deepEqual([trail[0]?.verdict, trail[0]?.changes?.fields.length], ['updated', fieldTable.length]);
      assertMended(id);
      await system.nudge(id, 'userVendor.1#update');
      assert.equal((await system.attempted(id, 2)).trail.at(-1)?.verdict, 'unchanged', 'once');
    });
  });
});

/** What the last sync of a run handed back. */
async function lastResult(client: Client, workflowId: string): Promise<SyncResult> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const results = (events ?? []).flatMap(
    ({ activityTaskCompletedEventAttributes: completed }) => completed?.result?.payloads ?? [],
  );
  const [last] = results.slice(-1);
  assert.ok(last, 'a sync has ended');
  return defaultPayloadConverter.fromPayload<SyncResult>(last);
}
