import assert from 'node:assert/strict';
import type { ListUsersResult, SyncPeopleResult } from '../src/contract/index.js';
import {
  type BackfillState,
  freshBackfill,
  isThrough,
  mayBegin,
  paceWaitMs,
  progressOf,
  recordBatch,
  recordListed,
  recordListFailure,
  recordPage,
  recordPause,
  recordResume,
  takeBatch,
} from '../src/workflows/backfill-state.js';

const noon = Date.UTC(2026, 8, 1, 12);
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `email|${from + index}`);

/** A page of Sesamy's with these rows. */
function page(rows: readonly string[], more: Partial<ListUsersResult> = {}): ListUsersResult {
  return { ids: [...rows], unusable: [], rows: rows.length, requestsPerSecond: 6, reconcileShare: 0.2, ...more };
}

/** Lists like a server with so many users; answers all ids that were new. */
function walk(state: BackfillState, serve: (offset: number) => ListUsersResult): string[] {
  const found: string[] = [];
  for (let pages = 0; !state.listEnded; pages += 1) {
    assert.ok(pages < 100, 'the walk does not end');
    found.push(...recordPage(state, serve(state.offset), noon));
  }
  return found;
}

const outcome = (verdicts: SyncPeopleResult['verdicts'], more: Partial<SyncPeopleResult> = {}): SyncPeopleResult => ({
  verdicts,
  reasons: {},
  failed: [],
  again: [],
  left: [],
  ...more,
});
const outageOf = (userIds: readonly string[], more: Partial<SyncPeopleResult> = {}, waitMs?: number) =>
  outcome(
    {},
    {
      again: userIds.map((userId) => ({ userId, verdict: 'retrying', type: 'rule/unavailable', status: 503 })),
      outage: { why: 'rule/unavailable', ...(waitMs ? { waitMs } : {}) },
      ...more,
    },
  );

describe('the memory of a backfill', () => {
  const state = () => freshBackfill(noon);
  const listed = (people: readonly string[]) => {
    const fresh = state();
    recordListed(fresh, recordPage(fresh, page(people, { total: people.length }), noon), 0, noon);
    return fresh;
  };
  const progress = (of: BackfillState) => progressOf(of, { vendorId: 'daily', kind: 'backfill' });

  describe('the list of users', () => {
    const serve =
      (count: number, cap = 50, total = false) =>
      (offset: number) =>
        page(ids(Math.min(offset, count), Math.min(offset + cap, count)), total ? { total: count } : {});

    for (const count of [0, 1, 49, 50, 51, 230]) {
      for (const cap of [4, 10, 50]) {
        it(`finds all of ${count} users once, ${cap} at a time, with and without a total`, () => {
          for (const total of [false, true]) {
            const walked = state();
            assert.deepEqual(walk(walked, serve(count, cap, total)), ids(0, count));
            assert.deepEqual([walked.listed, progress(walked).incomplete], [count, false]);
          }
        });
      }
    }

    it('ends where the offset is ignored, and says that not everybody was seen', () => {
      const walked = state();
      assert.deepEqual(
        walk(walked, () => page(ids(0, 50))),
        ids(0, 50),
      );
      assert.equal(progress(walked).incomplete, true);
    });

    it('passes nobody over when somebody before them is deleted meanwhile', () => {
      const everybody = ids(0, 120);
      const walked = state();
      const found = walk(walked, (offset) => {
        const rows = everybody.slice(offset, offset + 50);
        everybody.splice(0, 1);
        return page(rows);
      });
      assert.deepEqual(found, ids(0, 120));
    });

    it('counts ids that may hold an address once, although pages overlap', () => {
      const walked = state();
      const isUnusable = (id: string) => id.endsWith('9');
      const found = walk(walked, (offset) => {
        const rows = ids(0, 60).slice(offset, offset + 20);
        const unusable = rows.filter(isUnusable).map((id) => `hash of ${id}`);
        return page(
          rows.filter((id) => !isUnusable(id)),
          { unusable, rows: rows.length },
        );
      });
      assert.deepEqual([found.length, progress(walked).listed, progress(walked).unusableIds], [54, 60, 6]);
    });

    it('does not believe at once that a list of a thousand ends at fifty', () => {
      const walked = state();
      recordPage(walked, page(ids(0, 50), { total: 1_000 }), noon);
      let now = noon;
      for (const wait of [minute, 5 * minute, 15 * minute]) {
        recordPage(walked, page([], { total: 0 }), now);
        assert.equal(walked.listEnded, false);
        assert.deepEqual([progress(walked).stage, walked.listWaiting?.until], ['waiting', now + wait]);
        now += wait;
      }
      recordPage(walked, page([], { total: 0 }), now);
      assert.equal(walked.listEnded, true);
      assert.equal(progress(walked).incomplete, true);
    });

    for (const total of [1_000, 0]) {
      it(`does not take an empty page with a total of ${total} near the end of a list of a thousand for its end`, () => {
        const walked = state();
        const serveAll = serve(1_000, 50, true);
        while (walked.offset < 920) recordPage(walked, serveAll(walked.offset), noon);
        recordPage(walked, page([], { total }), noon);
        assert.deepEqual([walked.listEnded, progress(walked).stage], [false, 'waiting']);
        walk(walked, serveAll);
        assert.deepEqual([walked.listed, progress(walked).incomplete], [1_000, false]);

        const short = state();
        while (short.offset < 920) recordPage(short, serveAll(short.offset), noon);
        walk(short, () => page([], { total }));
        assert.equal(progress(short).incomplete, true);
      });
    }

    it('is never further than whole, although readers move to later pages or are deleted meanwhile', () => {
      const walked = state();
      recordListed(walked, recordPage(walked, page(ids(0, 60), { total: 60 }), noon), 0, noon);
      walked.total = 57;
      recordBatch(walked, outcome({ unchanged: 60 }), noon + second);
      assert.deepEqual(
        [progress(walked).done, progress(walked).total, progress(walked).secondsLeft],
        [60, 60, undefined],
      );
    });

    it('waits longer with each failure, and forgets it with the next page', () => {
      const walked = state();
      recordListFailure(walked, { type: 'sesamy/unavailable' }, noon);
      assert.deepEqual(progress(walked).waiting, {
        why: 'sesamy/unavailable',
        since: new Date(noon).toISOString(),
        until: new Date(noon + 30 * second).toISOString(),
      });
      recordListFailure(walked, { type: 'sesamy/rate-limited', waitMs: 5 * minute }, noon + 30 * second);
      assert.equal(walked.listWaiting?.until, noon + 30 * second + 5 * minute);
      recordPage(walked, page(ids(0, 5)), noon + minute);
      assert.equal(progress(walked).waiting, undefined);
    });

    it('a reconcile keeps to its share of the budget', () => {
      const walked = state();
      for (let index = 0; index < 12; index += 1) recordPage(walked, page(ids(index * 50, index * 50 + 50)), noon);
      // 12 calls at 0.2 of 6 a second.
      assert.equal(paceWaitMs(walked, noon), 10 * second);
      assert.equal(paceWaitMs(walked, noon + 9.5 * second), 0);
      recordBatch(walked, outcome({ created: 4 }), noon);
      assert.equal(paceWaitMs(walked, noon), 20 * second);
    });
  });

  describe('an outage', () => {
    it('puts those who met it back, waits, lets one person find out, then goes on with all', () => {
      const walked = listed(ids(0, 60));
      const first = takeBatch(walked, 2);
      assert.deepEqual([first.userIds.length, first.atOnce], [24, 8]);
      const met = first.userIds.slice(0, 12);
      recordBatch(walked, outageOf(met, { left: first.userIds.slice(12) }), noon);
      assert.deepEqual([progress(walked).stage, progress(walked).done, progress(walked).failed], ['waiting', 0, []]);
      assert.equal(mayBegin(walked, 0, noon + 29 * second), false);
      assert.equal(mayBegin(walked, 1, noon + 30 * second), false, 'another is finding out');
      assert.equal(mayBegin(walked, 0, noon + 30 * second), true);
      const probe = takeBatch(walked, 0);
      assert.deepEqual([probe.userIds, probe.outageFrom], [[first.userIds[12]], 1]);
      recordBatch(walked, outageOf(probe.userIds), noon + 30 * second);
      assert.equal(walked.outage?.until, noon + 30 * second + minute);
      takeBatch(walked, 0);
      recordBatch(walked, outcome({ skipped: 1 }), noon + 90 * second);
      assert.equal(progress(walked).stage, 'waiting', 'a guest does not show that Rule answers');
      takeBatch(walked, 0);
      recordBatch(walked, outcome({ created: 1 }), noon + 90 * second);
      assert.equal(progress(walked).stage, 'running');
      for (let batch = takeBatch(walked, 2); batch.userIds.length > 0; batch = takeBatch(walked, 2)) {
        recordBatch(walked, outcome({ created: batch.userIds.length }), noon + 2 * minute);
      }
      assert.deepEqual(progress(walked).verdicts, { created: 59, skipped: 1 });
      assert.ok(isThrough(walked, 0));
    });

    it('that several batches tell of is one', () => {
      const walked = listed(ids(0, 60));
      for (let batch = 0; batch < 3; batch += 1) recordBatch(walked, outageOf(takeBatch(walked, 0).userIds), noon);
      assert.deepEqual([walked.outage?.count, walked.outage?.until], [1, noon + 30 * second]);
    });

    it('keeps a wait that a vendor asks for, up to an hour', () => {
      for (const [asked, kept] of [
        [10 * minute, 10 * minute],
        [5 * hour, hour],
      ] as const) {
        const walked = listed(ids(0, 60));
        recordBatch(walked, outageOf(takeBatch(walked, 0).userIds, {}, asked), noon);
        assert.equal(walked.outage?.until, noon + kept);
      }
    });

    it('that only those have who met it is their own: counted as retrying after an hour, and listed', () => {
      const walked = listed(ids(0, 8));
      recordBatch(walked, outageOf(takeBatch(walked, 2).userIds), noon);
      let now = noon;
      for (let tries = 0; walked.outage; tries += 1) {
        assert.ok(tries < 50);
        now = walked.outage.until;
        recordBatch(walked, outageOf(takeBatch(walked, 0).userIds), now);
      }
      assert.ok(now - noon >= hour && now - noon < 2 * hour);
      const { verdicts, reasons, failed, stage } = progress(walked);
      assert.deepEqual([verdicts, reasons, stage], [{ retrying: 8 }, { 'rule/unavailable': 8 }, 'running']);
      assert.deepEqual(failed.map(({ userId }) => userId).toSorted(), ids(0, 8));
      assert.ok(isThrough(walked, 0));
    });

    it('that comes and goes does not fill the memory', () => {
      const walked = listed(ids(0, 20));
      for (let round = 0; round < 300; round += 1) {
        recordListed(walked, ids(round * 10, round * 10 + 10), 0, noon);
        recordBatch(walked, outageOf(walked.queue.splice(0, 10)), noon + round * hour);
        recordBatch(walked, outcome({ created: 1 }), noon + round * hour);
      }
      assert.ok(walked.again.length <= 500);
      const { done, verdicts, failed, failedMore } = progress(walked);
      assert.equal(done, (verdicts.retrying ?? 0) + 300);
      assert.deepEqual([failed.length, failed.length + failedMore], [100, verdicts.retrying]);
    });
  });

  it('is paused: nobody begins; resumed: at once, also in an outage', () => {
    const walked = listed(ids(0, 60));
    recordBatch(walked, outageOf(takeBatch(walked, 0).userIds), noon);
    recordPause(walked);
    assert.deepEqual([mayBegin(walked, 0, noon + hour), progress(walked).stage], [false, 'paused']);
    recordResume(walked, noon + second);
    assert.equal(mayBegin(walked, 0, noon + second), true);
  });

  it('tells the rate of late and the time left', () => {
    const walked = listed(ids(0, 50));
    walked.total = 1_000;
    recordBatch(walked, outcome({ created: 10 }), noon);
    recordBatch(walked, outcome({ created: 20 }), noon + 10 * second);
    const { perSecond, secondsLeft, done } = progress(walked);
    assert.deepEqual([done, perSecond, secondsLeft], [30, 2, 485]);
  });

  it('the first batches are smaller, so that they do not end together', () => {
    const walked = listed(ids(0, 200));
    assert.deepEqual(
      [0, 1, 2].map((underWay) => takeBatch(walked, underWay).userIds.length),
      [8, 16, 24],
    );
  });
});
