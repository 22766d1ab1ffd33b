import assert from 'node:assert/strict';
import { RuleCalls } from './support/rule-calls.js';

describe('Rule stand-in: custom fields', () => {
  const rule = RuleCalls.forEach();
  const email = 'kim@example.com';
  const field = (key: string) => rule.sandbox.subscriber(email)?.fields[key];

  describe('values of a v2 write, by type', () => {
    for (const [type, value, stored] of [
      ['text', 'Kim', 'Kim'],
      ['text', 7, '7'],
      ['date', '2026-09-01', '2026-09-01'],
      ['datetime', '2026-09-01 08:00:00', '2026-09-01 08:00:00'],
      ['datetime', '2026-09-01T08:00:00.000Z', '2026-09-01T08:00:00.000Z'],
      ['time', '08:00:00', '08:00:00'],
      ['multiple', ['a', 'b'], ['a', 'b']],
      ['multiple', '["a","b"]', ['a', 'b']],
      ['multiple', 'a', ['a']],
      ['json', '{"a":[1]}', { a: [1] }],
    ] as const) {
      it(`takes ${JSON.stringify(value)} as ${type}`, async () => {
        assert.equal((await rule.fields(email, [{ key: 'Group.Field', value, type }])).status, 200);
        assert.deepEqual(field('Group.Field'), { type, value: stored });
      });
    }

    for (const [type, value] of [
      ['date', '2026-02-30'],
      ['date', '2026-09-01T08:00:00Z'],
      ['datetime', '2026-09-01'],
      ['time', '25:00:00'],
      ['json', '{'],
      ['text', ['a']],
      ['date', 5],
    ] as const) {
      it(`refuses ${JSON.stringify(value)} as ${type} with 400 and the path of the value`, async () => {
        const answer = await rule.v2<{ fields: object }>('POST', '/subscribers', {
          tags: ['sesamy'],
          subscribers: { email, fields: [{ key: 'Group.Field', value, type }] },
        });
        assert.equal(answer.status, 400);
        assert.deepEqual(Object.keys(answer.json.fields), ['subscribers.fields.0.value']);
        assert.equal(rule.sandbox.subscriber(email), undefined);
        assert.deepEqual(rule.sandbox.recorder.violations, []);
      });
    }

    it('refuses ISO 8601 as datetime when told so', async () => {
      rule.sandbox.switches.isoDatetime = false;
      const value = '2026-09-01T08:00:00Z';
      assert.equal((await rule.fields(email, [{ key: 'A.B', value, type: 'datetime' }])).status, 400);
    });

    for (const [type, full, empty] of [
      ['text', 'x', ''],
      ['text', 'x', null],
      ['multiple', ['x'], []],
      ['date', '2026-09-01', ''],
    ] as const) {
      it(`clears a ${type} field by ${JSON.stringify(empty)}`, async () => {
        await rule.fields(email, [{ key: 'A.B', value: full, type }]);
        assert.equal((await rule.fields(email, [{ key: 'A.B', value: empty, type }])).status, 200);
        assert.equal(field('A.B'), undefined);
      });
    }

    it('refuses an empty date when told so', async () => {
      rule.sandbox.switches.emptyDate = 'refuse';
      assert.equal((await rule.fields(email, [{ key: 'A.B', value: '', type: 'date' }])).status, 400);
      assert.equal((await rule.fields(email, [{ key: 'A.C', value: '' }])).status, 200);
    });
  });

  for (const key of ['NoDot', 'Two.Dots.Here', '.Field', 'Group.', 'Group.Fi:eld']) {
    it(`refuses the key ${key}`, async () => {
      const { status, text } = await rule.fields(email, [{ key, value: 'x' }]);
      assert.equal(status, 400);
      assert.match(text, /"subscribers\.fields\.0\.key"/);
    });
  }

  it('fixes the type of a field when it is created', async () => {
    await rule.fields(email, [{ key: 'A.B', value: '2026-09-01', type: 'date' }]);
    const { status, text } = await rule.fields(email, [{ key: 'A.B', value: 'x', type: 'text' }]);
    assert.equal(status, 400);
    assert.match(text, /subscribers\.fields\.0\.type/);
    assert.equal((await rule.fields(email, [{ key: 'A.B', value: '2026-09-02' }])).status, 200);
  });

  it('refuses more than 65 KiB in one group, counting what is stored already', async () => {
    const half = 'x'.repeat(40 * 1024);
    assert.equal((await rule.fields(email, [{ key: 'A.B', value: half }])).status, 200);
    const { status, text } = await rule.fields(email, [{ key: 'A.C', value: half }]);
    assert.equal(status, 400);
    assert.match(text, /subscribers\.fields\.0\.value/);
    assert.equal((await rule.fields(email, [{ key: 'A.B', value: half }])).status, 200, 'overwriting is no growth');
    assert.equal((await rule.fields(email, [{ key: 'Other.C', value: half }])).status, 200);
  });

  it('has the standard fields on every account and lists the schema', async () => {
    const { json } = await rule.v2<{ groups: { name: string; fields: { name: string; type: string }[] }[] }>(
      'GET',
      '/customizations?limit=100',
    );
    const standard = json.groups.find(({ name }) => name === 'Subscriber');
    assert.ok(standard?.fields.some(({ name, type }) => name === 'FirstName' && type === 'text'));
  });

  it('creates groups and fields by /customizations, as often as wanted', async () => {
    const body = { fields: [{ key: 'Sesamy_Subscription.ExpiresAt', type: 'date' }] };
    assert.equal((await rule.v2('POST', '/customizations', body)).status, 200);
    assert.equal((await rule.v2('POST', '/customizations', body)).status, 200);
    const { json } = await rule.v2<{ id: number; fields: { name: string; type: string }[] }>(
      'GET',
      '/customizations/Sesamy_Subscription',
    );
    assert.deepEqual(
      json.fields.map(({ name, type }) => [name, type]),
      [['ExpiresAt', 'date']],
    );
    assert.equal((await rule.v2('GET', `/customizations/${json.id}`)).status, 200);
    assert.equal((await rule.v2('GET', '/customizations/Nothing')).status, 404);
  });

  it('refuses /customizations with another type than the field has', async () => {
    await rule.v2('POST', '/customizations', { fields: [{ key: 'A.B', type: 'date' }] });
    assert.equal((await rule.v2('POST', '/customizations', { fields: [{ key: 'A.B', type: 'text' }] })).status, 400);
  });

  for (const member of ['name', 'key'] as const) {
    it(`names a person's fields by the member ${member}`, async () => {
      rule.sandbox.switches.fieldsMemberName = member;
      await rule.fields(email, [{ key: 'A.B', value: 'x' }]);
      const path = `/subscriber/${encodeURIComponent(email)}/fields?identified_by=email`;
      const { json } = await rule.v2<{ groups: { name: string; fields: Record<string, unknown>[] }[] }>('GET', path);
      assert.equal(json.groups[0]?.name, 'A');
      assert.equal(json.groups[0]?.fields[0]?.[member], 'B');
      assert.equal(json.groups[0]?.fields[0]?.value, 'x');
    });
  }

  it('appends a row when a v2 write meets a historical group, and overwrites it when told so', async () => {
    rule.sandbox.defineField('Booking.Id', 'text', { historical: true });
    await rule.fields(email, [{ key: 'Booking.Id', value: '1' }]);
    await rule.fields(email, [{ key: 'Booking.Id', value: '2' }]);
    const rows = () => rule.sandbox.subscriber(email)?.rows.map(({ values }) => values.Id);
    assert.deepEqual(rows(), ['1', '2']);
    rule.sandbox.switches.upsertAppendsToHistorical = false;
    await rule.fields(email, [{ key: 'Booking.Id', value: '3' }]);
    assert.deepEqual(rows(), ['1', '3']);
  });
});
