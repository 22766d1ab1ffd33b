/** Settings at random: a configuration, or the list of mistakes and exit code 2; never a stack, never a value that was given. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readSettings } from '../src/cli/read-settings.js';
import { ConfigError, settingTable } from '../src/config/index.js';
import { TemporalSettingsError } from '../src/temporal/connect.js';
import { runCli } from './support/cli.js';
import { pollution, prototypeNames, scale, searchSync } from './support/fuzz.js';

const marker = 'ZqxPlantedValue';
/** Good values, so that a search gets past the first mistakes. */
const good: Record<string, string> = {
  SESAMY_VENDOR_ID: 'daily',
  SESAMY_CLIENT_ID: 'client',
  SESAMY_CLIENT_SECRET: `${marker}-client-secret`,
  RULE_API_KEY: `${marker}-rule-key`,
  WEBHOOK_SECRET: `${marker}-webhook-secret`,
  DAILY_KEY: `${marker}-daily-key`,
  TEMPORAL_API_KEY: `${marker}-temporal-key`,
};

/** Odd texts, each with the marker where it is long enough to be a secret. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((rest) => `${marker}${rest}`),
  fc.constantFrom('', ' ', ',', '0', '-1', '1e999', 'NaN', 'true', '99999999999', '::', '[::1', '../..', '/dev/null'),
  fc.constantFrom(`https://${marker}:x@example.com`, `https://${marker}\0`, `http://[${marker}`, `${marker}:99999`),
  fc.constantFrom(`${marker.repeat(3_000)}`, `${marker}\r\nX: 1`, `\ud800${marker}`, ...prototypeNames),
);
const names = [...settingTable.map(({ variable }) => variable), 'TEMPORAL_TLS', 'TEMPORAL_TLS_CLIENT_CERT_DATA'].filter(
  (name) => name !== 'SESAMY_RULE_CONFIG',
);
const environment = fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 4 });

/** A vendors file that would be taken, of which one place is spoilt. */
const file = {
  vendors: [
    {
      id: 'daily',
      sesamy: { clientId: 'client', clientSecret: { env: 'SESAMY_CLIENT_SECRET' }, requestsPerSecond: 5 },
      rule: { apiKey: { env: 'DAILY_KEY' } },
      webhookSecrets: [{ env: 'WEBHOOK_SECRET' }],
      mapping: { timeZone: 'UTC', country: 'SE', productTags: { articles: true } },
      lifecycle: { brake: { share: 0.02, atLeast: 20 } },
      receipts: { mode: 'transactional', from: { name: 'Daily', email: 'no-reply@example.com' }, language: 'sv' },
      reconcile: { everyHours: 24 },
    },
  ],
};
const value: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.constantFrom(null, true, 0, -1, 1e308, 0.5, [], {}, [[]], { env: marker }, { env: 'HOME' }, { env: '__proto__' }),
  fc
    .tuple(fc.constantFrom(...prototypeNames, 'another'), text)
    .map(([name, member]) => JSON.parse(`{"${name}":${JSON.stringify(member)}}`) as unknown),
);
const spoilt = fc.record({
  at: fc.nat(40),
  by: value,
  way: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const, 'cut' as const, 'raw' as const),
  name: fc.oneof(fc.constantFrom(...prototypeNames, 'sesamy', 'rule', 'receipts'), fc.constant('another')),
  raw: fc.constantFrom(
    '&a [*a]',
    '*x',
    '!!js/function "x"',
    '? - a',
    '\t',
    '<<: *a',
    '"\\ud800"',
    '%YAML 9',
    '--- a\n--- b',
    '{',
    marker,
  ),
});
type Spoilt = typeof spoilt extends fc.Arbitrary<infer T> ? T : never;

function written(how: Spoilt): string {
  let place = 0;
  const write = (one: unknown): unknown => {
    const here = place++;
    if (here === how.at && how.way === 'replace') return how.by;
    if (here === how.at && here > 0 && how.way === 'remove') return undefined;
    if (Array.isArray(one)) return one.map(write);
    if (typeof one !== 'object' || one === null) return one;
    const members = Object.entries(one).map(([name, member]) => [name, write(member)] as const);
    const added = here === how.at && how.way === 'add' ? ([[how.name, how.by]] as const) : [];
    return Object.fromEntries([...members, ...added]);
  };
  const json = JSON.stringify(write(file), undefined, 1) ?? 'null';
  if (how.way === 'cut') return json.slice(0, how.at * 10);
  return how.way === 'raw' ? json.replace('"daily"', how.raw) : json;
}

describe('settings at random', function () {
  this.timeout(20_000 * Math.max(1, scale));
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-settings-'));
    path = join(folder, 'vendors.yaml');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What people would read, or undefined where the settings are taken. */
  function complaint(env: NodeJS.ProcessEnv): string | undefined {
    try {
      readSettings({ ...env, SESAMY_RULE_DATA: folder });
      return undefined;
    } catch (error) {
      assert.ok(error instanceof ConfigError || error instanceof TemporalSettingsError, String(error));
      return `${error.message}\n${JSON.stringify(error)}`;
    }
  }

  function assertSafe(told: string | undefined): void {
    if (told === undefined) return;
    // The name of a profile that is not there is told, where it looks like one.
    const line = told.replace(/(?:open|Profile) '[\w-]{1,40}'/g, '');
    assert.doesNotMatch(line, /zqx/i, 'a value is repeated');
    assert.doesNotMatch(told, /\n\s+at |node_modules/);
    assert.deepEqual(pollution(), []);
  }

  it('of the environment', () => {
    fc.assert(
      fc.property(environment, (env) => assertSafe(complaint({ ...good, ...env }))),
      searchSync(250),
    );
  });

  it('of the environment and the vendors file', () => {
    let taken = 0;
    fc.assert(
      fc.property(spoilt, environment, (how, env) => {
        writeFileSync(path, written(how));
        const { SESAMY_VENDOR_ID: _, ...rest } = good;
        const told = complaint({ ...rest, ...env, SESAMY_RULE_CONFIG: path });
        if (told === undefined) taken += 1;
        assertSafe(told);
      }),
      searchSync(150),
    );
    assert.ok(taken > 0 || scale < 1, 'the search gets as far as settings that are taken');
  });

  it('a profile file of Temporal that cannot be read is told by its line; the key in it is not', () => {
    writeFileSync(path, `[profile.default]\napi_key = "${marker}\naddress = "temporal.example.com:7233"\n`);
    const told = complaint({ ...good, TEMPORAL_CONFIG_FILE: path, TEMPORAL_API_KEY: '' }) ?? assert.fail('it is taken');
    assert.match(
      told,
      /^The Temporal settings cannot be used: Invalid TOML document: [^\n]* \(line \d\); check TEMPORAL_/,
    );
    assert.doesNotMatch(told, /zqx/i);
  });

  for (const TEMPORAL_PROFILE of prototypeNames.filter((name) => name in Object.prototype)) {
    it(`a profile of Temporal called ${TEMPORAL_PROFILE} is refused, and leaves no settings in other objects`, () => {
      const told = complaint({ ...good, TEMPORAL_PROFILE, TEMPORAL_ADDRESS: 'temporal.example.com:7233' });
      assert.match(told ?? 'it is taken', /^TEMPORAL_PROFILE has a name that no profile can have; give/);
      assert.deepEqual(pollution(), []);
    });
  }

  it('a vendors file without end is refused before it is read', () => {
    const told = complaint({ ...good, SESAMY_RULE_CONFIG: '/dev/zero' });
    assert.match(told ?? 'it is taken', /SESAMY_RULE_CONFIG names a file that cannot be read \(no file\)/);
  });

  it('of a process: the list and exit code 2, as text and as JSON', async () => {
    const spoiltEnv = { ...good, PORT: marker, HOST: `${marker} x`, SESAMY_API_URL: `http://${marker}.example.com` };
    const { code, stderr, stdout, json } = await runCli(['webhook', '--json'], { env: spoiltEnv });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^There are 3 mistakes in the settings:\n( {2}[A-Z_]+ [^\n]+\n){3}$/);
    assert.equal(json<{ error: { name: string } }>().error.name, 'ConfigError');
    assert.doesNotMatch(stderr + stdout, /zqx/i);
  });
});
