import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { ConfigError, envExample, loadConfig, loadEnvFile, settingTable } from '../src/config/index.js';
import { defaultLifecycleSettings } from '../src/lifecycle/index.js';
import { defaultReceiptSettings } from '../src/receipts/index.js';

const complete = {
  SESAMY_VENDOR_ID: 'daily',
  SESAMY_CLIENT_ID: 'client-daily',
  SESAMY_CLIENT_SECRET: 'invented-client-secret',
  RULE_API_KEY: 'invented-rule-key',
  WEBHOOK_SECRET: 'invented-webhook-secret',
};

function mistakesOf(env: NodeJS.ProcessEnv, options = {}): Record<string, string> {
  try {
    loadConfig(env, options);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return Object.fromEntries(error.mistakes.map(({ variable, problem }) => [variable, problem]));
  }
  return {};
}

describe('configuration by variables', () => {
  it('makes one vendor of the variables, with the documented defaults', () => {
    const config = loadConfig(complete, { cwd: '/srv/app' });
    assert.equal(config.sandbox, false);
    assert.equal(config.dataFolder, resolve('/srv/app/.sesamy-rule'));
    assert.equal(config.logLevel, 'info');
    assert.equal('metricsAddress' in config, false);
    assert.deepEqual(config.webhook, { host: '127.0.0.1', port: 8080, secrets: ['invented-webhook-secret'] });
    assert.equal(config.vendors.length, 1);
    const [{ hashKey, ...vendor } = assert.fail()] = config.vendors;
    assert.match(hashKey, /^[\w-]{43}$/);
    assert.deepEqual(vendor, {
      id: 'daily',
      sesamy: {
        apiUrl: 'https://api2.sesamy.com',
        tokenUrl: 'https://token.sesamy.com/oauth/token',
        clientId: 'client-daily',
        clientSecret: 'invented-client-secret',
        audience: 'https://api.sesamy.com',
        requestsPerSecond: 5,
      },
      rule: { apiUrl: 'https://app.rule.io/api', apiKey: 'invented-rule-key' },
      mapping: {
        timeZone: 'UTC',
        country: 'SE',
        requireVerifiedEmail: false,
        clearMissingAddress: false,
        giftReceiverIsSubscriber: false,
        productTags: { articles: false, physicalIssues: false },
        canceledAt: 'end-day',
      },
      timings: {
        extraLooksMs: [45_000, 300_000],
        missingRowsMs: 900_000,
        missingUserMs: 86_400_000,
        recheckMs: 3 * 86_400_000,
        guestMs: 30 * 86_400_000,
      },
      lifecycle: { ...defaultLifecycleSettings, brake: { share: 0.02, atLeast: 20 } },
      receipts: defaultReceiptSettings,
      reconcile: { everyHours: 24, share: 0.2 },
      webhookSecrets: ['invented-webhook-secret'],
    });
  });

  it('takes what is set', () => {
    const config = loadConfig({
      ...complete,
      SESAMY_API_URL: 'http://127.0.0.1:4001/',
      SESAMY_TOKEN_URL: 'http://localhost:4001/oauth/token',
      SESAMY_RPS: '0.5',
      RULE_API_URL: 'https://rule.example.com/api/v3/',
      SESAMY_RULE_TIME_ZONE: 'Europe/Stockholm',
      SESAMY_RULE_COUNTRY: 'no',
      WEBHOOK_SECRET: ' invented-new-secret , invented-old-secret ',
      HOST: '::1',
      PORT: '0',
      SESAMY_RULE_DATA: '/var/lib/sesamy-rule',
      SESAMY_RULE_LOG_LEVEL: 'DEBUG',
      SESAMY_RULE_METRICS_ADDRESS: '[::1]:9464',
    });
    const [vendor = assert.fail()] = config.vendors;
    assert.equal(vendor.sesamy.apiUrl, 'http://127.0.0.1:4001');
    assert.equal(vendor.sesamy.tokenUrl, 'http://localhost:4001/oauth/token');
    assert.equal(vendor.sesamy.requestsPerSecond, 0.5);
    assert.equal(vendor.rule.apiUrl, 'https://rule.example.com/api');
    assert.equal(vendor.mapping.timeZone, 'Europe/Stockholm');
    assert.equal(vendor.mapping.country, 'NO');
    assert.deepEqual(vendor.webhookSecrets, ['invented-new-secret', 'invented-old-secret']);
    assert.deepEqual({ host: config.webhook.host, port: config.webhook.port }, { host: '::1', port: 0 });
    assert.equal(config.dataFolder, '/var/lib/sesamy-rule');
    assert.equal(config.logLevel, 'debug');
    assert.equal(config.metricsAddress, '[::1]:9464');
  });

  it('sends no audience when it is set to nothing, and takes every other empty variable as not set', () => {
    const empty = Object.fromEntries(
      settingTable.filter(({ required }) => !required).map(({ variable }) => [variable, ' ']),
    );
    const { vendors, ...rest } = loadConfig({ ...complete, ...empty });
    const { vendors: plainVendors, ...plainRest } = loadConfig(complete);
    assert.deepEqual(rest, plainRest);
    const [vendor = assert.fail()] = vendors;
    assert.equal('audience' in vendor.sesamy, false);
    assert.deepEqual({ ...vendor.sesamy, audience: 'https://api.sesamy.com' }, plainVendors[0]?.sesamy);
  });

  it('uses the stand-ins when no credential is set, and only then', () => {
    const none = loadConfig({ WEBHOOK_SECRET: complete.WEBHOOK_SECRET, SESAMY_RPS: '9' });
    assert.equal(none.sandbox, true);
    assert.deepEqual(none.vendors, []);
    assert.equal(loadConfig({}).sandbox, true);
    for (const name of ['SESAMY_VENDOR_ID', 'SESAMY_CLIENT_ID', 'SESAMY_CLIENT_SECRET', 'RULE_API_KEY'] as const) {
      const others = Object.keys(complete).filter((other) => other !== name);
      assert.deepEqual(Object.keys(mistakesOf({ [name]: complete[name] })).sort(), others.sort());
    }
  });

  it('asks for the webhook secret where webhooks are received only', () => {
    const { WEBHOOK_SECRET, ...rest } = complete;
    assert.deepEqual(mistakesOf(rest), { WEBHOOK_SECRET: 'is not set' });
    assert.deepEqual(loadConfig(rest, { webhook: false }).vendors[0]?.webhookSecrets, []);
  });

  const wrong: [variable: keyof NodeJS.ProcessEnv & string, text: string, problem: RegExp][] = [
    ['SESAMY_VENDOR_ID', 'The Daily', /not a Sesamy vendor id/],
    ['SESAMY_VENDOR_ID', 'change-me', /placeholder/],
    ['SESAMY_CLIENT_ID', 'change-me', /placeholder/],
    ['SESAMY_CLIENT_SECRET', 'change-me', /placeholder/],
    ['SESAMY_CLIENT_SECRET', 'two words', /spaces/],
    ['SESAMY_API_URL', 'https://api2.sesamy.com/management', /ends in \/management/],
    ['SESAMY_API_URL', 'https://api2.sesamy.com/management/', /ends in \/management/],
    ['SESAMY_API_URL', 'http://api2.sesamy.com', /unencrypted/],
    ['SESAMY_API_URL', 'http://localhost.example.com', /unencrypted/],
    ['SESAMY_API_URL', 'http://127.example.com', /unencrypted/],
    ['SESAMY_API_URL', 'api2.sesamy.com', /not a web address/],
    ['SESAMY_API_URL', 'ftp://api2.sesamy.com', /not a web address/],
    ['SESAMY_API_URL', 'https://user:word@api2.sesamy.com', /user name/],
    ['SESAMY_TOKEN_URL', 'https://token.sesamy.com/oauth/token?x=1', /\?/],
    ['SESAMY_RPS', 'five', /not a number/],
    ['SESAMY_RPS', '0', /not a number/],
    ['SESAMY_RPS', '1e9', /not a number/],
    ['RULE_API_KEY', '<your key>', /placeholder/],
    ['RULE_API_URL', 'http://app.rule.io/api', /unencrypted/],
    ['SESAMY_RULE_TIME_ZONE', 'Europe/Stokholm', /not a time zone/],
    ['SESAMY_RULE_TIME_ZONE', '+01:00', /not a time zone/],
    ['SESAMY_RULE_COUNTRY', 'SWE', /not a country/],
    ['SESAMY_RULE_COUNTRY', 'QQ', /not a country/],
    ['SESAMY_RULE_CONFIG', '/nowhere/vendors.yaml', /cannot be read \(ENOENT\)/],
    ['WEBHOOK_SECRET', 'short', /shorter than 16/],
    ['WEBHOOK_SECRET', 'invented-webhook-secret,short', /has a secret that is shorter than 16/],
    ['WEBHOOK_SECRET', ',', /no secret/],
    ['WEBHOOK_SECRET', 'change-me', /placeholder/],
    ['HOST', 'http://0.0.0.0', /not a host/],
    ['HOST', '0.0.0.0:8080', /not a host/],
    ['PORT', '80a', /not a port/],
    ['PORT', '65536', /not a port/],
    ['SESAMY_RULE_LOG_LEVEL', 'loud', /not a log level/],
    ['SESAMY_RULE_METRICS_ADDRESS', '9464', /not an address/],
    ['SESAMY_RULE_METRICS_ADDRESS', 'localhost:0', /not an address/],
    ['SESAMY_RULE_HASH_KEY', 'short', /shorter than 16/],
  ];
  for (const [variable, text, problem] of wrong) {
    it(`refuses ${variable}=${text}`, () => {
      const mistakes = mistakesOf({ ...complete, [variable]: text });
      assert.deepEqual(Object.keys(mistakes), [variable]);
      assert.match(mistakes[variable] ?? '', problem);
    });
  }

  it('says all mistakes at once, one a line, in plain words and without a stack', () => {
    const env = {
      ...complete,
      SESAMY_CLIENT_SECRET: '',
      SESAMY_RPS: 'many',
      PORT: 'http',
      SESAMY_RULE_COUNTRY: 'Sweden',
    };
    assert.throws(
      () => loadConfig(env),
      (error) => {
        assert.ok(error instanceof ConfigError);
        const [head, ...lines] = error.message.split('\n');
        assert.equal(head, 'There are 4 mistakes in the settings:');
        assert.deepEqual(
          lines.map((line) => line.trim().split(' ')[0]),
          ['SESAMY_CLIENT_SECRET', 'SESAMY_RPS', 'SESAMY_RULE_COUNTRY', 'PORT'],
        );
        assert.equal(lines[3], '  PORT is not a port; write a number from 0 to 65535 (0 = any free one)');
        assert.doesNotMatch(error.stack ?? '', /\n\s+at /);
        return true;
      },
    );
  });

  it('never repeats a value, whatever is written into whichever variable', () => {
    const names = settingTable.map(({ variable }) => variable);
    const marker = 'zqx';
    const text = fc.string().map((rest) => `${marker}${rest}${marker} `);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), text), (env) => {
        try {
          loadConfig({ ...complete, ...env });
        } catch (error) {
          assert.ok(error instanceof ConfigError);
          assert.equal(JSON.stringify(error.mistakes).includes(marker) || error.message.includes(marker), false);
        }
      }),
    );
  });

  it('keeps every hash when the old client secret becomes the hash key, and changes them otherwise', () => {
    const keyOf = (env: NodeJS.ProcessEnv) => loadConfig(env).vendors[0]?.hashKey;
    const before = keyOf(complete);
    const rotated = { ...complete, SESAMY_CLIENT_SECRET: 'another-client-secret' };
    assert.notEqual(keyOf(rotated), before);
    assert.equal(keyOf({ ...rotated, SESAMY_RULE_HASH_KEY: complete.SESAMY_CLIENT_SECRET }), before);
    assert.notEqual(keyOf({ ...complete, SESAMY_VENDOR_ID: 'weekly' }), before);
    assert.equal(before?.includes(complete.SESAMY_CLIENT_SECRET), false);
  });
});

describe('.env.example', () => {
  const file = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');

  it('is what the table of settings says', () => {
    assert.equal(file, envExample());
  });

  it('names every variable once and gives no secret a default', () => {
    for (const { variable, secret, default: text } of settingTable) {
      const lines = file.split('\n').filter((line) => line.replace(/^# /, '').startsWith(`${variable}=`));
      assert.equal(lines.length, 1, variable);
      if (secret) assert.equal(text, undefined, variable);
    }
  });

  it('copied as it is, it is refused with the name of each variable that is to be filled in', () => {
    const lines = file.split('\n').filter((line) => /^[A-Z]/.test(line));
    const env = Object.fromEntries(lines.map((line) => line.split('=')));
    assert.deepEqual(Object.keys(mistakesOf(env)), Object.keys(env));
    assert.deepEqual(Object.keys(env).sort(), Object.keys(complete).sort());
  });

  it('with every default uncommented it means the same as without', () => {
    const lines = file.split('\n').flatMap((line) => /^# ([A-Z][A-Z0-9_]+)=(.+)$/.exec(line) ?? []);
    const defaults = Object.fromEntries(
      lines.filter((line) => line.startsWith('#')).map((line) => line.slice(2).split('=')),
    );
    assert.ok(Object.keys(defaults).length > 5);
    assert.deepEqual(loadConfig({ ...complete, ...defaults }), loadConfig(complete));
  });
});

describe('the file .env', () => {
  const names = ['SESAMY_RULE_TEST_FROM_FILE', 'SESAMY_RULE_TEST_BEFORE'];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-env-'));
  });
  afterEach(() => {
    for (const name of names) delete process.env[name];
    rmSync(folder, { recursive: true });
  });

  it('sets variables; those that exist win', () => {
    process.env.SESAMY_RULE_TEST_BEFORE = 'before';
    writeFileSync(join(folder, '.env'), 'SESAMY_RULE_TEST_FROM_FILE="a b"\nSESAMY_RULE_TEST_BEFORE=file\n');
    loadEnvFile(folder);
    assert.deepEqual(
      names.map((name) => process.env[name]),
      ['a b', 'before'],
    );
  });

  it('may be absent', () => {
    loadEnvFile(folder);
  });

  it('is named when it cannot be read', () => {
    mkdirSync(join(folder, '.env'));
    assert.throws(() => loadEnvFile(folder), { name: 'ConfigError', message: /\.env cannot be read/ });
  });
});
