import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRuleSandbox } from '../sandbox/rule/index.js';
import { RuleCalls } from './support/rule-calls.js';

const email = 'kim@example.com';

describe('Rule stand-in: controls, page, faults, persistence', () => {
  const rule = RuleCalls.forEach();
  const control = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(new URL(`/_sandbox${path}`, rule.sandbox.pageUrl), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    return { status: answer.status, json: text ? JSON.parse(text) : undefined };
  };
  const page = async (path: string) => {
    const answer = await fetch(new URL(path, rule.sandbox.pageUrl));
    return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') };
  };
  const ref = encodeURIComponent(email);

  describe('controls over HTTP', () => {
    it('prepare people and look at them', async () => {
      const created = await control('POST', '/subscribers', {
        email,
        tags: ['a'],
        fields: { 'Subscriber.FirstName': 'Kim', 'A.List': ['x', 'y'] },
        suppressed: ['campaign/email'],
      });
      assert.equal(created.status, 200);
      const { json } = await control('GET', `/subscribers/${created.json.id}`);
      assert.deepEqual(json.fields, {
        'Subscriber.FirstName': { type: 'text', value: 'Kim' },
        'A.List': { type: 'multiple', value: ['x', 'y'] },
      });
      assert.deepEqual([json.tags, json.suppressed], [['a'], ['campaign/email']]);
      assert.deepEqual(rule.sandbox.recorder.requests, [], 'controls are no API requests');
    });

    it('change a person in every way', async () => {
      rule.sandbox.addSubscriber({ email, tags: ['a'] });
      const view = () => rule.sandbox.subscriber(email);
      await control('POST', `/subscribers/${ref}/tags`, { name: 'b' });
      assert.deepEqual(view()?.tags, ['a', 'b']);
      await control('DELETE', `/subscribers/${ref}/tags`, { name: 'a' });
      assert.deepEqual(view()?.tags, ['b']);
      await control('PUT', `/subscribers/${ref}/tags`, { names: ['c', 'd'] });
      assert.deepEqual(view()?.tags, ['c', 'd']);
      await control('PUT', `/subscribers/${ref}/field`, { key: 'A.B', value: 'x' });
      assert.equal(view()?.fields['A.B']?.value, 'x');
      await control('POST', `/subscribers/${ref}/block`);
      await control('POST', `/subscribers/${ref}/suppression`, { channel: 'transaction/email' });
      assert.deepEqual([view()?.blocked, view()?.suppressed], [true, ['transaction/email']]);
      await control('DELETE', `/subscribers/${ref}/block`);
      await control('DELETE', `/subscribers/${ref}/suppression`, { channel: 'transaction/email' });
      assert.deepEqual([view()?.blocked, view()?.suppressed], [false, []]);
      assert.equal((await control('DELETE', `/subscribers/${ref}`)).status, 200);
      assert.equal(view(), undefined);
    });

    it('prepare automations, segments and fields, and tell what started', async () => {
      await control('POST', '/segments', {
        name: 'audience',
        condition: { any: [{ tag: 'gold' }, { not: { tag: 'x' } }] },
      });
      await control('POST', '/automations', { name: 'entry', trigger: { type: 'SEGMENT', name: 'audience' } });
      await control('POST', '/automations', { name: 'welcome', trigger: { type: 'TAG', name: 'sesamy' } });
      await control('POST', '/fields', { key: 'Event.Id', historical: true });
      await rule.upsert(email, {}, { fields: [{ key: 'Event.Id', value: '1' }] });
      await control('PUT', `/subscribers/${ref}/progress`, { automation: 'welcome', progress: 'completed' });
      await rule.upsert(email, { automation: 'reset' });
      const { json } = await control('GET', '/automations-started');
      assert.deepEqual(
        json.map(({ automation, pass }: { automation: string; pass: string }) => `${automation} ${pass}`),
        ['welcome first', 'entry first', 'welcome again'],
      );
      assert.equal(rule.sandbox.subscriber(email)?.rows.length, 1);
    });

    it('change switches, and refuse unknown ones and values', async () => {
      assert.equal((await control('PATCH', '/switches', { v3ExistingStatus: 422 })).json.v3ExistingStatus, 422);
      assert.equal((await control('PATCH', '/switches', { v3ExistingStatus: 500 })).status, 400);
      assert.equal((await control('PATCH', '/switches', { jobDelayMs: 'soon' })).status, 400);
      assert.equal((await control('PATCH', '/switches', { unknown: 1 })).status, 400);
      assert.equal(rule.sandbox.switches.v3ExistingStatus, 422);
    });

    it('revoke and set the key, block the account, take Rule down and up', async () => {
      const status = async () => (await rule.v2('GET', '/tags')).status;
      await control('DELETE', '/key');
      assert.equal(await status(), 401);
      await control('PUT', '/key', { key: 'new-key' });
      assert.equal(await status(), 200);
      const block = await control('POST', '/account-block', { seconds: 300, why: 'count' });
      assert.equal(block.json.why, 'count');
      assert.equal(await status(), 429);
      await control('DELETE', '/account-block');
      await control('POST', '/down');
      assert.equal(await status(), 503);
      await control('DELETE', '/down');
      assert.equal(await status(), 200);
      const { json } = await control('GET', '/counts');
      assert.equal(json.byStatus['429'], 1);
    });

    it('answer mistakes with a sentence', async () => {
      const unknown = await control('POST', '/subscribers/nobody@example.com/block');
      assert.equal(unknown.status, 404);
      const wrong = await control('POST', '/subscribers', { mail: email });
      assert.equal(wrong.status, 400);
      assert.match(wrong.json.error, /mail/);
    });
  });

  describe('page', () => {
    it('lists people and searches addresses, tags and fields', async () => {
      rule.sandbox.addSubscriber({ email, tags: ['sesamy', 'vip'], fields: { 'Subscriber.FirstName': 'Kim' } });
      rule.sandbox.addSubscriber({ email: 'robin@example.com' });
      const all = await page('/');
      assert.equal(all.type, 'text/html; charset=utf-8');
      assert.ok(all.text.includes(email) && all.text.includes('robin@example.com'));
      assert.ok(all.text.includes('<span class="tag ours">sesamy</span><span class="tag ">vip</span>'));
      for (const query of ['kim', 'VIP']) {
        const { text } = await page(`/?q=${query}`);
        assert.ok(text.includes(email) && !text.includes('robin@example.com'), query);
      }
    });

    it('shows a person: fields by group, rows, automations', async () => {
      rule.sandbox.addAutomation({ name: 'Welcome flow', trigger: { type: 'TAG', name: 'sesamy' } });
      rule.sandbox.defineField('Event.Id', 'text', { historical: true });
      const fields = [
        { key: 'Event.Id', value: 'evt_1' },
        { key: 'Sesamy_User.ID', value: 'user-1' },
      ];
      const { json } = await rule.upsert(email, {}, { fields });
      const { text } = await page(`/subscribers/${json.subscriber.id}`);
      for (const part of ['Sesamy_User', 'user-1', 'evt_1', 'Welcome flow', 'POST /v2/subscribers']) {
        assert.ok(text.includes(part), part);
      }
      assert.equal((await page('/subscribers/1')).status, 404);
      assert.ok((await page('/automations')).text.includes('Welcome flow'));
      assert.ok((await page('/requests')).text.includes('/api/v2/subscribers'));
    });

    it('escapes what it shows', async () => {
      const evil = '<img src=x onerror=alert(1)>"\'';
      const { id } = rule.sandbox.addSubscriber({ email, tags: [evil], fields: { 'A.B': evil } });
      await rule.v2('GET', `/tags/${encodeURIComponent(evil)}?${evil}`);
      for (const path of [`/subscribers/${id}`, '/', '/requests', `/?q=${encodeURIComponent(evil)}`]) {
        const { text } = await page(path);
        assert.ok(!text.includes('<img'), path);
      }
      assert.equal(rule.sandbox.recorder.requests.length, 1, 'pages are no API requests');
    });
  });

  describe('faults', () => {
    it('before the call: it has no effect', async () => {
      rule.sandbox.faults.add({ method: 'POST', path: '/v2/subscribers$', kind: 'status', status: 502, times: 1 });
      assert.equal((await rule.upsert(email)).status, 502);
      assert.equal(rule.sandbox.subscriber(email), undefined);
      assert.equal((await rule.upsert(email)).status, 200);
    });

    it('after the call: it took place and the answer is lost', async () => {
      rule.sandbox.faults.add({ method: 'POST', kind: 'hang-up', when: 'after', times: 1 });
      await assert.rejects(rule.upsert(email));
      assert.deepEqual(rule.sandbox.subscriber(email)?.tags, ['sesamy']);
    });

    for (const kind of ['html', 'wrong-shape'] as const) {
      it(`${kind} in place of the answer`, async () => {
        rule.sandbox.faults.add({ kind, times: 1 });
        const { status, json } = await rule.upsert(email);
        assert.equal(status, 200);
        assert.ok(!('subscriber' in json));
      });
    }
  });

  describe('persistence', () => {
    let folder = '';
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'rule-sandbox-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('finds everything again after a restart, accepted jobs too', async () => {
      const dataFile = join(folder, 'rule.json');
      const first = await startRuleSandbox({ dataFile, switches: { jobDelayMs: 60_000 } });
      first.addSegment({ name: 'audience', condition: { tag: 'a' } });
      first.addAutomation({ name: 'welcome', trigger: { type: 'TAG', name: 'a' } });
      first.defineField('Event.Id', 'text', { historical: true });
      first.defineField('A.Doc', 'json');
      const { id } = first.addSubscriber({
        email,
        phone_number: '+46701740605',
        custom_identifier: 'user|1',
        fields: { 'Event.Id': '1', 'A.Doc': '{"a":[1,null]}', 'A.List': ['x'] },
        suppressed: ['campaign/email'],
      });
      first.addTag(id, 'a', { automation: 'send', segments: true });
      await fetch(`${first.url}/v3/subscribers/block`, {
        method: 'POST',
        headers: { authorization: `Bearer ${first.apiKey}`, 'content-type': 'application/json;charset=utf-8' },
        body: JSON.stringify({ subscribers: [{ id }] }),
      });
      await first.close();
      const before = first.subscriber(id);
      assert.equal(before?.blocked, true);

      const second = await startRuleSandbox({ dataFile });
      try {
        assert.deepEqual(second.subscriber(email), before);
        assert.deepEqual(second.automationsStarted(), first.automationsStarted());
        assert.deepEqual(second.addSubscriber({ email: 'new@example.com' }).id, id + 1);
        second.addTag(id, 'a', { automation: 'send' });
        assert.equal(second.automationsStarted().length, 1, 'progress is kept');
        second.setField(id, 'Event.Id', '2');
        const rows = second.subscriber(id)?.rows.map((row) => row.id) ?? [];
        assert.equal(new Set(rows).size, 2);
      } finally {
        await second.close();
      }
    });

    it('runs alone, prints how to reach it, and saves on Ctrl-C', async () => {
      const dataFile = join(folder, 'alone.json');
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', 'sandbox/rule/main.ts', '--port', '0', '--key', 'alone', '--data', dataFile],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let printed = '';
      for await (const chunk of child.stdout) {
        printed += chunk;
        if (printed.includes('Ctrl-C')) break;
      }
      const exited = once(child, 'exit');
      const url = /RULE_API_URL=(\S+)/.exec(printed)?.[1];
      const answer = await fetch(`${url}/v2/tags`, { headers: { authorization: 'Bearer alone' } });
      await answer.text();
      assert.equal(answer.status, 200);
      child.kill('SIGINT');
      assert.deepEqual(await exited, [0, null]);
      const again = await startRuleSandbox({ dataFile });
      await again.close();
    });
  });
});
