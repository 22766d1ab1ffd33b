import assert from 'node:assert/strict';
import fc from 'fast-check';
import { deliverEvent } from '../src/activities/deliver-event.js';
import { readPerson } from '../src/activities/read-person.js';
import { syncSubscriber } from '../src/activities/sync-subscriber.js';
import type { Nudge, NudgeName } from '../src/contract/index.js';
import { fieldTable, type Source, type SourceContract, type SourceEntitlement } from '../src/mapping/index.js';
import {
  deliverInput,
  recordDelivery,
  recordResult,
  syncInput,
  takeDelivery,
  takeWork,
} from '../src/workflows/attempts.js';
import { recordNudge } from '../src/workflows/messages.js';
import { dueAt, freshState } from '../src/workflows/subscriber-state.js';
import { MemoryRule, memorySesamy, memoryVendor } from './support/in-memory.js';

type Life = Omit<Source, 'cancelRequestedAt'>;

const person = { vendorId: 'daily', userId: 'email|1' };
const begin = Date.parse('2026-11-01T00:00:00Z');
const day = 24 * 60 * 60 * 1000;

/** One thing that happens to a person at Sesamy. */
type Happening =
  | { what: 'profile'; patch: Partial<Life['user']> }
  | { what: 'contract'; contract: SourceContract }
  | { what: 'entitlement'; entitlement: SourceEntitlement }
  | { what: 'drop'; which: 'contracts' | 'entitlements' };

const text = fc.constantFrom(undefined, 'Åsa', 'Björn', 'Kim', '');
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    what: fc.constant('profile' as const),
    patch: fc.record(
      {
        firstName: text,
        lastName: text,
        email: fc.constantFrom('one@example.com', 'Two@example.com', 'three@example.com'),
        emailVerified: fc.constantFrom(true, false, undefined),
        mobilePhone: fc.constantFrom(undefined, '0701740605', '12', '+46701740606'),
        tags: fc.subarray(['Vinklubben', 'VIP', 'å ä ö']),
        billingAddress: fc.constantFrom(undefined, { street: 'Storgatan 1', city: 'Exempelstad', country: 'SE' }),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    what: fc.constant('contract' as const),
    contract: fc
      .record({
        id: fc.constantFrom('c1', 'c2', 'c3'),
        status: fc.constantFrom('ACTIVE', 'OVERDUE', 'EXPIRED', 'CANCELED', 'CLOSED'),
        duration: fc.constantFrom('RECURRING' as const, 'RENEWABLE' as const, 'PERPETUAL' as const),
        willCancelAt: fc.constantFrom(undefined, '2026-12-24T12:00:00Z'),
        name: fc.constantFrom('Daily Example', 'daily  example', 'Weekend Å'),
      })
      .map(({ name, ...contract }) => ({
        ...contract,
        userId: person.userId,
        isActive: ['ACTIVE', 'OVERDUE', 'CLOSED'].includes(contract.status),
        createdAt: '2026-10-01T00:00:00Z',
        updatedAt: '2026-10-02T00:00:00Z',
        items: [{ sku: `sid:${contract.id}`, name, purchaseOptionName: 'Monthly' }],
      })),
  }),
  fc.record({
    what: fc.constant('entitlement' as const),
    entitlement: fc.record({
      id: fc.constantFrom('e1', 'e2'),
      sku: fc.constantFrom('sid:a', 'sid:b'),
      title: fc.constantFrom('Daily Example', 'Library'),
      type: fc.constantFrom('pass', 'article', 'physical_issue'),
      origin: fc.constantFrom(
        { type: 'EXTERNAL' as const },
        { type: 'PAYMENTS' as const, contractId: 'c1' },
        { type: 'PAYMENTS' as const, contractId: 'not-mine' },
      ),
      hasAccess: fc.boolean(),
    }),
  }),
  fc.record({
    what: fc.constant('drop' as const),
    which: fc.constantFrom('contracts' as const, 'entitlements' as const),
  }),
);

function apply(life: Life, happening: Happening): Life {
  switch (happening.what) {
    case 'profile':
      return { ...life, user: { ...life.user, ...happening.patch } };
    case 'contract':
      return {
        ...life,
        contracts: [...life.contracts.filter(({ id }) => id !== happening.contract.id), happening.contract],
      };
    case 'entitlement':
      return {
        ...life,
        entitlements: [...life.entitlements.filter(({ id }) => id !== happening.entitlement.id), happening.entitlement],
      };
    case 'drop':
      return { ...life, [happening.which]: [] };
  }
}

/** What becomes of the webhook of a happening: lost, once or more often; and how late. */
const delivery = fc.record({ times: fc.constantFrom(0, 1, 1, 2, 3), delay: fc.integer({ min: 0, max: 4 }) });

describe('a random life of a person at Sesamy', () => {
  it('A14: webhooks lost, doubled and out of order end in exactly the mapping of the last state', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(happening, delivery), { minLength: 1, maxLength: 12 }), async (steps) => {
        const rule = new MemoryRule();
        let life: Life = {
          user: { id: person.userId, tags: [], email: 'one@example.com' },
          contracts: [],
          entitlements: [],
        };
        const vendor = memoryVendor(
          rule,
          memorySesamy(() => life),
        );
        const state = freshState();
        let now = begin;

        const work = async () => {
          for (let taken = takeWork(state, now); taken; taken = takeWork(state, now)) {
            const attempt = { signal: new AbortController().signal, step: () => {}, now: () => new Date(now) };
            const result = await syncSubscriber(vendor, syncInput(state, person, taken), attempt);
            const entry = recordResult(state, taken, result, now);
            for (let next = takeDelivery(state, entry); next; next = takeDelivery(state, entry)) {
              const told = await deliverEvent(vendor, deliverInput(state, person, next), attempt);
              recordDelivery(state, next, told, now);
            }
          }
        };
        const waiting: { at: number; name: NudgeName; nudge: Nudge }[] = [];
        const told = async (at: number) => {
          for (const late of waiting.filter((webhook) => webhook.at === at)) recordNudge(state, late.name, late.nudge);
          await work();
        };

        // The first webhook always comes: somebody of whom nobody has ever told is found by a full pass, not by this.
        recordNudge(state, 'profileChanged', { event: 'userVendor.1#new', occurredAt: new Date(now).toISOString() });
        await work();
        for (const [index, [happens, { times, delay }]] of steps.entries()) {
          now += 20_000;
          life = apply(life, happens);
          const nudge = { event: 'contract.1#update', occurredAt: new Date(now).toISOString() };
          for (let time = 0; time < times; time += 1)
            waiting.push({ at: index + delay + time, name: 'contractChanged', nudge });
          await told(index);
        }
        for (let at = steps.length; at < steps.length + 8; at += 1) {
          now += 20_000;
          await told(at);
        }
        // Things are quiet: what is due by itself comes, for four days.
        for (const end = now + 4 * day; now < end; ) {
          now = Math.min(Math.max(dueAt(state) ?? end, now + 1), end);
          await work();
        }

        const wanted = readPerson(vendor, { ...life, cancelRequestedAt: {} }, new Date(now));
        const email = wanted.mapped.email ?? '';
        const everWritten = state.known.ruleId !== undefined;
        if (!wanted.mapped.standing.confirmed && !everWritten) {
          assert.equal(rule.subscribers.size, 0, 'a guest is not in Rule');
          return;
        }
        const held = rule.byEmail(email);
        assert.ok(held, 'the person is in Rule under the last address');
        assert.equal(rule.subscribers.size, 1, 'once');
        for (const [index, field] of wanted.mapped.fields.entries()) {
          const blank = field.value === undefined || field.value.length === 0;
          if (!blank) assert.deepEqual(held.fields.get(field.key), field.value, field.key);
          else if (fieldTable[index]?.missing === 'clear')
            assert.equal(held.fields.get(field.key), undefined, field.key);
        }
        const permanent = 'sesamy_made_single_purchase';
        assert.deepEqual(
          [...held.tags].filter((tag) => tag !== permanent && !tag.startsWith('sesamy_event_')).sort(),
          wanted.tags.filter((tag) => tag !== permanent).sort(),
        );
        assert.ok(held.tags.has(permanent) || !wanted.tags.includes(permanent));

        // And there is nothing left to do, once the segments that quiet writes left alone are as they should be.
        recordNudge(state, 'profileChanged', { event: 'userVendor.1#update', occurredAt: new Date(now).toISOString() });
        await work();
        now += day / 2;
        const writes = rule.log.length;
        recordNudge(state, 'profileChanged', { event: 'userVendor.1#update', occurredAt: new Date(now).toISOString() });
        await work();
        assert.equal(rule.log.length, writes, 'a webhook without news writes nothing');
      }),
      { numRuns: 200 },
    );
  }).timeout(60_000);
});
