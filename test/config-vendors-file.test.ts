import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../src/config/index.js';
import { defaultLifecycleSettings } from '../src/lifecycle/index.js';
import { defaultReceiptSettings } from '../src/receipts/index.js';

const env = {
  SESAMY_RULE_CONFIG: 'vendors.yaml',
  SESAMY_RULE_TIME_ZONE: 'Europe/Stockholm',
  WEBHOOK_SECRET: 'invented-shared-secret',
  DAILY_SESAMY: 'invented-daily-secret',
  DAILY_RULE: 'invented-daily-key',
  WEEKLY_SESAMY: 'invented-weekly-secret',
  WEEKLY_RULE: 'invented-weekly-key',
  WEEKLY_WEBHOOK: 'invented-weekly-hook-new, invented-weekly-hook-old',
  TOO_SHORT: 'short',
};

const daily = {
  id: 'daily',
  sesamy: { clientId: 'a', clientSecret: { env: 'DAILY_SESAMY' } },
  rule: { apiKey: { env: 'DAILY_RULE' } },
};
const weekly = {
  id: 'weekly',
  sesamy: { clientId: 'b', clientSecret: { env: 'WEEKLY_SESAMY' } },
  rule: { apiKey: { env: 'WEEKLY_RULE' } },
};

describe('configuration by a vendors file', () => {
  let cwd: string;
  before(() => {
    cwd = mkdtempSync(join(tmpdir(), 'sesamy-rule-config-'));
  });
  after(() => rmSync(cwd, { recursive: true }));

  const load = (content: unknown, more: NodeJS.ProcessEnv = {}) => {
    writeFileSync(join(cwd, 'vendors.yaml'), typeof content === 'string' ? content : JSON.stringify(content));
    return loadConfig({ ...env, ...more }, { cwd });
  };
  const mistakesOf = (content: unknown, more: NodeJS.ProcessEnv = {}): [variable: string, problem: string][] => {
    try {
      load(content, more);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.mistakes.map(({ variable, problem }) => [variable, problem]);
    }
    return [];
  };

  it('reads YAML with comments; each vendor has its own accounts, choices and secrets', () => {
    const config = load(`
vendors:
  - id: daily
    sesamy: { clientId: a, clientSecret: { env: DAILY_SESAMY } }
    rule: { apiKey: { env: DAILY_RULE } }
  - id: weekly   # the other one
    sesamy:
      clientId: b
      clientSecret: { env: WEEKLY_SESAMY }
      apiUrl: https://api2.sesamy.dev
      tokenUrl: https://token.sesamy.dev/oauth/token
      audience: ""
      scope: users:read
      requestsPerSecond: 20
    rule: { apiKey: { env: WEEKLY_RULE }, apiUrl: https://rule.example.com/api/v2 }
    webhookSecrets: [{ env: WEEKLY_WEBHOOK }]
    mapping: { timeZone: Europe/Oslo, country: 'NO', requireVerifiedEmail: true, productTags: { articles: true }, canceledAt: request-day }
    timings: { extraLooksSeconds: [1, 2.5], missingRowsMinutes: 1, missingUserHours: 2, recheckDays: 0.5, guestDays: 7 }
    reconcile: { everyHours: 6, share: 0.5 }
    lifecycle:
      onboardingDays: 10
      renewalNoticeDays: []
      cancelWaitMinutes: 0
      events: { renewed: false, receipt: true }
`);
    assert.equal(config.sandbox, false);
    const [first = assert.fail(), second = assert.fail()] = config.vendors;
    assert.equal(first.mapping.timeZone, 'Europe/Stockholm');
    assert.equal(first.sesamy.audience, 'https://api.sesamy.com');
    assert.equal(first.rule.apiKey, 'invented-daily-key');
    assert.deepEqual(first.webhookSecrets, ['invented-shared-secret']);
    const { hashKey, ...rest } = second;
    assert.notEqual(hashKey, first.hashKey);
    assert.deepEqual(rest, {
      id: 'weekly',
      sesamy: {
        clientId: 'b',
        clientSecret: 'invented-weekly-secret',
        apiUrl: 'https://api2.sesamy.dev',
        tokenUrl: 'https://token.sesamy.dev/oauth/token',
        scope: 'users:read',
        requestsPerSecond: 20,
      },
      rule: { apiKey: 'invented-weekly-key', apiUrl: 'https://rule.example.com/api' },
      webhookSecrets: ['invented-weekly-hook-new', 'invented-weekly-hook-old'],
      mapping: {
        timeZone: 'Europe/Oslo',
        country: 'NO',
        requireVerifiedEmail: true,
        clearMissingAddress: false,
        giftReceiverIsSubscriber: false,
        productTags: { articles: true, physicalIssues: false },
        canceledAt: 'request-day',
      },
      timings: {
        extraLooksMs: [1000, 2500],
        missingRowsMs: 60_000,
        missingUserMs: 7_200_000,
        recheckMs: 43_200_000,
        guestMs: 7 * 86_400_000,
      },
      receipts: defaultReceiptSettings,
      reconcile: { everyHours: 6, share: 0.5 },
      lifecycle: {
        ...defaultLifecycleSettings,
        onboardingDays: 10,
        renewalNoticeDays: [],
        cancelWaitMs: 0,
        off: ['renewed'],
        brake: { share: 0.02, atLeast: 20 },
      },
    });
  });

  it('reads JSON, and keeps the hashes of a vendor that names its old client secret', () => {
    const before = load({ vendors: [daily] }).vendors[0]?.hashKey;
    const rotated = { ...daily, hashKey: { env: 'OLD_SECRET' } };
    const after = load({ vendors: [rotated] }, { DAILY_SESAMY: 'another-secret', OLD_SECRET: env.DAILY_SESAMY });
    assert.equal(after.vendors[0]?.hashKey, before);
  });

  it('needs the shared webhook secret only where a vendor has none of its own', () => {
    const own = { ...daily, webhookSecrets: [{ env: 'WEEKLY_WEBHOOK' }] };
    assert.deepEqual(mistakesOf({ vendors: [own] }, { WEBHOOK_SECRET: '' }), []);
    const misspelt = { ...own, maping: {} };
    assert.equal(mistakesOf({ vendors: [misspelt] }, { WEBHOOK_SECRET: '' }).length, 1);
    assert.deepEqual(mistakesOf({ vendors: [own, weekly] }, { WEBHOOK_SECRET: '' }), [
      ['WEBHOOK_SECRET', 'is not set'],
    ]);
  });

  it('refuses a secret that is written into the file, and does not repeat it', () => {
    const literal = { ...weekly, rule: { apiKey: 'invented-literal-key' } };
    assert.deepEqual(mistakesOf({ vendors: [daily, literal] }), [['vendors[1].rule.apiKey', 'holds a secret as text']]);
    const disguised = { ...weekly, rule: { apiKey: { env: 'invented-literal-key' } } };
    const [[variable, problem] = assert.fail()] = mistakesOf({ vendors: [daily, disguised] });
    assert.equal(variable, 'vendors[1].rule.apiKey');
    assert.doesNotMatch(problem, /literal-key/);
  });

  it('refuses references to variables that are not set or hold nothing usable', () => {
    const wrong = {
      ...weekly,
      rule: { apiKey: { env: 'NOWHERE' } },
      webhookSecrets: [{ env: 'WEEKLY_WEBHOOK' }, { env: 'TOO_SHORT' }],
    };
    assert.deepEqual(mistakesOf({ vendors: [wrong] }), [
      ['vendors[0].rule.apiKey', 'refers to NOWHERE, which is not set'],
      ['vendors[0].webhookSecrets[1]', 'refers to TOO_SHORT, which is shorter than 16 characters'],
    ]);
  });

  it('refuses two vendors in one Rule account: each would take the other’s tags away', () => {
    const together = { ...weekly, rule: daily.rule };
    assert.deepEqual(mistakesOf({ vendors: [daily, together] }), [
      ['vendors[1].rule.apiKey', 'is the key of the Rule account of vendors[0] too'],
    ]);
    assert.deepEqual(mistakesOf({ vendors: [daily, weekly] }, { WEEKLY_RULE: env.DAILY_RULE }), [
      ['vendors[1].rule.apiKey', 'is the key of the Rule account of vendors[0] too'],
    ]);
  });

  it('reports typing errors, wrong kinds, missing members and doubled ids of all vendors at once, beside the variables', () => {
    const mistakes = mistakesOf(
      {
        vendors: [
          { ...daily, maping: {}, timings: { recheckDays: '3', extraLooksSeconds: [300, 45] } },
          { ...daily, sesamy: { ...daily.sesamy, apiUrl: 'https://api2.sesamy.com/management', clientSecert: 1 } },
          {
            id: 'monthly',
            rule: {},
            mapping: { canceledAt: 'never', timeZone: 'Mars/Base' },
            lifecycle: { onboardingDays: -1, winBackDays: [30, 30], events: { renewd: true }, brake: { share: 2 } },
            reconcile: { everyHours: 0.5, share: 0 },
          },
        ],
        vendor: [],
      },
      { PORT: 'http' },
    );
    assert.deepEqual(mistakes.map(([variable, problem]) => `${variable} ${problem}`).sort(), [
      'PORT is not a port',
      'vendor is not a member that is known here',
      'vendors[0].maping is not a member that is known here',
      'vendors[0].timings.extraLooksSeconds does not ascend',
      'vendors[0].timings.recheckDays is not a number',
      'vendors[1].id is that of vendors[0] too',
      'vendors[1].sesamy.apiUrl ends in /management, which is added by the program',
      'vendors[1].sesamy.clientSecert is not a member that is known here',
      'vendors[2].lifecycle.brake.share is out of range',
      'vendors[2].lifecycle.events.renewd is not a member that is known here',
      'vendors[2].lifecycle.onboardingDays is out of range',
      'vendors[2].lifecycle.winBackDays is not a list of days',
      'vendors[2].mapping.canceledAt is none of the possible values',
      'vendors[2].mapping.timeZone is not a time zone',
      'vendors[2].reconcile.everyHours is out of range',
      'vendors[2].reconcile.share is out of range',
      'vendors[2].rule.apiKey is missing',
      'vendors[2].sesamy is missing',
    ]);
  });

  const broken: [what: string, content: string, problem: RegExp][] = [
    [
      'YAML that does not parse, by line and without quoting it',
      'vendors:\n  - id: "marker-zqx\n',
      /not valid YAML or JSON \(.*line \d/,
    ],
    ['a doubled member', 'vendors: []\nvendors: [marker-zqx]\n', /duplicate_key, line 2/],
    ['a tag of another program', 'vendors:\n  - !secret marker-zqx\n', /tag_resolve_failed, line 2/],
    ['a file without vendors', 'marker-zqx: 1', /without a list of vendors/],
    ['an empty file', '', /without a list of vendors/],
    ['a list', '- marker-zqx', /without a list of vendors/],
  ];
  for (const [what, content, expected] of broken) {
    it(`refuses ${what}`, () => {
      const mistakes = mistakesOf(content);
      for (const [variable, problem] of mistakes) {
        assert.equal(variable, 'SESAMY_RULE_CONFIG');
        assert.doesNotMatch(problem, /zqx/);
      }
      assert.match(mistakes[0]?.[1] ?? '', expected);
    });
  }

  it('refuses no vendors and aliases without end', () => {
    assert.deepEqual(
      mistakesOf('vendors: []').map(([variable]) => variable),
      ['vendors'],
    );
    const laughs = ['a: &a [x, x, x, x, x, x, x, x, x]', 'b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]'];
    const more = ['c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]', 'vendors: [*c, *c, *c, *c, *c, *c, *c, *c, *c]'];
    assert.deepEqual(
      mistakesOf([...laughs, ...more].join('\n')).map(([variable]) => variable),
      ['SESAMY_RULE_CONFIG'],
    );
  });

  it('notices credentials of one vendor in the variables beside a file that does not have it', () => {
    assert.deepEqual(mistakesOf({ vendors: [daily] }, { SESAMY_VENDOR_ID: 'daily' }), []);
    const [[variable] = assert.fail()] = mistakesOf({ vendors: [daily] }, { SESAMY_VENDOR_ID: 'monthly' });
    assert.equal(variable, 'SESAMY_VENDOR_ID');
  });
});
