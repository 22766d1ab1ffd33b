import assert from 'node:assert/strict';
import type { Person } from '../src/activities/read-person.js';
import { parseSince } from '../src/cli/options.js';
import { compare, type Held } from '../src/cli/preview-compare.js';
import { explain } from '../src/cli/report-error.js';
import { personOf, quoted, vendorIdOf } from '../src/cli/session.js';
import { adviceFor, attemptSentence, trailLines } from '../src/cli/story.js';
import { workflowUrl } from '../src/cli/temporal-ui.js';
import type { TrailEntry } from '../src/client.js';
import { QueryError, visibilityQuery } from '../src/client.js';
import { VendorError } from '../src/http/errors.js';
import { fieldTable } from '../src/mapping/index.js';

describe('--since', () => {
  const now = () => new Date('2026-09-10T12:00:00Z');
  const rows: [given: string, means: string][] = [
    ['30m', '2026-09-10T11:30:00.000Z'],
    ['2h', '2026-09-10T10:00:00.000Z'],
    ['2d', '2026-09-08T12:00:00.000Z'],
    ['2026-09-01', '2026-09-01T00:00:00.000Z'],
    ['2026-09-01T08:00', '2026-09-01T08:00:00.000Z'],
    ['2026-09-01T08:00:00Z', '2026-09-01T08:00:00.000Z'],
    ['2026-09-01T08:00:00+02:00', '2026-09-01T06:00:00.000Z'],
  ];
  for (const [given, means] of rows) {
    it(`${given} is ${means}`, () => assert.equal(parseSince(given, now).toISOString(), means));
  }
  for (const given of ['', '2', 'h', '2w', '-2h', 'yesterday', '2026-13-01', '10 Sep 2026', '2026-09-01T99:00']) {
    it(`refuses ${JSON.stringify(given)}`, () =>
      assert.throws(() => parseSince(given, now), { code: 'commander.invalidArgument' }));
  }
});

describe('the link to the Temporal UI', () => {
  const person = { vendorId: 'daily', userId: 'email|84cc01' };
  const path = '/namespaces/default/workflows/subscriber%2Fdaily%2Femail%7C84cc01';
  const rows: [address: string, env: NodeJS.ProcessEnv, ui: string | undefined][] = [
    ['127.0.0.1:7233', {}, 'http://127.0.0.1:8233'],
    ['localhost:7233', {}, 'http://127.0.0.1:8233'],
    ['[::1]:7233', {}, 'http://127.0.0.1:8233'],
    ['127.0.0.1:7233', { TEMPORAL_UI_URL: 'http://127.0.0.1:8240/' }, 'http://127.0.0.1:8240'],
    ['temporal.example.com:7233', { TEMPORAL_UI_URL: 'https://ui.example.com' }, 'https://ui.example.com'],
    ['press.a1b2c.tmprl.cloud:7233', {}, 'https://cloud.temporal.io'],
    ['eu-north-1.aws.api.temporal.io:7233', {}, 'https://cloud.temporal.io'],
    ['temporal.example.com:7233', {}, undefined],
    ['localhost.example.com:7233', {}, undefined],
  ];
  for (const [address, env, ui] of rows) {
    it(`of ${address}${env.TEMPORAL_UI_URL ? ' with TEMPORAL_UI_URL' : ''} is ${ui ?? 'none'}`, () => {
      assert.equal(workflowUrl({ env, address, namespace: 'default' }, person), ui && ui + path);
    });
  }
});

describe('which vendor and which reader', () => {
  const config = (...ids: string[]) => ({ vendors: ids.map((id) => ({ id })) });

  it('the only vendor needs no name', () => assert.equal(vendorIdOf(config('daily'), undefined), 'daily'));
  it('one of several is named', () => assert.equal(vendorIdOf(config('daily', 'weekly'), 'weekly'), 'weekly'));
  it('without any settings a name is enough', () => assert.equal(vendorIdOf(config(), 'daily'), 'daily'));
  it('of several one has to be named', () => {
    assert.throws(() => vendorIdOf(config('daily', 'weekly'), undefined), {
      name: 'UsageError',
      message: /--vendor daily or weekly/,
    });
  });
  it('a name that is not configured is refused', () => {
    assert.throws(() => vendorIdOf(config('daily'), 'weekly'), { name: 'UsageError', message: /--vendor daily/ });
  });
  it('an e-mail address is no reader', () => {
    assert.throws(() => personOf(config('daily'), 'kim@example.com', undefined), { name: 'UsageError' });
  });
  it('an id with a bar is quoted for the shell', () => assert.equal(quoted('email|84cc01'), "'email|84cc01'"));
});

describe('what a person reads of an error', () => {
  const grpc = (code: number, details: string) =>
    Object.assign(new Error('wrapped'), {
      name: 'ServiceError',
      cause: Object.assign(new Error(`${code}`), { code, details }),
    });
  const vendorError = new VendorError({
    type: 'rule/unauthorized',
    next: 'fix-key',
    reason: 'Rule does not accept the key',
    status: 401,
  });
  const rows: [title: string, error: unknown, exitCode: number, message: RegExp][] = [
    ['a vendor that refuses the key', vendorError, 1, /^Rule does not accept the key \(status 401\); mend the key/],
    [
      'a query that Temporal does not take',
      grpc(3, 'invalid query: syntax error'),
      2,
      /^Temporal does not take the query: invalid query/,
    ],
    ['Temporal going away in the middle', grpc(14, 'gone'), 1, /does not answer any more/],
    ['Temporal refusing us', grpc(7, 'no'), 1, /TEMPORAL_API_KEY/],
    [
      'a taken port',
      Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', port: 8080 }),
      1,
      /^Port 8080 is taken.*set PORT/,
    ],
    [
      'a bug',
      new TypeError('kim@example.com is not a function\n    at somewhere'),
      1,
      /^Unexpected TypeError(?! .*kim).*; please report it\. SESAMY_RULE_LOG_LEVEL=debug/,
    ],
    ['something thrown that is no error', 'oops', 1, /^Unexpected failure(?!.*oops)/],
  ];
  for (const [title, error, exitCode, message] of rows) {
    it(`${title}: exit code ${exitCode} and one line`, () => {
      const explained = explain(error);
      assert.equal(explained.exitCode, exitCode);
      assert.match(explained.message, message);
      assert.doesNotMatch(explained.message, /\n/);
    });
  }
});

describe('the story of a reader', () => {
  const at = '2026-09-10T12:00:00.000Z';
  const nothing = { fields: [], tagsAdded: [], tagsRemoved: [], addressChanged: false };
  const rows: [entry: Omit<TrailEntry, 'at'>, sentence: string][] = [
    [
      {
        why: ['purchased'],
        verdict: 'created',
        changes: { ...nothing, fields: fieldTable.map(({ key }) => key), tagsAdded: ['sesamy'] },
      },
      'written to Rule: 19 fields, +sesamy (purchased)',
    ],
    [
      {
        why: ['contractChanged'],
        verdict: 'updated',
        changes: { ...nothing, fields: ['Sesamy_Subscription.Status'], tagsRemoved: ['sesamy_stage_active'] },
      },
      'changed in Rule: Sesamy_Subscription.Status, −sesamy_stage_active (contractChanged)',
    ],
    [
      { why: ['profileChanged'], verdict: 'updated', changes: { ...nothing, addressChanged: true } },
      'changed in Rule: new e-mail address, same Rule id (profileChanged)',
    ],
    [
      { why: ['profileChanged'], verdict: 'updated', changes: { ...nothing, movedFrom: 12 } },
      'changed in Rule: moved from Rule subscriber 12, whose address was taken by another (profileChanged)',
    ],
    [{ why: ['recheck'], verdict: 'unchanged', changes: nothing }, 'nothing to write (recheck)'],
    [
      { why: ['profileChanged'], verdict: 'skipped', reason: 'guest/no-email', changes: nothing },
      'skipped: a guest: Sesamy has no e-mail address (profileChanged)',
    ],
    [
      {
        why: ['second-look'],
        verdict: 'gone',
        reason: 'not-at-sesamy',
        changes: { ...nothing, tagsRemoved: ['sesamy_stage_lapsed'] },
      },
      'gone: Sesamy does not know this user id; −sesamy_stage_lapsed (second-look)',
    ],
    [
      {
        why: ['resync'],
        verdict: 'unchanged',
        changes: nothing,
        problems: [{ field: 'Subscriber.Phone', code: 'invalid-phone' }],
      },
      'nothing to write; to mend: Subscriber.Phone: invalid-phone (resync)',
    ],
    [
      {
        why: ['purchased', 'accessChanged'],
        failure: { type: 'rule/unavailable', next: 'wait', status: 503, method: 'PUT', path: '/v2/subscribers/{id}' },
      },
      'failed: rule/unavailable (status 503; PUT /v2/subscribers/{id}) (purchased, accessChanged)',
    ],
  ];
  for (const [entry, sentence] of rows) it(sentence, () => assert.equal(attemptSentence({ at, ...entry }), sentence));

  it('folds a row of looks that found nothing into one line, and no other', () => {
    const entry = (minute: number, rest: Partial<TrailEntry>): TrailEntry => ({
      at: `2026-11-01T10:0${minute}:00.000Z`,
      why: ['look'],
      ...rest,
    });
    const idle = { verdict: 'unchanged' } as const;
    const problems = [{ field: 'Subscriber.Phone', code: 'invalid-phone' }];
    assert.deepEqual(
      trailLines([
        entry(0, idle),
        entry(1, idle),
        entry(2, idle),
        entry(3, { ...idle, problems }),
        entry(4, idle),
        entry(5, idle),
      ]),
      [
        '  2026-11-01T10:02:00.000Z  nothing to write, 3 times since 2026-11-01T10:00:00.000Z',
        '  2026-11-01T10:03:00.000Z  nothing to write; to mend: Subscriber.Phone: invalid-phone (look)',
        '  2026-11-01T10:04:00.000Z  nothing to write (look)',
        '  2026-11-01T10:05:00.000Z  nothing to write (look)',
      ],
    );
  });

  it('names the command where one mends it, and none where time does', () => {
    assert.match(adviceFor({ type: 'rule/invalid', next: 'fix-data' }, "'email|1'"), /sesamy-rule resync 'email\|1'$/);
    assert.match(adviceFor({ type: 'rule/unavailable', next: 'wait' }, 'email|1'), /^nothing to do/);
    assert.match(
      adviceFor({ type: 'rule/unauthorized', next: 'fix-key' }, 'email|1'),
      /RULE_API_KEY.*tried again by itself$/,
    );
  });
});

describe('old beside new', () => {
  const person: Pick<Person, 'mapped' | 'tags'> = {
    mapped: {
      standing: { confirmed: true },
      email: 'kim@example.com',
      fields: [
        { key: 'Subscriber.FirstName', type: 'text', value: 'Kim' },
        { key: 'Subscriber.LastName', type: 'text', value: undefined },
        { key: 'Sesamy_ActiveProducts.SKU', type: 'multiple', value: ['a', 'b'] },
        { key: 'Sesamy_Subscription.Status', type: 'text', value: undefined },
        { key: 'Sesamy_Subscription.CreatedAt', type: 'date', value: '2026-01-15' },
      ],
      tags: ['sesamy'],
      problems: [],
    },
    tags: ['sesamy', 'sesamy_stage_active'],
  };
  const held: Held = {
    subscriber: { id: 1, email: 'old@example.com', suppressed: false, mailable: true },
    fields: {
      'Subscriber.FirstName': { value: 'Kimberly' },
      'Subscriber.LastName': { value: 'Berg' },
      'Sesamy_ActiveProducts.SKU': { value: 'a, b' },
      'Sesamy_Subscription.Status': { value: 'ACTIVE' },
    },
    tags: ['sesamy', 'sesamy_stage_lapsed', 'sesamy_vip', 'sesamy_event_ended', 'newsletter'],
  };
  const marks = (rows: readonly { key?: string; tag?: string; mark: string }[]) =>
    Object.fromEntries(rows.map((row) => [row.key ?? row.tag, row.mark]));

  it('marks what comes, goes, changes and stays, in fields and tags', () => {
    const seen = compare(person, held, new Map());
    assert.deepEqual(marks(seen.fields), {
      'Subscriber.FirstName': '~',
      'Subscriber.LastName': '=',
      'Sesamy_ActiveProducts.SKU': '=',
      'Sesamy_Subscription.Status': '−',
      'Sesamy_Subscription.CreatedAt': '+',
    });
    assert.deepEqual(marks(seen.tags), {
      sesamy: '=',
      sesamy_event_ended: '=',
      sesamy_stage_active: '+',
      sesamy_stage_lapsed: '−',
    });
    assert.equal(seen.otherTags, 2);
    assert.deepEqual(seen.email, { key: 'E-mail', mark: '~', old: 'old@example.com', new: 'kim@example.com' });
  });

  it('shows somebody new with everything as coming', () => {
    const seen = compare(person, undefined, new Map());
    assert.deepEqual(marks(seen.fields)['Subscriber.FirstName'], '+');
    assert.deepEqual(marks(seen.tags), { sesamy: '+', sesamy_stage_active: '+' });
  });

  it('leaves out and reports a field whose type in the account does not fit', () => {
    const seen = compare(person, held, new Map([['Sesamy_Subscription.CreatedAt', 'datetime']]));
    assert.equal(marks(seen.fields)['Sesamy_Subscription.CreatedAt'], '=');
    assert.deepEqual(seen.problems, [{ field: 'Sesamy_Subscription.CreatedAt', code: 'type-mismatch' }]);
  });
});

describe('a query in brackets', () => {
  const closing = [
    'x) OR (y',
    "SyncState = 'failed') OR (SyncState = 'ok'",
    String.raw`FailureType = 'a\\') OR (SyncState = 'ok'`,
    `FailureType = "a'") OR (SyncState = "ok"`,
    // To Temporal the quotation marks in these comments are none, so that the brackets between them are some.
    "SyncState = 'x' /* ' */ ) OR (SyncState = 'ok' /* ' */",
    "SyncState = 'x' -- '\n) OR (SyncState = 'ok' -- '\n",
    "SyncState = 'x' // '\n) OR (SyncState = 'ok' // '\n",
    "SyncState = 'x' # '\n) OR (SyncState = 'ok' # '\n",
  ];
  for (const query of closing) {
    it(`is refused where it could step out of them: ${JSON.stringify(query)}`, () => {
      assert.throws(() => visibilityQuery({ state: 'failed', query }), QueryError);
    });
  }

  for (const query of [
    "FailureType = ') OR ('",
    "FailureType = 'a--b/*#'",
    "(SyncState = 'ok' OR SyncState = 'failed')",
  ]) {
    it(`is taken where it stays inside: ${query}`, () => {
      assert.ok(visibilityQuery({ query }).endsWith(` AND (${query})`));
    });
  }
});
