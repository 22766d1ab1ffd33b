import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import { createActivities, type Vendor } from '../src/activities/index.js';
import type { FailureDetails, SyncInput, SyncResult } from '../src/contract/index.js';
import { VendorError } from '../src/http/errors.js';
import { MemoryRule, memorySesamy, memoryVendor } from './support/in-memory.js';
import { planted } from './support/markers.js';
import { aUser } from './support/source.js';
import { aSyncInput } from './support/sync-input.js';

const user = aUser({ firstName: planted.firstName, lastName: planted.lastName });
const input = aSyncInput({ vendorId: 'daily', userId: user.id });

/** One attempt as a worker makes it, that fails; answers the failure and all that was logged. */
async function failing(vendor: Vendor): Promise<{ failure: ApplicationFailure; details: FailureDetails; log: string }> {
  const entries: LogEntry[] = [];
  const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('TRACE', (entry) => entries.push(entry)) });
  const failure = await env.run(createActivities(vendor).syncSubscriber, input).then(
    () => assert.fail('the attempt succeeded'),
    (error: unknown) => error,
  );
  assert.ok(failure instanceof ApplicationFailure);
  const log = JSON.stringify(entries, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return { failure, details: failure.details?.[0] as FailureDetails, log };
}

function aVendor(change: (vendor: Vendor) => void): { vendor: Vendor; rule: MemoryRule } {
  const rule = new MemoryRule();
  const vendor = memoryVendor(
    rule,
    memorySesamy(() => ({ user, contracts: [], entitlements: [] })),
  );
  change(vendor);
  return { vendor, rule };
}

describe('a failing activity', () => {
  it('an unknown error: neither its message nor its name goes into the failure or the log', async () => {
    const { vendor } = aVendor(({ sesamy }) => {
      sesamy.getUser = async () => {
        // The second line looks like one of a stack.
        const error = new TypeError(
          `cannot read ${planted.firstName}\n    at ${planted.lastName} (${planted.street}:1:1)`,
        );
        error.name = `Bad ${planted.city}`;
        throw error;
      };
    });
    const { failure, details, log } = await failing(vendor);
    assert.equal(failure.type, 'internal/unexpected');
    assert.equal(failure.nonRetryable, true);
    assert.equal(details.type, 'internal/unexpected');
    assert.match(log, /unexpected error in an activity/);
    assert.match(log, /activities\.test\.ts:\d+/, 'the log says where it was');
    const told = JSON.stringify([failure.message, failure.details, failure.cause?.message]) + log;
    for (const word of Object.values(planted)) assert.ok(!told.includes(word), `${word} in ${told}`);
  });

  for (const [what, error] of [
    [
      'a failure of Rule',
      new VendorError({ type: 'rule/unavailable', next: 'wait', reason: 'of the test', status: 503 }),
    ],
    ['an unknown error', new Error('of the test')],
  ] as const) {
    it(`a first write that broke off after the upsert by ${what} hands the id in Rule over`, async () => {
      const { vendor, rule } = aVendor((made) => {
        made.rule.addTags = async () => {
          throw error;
        };
      });
      const { details } = await failing(vendor);
      const [held] = rule.subscribers.values();
      assert.ok(held);
      assert.equal(details.ruleId, held.id);
      assert.equal(details.wrote, true);
    });
  }

  it('a failure before anything was written hands no id over', async () => {
    const { vendor } = aVendor((made) => {
      made.rule.upsertByEmail = async () => {
        throw new VendorError({ type: 'rule/unavailable', next: 'wait', reason: 'of the test', status: 503 });
      };
    });
    assert.equal((await failing(vendor)).details.ruleId, undefined);
  });
});

describe('somebody whom a person deleted in Rule and put back under the same id', () => {
  it('is left alone while away, and taken up again at the next look', async () => {
    const { vendor, rule } = aVendor(() => {});
    const { syncSubscriber } = createActivities(vendor);
    const sync = (known: SyncInput['known']) => {
      const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
      return env.run(syncSubscriber, { ...input, live: false, known }) as Promise<SyncResult>;
    };
    const { known } = await sync({});
    const [held] = rule.subscribers.values();
    assert.ok(held && known.ruleId === held.id);

    rule.subscribers.delete(held.id);
    const away = await sync({ ...known, deletedInRule: true });
    assert.deepEqual([away.verdict, away.reason, away.known.deletedInRule], ['skipped', 'deleted-in-rule', true]);
    assert.equal(rule.subscribers.size, 0);

    held.fields.clear();
    rule.subscribers.set(held.id, held);
    const back = await sync(away.known);
    assert.deepEqual([back.verdict, back.known.deletedInRule, back.known.ruleId], ['updated', undefined, held.id]);
    assert.equal(held.fields.get('Sesamy_User.ID'), user.id);
  });
});
