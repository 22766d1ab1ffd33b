import assert from 'node:assert/strict';
import { request } from 'undici';
import { type RuleAnswer, RuleCalls } from './support/rule-calls.js';

const email = 'kim@example.com';
const person = `/subscribers/${encodeURIComponent(email)}`;
const upsert = (more: object, entry: object = {}) => ({ tags: ['a'], subscribers: { email, ...entry }, ...more });
const put = `${person}/tags?identified_by=email`;

describe('Rule stand-in: requests outside the documents are refused and recorded', () => {
  const rule = RuleCalls.forEach();
  beforeEach(() => rule.sandbox.addSubscriber({ email }));

  const cases: [what: string, send: () => Promise<RuleAnswer>, status: number][] = [
    ['an unknown member of an upsert', () => rule.v2('POST', '/subscribers', upsert({ status: 'ACTIVE' })), 400],
    ['a legacy member of an upsert', () => rule.v2('POST', '/subscribers', upsert({ async: true })), 400],
    ['fields_clear', () => rule.v2('POST', '/subscribers', upsert({ fields_clear: true })), 400],
    ['tags of one entry', () => rule.v2('POST', '/subscribers', upsert({}, { tags: ['a'] })), 400],
    [
      'custom_identifier in an upsert',
      () => rule.v2('POST', '/subscribers', upsert({}, { custom_identifier: 'x' })),
      400,
    ],
    [
      'an entry without identity',
      () => rule.v2('POST', '/subscribers', upsert({ subscribers: { language: 'sv' } })),
      400,
    ],
    ['an upsert without tags', () => rule.v2('POST', '/subscribers', { subscribers: { email } }), 400],
    ['a boolean as text', () => rule.v2('POST', '/subscribers', upsert({ update_on_duplicate: 'true' })), 400],
    ['automation send on v2', () => rule.v2('POST', '/subscribers', upsert({ automation: 'send' })), 400],
    ['automation true', () => rule.v2('POST', '/subscribers', upsert({ automation: true })), 400],
    [
      'an unknown field type',
      () => rule.v2('POST', '/subscribers', upsert({}, { fields: [{ key: 'A.B', value: '1', type: 'number' }] })),
      400,
    ],
    [
      'a boolean field value',
      () => rule.v2('POST', '/subscribers', upsert({}, { fields: [{ key: 'A.B', value: true }] })),
      400,
    ],
    ['a language that is no code', () => rule.v2('POST', '/subscribers', upsert({ language: 'Swedish' })), 400],
    ['an unknown query parameter', () => rule.v2('GET', '/subscribers?tag=a'), 400],
    ['GET of a person without identified_by', () => rule.v2('GET', person), 400],
    ['an unknown identified_by', () => rule.v2('GET', `${person}?identified_by=mail`), 400],
    ['an id that is no number', () => rule.v2('GET', `${person}?identified_by=id`), 400],
    ['PUT by address', () => rule.v2('PUT', person, { language: 'en' }), 400],
    ['PUT with identified_by', () => rule.v2('PUT', '/subscribers/9001?identified_by=id', { language: 'en' }), 400],
    ['PUT with tags', () => rule.v2('PUT', '/subscribers/9001', { tags: ['a'] }), 400],
    ['PUT of nothing', () => rule.v2('PUT', '/subscribers/9001', {}), 400],
    [
      'v2 tag removal by custom_identifier',
      () => rule.v2('DELETE', '/subscribers/x/tags/a?identified_by=custom_identifier'),
      400,
    ],
    ['v2 tags with automation send', () => rule.v2('POST', put, { tags: ['a'], automation: 'send' }), 400],
    ['v2 fields with the plural path', () => rule.v2('GET', `${person}/fields?identified_by=email`), 404],
    ['a tag created by the catalogue', () => rule.v2('POST', '/tags', { name: 'a' }), 404],
    ['POST tags on v3', () => rule.v3('POST', put, { tags: ['a'] }), 404],
    ['a v3 read of a person', () => rule.v3('GET', `${person}?identified_by=email`), 404],
    ['v3 suppressions without the slash', () => rule.v3('POST', '/suppressions', { subscribers: [{ email }] }), 404],
    ['the SDK’s word trigger', () => rule.v3('PUT', put, { tags: ['a'], automation: 'trigger' }), 422],
    ['v2’s sync_subscribers on v3', () => rule.v3('PUT', put, { tags: ['a'], sync_subscribers: false }), 422],
    [
      'automation in bulk tags',
      () => rule.v3('POST', '/subscribers/tags', { subscribers: [{ email }], tags: ['a'], automation: 'send' }),
      422,
    ],
    [
      'two identifiers of one person',
      () => rule.v3('POST', '/subscribers/tags', { subscribers: [{ email, id: 1 }], tags: ['a'] }),
      422,
    ],
    ['no identifier', () => rule.v3('POST', '/subscribers/block', { subscribers: [{}] }), 422],
    ['fields in a v3 create', () => rule.v3('POST', '/subscribers', { email: 'new@example.com', fields: [] }), 422],
    ['a v3 create of nobody', () => rule.v3('POST', '/subscribers', { language: 'sv' }), 422],
    [
      'a number as v3 field value',
      () =>
        rule.v3('POST', '/custom-field-data/9001', { groups: [{ group: 'A', values: [{ field: 'B', value: 1 }] }] }),
      422,
    ],
    [
      'a dot in a v3 field name',
      () =>
        rule.v3('POST', '/custom-field-data/9001', {
          groups: [{ group: 'A', values: [{ field: 'B.C', value: '1' }] }],
        }),
      422,
    ],
    ['field data by address', () => rule.v3('GET', `/custom-field-data/${encodeURIComponent(email)}`), 422],
    ['a search for nothing', () => rule.v3('GET', '/custom-field-data/9001/search?group=A'), 422],
    [
      'a v3 body without charset',
      () => rule.v3('PUT', put, { tags: ['a'] }, { 'content-type': 'application/json' }),
      422,
    ],
    [
      'a v2 body that is a form',
      () => rule.v2('POST', '/subscribers', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
      400,
    ],
    ['a body that is no JSON', () => rule.v2('POST', '/subscribers', '{"tags":'), 400],
    ['a body that is a list', () => rule.v2('POST', '/subscribers', []), 400],
    ['an undocumented path', () => rule.v3('GET', '/subscribers'), 404],
  ];

  for (const [what, send, status] of cases) {
    it(`${what}: ${status}`, async () => {
      const answer = await send();
      assert.equal(answer.status, status, answer.text);
      const documented = status === 422 ? 'errors' : 'error';
      assert.ok(documented in answer.json, answer.text);
      assert.equal(rule.sandbox.recorder.violations.length, 1);
      assert.deepEqual(rule.sandbox.subscriber(email)?.tags, []);
    });
  }

  it('points at the entry of the body', async () => {
    const { json } = await rule.v2<{ fields: object }>(
      'POST',
      '/subscribers',
      upsert({ extra: 1 }, { fields: [{ key: 'A.B' }] }),
    );
    assert.deepEqual(Object.keys(json.fields).sort(), ['extra', 'subscribers.fields.0.value']);
  });

  for (const path of [
    '/v2/subscribers/kim@example.com?identified_by=email',
    '/v3/subscribers/+46701740605?identified_by=phone_number',
  ]) {
    it(`a path that is not encoded: ${path}`, async () => {
      const { statusCode, body } = await request(`${rule.sandbox.url}${path}`, {
        method: path.startsWith('/v2') ? 'GET' : 'DELETE',
        headers: { authorization: `Bearer ${rule.sandbox.apiKey}` },
      });
      await body.dump();
      assert.equal(statusCode, path.startsWith('/v2') ? 400 : 422);
      assert.equal(rule.sandbox.recorder.violations.length, 1);
    });
  }

  it('a path beside the API: 404', async () => {
    const { status } = await fetch(new URL('/v2/subscribers', rule.sandbox.pageUrl));
    assert.equal(status, 404);
    assert.match(rule.sandbox.recorder.violations[0]?.why ?? '', /no part of the API/);
  });

  it('source and version in the query are tolerated', async () => {
    assert.equal((await rule.v2('GET', '/tags?source=x&version=1')).status, 200);
    assert.equal((await rule.v3('GET', '/api-keys?source=x&version=1')).status, 200);
    assert.deepEqual(rule.sandbox.recorder.violations, []);
  });
});
