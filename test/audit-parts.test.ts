import assert from 'node:assert/strict';
import fc from 'fast-check';
import { drawnPlaces } from '../src/activities/people.js';
import { auditCsv } from '../src/cli/audit-csv.js';
import { percent, shareOf } from '../src/cli/sample-share.js';
import type { DifferenceKind, FailureDetails, Inspection } from '../src/contract/index.js';
import { compareFields } from '../src/mapping/index.js';
import {
  type AuditState,
  auditProgress,
  carryAudit,
  findingsIn,
  freshAudit,
  pauseMs,
  recordAuditFailure,
  recordBegin,
  recordInspection,
  recordPeoplePage,
  recordStop,
  recordTaggedPage,
  restoreAudit,
  type Target,
  toBeTold,
  turnPhase,
} from '../src/workflows/audit-state.js';
import { decodeNumbers, encodeNumbers } from '../src/workflows/number-set.js';

const now = Date.parse('2026-11-10T12:00:00Z');

describe('numbers as a text', () => {
  it('come back as they were, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER })), (numbers) => {
        assert.deepEqual(decodeNumbers(encodeNumbers(new Set(numbers))), new Set(numbers.toSorted((a, b) => a - b)));
      }),
    );
  });

  it('a hundred thousand ids of an account stay below half a megabyte', () => {
    const ids = new Set(Array.from({ length: 100_000 }, (_, index) => 50_000_000 + index * 9_001 + (index % 7) * 100));
    assert.ok(encodeNumbers(ids).length < 500_000, `${encodeNumbers(ids).length} characters`);
  });
});

describe('the places of a sample', () => {
  it('are as many as wanted, one in each stretch, the same however the list is cut into pages', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (size, total, page, seed) => {
          const sample = { size, total, seed };
          const paged: number[] = [];
          for (let from = 0; from < total; from += page) paged.push(...drawnPlaces(sample, from, from + page));
          assert.deepEqual(paged, drawnPlaces(sample, 0, total));
          const count = Math.min(size, total);
          assert.equal(new Set(paged).size, count);
          for (const [stretch, place] of paged.entries()) {
            assert.ok(place >= Math.floor((stretch * total) / count));
            assert.ok(place < Math.floor(((stretch + 1) * total) / count));
          }
        },
      ),
    );
  });

  it('another seed draws others', () => {
    const places = (seed: number) => drawnPlaces({ size: 50, total: 10_000, seed }, 0, 10_000);
    assert.notDeepEqual(places(1), places(2));
  });
});

describe('what a sample says of everybody', () => {
  const rounded = (differing: number, looked: number, everybody = 100_000) => {
    const { share, low, high } = shareOf(differing, looked, everybody) ?? assert.fail();
    return [share, low, high].map((value) => Number(value.toFixed(4)));
  };
  it('is between the bounds of Wilson', () => {
    assert.deepEqual(rounded(3, 400), [0.0075, 0.0026, 0.0218]);
    assert.deepEqual(rounded(200, 400), [0.5, 0.4512, 0.5488]);
  });
  it('none found does not mean that there are none', () => {
    assert.deepEqual(rounded(0, 400), [0, 0, 0.0095]);
    assert.deepEqual(rounded(400, 400), [1, 0.9905, 1]);
  });
  it('is certain where everybody was looked at, and nothing where nobody was', () => {
    assert.deepEqual(shareOf(3, 12, 12), { share: 0.25, low: 0.25, high: 0.25 });
    assert.equal(shareOf(0, 0, 12), undefined);
  });
  it('is written so that little is not taken for none', () => {
    assert.deepEqual([0, 0.0004, 0.0218, 0.45, 1].map(percent), ['0 %', '0.04 %', '2.2 %', '45 %', '100 %']);
  });
});

describe('findings as CSV', () => {
  it('one row each, names parted by semicolons, quoted where needed', () => {
    const csv = auditCsv('daily', [
      { userId: 'email|1', ruleId: 7, kind: 'edited-field', fields: ['Subscriber.FirstName', 'Subscriber.Phone'] },
      { ruleId: 8, kind: 'surplus', tags: ['sesamy_active_entitlement_Daily, "the"'], state: 'failed' },
      { ruleId: 9, kind: 'surplus', settled: true },
    ]);
    assert.equal(
      csv,
      [
        'vendor,user,rule_id,kind,fields,tags,state,settled',
        'daily,email|1,7,edited-field,Subscriber.FirstName;Subscriber.Phone,,,',
        'daily,,8,surplus,,"sesamy_active_entitlement_Daily, ""the""",failed,',
        'daily,,9,surplus,,,,yes',
        '',
      ].join('\r\n'),
    );
  });
});

describe('fields beside what the account holds', () => {
  const differs = (
    field: Parameters<typeof compareFields>[0]['fields'][number],
    held: string | string[] | null | undefined,
    type?: string,
  ) => {
    const values = held === undefined ? {} : { [field.key]: { value: held } };
    const { fields } = compareFields({ fields: [field] }, new Map(type ? [[field.key, type]] : []), values);
    return fields.map((one) => one.differs);
  };
  const titles = { key: 'Sesamy_ActiveProducts.Titles', type: 'multiple' as const };
  const first = { key: 'Subscriber.FirstName', type: 'text' as const };
  const ends = { key: 'Sesamy_Subscription.ExpiresAt', type: 'date' as const };

  const rows: [string, boolean[], boolean][] = [
    ['the same text', differs({ ...first, value: 'Kim' }, 'Kim'), false],
    ['another text', differs({ ...first, value: 'Kim' }, 'Kym'), true],
    ['a kept field that is missing at Sesamy', differs({ ...first, value: undefined }, 'Kim'), false],
    ['a cleared field that is missing at Sesamy', differs({ ...ends, value: undefined }, '2026-01-01'), true],
    ['nothing on both sides', differs({ ...ends, value: undefined }, null), false],
    ['a list in another order', differs({ ...titles, value: ['A', 'B'] }, ['B', 'A']), false],
    ['a list with one more', differs({ ...titles, value: ['A', 'B'] }, ['A', 'B', 'C']), true],
    ['a list that Rule gives as one text', differs({ ...titles, value: ['A', 'B'] }, 'A, B'), false],
    ['a list that the account holds as text', differs({ ...titles, value: ['A', 'B'] }, 'A, B', 'text'), false],
    ['an empty list', differs({ ...titles, value: undefined }, []), false],
    ['a field whose type does not fit', differs({ ...ends, value: '2026-01-01' }, 'x', 'json'), false],
  ];
  for (const [name, [seen], expected] of rows) it(name, () => assert.equal(seen, expected));
});

describe('the memory of an audit', () => {
  const failure: FailureDetails = { type: 'sesamy/wrong-shape', next: 'wait' };
  const fine = (userId: string, ruleId: number): Inspection => ({
    verdict: 'compared',
    userId,
    ruleId,
    differences: [],
  });
  const differing = (userId: string, ruleId: number, ...kinds: DifferenceKind[]): Inspection => ({
    ...fine(userId, ruleId),
    differences: kinds.map((kind) => ({ kind })),
  });

  function begun(userIds: string[]): AuditState {
    const state = freshAudit();
    recordBegin(state, undefined, now);
    recordPeoplePage(state, { userIds, listed: userIds.length });
    return state;
  }
  const take = (state: AuditState): Target => state.queue.shift() ?? assert.fail('nobody is left');

  it('one who fails again and again is left out after five tries, and holds up nobody', () => {
    const state = begun(['bad', 'a', 'b', 'c', 'd', 'e']);
    for (let tries = 1; state.queue.length > 0; tries += 1) {
      assert.ok(tries < 30, 'it goes on for ever');
      const target = take(state);
      if (target.userId === 'bad') recordAuditFailure(state, target, failure, now);
      else recordInspection(state, target, fine(target.userId ?? '', tries));
    }
    const { people, unread, unreadPeople } = auditProgress(state, 'daily');
    assert.deepEqual([people, unread], [5, { 'sesamy/wrong-shape': 1 }]);
    assert.deepEqual(unreadPeople, [{ userId: 'bad', type: 'sesamy/wrong-shape' }]);
  });

  it('data that is refused is not tried again', () => {
    const state = begun(['bad', 'a']);
    recordAuditFailure(state, take(state), { type: 'sesamy/refused', next: 'fix-data' }, now);
    assert.deepEqual([state.queue.length, state.unread], [1, { 'sesamy/refused': 1 }]);
  });

  it('an outage is waited out, longer each time, and a wait that is asked for is kept; nobody is given up at once', () => {
    const state = begun(['a', 'b', 'c', 'd']);
    for (let index = 0; index < 3; index += 1) {
      assert.equal(pauseMs(state, now), 0);
      recordAuditFailure(state, take(state), { type: 'rule/unavailable', next: 'wait' }, now);
    }
    assert.equal(pauseMs(state, now), 30_000);
    recordAuditFailure(state, take(state), { type: 'rule/unavailable', next: 'wait' }, now + 30_000);
    assert.equal(pauseMs(state, now + 30_000), 60_000);
    recordAuditFailure(state, take(state), { type: 'rule/blocked', next: 'wait', waitMs: 600_000 }, now + 90_000);
    assert.equal(pauseMs(state, now + 90_000), 600_000);
    assert.deepEqual([state.queue.length, state.unread], [4, {}]);
    recordInspection(state, take(state), fine('a', 1));
    assert.deepEqual([pauseMs(state, now + 90_000), state.waiting], [0, undefined]);
  });

  it('findings are bounded by kind, and the counts and the repair are of all', () => {
    const userIds = Array.from({ length: 300 }, (_, index) => `email|${index}`);
    const state = begun(userIds);
    for (const [index, userId] of userIds.entries()) {
      recordInspection(state, take(state), differing(userId, index + 1, 'edited-field', 'lost-tag'));
    }
    recordInspection(state, { userId: 'email|x', tries: 0 }, differing('email|x', 999, 'other-address'));
    const report = auditProgress(state, 'daily');
    assert.deepEqual([report.counts['edited-field'], report.kept, report.leftOut], [300, 501, 100]);
    assert.deepEqual(report.toMend, { resync: 301, surplus: 0 });
    assert.equal(findingsIn(state, undefined).length, 200);
    assert.deepEqual(
      findingsIn(state, { offset: 500 }).map(({ kind }) => kind),
      ['other-address'],
    );
    const restored = restoreAudit(JSON.parse(JSON.stringify(carryAudit(state))));
    assert.deepEqual(restored, state);
    const page = { userIds: ['email|7', 'email|fine', 'email|x'], listed: 3 };
    assert.deepEqual(toBeTold(restored, page), ['email|7', 'email|x']);
  });

  it('who is in Rule and known is not looked at again; after a sample Rule is not gone through', () => {
    const state = begun(['a']);
    recordInspection(state, take(state), fine('a', 11));
    turnPhase(state, now);
    recordTaggedPage(state, { ruleIds: [11, 12], listed: 100, next: { page: 2 } });
    assert.deepEqual([state.phase, state.inRule, state.queue], ['rule', 100, [{ ruleId: 12, tries: 0 }]]);
    const sampled = freshAudit();
    recordBegin(sampled, { sample: { size: 1, seed: 1 } }, now);
    turnPhase(sampled, now);
    assert.equal(sampled.phase, 'done');
  });

  it('a list of Rule that gives the same page for ever ends, and the report says so', () => {
    const state = begun([]);
    turnPhase(state, now);
    recordTaggedPage(state, { ruleIds: [], listed: 100, next: { page: 2 } });
    assert.equal(state.listedAll, false);
    recordTaggedPage(state, { ruleIds: [], listed: 100, next: { page: 2 } });
    assert.deepEqual([state.listedAll, auditProgress(state, 'daily').incomplete], [true, 'rule/wrong-shape']);
  });

  it('an empty page of Rule that promises another ends the list, and the report says so', () => {
    const state = begun([]);
    turnPhase(state, now);
    recordTaggedPage(state, { ruleIds: [], listed: 100, next: { page: 2 } });
    recordTaggedPage(state, { ruleIds: [], listed: 0, next: { page: 3 } });
    assert.deepEqual([state.listedAll, auditProgress(state, 'daily').incomplete], [true, 'rule/wrong-shape']);
    const ended = begun([]);
    turnPhase(ended, now);
    recordTaggedPage(ended, { ruleIds: [], listed: 0 });
    assert.deepEqual([ended.listedAll, auditProgress(ended, 'daily').incomplete], [true, undefined]);
  });

  it('readers with many long tags do not make the memory larger than Temporal carries over', () => {
    const state = begun([]);
    const tags = Array.from({ length: 40 }, (_, index) => `sesamy_active_entitlement_${index}`.padEnd(99, 'x'));
    for (let index = 0; index < 250; index += 1) {
      const differences = (['lost-tag', 'surplus-tag'] as const).map((kind) => ({ kind, tags }));
      recordInspection(
        state,
        { userId: `email|${index}`, tries: 0 },
        { ...fine(`email|${index}`, index), differences },
      );
    }
    const { counts, kept, leftOut, toMend } = auditProgress(state, 'daily');
    assert.deepEqual([counts['lost-tag'], kept + leftOut, toMend.resync], [250, 500, 250]);
    assert.ok(JSON.stringify(carryAudit(state)).length < 500_000);
  });

  it('a second beginning changes nothing while one runs; a stop without one is forgotten', () => {
    const state = begun(['a']);
    recordBegin(state, { sample: { size: 1, seed: 1 } }, now);
    assert.equal(state.request.sample, undefined);
    turnPhase(state, now);
    turnPhase(state, now);
    assert.equal(state.phase, 'done');
    recordStop(state);
    assert.equal(state.stopping, false);
  });

  it('a memory of a newer build is left to that build', () => {
    const newer = { ...carryAudit(freshAudit()), version: 2 } as never;
    assert.throws(() => restoreAudit(newer), /newer than this build/);
  });
});
