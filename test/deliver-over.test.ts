import assert from 'node:assert/strict';
import { deliverEvent } from '../src/activities/deliver-event.js';
import type { DeliverInput, LifecycleEvent } from '../src/contract/index.js';
import { MemoryRule, memorySesamy, memoryVendor } from './support/in-memory.js';

const event: LifecycleEvent = {
  id: 'payment-failed.c1.202611100000',
  type: 'payment-failed',
  at: '2026-11-10T00:00:00.000Z',
  contractId: 'c1',
  stage: 'overdue',
  rowOnly: 'over',
};
const tag = 'sesamy_event_payment-failed';

/** What an attempt before left behind, and what the next one makes of it now that the event is over. */
const cases: {
  name: string;
  row: boolean;
  tag: boolean;
  input: Pick<DeliverInput, 'again' | 'begun'>;
  outcome: 'told' | 'recorded';
}[] = [
  { name: 'nothing was tried', row: false, tag: false, input: { again: false }, outcome: 'recorded' },
  {
    name: 'nothing was tried, the flow of an earlier time goes on',
    row: false,
    tag: true,
    input: { again: false },
    outcome: 'recorded',
  },
  {
    name: 'it failed before anything was done',
    row: false,
    tag: false,
    input: { again: true, begun: true },
    outcome: 'recorded',
  },
  {
    name: 'it failed between row and tag',
    row: true,
    tag: false,
    input: { again: true, begun: true },
    outcome: 'recorded',
  },
  {
    name: 'it was done, and the answer was lost',
    row: true,
    tag: true,
    input: { again: true, begun: true },
    outcome: 'told',
  },
  {
    name: 'it was recorded as over before, the tag is of an earlier time',
    row: true,
    tag: true,
    input: { again: true },
    outcome: 'recorded',
  },
];

describe('an event that is over by the time it is delivered starts no flow', () => {
  for (const { name, row, tag: isHeld, input, outcome } of cases) {
    it(name, async () => {
      const rule = new MemoryRule();
      const { id } = await rule.client.upsertByEmail({
        email: 'one@example.com',
        fields: [],
        tags: isHeld ? [tag] : [],
      });
      if (row) await rule.client.appendRow(id, { group: 'Sesamy_Event', values: { Id: event.id } });
      const vendor = memoryVendor(
        rule,
        memorySesamy(() => undefined),
      );
      const result = await deliverEvent(
        vendor,
        {
          vendorId: 'daily',
          userId: 'email|1',
          ruleId: id,
          event,
          gained: [],
          notSent: false,
          released: false,
          last: false,
          ...input,
        },
        { signal: new AbortController().signal, step: () => {}, now: () => new Date(event.at) },
      );
      assert.equal(result.outcome, outcome);
      assert.deepEqual([rule.fired, result.started], [[], []]);
      assert.equal(rule.byEmail('one@example.com')?.rows.length, 1, 'one row');
    });
  }
});
