import assert from 'node:assert/strict';
import { DateTime } from 'luxon';
import { type RuleAnswer, RuleCalls } from './support/rule-calls.js';

describe('Rule stand-in: rate limits', () => {
  let clock = new Date();
  const rule = RuleCalls.forEach({ now: () => clock });
  beforeEach(() => {
    clock = new Date('2026-05-14T12:12:16.500Z');
  });
  const pass = (seconds: number) => {
    clock = new Date(clock.getTime() + seconds * 1000);
  };
  const header = (answer: RuleAnswer, name: string) => answer.headers.get(name);
  const ok = () => rule.v2('GET', '/tags');
  const miss = () => rule.v2('GET', '/tags/none?identified_by=name');

  it('carries the headers on every answer of both versions, used requests and not remaining', async () => {
    await ok();
    const answers = [await ok(), await miss(), await rule.v3('GET', '/api-keys')];
    assert.deepEqual(
      answers.map((answer) => header(answer, 'RequestsCount-Current')),
      ['2', '3', '4'],
    );
    for (const answer of answers) {
      assert.equal(header(answer, 'RequestsCount-Allowed'), '2000');
      assert.equal(header(answer, 'X-ErrorPercent-Limit'), '49');
      assert.equal(header(answer, 'Retry-After'), null);
    }
    assert.equal(header(answers[2] as RuleAnswer, 'X-ErrorPercent-Current'), '25');
  });

  it('starts a new count with each window', async () => {
    await ok();
    pass(61);
    assert.equal(header(await ok(), 'RequestsCount-Current'), '1');
  });

  it('answers 429 as plain text with the wall time of Stockholm and a Date to hold it against', async () => {
    rule.sandbox.switches.allowedRequests = 2;
    await ok();
    await ok();
    const answer = await rule.v3('GET', '/api-keys');
    assert.equal(answer.status, 429);
    assert.equal(answer.text, 'Too Many Requests. You can continue at 2026-05-14 14:22:17.');
    assert.match(String(header(answer, 'content-type')), /^text\/plain/);
    assert.equal(header(answer, 'Retry-After'), '2026-05-14 14:22:17');
    assert.equal(header(answer, 'Date'), 'Thu, 14 May 2026 12:12:16 GMT');
    assert.equal(header(answer, 'RequestsCount-Allowed'), null);
    assert.equal(header(answer, 'X-ErrorPercent-Limit'), '49');
    assert.equal(header(answer, 'X-ErrorPercent-Current'), '0');
  });

  it('lets callers in again who wait as long as the header says', async () => {
    rule.sandbox.blockAccount({ seconds: 5, why: 'count' });
    const answer = await ok();
    const until = DateTime.fromFormat(String(header(answer, 'Retry-After')), 'yyyy-MM-dd HH:mm:ss', {
      zone: 'Europe/Stockholm',
    });
    pass((until.toMillis() - Date.parse(String(header(answer, 'Date')))) / 1000);
    assert.equal((await ok()).status, 200);
  });

  it('lengthens the block with every request inside it, unless told otherwise', async () => {
    rule.sandbox.blockAccount({ seconds: 10, why: 'count' });
    pass(8);
    assert.equal((await ok()).status, 429);
    pass(8);
    assert.equal((await ok()).status, 429, 'begun anew by the request before');
    rule.sandbox.switches.blockedRequestsLengthen = false;
    pass(8);
    assert.equal((await ok()).status, 429);
    pass(4);
    assert.equal((await ok()).status, 200);
  });

  it('blocks the account when the share of errors goes over its ceiling, but not below the smallest sample', async () => {
    rule.sandbox.switches.errorMinimumSample = 10;
    for (let index = 0; index < 9; index += 1) assert.equal((await miss()).status, 404);
    assert.equal((await ok()).status, 200, 'the tenth answer is still given');
    const blocked = await ok();
    assert.equal(blocked.status, 429);
    assert.equal(header(blocked, 'X-ErrorPercent-Current'), '90');
    assert.equal(rule.sandbox.accountBlock()?.why, 'errors');
  });

  it('does not block at exactly the ceiling', async () => {
    Object.assign(rule.sandbox.switches, { errorMinimumSample: 4, errorPercentLimit: 50 });
    for (let index = 0; index < 4; index += 1) {
      assert.equal((await ok()).status, 200);
      assert.equal((await miss()).status, 404);
    }
    assert.equal(rule.sandbox.accountBlock(), null);
  });

  it('leaves 404 and 409 out of the share when told so, but not 400', async () => {
    Object.assign(rule.sandbox.switches, { errorMinimumSample: 2, countNotFoundAndConflict: false });
    for (let index = 0; index < 5; index += 1) assert.equal((await miss()).status, 404);
    for (let index = 0; index < 6; index += 1) await rule.v2('GET', '/tags?limit=101');
    assert.equal((await ok()).status, 429);
  });

  it('leaves v2 out of budget and headers when told so', async () => {
    rule.sandbox.switches.v2SharesBudget = false;
    rule.sandbox.switches.allowedRequests = 1;
    assert.equal(header(await ok(), 'RequestsCount-Allowed'), null);
    assert.equal((await ok()).status, 200);
    assert.equal((await rule.v3('GET', '/api-keys')).status, 200);
    assert.equal((await rule.v3('GET', '/api-keys')).status, 429);
  });

  it('does not count a wrong key, which belongs to no account', async () => {
    rule.sandbox.switches.errorMinimumSample = 1;
    assert.equal((await rule.v2('GET', '/tags', undefined, { authorization: 'Bearer wrong' })).status, 401);
    assert.equal((await ok()).status, 200);
  });

  it('a block is lifted by hand', async () => {
    rule.sandbox.blockAccount({ seconds: 300, why: 'errors' });
    assert.equal((await ok()).status, 429);
    rule.sandbox.unblockAccount();
    assert.equal((await ok()).status, 200);
  });

  it('counts requests by call and the share of errors since the start', async () => {
    await rule.upsert('kim@example.com');
    await miss();
    await rule.v3('PUT', '/subscribers/1/tags?identified_by=id', { tags: ['a'] });
    await ok();
    const { byCall, errorPercent, total } = rule.sandbox.counts();
    assert.deepEqual(byCall, {
      'POST /v2/subscribers': 1,
      'GET /v2/tags/{identifier}': 1,
      'PUT /v3/subscribers/{identifier}/tags': 1,
      'GET /v2/tags': 1,
    });
    assert.deepEqual([total, errorPercent], [4, 50]);
  });
});
