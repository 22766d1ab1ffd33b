import { resolve } from 'node:path';
import { ConfigError, type Mistake, parseOptions, toMistakes } from './mistakes.js';
import { type ReadSetting, type SettingName, settings } from './settings.js';
import type { Config } from './types.js';
import { type VendorDefaults, vendorSchema } from './vendor-schema.js';
import { readVendorsFile, type VendorsFile } from './vendors-file.js';

export interface LoadOptions {
  /** What relative paths start from. Default: the working folder. */
  cwd?: string;
  /**
   * Whether webhooks are going to be received, so that `WEBHOOK_SECRET` is needed. Default true. Workers and commands can do without:
   * a process should not be given a secret that it has no use for.
   */
  webhook?: boolean;
}

/**
 * The settings, read once.
 *
 * @throws {ConfigError} with all mistakes at once
 */
export function loadConfig(env: NodeJS.ProcessEnv, { cwd = process.cwd(), webhook = true }: LoadOptions = {}): Config {
  const { values, mistakes } = readSettings(env);
  const isSet = (name: SettingName) => Boolean(env[name]?.trim());
  const sandbox = !isSet('SESAMY_RULE_CONFIG') && !credentials.some(isSet);
  const defaults: VendorDefaults = {
    apiUrl: values.SESAMY_API_URL,
    tokenUrl: values.SESAMY_TOKEN_URL,
    audience: values.SESAMY_AUDIENCE,
    requestsPerSecond: values.SESAMY_RPS,
    ruleApiUrl: values.RULE_API_URL,
    timeZone: values.SESAMY_RULE_TIME_ZONE,
    country: values.SESAMY_RULE_COUNTRY,
    webhookSecrets: values.WEBHOOK_SECRET ?? [],
    hashKey: values.SESAMY_RULE_HASH_KEY,
    folder: cwd,
  };

  const byFile = isSet('SESAMY_RULE_CONFIG');
  const read = (): VendorsFile => {
    if (sandbox) return { vendors: [], mistakes: [] };
    return byFile
      ? fromFile(resolve(cwd, values.SESAMY_RULE_CONFIG ?? ''), env, defaults)
      : fromVariables(env, defaults);
  };
  const { vendors, mistakes: vendorMistakes } = read();
  mistakes.push(...vendorMistakes);
  // The vendors of a file may all have secrets of their own; a single one has no other place for them.
  const needsShared = byFile ? vendors.some(lacksSecret) : !sandbox;
  if (webhook && needsShared && !isSet('WEBHOOK_SECRET')) mistakes.push(notSet('WEBHOOK_SECRET'));
  if (mistakes.length > 0) throw new ConfigError(inOrder(mistakes));

  const { SESAMY_RULE_METRICS_ADDRESS: metricsAddress, SESAMY_RULE_HASH_KEY: hashKey } = values;
  return {
    vendors,
    sandbox,
    webhook: { host: values.HOST, port: values.PORT, secrets: defaults.webhookSecrets },
    dataFolder: resolve(cwd, values.SESAMY_RULE_DATA),
    logLevel: values.SESAMY_RULE_LOG_LEVEL,
    ...(metricsAddress ? { metricsAddress } : {}),
    ...(hashKey ? { hashKey } : {}),
  };
}

/** Those that make the difference between a first look and real vendors. */
const credentials = ['SESAMY_VENDOR_ID', 'SESAMY_CLIENT_ID', 'SESAMY_CLIENT_SECRET', 'RULE_API_KEY'] as const;

type Values = { [Name in SettingName]: (typeof settings)[Name] extends ReadSetting<infer T> ? T : never };

/** Each variable by its own schema. One that is wrong is reported and has its default from then on, so that the rest can be checked too. */
function readSettings(env: NodeJS.ProcessEnv): { values: Values; mistakes: Mistake[] } {
  const mistakes: Mistake[] = [];
  const values = Object.entries(settings).map(([name, setting]) => {
    const byDefault = 'default' in setting ? setting.default : undefined;
    const given = env[name]?.trim();
    const isGiven = given !== undefined && (given !== '' || 'emptyIsValue' in setting);
    const text = isGiven ? given : byDefault;
    if (text === undefined) return [name, undefined];
    const result = setting.value.safeParse(text, parseOptions);
    mistakes.push(...toMistakes(result.error?.issues ?? [], name));
    return [name, result.success || byDefault === undefined ? result.data : setting.value.parse(byDefault)];
  });
  return { values: Object.fromEntries(values) as Values, mistakes };
}

function fromVariables(env: NodeJS.ProcessEnv, defaults: VendorDefaults): VendorsFile {
  const missing = credentials.filter((name) => !env[name]?.trim());
  if (missing.length > 0) return { vendors: [], mistakes: missing.map(notSet) };
  const result = vendorSchema(env, defaults).safeParse({
    id: env.SESAMY_VENDOR_ID?.trim(),
    sesamy: { clientId: env.SESAMY_CLIENT_ID?.trim(), clientSecret: { env: 'SESAMY_CLIENT_SECRET' } },
    rule: { apiKey: { env: 'RULE_API_KEY' } },
  });
  // What can be wrong with these variables has been reported under their own names.
  return { vendors: result.success ? [result.data] : [], mistakes: [] };
}

function fromFile(path: string, env: NodeJS.ProcessEnv, defaults: VendorDefaults): VendorsFile {
  const file = readVendorsFile(path, env, defaults);
  const vendorId = env.SESAMY_VENDOR_ID?.trim();
  if (vendorId && file.mistakes.length === 0 && !file.vendors.some(({ id }) => id === vendorId)) {
    file.mistakes.push({
      variable: 'SESAMY_VENDOR_ID',
      problem: 'names a vendor that the file of SESAMY_RULE_CONFIG does not have',
      mend: 'add it to the file, or unset one of the two',
    });
  }
  return file;
}

function lacksSecret({ webhookSecrets }: { webhookSecrets: string[] }): boolean {
  return webhookSecrets.length === 0;
}

function notSet(variable: SettingName): Mistake {
  const others = credentials.some((name) => name === variable)
    ? ' (or none of the credentials, to try the stand-ins)'
    : '';
  return { variable, problem: 'is not set', mend: `set it${others}: ${settings[variable].meaning}` };
}

/** Variables in their documented order, then the file. */
function inOrder(mistakes: Mistake[]): Mistake[] {
  const names = Object.keys(settings);
  const place = ({ variable }: Mistake) => (names.includes(variable) ? names.indexOf(variable) : names.length);
  return mistakes.toSorted((a, b) => place(a) - place(b));
}
