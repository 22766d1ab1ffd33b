/** `sesamy-rule activate` on real parts: Temporal, both stand-ins over HTTP, the command as a process of its own. */
import assert from 'node:assert/strict';
import type { Activation } from '../src/cli/activate.js';
import { fieldTable } from '../src/mapping/index.js';
import { type CliResult, emptyFolder, runCli } from './support/cli.js';
import { planted } from './support/markers.js';
import { aContract, addressOf, anEntitlement, aProfile, nextId } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

type Run = (args?: string[], env?: Record<string, string>) => Promise<CliResult>;

function runIn(system: () => System): Run {
  return (args = [], env = {}) => runCli(['activate', ...args], { env: { ...system().env, ...env }, cwd: emptyFolder });
}

describe('activate, looking only', function () {
  this.timeout(60_000);
  let system: System;
  const run = runIn(() => system);

  before(async () => {
    system = await startSystem({ workers: false, automations: false });
    seed(system, { sharedAddress: true });
  });
  afterEach(async () => {
    for (const { faults: active } of [system.sesamy, system.rule]) active.clear();
    assert.deepEqual(system.ruleWrites(), [], 'the stand-in of Rule was asked by GET only');
    assert.deepEqual(
      system.sesamy.recorder.requests.filter(({ method, path }) => method !== 'GET' && path !== '/oauth/token'),
      [],
    );
    assert.equal((await system.client.workflow.count()).count, 0, 'Temporal has a workflow');
  });
  after(() => system.close());

  const refuse = (vendor: 'sesamy' | 'rule', path: string, status = 403) =>
    system[vendor].faults.add({ kind: 'status', status, path });

  it('A1, A6: counts every kind of reader and the tags that they will have, and names the automations', async () => {
    const { code, stderr, json } = await run(['--dry-run', '--json']);
    assert.equal(code, 0, stderr);
    const { readers, automations, fields, ok, started, backfill } = json<Activation>();
    assert.deepEqual([ok, started, backfill], [true, undefined, undefined]);

    assert.ok(readers);
    assert.equal(readers.listed, 14);
    assert.deepEqual(readers.heads, {
      create: 8,
      update: 2,
      guest: 1,
      noEmail: 1,
      sharedAddress: 1,
      unusableId: 1,
      unreadable: 0,
    });
    assert.deepEqual([readers.inRule, readers.notMailable, readers.withoutProfile], [3, 1, 0]);
    assert.deepEqual(readers.problems, [
      { field: 'Subscriber.Phone', code: 'invalid-phone', readers: 1 },
      { field: 'sesamy_tag_{custom}', code: 'tag-too-long', readers: 1 },
    ]);

    const { tags } = readers;
    assert.deepEqual(
      Object.fromEntries(tags.list.map(({ tag, readers: count, unattributed }) => [tag, unattributed ?? count])),
      {
        sesamy: 10,
        sesamy_active_entitlement_2026: 1,
        'sesamy_active_entitlement_daily-example-digital': 8,
        sesamy_active_sku_2026: 1,
        'sesamy_active_sku_po_2026-po-month': 1,
        'sesamy_active_sku_po_sid-digital-po-month': 8,
        'sesamy_active_sku_sid-digital': 8,
        sesamy_active_subscriber: 8,
        sesamy_has_external_access: 1,
        sesamy_stage_active: 8,
        sesamy_stage_none: 2,
        [`sesamy_tag_${'vinklubben-'.repeat(10)}`.slice(0, 99)]: 1,
      },
    );
    for (const { tag } of tags.list) assert.ok(!/^\d+$/.test(tag) && tag.length <= 99, tag);
    assert.deepEqual([tags.from, tags.unattributed], ['contracts and accesses', 1]);
    assert.deepEqual(tags.olderSpelling, [{ tag: 'sesamy_active_entitlement_Premium Magazine', readers: 1 }]);

    assert.deepEqual(automations, {
      listed: true,
      onOurTags: [{ automation: 'Onboarding', on: 'sesamy_event_subscribed' }],
      onSilentTags: [{ automation: 'All of Sesamy', on: 'sesamy' }],
      onSegments: [{ automation: 'Thanks for paying', on: 'Paying' }],
      onUnknownTags: [],
      others: 1,
    });

    assert.ok(fields);
    assert.deepEqual([fields.made, fields.make.length, fields.there], [false, 14, 3]);
    assert.deepEqual(fields.asText, ['Sesamy_ActiveProducts.Titles']);
    assert.deepEqual(fields.leftOut, [{ key: 'Sesamy_User.Created', has: 'datetime', wanted: 'date' }]);
  });

  it('tells people the same in tables, also without Temporal', async () => {
    const [{ code, stdout, stderr }, alone] = await Promise.all([
      run(['--dry-run']),
      run(['--dry-run', '--json'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }),
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /│ Sesamy, daily: contracts +│ ok /);
    assert.match(stdout, /│ Worker on sesamy-rule +│ warning /);
    assert.match(stdout, /│ Sesamy_Subscription\.ExpiresAt +│ date /);
    assert.match(stdout, /There as text.*Sesamy_ActiveProducts\.Titles/);
    assert.match(stdout, /left out: Sesamy_User\.Created is datetime, not date/);
    assert.match(stdout, /Sesamy_Event and Sesamy_Receipt .* come with the first event/);
    assert.match(stdout, /│ 8 +│ new in Rule /);
    assert.match(stdout, /│ 1 +│ guests /);
    assert.match(stdout, /│ sesamy_active_subscriber +│ 8 /);
    assert.match(stdout, /│ Onboarding +│ sesamy_event_subscribed /);
    assert.match(stdout, /│ Thanks for paying +│ Paying /);
    assert.match(stdout, /No caller can silence these/);
    assert.match(stdout, /Nothing was written\. To do it: sesamy-rule activate\n$/);

    const { checks, before, readers } = alone.json<Activation>();
    const temporal = checks.find(({ check }) => check === 'Temporal');
    assert.deepEqual([alone.code, temporal?.result, before, readers?.listed], [0, 'note', undefined, 14]);
  });

  it('goes on without a list of accesses and without one of automations, and says so', async () => {
    refuse('sesamy', '^/management/entitlements\\?limit=50', 400);
    refuse('rule', '/editor/automail');
    // And takes a bad second at each vendor in the middle of the reading.
    system.rule.faults.add({ kind: 'status', status: 503, path: '/v2/subscribers\\?limit=100', skip: 1, times: 1 });
    system.sesamy.faults.add({ kind: 'hang-up', path: '/management/users\\?limit=50', times: 1 });
    const { code, stdout, stderr } = await run(['--dry-run']);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /rule\/unavailable; goes on in 1 s/);
    assert.match(stderr, /sesamy\/unavailable; goes on in 1 s/);
    assert.match(stdout, /Readers: 14 at Sesamy, 3 subscribers in Rule/);
    assert.match(stdout, /from the lists of contracts:/);
    assert.match(stdout, /│ sesamy_active_entitlement_daily-example-digital +│ 8 /);
    assert.doesNotMatch(stdout, /sesamy_has_external_access/);
    assert.match(stdout, /may not list them, so look in Rule yourself/);
  });

  it('asks for --yes where nobody can be asked, before anything is read', async () => {
    const asked = system.sesamy.recorder.requests.length;
    const { code, stderr, json } = await run(['--json']);
    assert.equal(code, 2);
    assert.match(stderr, /^Nobody can be asked here: look first with --dry-run, then add --yes\.\n$/);
    assert.equal(json<{ error: { name: string } }>().error.name, 'UsageError');
    assert.equal(system.sesamy.recorder.requests.length, asked);
  });

  it('stops at a wrong secret, a wrong key and an absent Temporal, all three at once, each with its mend', async () => {
    const { code, stdout } = await run(['--yes'], {
      SESAMY_CLIENT_SECRET: 'a-wrong-secret',
      RULE_API_KEY: 'a-wrong-key',
      TEMPORAL_ADDRESS: '127.0.0.1:1',
    });
    assert.equal(code, 1);
    assert.match(stdout, /^Sesamy, daily: credential: check SESAMY_CLIENT_ID and SESAMY_CLIENT_SECRET/m);
    assert.match(stdout, /^Rule, daily: key, tags: check RULE_API_KEY/m);
    assert.match(stdout, /^Temporal: run `sesamy-rule start`, or set TEMPORAL_ADDRESS$/m);
    assert.match(stdout, /Nothing was written\. Mend what failed, then run it again\.\n$/);
  });

  it('stops at missing rights, and names each with where to get it', async () => {
    refuse('sesamy', '^/management/contracts');
    refuse('sesamy', '^/management/bills');
    refuse('rule', '/v3/custom-field-data/');
    refuse('rule', '/v2/subscriber/\\d+/fields');
    system.sesamy.switches.entitlementFilter = 'ignored';
    const { code, json } = await run(['--dry-run', '--json']);
    system.sesamy.switches.entitlementFilter = 'honoured';
    const { ok, checks, readers } = json<Activation>();
    assert.deepEqual([code, ok, readers], [1, false, undefined]);
    const failed = checks.filter(({ result }) => result === 'failed');
    const rule = 'make a key that may read this (Rule: Settings, Developer)';
    assert.deepEqual(
      failed.map(({ check, mend }) => [check, mend]),
      [
        ['Sesamy, daily: contracts', 'ask Sesamy support to give the credential the right to read contracts'],
        ['Sesamy, daily: entitlements', 'ask Sesamy support why the filter userId on entitlements is ignored'],
        [
          'Sesamy, daily: bills',
          'ask Sesamy support to give the credential the right to read bills, or set receipts.mode: off in a vendors file',
        ],
        ['Rule, daily: one subscriber', rule],
        ['Rule, daily: rows (v3)', rule],
      ],
    );
  });
});

describe('activate, writing', function () {
  this.timeout(90_000);
  let system: System;
  const run = runIn(() => system);

  before(async () => {
    system = await startSystem({ automations: false });
    seed(system, { sharedAddress: false });
  });
  after(() => system.close());

  /** What Rule holds, without the times. */
  const held = () => system.rule.subscribers().map(({ updatedAt: _at, ...subscriber }) => subscriber);

  it('that may not make fields says so and begins nothing', async () => {
    system.rule.faults.add({ kind: 'status', status: 403, method: 'POST', path: '/v2/customizations' });
    const { code, stderr, json } = await run(['--yes', '--no-wait', '--json']);
    system.rule.faults.clear();
    assert.equal(code, 1);
    assert.match(stderr, /403/);
    assert.equal(json<{ error: { name: string } }>().error.name, 'VendorError');
    assert.equal(await system.subscribers.backfill(system.vendorId), undefined);
  });

  it('A1: makes the fields, writes everybody, and starts 0 automations by our tags', async () => {
    const { code, stderr, json } = await run(['--yes', '--json']);
    assert.equal(code, 0, stderr);
    const { fields, readers, started, backfill } = json<Activation>();
    assert.deepEqual([fields?.made, started, backfill?.stage, backfill?.by], [true, true, 'done', 'activate']);
    assert.deepEqual([backfill?.automationsStarted, backfill?.unusableIds], [0, 1]);
    assert.deepEqual(system.rule.automationsStarted(), []);

    // What was counted is what was done.
    assert.deepEqual([readers?.heads.create, held().length], [8, 3 + 8]);
    for (const { tag, readers: count, unattributed = 0 } of readers?.tags.list ?? []) {
      assert.equal(held().filter(({ tags }) => tags.includes(tag)).length, count + unattributed, tag);
    }
    assert.ok(held().every(({ tags }) => !tags.includes('sesamy_active_entitlement_Premium Magazine')));
    assert.ok(held().some(({ tags }) => tags.includes('sesamy_vip')));
    assert.equal(held().filter(({ suppressed }) => suppressed.length > 0).length, 1);
  });

  it('has made each field with its type, and left those that were there', async () => {
    const types = await fieldTypes();
    const other = new Map([
      ['Sesamy_ActiveProducts.Titles', 'text'],
      ['Sesamy_User.Created', 'datetime'],
    ]);
    for (const { key, type } of fieldTable) assert.equal(types.get(key), other.get(key) ?? type, key);
  });

  it('may be run again: says what is there, and changes nothing', async () => {
    const first = held();
    const { code, stdout, stderr } = await run(['--yes']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Already there: \d+ readers looked after by a workflow/);
    assert.match(stdout, /The last backfill ended \d{4}-.* \(done, \d+ done\)/);
    assert.match(stdout, /2\. Fields in Rule: 17 of 19 are there with their type, 0 are to be made/);
    assert.match(stdout, /│ 0 +│ new in Rule /);
    assert.match(stdout, /Automations +0 started by our tags/);
    assert.deepEqual(held(), first);
    assert.deepEqual(system.rule.automationsStarted(), []);
  });

  it('finds a backfill that is under way, and neither counts nor starts a second', async () => {
    await system.subscribers.startBackfill('daily');
    await system.subscribers.pauseBackfill('daily');
    const mark = system.ruleReads().length;
    const { code, stderr, json } = await run(['--yes', '--no-wait', '--json']);
    assert.equal(code, 0, stderr);
    const { before, readers, started, backfill } = json<Activation>();
    assert.deepEqual(
      [before?.backfill?.endedAt, readers, started, backfill?.endedAt],
      [undefined, undefined, false, undefined],
    );
    assert.equal(system.ruleReads().slice(mark).includes('GET /api/v3/editor/automail'), false);
    await system.subscribers.stopBackfill('daily');
  });

  async function fieldTypes(): Promise<Map<string, string>> {
    const reply = await fetch(`${system.rule.url}/v2/customizations?limit=100`, {
      headers: { authorization: `Bearer ${system.rule.apiKey}` },
    });
    const { groups } = (await reply.json()) as {
      groups: { name: string; fields: { name: string; type: string }[] }[];
    };
    return new Map(groups.flatMap(({ name, fields }) => fields.map((field) => [`${name}.${field.name}`, field.type])));
  }
});

/** One reader of each kind, and what the account in Rule has before. */
function seed(system: System, { sharedAddress }: { sharedAddress: boolean }): void {
  const { sesamy, rule } = system;
  for (let count = 0; count < 3; count += 1) aReader(system);
  const known = aReader(system, { profile: { tags: ['Vinklubben '.repeat(10)] } });
  const quiet = aReader(system);
  aReader(system, { profile: { emailVerified: false } });
  aReader(system, { profile: { email: undefined } });
  aReader(system, { profile: { mobilePhone: '12' } });
  const owner = aReader(system);
  // Two users, one address: the one with the running subscription owns it.
  const other = nextId();
  const address = sharedAddress ? { email: addressOf(owner) } : { emailVerified: false };
  sesamy.setPerson({
    profile: aProfile(other, { ...address, createdAt: '2026-06-01T00:00:00Z' }),
    contracts: [],
    entitlements: [],
  });
  aReader(system, {}, `auth0|kim@${planted.domain}`);
  // A gift: the contract is the giver's. And external access, which has none.
  const giver = aReader(system);
  sesamy.setPerson({ profile: aProfile(giver), contracts: [aContract(giver, contractOf(giver))], entitlements: [] });
  sesamy.setPerson({
    profile: aProfile(nextId()),
    contracts: [],
    entitlements: [anEntitlement('e-gift', contractOf(giver))],
  });
  sesamy.setPerson({
    profile: aProfile(nextId()),
    contracts: [],
    entitlements: [anEntitlement('e-external', undefined, { sku: '2026', title: '2026' })],
  });
  rule.addSubscriber({
    email: addressOf(known).toUpperCase(),
    tags: ['sesamy', 'sesamy_active_entitlement_Premium Magazine', 'sesamy_vip'],
  });
  rule.addSubscriber({ email: addressOf(quiet), suppressed: ['campaign/email'] });
  rule.addSubscriber({ email: `somebody-else@${planted.domain}`, tags: ['newsletter'] });
  rule.defineField('Sesamy_ActiveProducts.Titles', 'text');
  rule.defineField('Sesamy_User.ID', 'text');
  rule.defineField('Sesamy_User.Created', 'datetime');
  rule.addAutomation({ name: 'Onboarding', trigger: { type: 'TAG', name: 'sesamy_event_subscribed' } });
  rule.addAutomation({ name: 'All of Sesamy', trigger: { type: 'TAG', name: 'sesamy' } });
  rule.addAutomation({ name: 'Asleep', trigger: { type: 'TAG', name: 'sesamy_event_ended' }, active: false });
  rule.addAutomation({ name: 'Newsletter', trigger: { type: 'TAG', name: 'newsletter' } });
  rule.addSegment({ name: 'Paying', condition: { tag: 'sesamy_active_subscriber' } });
  rule.addAutomation({ name: 'Thanks for paying', trigger: { type: 'SEGMENT', name: 'Paying' } });
}
