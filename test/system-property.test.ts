import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readPerson } from '../src/activities/read-person.js';
import { fieldTable } from '../src/mapping/index.js';
import { openVendors } from '../src/vendors.js';
import { eventually } from './support/eventually.js';
import { aContract, addressOf, anEntitlement, aProfile, nextId } from './support/people.js';
import { type System, startSystem } from './support/system.js';

/** What may be said of a person at one moment; each history is a few of these. */
const moment = fc.record({
  firstName: fc.constantFrom('Plantedförnamn', 'Plantedförnamn B', undefined),
  address: fc.constantFrom(0, 1),
  emailVerified: fc.constantFrom(true, true, undefined),
  tags: fc.subarray(['Vinklubben', 'Kultur']),
  contract: fc.constantFrom(
    { status: 'ACTIVE', isActive: true },
    { status: 'ACTIVE', isActive: true, willCancelAt: '2027-01-15T10:00:00Z' },
    { status: 'OVERDUE', isActive: true },
    { status: 'EXPIRED', isActive: false, expiresAt: '2026-11-01T00:00:00Z' },
  ),
  hasAccess: fc.boolean(),
  /** How many webhooks come of it: none when they are lost. */
  webhooks: fc.constantFrom(0, 1, 1, 2, 4),
  /** Whether all is at rest before the next moment. */
  rests: fc.boolean(),
});

interface Contract {
  status: string;
  isActive: boolean;
  willCancelAt?: string;
}

/** Automations may start on these, each time that they are gained. */
const loud: Record<string, (contract: Contract) => boolean> = {
  sesamy_active_subscriber: ({ isActive }) => isActive,
  sesamy_stage_active: ({ status, willCancelAt }) => status === 'ACTIVE' && willCancelAt === undefined,
  sesamy_stage_overdue: ({ status }) => status === 'OVERDUE',
};

/** The first sight of somebody who is not new is silent, and what is lost too; nothing starts twice for one change. */
function assertStarts(started: readonly string[], contracts: readonly Contract[]): void {
  for (const tag of new Set(started)) {
    const holds = loud[tag];
    assert.ok(holds, `${tag} never starts anything`);
    const gains = contracts.filter((now, index) => {
      const before = contracts[index - 1];
      return before !== undefined && holds(now) && !holds(before);
    });
    const starts = started.filter((one) => one === tag);
    assert.ok(starts.length <= gains.length, `${tag} was gained ${gains.length} times, and started ${starts.length}`);
  }
}

describe('A14: random histories through the whole system', function () {
  this.timeout(180_000);
  let system: System;

  before(async () => {
    // The recheck is what finds a change whose webhook was lost: every two seconds here instead of every three days.
    system = await startSystem({ timings: { recheckMs: 2_000, extraLooksMs: [500], missingRowsMs: 1_000 } });
  });
  after(() => system.close());

  it('webhooks shuffled, doubled and lost end in exactly the mapping of the last state (20 people)', async () => {
    const vendors = openVendors([system.config]);
    const [vendor] = vendors.all;
    assert.ok(vendor);
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 2, maxLength: 5 }), async (moments) => {
        const id = nextId();
        const addresses = [addressOf(id), `second-${addressOf(id)}`];
        const sent: (() => Promise<Response>)[] = [() => system.nudge(id, 'userVendor.1#new')];
        for (const [index, now] of moments.entries()) {
          system.sesamy.setPerson({
            profile: aProfile(id, {
              firstName: now.firstName,
              email: addresses[now.address],
              emailVerified: now.emailVerified,
              tags: now.tags,
            }),
            contracts: [aContract(id, 'c', now.contract)],
            entitlements: [anEntitlement('e', 'c', { hasAccess: now.hasAccess })],
          });
          for (let copy = 0; copy < now.webhooks; copy += 1) {
            sent.push(() =>
              system.nudge(id, 'contract.1#update', {
                occured_at: new Date(Date.UTC(2026, 10, 1, index)).toISOString(),
              }),
            );
          }
          // What is waiting goes out in the other order, at the same time.
          await Promise.all(
            sent
              .splice(0)
              .reverse()
              .map((send) => send()),
          );
          if (now.rests) await system.attempted(id);
        }
        const last = system.sesamy.person(id);
        assert.ok(last);
        const user = await vendor.sesamy.getUser(id);
        assert.ok(user);
        const source = {
          user,
          contracts: await vendor.sesamy.listContracts(id),
          entitlements: await vendor.sesamy.listEntitlements(id),
          cancelRequestedAt: {},
        };
        const wanted = readPerson(vendor, source, new Date());
        await eventually(
          () => {
            const held = system.rule.subscriber(wanted.mapped.email ?? '');
            assert.ok(held, 'the person is in Rule under the last address');
            assert.deepEqual(
              held.tags
                .filter((tag) => tag !== 'sesamy_made_single_purchase' && !tag.startsWith('sesamy_event_'))
                .sort(),
              wanted.tags.filter((tag) => tag !== 'sesamy_made_single_purchase').sort(),
            );
            for (const [index, { key, value }] of wanted.mapped.fields.entries()) {
              const written: unknown = held.fields[key]?.value;
              const blank = value === undefined || value.length === 0;
              if (!blank) assert.deepEqual(written, value, key);
              else if (fieldTable[index]?.missing === 'clear')
                assert.ok(['', '[]', '""', 'null', undefined].includes(JSON.stringify(written)), key);
            }
          },
          { timeoutMs: 20_000 },
        );
        const ofThisPerson = system.rule.subscribers().filter(({ email }) => addresses.includes(email ?? ''));
        assert.equal(ofThisPerson.length, 1, 'one subscriber, whatever the address was');
        await system.attempted(id);
        assertStarts(
          system.starts(id),
          moments.map(({ contract }) => contract),
        );
        await system.client.workflow.getHandle(`subscriber/${system.vendorId}/${id}`).terminate('the case is over');
      }),
      { numRuns: 20, endOnFailure: true },
    );
    await vendors.close();
  });
});
