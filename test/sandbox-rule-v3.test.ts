import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RuleCalls } from './support/rule-calls.js';

const email = 'kim@example.com';
const person = `/subscribers/${encodeURIComponent(email)}`;

describe('Rule stand-in: v3 calls', () => {
  const rule = RuleCalls.forEach();
  const view = () => rule.sandbox.subscriber(email);

  describe('POST /subscribers', () => {
    it('creates a person and answers phone where phone_number was sent', async () => {
      const { status, json } = await rule.v3<{ data: Record<string, unknown> }>('POST', '/subscribers', {
        email,
        phone_number: '0701740605',
        custom_identifier: 'user|1',
        status: 'PENDING',
      });
      assert.equal(status, 201);
      assert.equal(json.data.phone, '+46701740605');
      assert.deepEqual(
        [json.data.status, json.data.custom_identifier, json.data.language],
        ['PENDING', 'user|1', 'sv'],
      );
      assert.equal(view()?.optedIn, false);
    });

    for (const status of [409, 422] as const) {
      it(`answers ${status} for an existing person`, async () => {
        rule.sandbox.switches.v3ExistingStatus = status;
        rule.sandbox.addSubscriber({ email });
        const answer = await rule.v3('POST', '/subscribers', { email });
        assert.equal(answer.status, status);
        if (status === 422) assert.ok(Array.isArray((answer.json.errors as Record<string, unknown>).email));
        assert.deepEqual(rule.sandbox.recorder.violations, []);
      });
    }

    it('updates status and language of an existing person when told so', async () => {
      rule.sandbox.switches.v3ExistingStatus = 200;
      rule.sandbox.addSubscriber({ email });
      assert.equal(
        (await rule.v3('POST', '/subscribers', { email, status: 'BLOCKED', language: 'en-GB' })).status,
        200,
      );
      assert.equal(view()?.blocked, true);
      assert.equal(view()?.language, 'en-GB');
    });
  });

  it('deletes with 204 and no body; v2 does not find the person any more', async () => {
    rule.sandbox.addSubscriber({ email });
    const { status, text } = await rule.v3('DELETE', `${person}?identified_by=email`);
    assert.deepEqual([status, text], [204, '']);
    assert.equal((await rule.v2('GET', `${person}?identified_by=email`)).status, 404);
  });

  describe('tags', () => {
    it('PUT adds, by any identity, with names and ids', async () => {
      rule.sandbox.addSubscriber({ email, custom_identifier: 'user|1', tags: ['a'] });
      rule.sandbox.addSubscriber({ email: 'other@example.com', tags: ['b'] });
      const { json } = await rule.v2<{ id: number }>('GET', '/tags/b?identified_by=name');
      const path = `/subscribers/${encodeURIComponent('user|1')}/tags?identified_by=custom_identifier`;
      assert.equal((await rule.v3('PUT', path, { tags: [json.id, 'c'] })).status, 204);
      assert.deepEqual(view()?.tags, ['a', 'b', 'c']);
    });

    it('DELETE removes one at once', async () => {
      rule.sandbox.addSubscriber({ email, tags: ['a', 'b'] });
      const { status, text } = await rule.v3('DELETE', `${person}/tags/a?identified_by=email`);
      assert.deepEqual([status, text], [204, '']);
      assert.deepEqual(view()?.tags, ['b']);
    });

    it('bulk removal takes a body on DELETE and happens a little later', async () => {
      const { id } = rule.sandbox.addSubscriber({ email, tags: ['a', 'b', 'c'] });
      rule.sandbox.addSubscriber({ email: 'other@example.com', tags: ['a'] });
      rule.sandbox.switches.jobDelayMs = 60;
      const body = {
        subscribers: [{ id }, { email: 'other@example.com' }, { email: 'nobody@example.com' }],
        tags: ['a', 'b'],
      };
      assert.equal((await rule.v3('DELETE', '/subscribers/tags', body)).status, 204);
      assert.deepEqual(view()?.tags, ['a', 'b', 'c']);
      await rule.sandbox.settled();
      assert.deepEqual(view()?.tags, ['c']);
      assert.deepEqual(rule.sandbox.subscriber('other@example.com')?.tags, []);
    });
  });

  describe('jobs', () => {
    it('block and unblock', async () => {
      rule.sandbox.addSubscriber({ email });
      assert.equal((await rule.v3('POST', '/subscribers/block', { subscribers: [{ email }] })).status, 204);
      await rule.sandbox.settled();
      assert.equal(view()?.blocked, true);
      await rule.v3('POST', '/subscribers/unblock', { subscribers: [{ email }] });
      await rule.sandbox.settled();
      assert.equal(view()?.blocked, false);
    });

    it('suppress marketing on all channels or one, and lift it', async () => {
      rule.sandbox.addSubscriber({ email });
      assert.equal((await rule.v3('POST', '/suppressions/', { subscribers: [{ email }] })).status, 204);
      await rule.sandbox.settled();
      assert.deepEqual(view()?.suppressed, ['campaign/email', 'campaign/text_message']);
      await rule.v3('DELETE', '/suppressions/', { subscribers: [{ email }], message_types: ['email'] });
      await rule.sandbox.settled();
      assert.deepEqual(view()?.suppressed, ['campaign/text_message']);
    });

    for (const method of ['POST', 'GET'] as const) {
      it(`call callback_url once by ${method} when done`, async () => {
        rule.sandbox.switches.callbackMethod = method;
        rule.sandbox.addSubscriber({ email });
        const calls: string[] = [];
        const receiver = createServer((request, response) => {
          let body = '';
          request.on('data', (chunk) => {
            body += chunk;
          });
          request.on('end', () => {
            calls.push(`${request.method} ${body} ${view()?.blocked}`);
            response.end();
          });
        });
        await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
        const callback_url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/done`;
        await rule.v3('POST', '/subscribers/block', { subscribers: [{ email }], callback_url });
        await rule.sandbox.settled();
        receiver.close();
        assert.deepEqual(calls, [method === 'POST' ? 'POST {} true' : 'GET  true']);
      });
    }
  });

  describe('custom-field data', () => {
    const event = (value: string) => ({
      groups: [
        {
          group: 'Sesamy_Event',
          historical: true,
          create_if_not_exists: true,
          values: [{ field: 'Id', create_if_not_exists: true, value }],
        },
      ],
    });
    let id = 0;
    const data = (path = '') => `/custom-field-data/${id}${path}`;
    beforeEach(() => {
      id = rule.sandbox.addSubscriber({ email }).id;
    });

    it('appends a row to a historical group with each write, without looking for doubles', async () => {
      const { status, text } = await rule.v3('POST', data(), event('evt_1'));
      assert.deepEqual([status, text], [201, '']);
      await rule.v3('POST', data(), event('evt_1'));
      assert.deepEqual(
        view()?.rows.map(({ group, values }) => [group, values]),
        [
          ['Sesamy_Event', { Id: 'evt_1' }],
          ['Sesamy_Event', { Id: 'evt_1' }],
        ],
      );
    });

    it('overwrites a plain group, field by field', async () => {
      const write = (field: string, value: unknown) =>
        rule.v3('POST', data(), { groups: [{ group: 'Profile', values: [{ field, value }] }] });
      await write('Plan', 'gold');
      await write('List', ['a', 'b']);
      await write('Plan', 'silver');
      assert.deepEqual(view()?.fields, {
        'Profile.Plan': { type: 'text', value: 'silver' },
        'Profile.List': { type: 'multiple', value: ['a', 'b'] },
      });
      assert.deepEqual(view()?.rows, []);
      await write('Plan', '');
      assert.equal(view()?.fields['Profile.Plan'], undefined);
    });

    it('passes over what is missing and may not be created', async () => {
      const values = [{ field: 'Id', create_if_not_exists: false, value: 'x' }];
      assert.equal(
        (await rule.v3('POST', data(), { groups: [{ group: 'New', create_if_not_exists: false, values }] })).status,
        201,
      );
      assert.equal((await rule.v2('GET', '/customizations/New')).status, 404);
    });

    it('does not create what is left unsaid when told so', async () => {
      rule.sandbox.switches.createIfNotExistsDefault = false;
      await rule.v3('POST', data(), { groups: [{ group: 'New', values: [{ field: 'F', value: 'x' }] }] });
      assert.deepEqual(view()?.fields, {});
    });

    it('ignores historical on a plain group, or converts it when told so', async () => {
      rule.sandbox.defineField('Sesamy_Event.Id');
      await rule.v3('POST', data(), event('1'));
      await rule.v3('POST', data(), event('2'));
      assert.deepEqual(view()?.rows, []);
      rule.sandbox.switches.historicalOnPlainGroup = 'convert';
      await rule.v3('POST', data(), event('3'));
      assert.deepEqual(
        view()?.rows.map(({ values }) => values.Id),
        ['2', '3'],
      );
    });

    it('refuses a value that does not fit the type with 422 and writes nothing', async () => {
      rule.sandbox.defineField('Profile.Day', 'date');
      const groups = [
        {
          group: 'Profile',
          values: [
            { field: 'Plan', value: 'gold' },
            { field: 'Day', value: 'x' },
          ],
        },
      ];
      const { status, json } = await rule.v3<{ errors: object }>('POST', data(), { groups });
      assert.equal(status, 422);
      assert.deepEqual(Object.keys(json.errors), ['groups.0.values.1.value']);
      assert.deepEqual(view()?.fields, {});
    });

    it('is read back in pages, by group, and found by value or id; a miss is a 404', async () => {
      await rule.v3('POST', data(), event('evt_1'));
      await rule.v3('POST', data(), event('evt_2'));
      await rule.v3('POST', data(), { groups: [{ group: 'Profile', values: [{ field: 'Plan', value: 'gold' }] }] });
      type Listed = { data: { id: number; group_name: string; values: object[] }[]; meta: object };
      const all = await rule.v3<Listed>('GET', data());
      assert.deepEqual(
        all.json.data.map((one) => one.group_name),
        ['Sesamy_Event', 'Sesamy_Event', 'Profile'],
      );
      assert.deepEqual(all.json.meta, { page: 1, per_page: 15 });
      const page = await rule.v3<Listed>('GET', data('?page=2&per_page=2'));
      assert.equal(page.json.data.length, 1);
      const named = await rule.v3<Listed>('GET', data('?groups_name[]=Profile'));
      assert.equal(named.json.data.length, 1);
      const group = await rule.v3<Listed>('GET', data('/group/Sesamy_Event?fields[]=Id'));
      assert.equal(group.json.data.length, 2);
      const search = (query: string) => rule.v3<{ data: { id: number } }>('GET', data(`/search?${query}`));
      const found = await search('group=Sesamy_Event&field=Id&value=evt_2');
      assert.equal(found.status, 200);
      assert.equal((await search(`data_id=${found.json.data.id}`)).json.data.id, found.json.data.id);
      assert.equal((await search('group=Sesamy_Event&field=Id&value=evt_3')).status, 404);
      assert.deepEqual(rule.sandbox.recorder.violations, []);
    });

    it('is amended by id or value, and deleted by group', async () => {
      await rule.v3('POST', data(), event('evt_1'));
      const identifier = { group: 'Sesamy_Event', field: 'Id', value: 'evt_1' };
      const values = [{ field: 'Type', create_if_not_exists: true, value: 'renewed' }];
      assert.equal((await rule.v3('PUT', data(), { identifier, values })).status, 204);
      const row = view()?.rows[0];
      assert.deepEqual(row?.values, { Id: 'evt_1', Type: 'renewed' });
      assert.equal((await rule.v3('PUT', data(), { identifier: { data_id: row?.id }, values })).status, 204);
      assert.equal((await rule.v3('PUT', data(), { identifier: { data_id: 1 }, values })).status, 404);
      assert.equal((await rule.v3('DELETE', data('/group/Sesamy_Event'))).status, 204);
      assert.deepEqual(view()?.rows, []);
    });

    it('is a 404 for an unknown person', async () => {
      assert.equal((await rule.v3('POST', '/custom-field-data/1', event('1'))).status, 404);
    });
  });

  it('keys are listed without value, created with it, renamed and deleted', async () => {
    const created = await rule.v3<{ data: { id: number; key: string } }>('POST', '/api-keys', { name: 'second' });
    const { id, key } = created.json.data;
    const header = { authorization: `Bearer ${key}` };
    assert.equal((await rule.v3('PUT', `/api-keys/${id}`, { name: 'renamed' }, header)).status, 200);
    const listed = await rule.v3<{ data: { name: string; key?: string }[] }>('GET', '/api-keys', undefined, header);
    assert.deepEqual(
      listed.json.data.map(({ name, key: shown }) => [name, shown]),
      [
        ['main', undefined],
        ['renamed', undefined],
      ],
    );
    assert.equal((await rule.v3('DELETE', `/api-keys/${id}`)).status, 204);
    assert.equal((await rule.v3('GET', '/api-keys', undefined, header)).status, 401);
  });

  it('automations are listed with their trigger, and one is read', async () => {
    rule.sandbox.addAutomation({ name: 'Welcome', trigger: { type: 'TAG', name: 'sesamy' } });
    rule.sandbox.addSegment({ name: 'audience', condition: { tag: 'sesamy' } });
    rule.sandbox.addAutomation({ name: 'Off', trigger: { type: 'SEGMENT', name: 'audience' }, active: false });
    type Listed = { data: { id: number; name: string; active: boolean; trigger: { type: string; name: string } }[] };
    const all = await rule.v3<Listed>('GET', '/editor/automail');
    assert.deepEqual(
      all.json.data.map(({ name, active, trigger }) => [name, active, trigger.type, trigger.name]),
      [
        ['Welcome', true, 'TAG', 'sesamy'],
        ['Off', false, 'SEGMENT', 'audience'],
      ],
    );
    assert.equal((await rule.v3<Listed>('GET', '/editor/automail?active=true&page=1&per_page=15')).json.data.length, 1);
    assert.equal((await rule.v3('GET', `/editor/automail/${all.json.data[0]?.id}`)).status, 200);
    assert.equal((await rule.v3('GET', '/editor/automail/99')).status, 404);
  });

  it('recipients are listed in pages of 15', async () => {
    for (let index = 0; index < 16; index += 1)
      rule.sandbox.addSubscriber({ email: `p${index}@example.com`, tags: ['sesamy'] });
    const list = async (path: string) =>
      (await rule.v3<{ data: object[] }>('GET', `/editor/recipients/${path}`)).json.data.length;
    assert.equal(await list('subscribers'), 15);
    assert.equal(await list('subscribers?page=2'), 1);
    assert.equal(await list('tags'), 1);
    assert.equal(await list('segments'), 0);
  });
});
