import assert from 'node:assert/strict';
import type { Nudge, SyncResult } from '../src/contract/index.js';
import {
  recordDelivery,
  recordFailure,
  recordResult,
  syncInput,
  takeDelivery,
  takeWork,
} from '../src/workflows/attempts.js';
import { recordNudge, recordResync, recordSyncNow } from '../src/workflows/messages.js';
import {
  dueAt,
  freshState,
  isOver,
  restore,
  type SubscriberState,
  statusOf,
} from '../src/workflows/subscriber-state.js';

const person = { vendorId: 'daily', userId: 'email|1' };
const noon = Date.parse('2026-11-10T12:00:00Z');
const seconds = (count: number) => count * 1_000;
const minutes = (count: number) => seconds(60 * count);

function nudge(overrides: Partial<Nudge> = {}): Nudge {
  return { event: 'contract.1#update', occurredAt: '2026-11-10T11:59:58Z', contractId: 'c1', ...overrides };
}

function result(overrides: Partial<SyncResult> = {}): SyncResult {
  return {
    verdict: 'updated',
    known: { ruleId: 7, stage: 'active', tags: ['sesamy'] },
    changes: { fields: [], tagsAdded: [], tagsRemoved: [], addressChanged: false },
    problems: [],
    news: true,
    next: { kind: 'recheck', afterMs: minutes(60) },
    ...overrides,
  };
}

function taken(state: SubscriberState, now: number) {
  const work = takeWork(state, now);
  assert.ok(work, 'there is work');
  return { work, input: syncInput(state, person, work) };
}

/** A state after one successful live sync at noon. */
function synced(overrides: Partial<SyncResult> = {}): SubscriberState {
  const state = freshState();
  recordNudge(state, 'contractChanged', nudge());
  const { work } = taken(state, noon);
  recordResult(state, work, result(overrides), noon);
  return state;
}

describe('subscriber state', () => {
  it('looks for somebody whom Rule does not know any more by a write, not by telling again and again', () => {
    const event = { id: 'a', type: 'renewed', at: '2026-11-10T11:00:00.000Z', stage: 'active' } as const;
    const state = synced({ events: [event] });
    const entry = state.trail.at(-1);
    const delivery = entry && takeDelivery(state, entry);
    assert.ok(delivery);
    assert.equal(recordDelivery(state, delivery, { outcome: 'no-subscriber', started: [] }, noon), false);
    assert.equal(dueAt(state), noon + minutes(1));
    const { input } = taken(state, noon + minutes(1));
    assert.deepEqual([input.force, input.waiting], [true, [event]]);
  });

  it('has nothing to do before anything happened', () => {
    const state = freshState();
    assert.equal(dueAt(state), undefined);
    assert.equal(takeWork(state, noon), undefined);
    assert.equal(statusOf(state, person).state, 'new');
  });

  it('takes all messages that have come as one piece of work, live', () => {
    const state = freshState();
    recordNudge(state, 'purchased', nudge({ event: 'contract.1#purchased' }));
    recordNudge(state, 'accessChanged', nudge({ event: 'entitlement.1#new', entitlementId: 'e1' }));
    recordNudge(state, 'profileChanged', nudge({ event: 'userVendor.1#update' }));
    const { work, input } = taken(state, noon);
    assert.deepEqual(work.why, ['purchased', 'accessChanged', 'profileChanged']);
    assert.deepEqual([input.live, input.force, input.look, input.expect], [true, false, 0, 'full']);
    assert.deepEqual(input.expectedIds, ['c1', 'e1']);
    assert.equal(takeWork(state, noon), undefined);
  });

  it('expects nothing new of a message that it has seen before', () => {
    const state = synced();
    recordNudge(state, 'contractChanged', nudge());
    assert.equal(taken(state, noon + minutes(5)).input.expect, 'none');
  });

  it('expects only a late rest from a message shortly after news, and everything from one long after', () => {
    const soon = synced();
    recordNudge(soon, 'contractChanged', { event: 'contract.1#update', occurredAt: '2026-11-10T12:00:20Z' });
    assert.equal(taken(soon, noon + seconds(30)).input.expect, 'late');
    const later = synced();
    recordNudge(later, 'contractChanged', nudge({ occurredAt: '2026-11-10T12:10:00Z' }));
    assert.equal(taken(later, noon + minutes(10)).input.expect, 'full');
  });

  it('counts the extra looks of one message and starts anew with the next message', () => {
    const state = synced({ news: false, next: { kind: 'look', afterMs: seconds(45) } });
    const { work, input } = taken(state, noon + seconds(45));
    assert.deepEqual([input.look, input.live, work.why], [1, true, ['look']]);
    recordResult(
      state,
      work,
      result({ news: false, next: { kind: 'look', afterMs: seconds(255) } }),
      noon + seconds(45),
    );
    assert.equal(taken(state, noon + seconds(300)).input.look, 2);
    recordNudge(state, 'purchased', nudge({ occurredAt: '2026-11-10T12:30:00Z' }));
    assert.equal(taken(state, noon + minutes(30)).input.look, 0);
  });

  it('a message that names an id is looked into fully, also shortly after news', () => {
    const state = synced();
    recordNudge(state, 'purchased', nudge({ contractId: 'c2', occurredAt: '2026-11-10T12:00:20Z' }));
    const { input } = taken(state, noon + seconds(20));
    assert.deepEqual([input.expect, input.expectedIds], ['full', ['c2']]);
  });

  it('a repeat, a resync or a syncNow does not end a running series, and its looks remember the ids', () => {
    for (const disturb of [
      (state: SubscriberState) => recordNudge(state, 'contractChanged', nudge()),
      (state: SubscriberState) => recordResync(state),
      (state: SubscriberState) => recordSyncNow(state),
    ]) {
      const state = synced({ news: false, next: { kind: 'look', afterMs: seconds(45) } });
      disturb(state);
      const { work, input } = taken(state, noon + seconds(10));
      assert.deepEqual([input.look, input.expect, input.expectedIds], [0, 'full', ['c1']]);
      recordResult(
        state,
        work,
        result({ news: false, next: { kind: 'look', afterMs: seconds(45) } }),
        noon + seconds(10),
      );
      assert.deepEqual(taken(state, noon + seconds(60)).input.expectedIds, ['c1']);
    }
  });

  it('trusts no hash after an attempt that had begun to write, until one succeeds', () => {
    const state = freshState();
    recordNudge(state, 'purchased', nudge());
    const first = taken(state, noon);
    assert.equal(first.input.force, false);
    recordFailure(state, first.work, { type: 'rule/unavailable', next: 'wait', wrote: true }, noon, 0.5);
    const second = taken(state, noon + seconds(30));
    assert.equal(second.input.force, true);
    recordResult(state, second.work, result(), noon + seconds(30));
    recordNudge(state, 'purchased', nudge({ occurredAt: '2026-11-10T13:00:00Z' }));
    assert.equal(taken(state, noon + minutes(60)).input.force, false);
  });

  it('takes the later of two cancel requests, in whatever order they come', () => {
    const state = synced({ known: { ruleId: 7, cancelRequestedAt: { c1: '2026-11-09T00:00:00Z' } } });
    recordNudge(
      state,
      'cancelRequested',
      nudge({ event: 'contract#cancelRequest', occurredAt: '2026-11-08T00:00:00Z' }),
    );
    assert.deepEqual(taken(state, noon + minutes(5)).input.known.cancelRequestedAt, { c1: '2026-11-09T00:00:00Z' });
  });

  it('takes null for no input, as the Temporal UI may send it', () => {
    const state = freshState();
    recordResync(state, null);
    recordSyncNow(state, null);
    assert.deepEqual(taken(state, noon).work.why, ['resync', 'syncNow']);
  });

  it('rechecks quietly and expects nothing of it', () => {
    const state = synced();
    const { input } = taken(state, noon + minutes(60));
    assert.deepEqual([input.live, input.expect], [false, 'none']);
  });

  it('retries an outage by itself, in growing steps, and keeps what was asked for', () => {
    const state = freshState();
    recordNudge(state, 'purchased', nudge());
    let now = noon;
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      const { work, input } = taken(state, now);
      assert.deepEqual([work.why, input.live, input.expect], [['purchased'], true, 'full']);
      recordFailure(state, work, { type: 'sesamy/unavailable', next: 'wait', status: 503 }, now, 0.5);
      waits.push((dueAt(state) ?? 0) - now);
      now = dueAt(state) ?? 0;
    }
    assert.deepEqual(waits.slice(0, 4), [30, 60, 120, 240].map(seconds));
    assert.equal(waits.at(-1), minutes(30));
    assert.equal(statusOf(state, person).state, 'retrying');
    assert.equal(statusOf(state, person).failedAt, '2026-11-10T12:00:00.000Z');
  });

  it('waits as long as the vendor asks, and a little more', () => {
    const state = freshState();
    recordNudge(state, 'purchased', nudge());
    const { work } = taken(state, noon);
    recordFailure(
      state,
      work,
      { type: 'rule/rate-limited', next: 'wait', status: 429, waitMs: minutes(600) },
      noon,
      0.5,
    );
    const wait = (dueAt(state) ?? 0) - noon;
    assert.ok(wait >= minutes(600) && wait <= minutes(601), `${wait}`);
  });

  it('A33: messages do not overtake a dated retry, a person who asks does', () => {
    const state = freshState();
    recordNudge(state, 'purchased', nudge());
    const { work } = taken(state, noon);
    recordFailure(state, work, { type: 'rule/blocked', next: 'wait', waitMs: minutes(600) }, noon, 0);
    for (let index = 0; index < 30; index += 1) {
      recordNudge(state, 'contractChanged', nudge({ occurredAt: `2026-11-10T12:00:${10 + index}Z` }));
    }
    assert.equal(takeWork(state, noon + minutes(1)), undefined);
    recordSyncNow(state);
    assert.deepEqual(taken(state, noon + minutes(1)).work.why, ['purchased', 'contractChanged', 'syncNow']);
  });

  it('leaves bad data until a message, a resync or a recheck comes', () => {
    const state = freshState();
    recordNudge(state, 'purchased', nudge());
    const { work } = taken(state, noon);
    recordFailure(state, work, { type: 'rule/invalid', next: 'fix-data', status: 400, fields: ['email'] }, noon, 0.5);
    assert.equal(statusOf(state, person).state, 'failed');
    assert.equal(dueAt(state), noon + minutes(3 * 24 * 60));
    recordResync(state);
    const again = taken(state, noon + minutes(1));
    assert.deepEqual([again.input.force, again.input.live], [true, false]);
  });

  it('treats a refused key as the account’s failure: retrying, never failed', () => {
    const state = freshState();
    recordNudge(state, 'purchased', nudge());
    const { work } = taken(state, noon);
    recordFailure(state, work, { type: 'rule/unauthorized', next: 'fix-key', status: 401 }, noon, 0.5);
    assert.equal(statusOf(state, person).state, 'retrying');
  });

  it('forgets the failure at the first success', () => {
    const state = freshState();
    recordNudge(state, 'purchased', nudge());
    const first = taken(state, noon);
    recordFailure(state, first.work, { type: 'sesamy/unavailable', next: 'wait' }, noon, 0.5);
    const second = taken(state, noon + seconds(30));
    recordResult(state, second.work, result(), noon + seconds(30));
    const status = statusOf(state, person);
    assert.deepEqual([status.state, status.failure, status.failedAt], ['ok', undefined, undefined]);
    assert.equal(status.trail.length, 2);
  });

  it('hands the time of a cancel request to the next sync, also when it comes during one', () => {
    const state = freshState();
    recordNudge(state, 'purchased', nudge());
    const { work } = taken(state, noon);
    recordNudge(
      state,
      'cancelRequested',
      nudge({ event: 'contract#cancelRequest', occurredAt: '2026-11-10T12:00:01Z' }),
    );
    recordResult(
      state,
      work,
      result({ known: { ruleId: 7, cancelRequestedAt: { c0: '2026-01-01T00:00:00Z' } } }),
      noon,
    );
    const { input } = taken(state, noon + seconds(2));
    assert.deepEqual(input.known.cancelRequestedAt, { c0: '2026-01-01T00:00:00Z', c1: '2026-11-10T12:00:01Z' });
  });

  it('ends for a guest whose time has passed, unless a message comes', () => {
    const guest = { verdict: 'skipped', reason: 'guest/no-email', endsAfterMs: minutes(100) } as const;
    const state = synced({ ...guest, next: { kind: 'recheck', afterMs: minutes(60) } });
    const recheck = taken(state, noon + minutes(60));
    recordResult(state, recheck.work, result({ ...guest, news: false }), noon + minutes(60));
    assert.equal(dueAt(state), noon + minutes(100), 'a recheck does not prolong it');
    assert.equal(isOver(state, noon + minutes(100)), true);
    recordNudge(state, 'profileChanged', nudge({ event: 'userVendor.1#update' }));
    assert.equal(isOver(state, noon + minutes(100)), false);
  });

  it('ends when the person is gone from Sesamy, but not before a message that waits', () => {
    const state = synced({ verdict: 'gone', reason: 'not-at-sesamy' });
    assert.equal(isOver(state, noon), true);
    recordNudge(state, 'profileChanged', nudge({ event: 'userVendor.1#new' }));
    assert.equal(isOver(state, noon), false);
  });

  it('bounds what it carries: trail, seen messages, expected ids', () => {
    const state = freshState();
    for (let index = 0; index < 100; index += 1) {
      const at = noon + minutes(index);
      recordNudge(state, 'contractChanged', nudge({ occurredAt: new Date(at).toISOString(), contractId: `c${index}` }));
      recordNudge(
        state,
        'accessChanged',
        nudge({ occurredAt: new Date(at).toISOString(), entitlementId: `e${index}` }),
      );
    }
    const { work, input } = taken(state, noon + minutes(100));
    assert.ok(input.expectedIds.length <= 10);
    for (let index = 0; index < 100; index += 1) recordResult(state, work, result(), noon + minutes(100 + index));
    assert.equal(statusOf(state, person).trail.length, 20);
    assert.equal(statusOf(state, person).attempts, 100);
    assert.ok(JSON.stringify(state).length < 16_000, `${JSON.stringify(state).length} bytes`);
  });

  it('members that came later in the same version begin as in a fresh state, whole or in part', () => {
    const { series: _series, doubt: _doubt, seen: _seen, outbox: _outbox, ...older } = synced();
    const { series, doubt, seen, outbox } = freshState();
    const stored = (more: object) => JSON.parse(JSON.stringify({ ...older, ...more })) as SubscriberState;
    assert.deepEqual(restore(stored({})), { ...older, series, doubt, seen, outbox });
    const half = restore(stored({ series: { look: 2 }, outbox: { gained: ['sesamy_active_subscriber'] } }));
    assert.deepEqual(half.series, { ...series, look: 2 });
    assert.deepEqual(half.outbox, { ...outbox, gained: ['sesamy_active_subscriber'] });
    recordNudge(half, 'contractChanged', nudge());
    assert.deepEqual(taken(half, noon).input.expectedIds, ['c1']);
  });

  it('is restored as it was, and refuses a version that it does not know', () => {
    const state = synced();
    assert.deepEqual(restore(JSON.parse(JSON.stringify(state))), state);
    assert.throws(() => restore({ ...state, version: 2 as unknown as 1 }), /newer than this build/);
  });
});
