/** Every environment variable of the program: the source of the parser, of `.env.example` and of the table in the documentation. */
import type { LogLevel } from './types.js';
import * as values from './values.js';

/** One variable, as people read of it. */
export interface Setting {
  variable: string;
  group: SettingGroup;
  /** A sentence or two without the variable's name. */
  meaning: string;
  /** What holds when it is not set; absent = nothing. */
  default?: string;
  /** Never printed. */
  secret: boolean;
  /** One of those that have to be set before real vendors can be used; with none of them `start` uses stand-ins. */
  required: boolean;
}

export type SettingGroup = 'Sesamy' | 'Rule' | 'Mapping' | 'Several vendors' | 'Webhook' | 'Program' | 'Temporal';

/** A variable that this program reads itself, with how its text is read. */
export interface ReadSetting<T> extends Omit<Setting, 'variable'> {
  value: values.Value<T>;
  /** An empty text is a value of its own; with all others it is the same as no text. */
  emptyIsValue?: true;
}

type Description = Pick<ReadSetting<unknown>, 'group' | 'meaning'> &
  Partial<Omit<ReadSetting<unknown>, 'value' | 'default'>>;

function withDefault<T>(text: string, value: values.Value<T>, rest: Description): ReadSetting<T> & { default: string } {
  return { secret: false, required: false, ...rest, value, default: text };
}

function unset<T>(value: values.Value<T>, rest: Description): ReadSetting<T | undefined> {
  return { secret: false, required: false, ...rest, value };
}

export const settings = {
  SESAMY_VENDOR_ID: unset(values.vendorId, {
    group: 'Sesamy',
    meaning: 'Id of the publisher at Sesamy.',
    required: true,
  }),
  SESAMY_CLIENT_ID: unset(values.credential, {
    group: 'Sesamy',
    meaning: 'Client id of a Management API application (Sesamy portal: Settings, API, Applications).',
    required: true,
  }),
  SESAMY_CLIENT_SECRET: unset(values.credential, {
    group: 'Sesamy',
    meaning: 'Client secret of the same application.',
    secret: true,
    required: true,
  }),
  SESAMY_API_URL: withDefault('https://api2.sesamy.com', values.sesamyApiUrl, {
    group: 'Sesamy',
    meaning: 'Address of Sesamy’s API, without /management at its end.',
  }),
  SESAMY_TOKEN_URL: withDefault('https://token.sesamy.com/oauth/token', values.tokenUrl, {
    group: 'Sesamy',
    meaning: 'Address of Sesamy’s token endpoint.',
  }),
  SESAMY_AUDIENCE: withDefault('https://api.sesamy.com', values.optionalText, {
    group: 'Sesamy',
    meaning: 'Audience that is asked for with the token; empty = none is sent.',
    emptyIsValue: true,
  }),
  SESAMY_RPS: withDefault('5', values.requestsPerSecondText, {
    group: 'Sesamy',
    meaning: 'Requests a second to Sesamy’s API, of all workers together.',
  }),
  RULE_API_KEY: unset(values.credential, {
    group: 'Rule',
    meaning: 'API key of the Rule account.',
    secret: true,
    required: true,
  }),
  RULE_API_URL: withDefault('https://app.rule.io/api', values.ruleApiUrl, {
    group: 'Rule',
    meaning: 'Address of Rule’s API; /v2 and /v3 are appended.',
  }),
  SESAMY_RULE_TIME_ZONE: withDefault('UTC', values.timeZone, {
    group: 'Mapping',
    meaning: 'Time zone in which dates are written, for example Europe/Stockholm.',
  }),
  SESAMY_RULE_COUNTRY: withDefault('SE', values.country, {
    group: 'Mapping',
    meaning: 'Country of phone numbers that are written without a country code (ISO 3166, two letters).',
  }),
  SESAMY_RULE_CONFIG: unset(values.filePath, {
    group: 'Several vendors',
    meaning:
      'Path of a YAML or JSON file with several vendors, or with settings that have no variable. Its vendors stand in place of ' +
      'SESAMY_VENDOR_ID and the credentials above; the other settings above are its defaults.',
  }),
  WEBHOOK_SECRET: unset(values.webhookSecrets, {
    group: 'Webhook',
    meaning:
      'What Sesamy sends as `Authorization: Bearer …`, at least 16 characters. Several are separated by commas: the new one and, ' +
      'during a rotation, the old one.',
    secret: true,
    required: true,
  }),
  HOST: withDefault('127.0.0.1', values.host, {
    group: 'Webhook',
    meaning: 'Address on which the webhook server listens; 0.0.0.0 = all of this machine’s.',
  }),
  PORT: withDefault('8080', values.port, {
    group: 'Webhook',
    meaning: 'Port on which the webhook server listens; 0 = any free one.',
  }),
  SESAMY_RULE_DATA: withDefault('.sesamy-rule', values.filePath, {
    group: 'Program',
    meaning: 'Folder for the embedded Temporal server’s file and for fetched binaries.',
  }),
  SESAMY_RULE_LOG_LEVEL: withDefault('info' satisfies LogLevel, values.logLevel, {
    group: 'Program',
    meaning: 'Least severe level that is logged: trace, debug, info, warn, error, fatal or silent.',
  }),
  SESAMY_RULE_METRICS_ADDRESS: unset(values.listenAddress, {
    group: 'Program',
    meaning: 'host:port on which the workers’ Temporal metrics are served to Prometheus; empty = off.',
  }),
  /**
   * The hashes by which changes are recognised without keeping the data are keyed, so that nobody who reads Temporal can guess an
   * address. Their key is derived from this value, and where it is not set from the vendor's Sesamy client secret by the same
   * derivation. So before that secret is rotated, set this to the old one: nothing changes. Otherwise every hash changes with the
   * secret, and every person is written once more.
   */
  SESAMY_RULE_HASH_KEY: unset(values.hashKey, {
    group: 'Program',
    meaning:
      'Key of the hashes kept in Temporal; without it SESAMY_CLIENT_SECRET is used. Before that secret is rotated, set this to the ' +
      'old one, else every person is written to Rule once more.',
    secret: true,
  }),
  /** Read by whoever connects to Temporal (temporal/encryption.ts); here so that a mistake is told with all others. */
  SESAMY_RULE_ENCRYPTION_KEYS: unset(values.encryptionKeys, {
    group: 'Program',
    meaning:
      'Keys by which what Temporal stores of the workflows is encrypted, each of 64 hexadecimal digits (`openssl rand -hex 32`), ' +
      'separated by commas: the first encrypts, all of them read; empty = off.',
    secret: true,
  }),
} as const;

export type SettingName = keyof typeof settings;

/** Variables that Temporal's SDK or the search for its binaries reads; here for the documentation only. */
const temporalSettings: Setting[] = [
  {
    variable: 'TEMPORAL_ADDRESS',
    meaning: 'host:port of a Temporal service; without it `start` runs an embedded one.',
    secret: false,
  },
  { variable: 'TEMPORAL_NAMESPACE', meaning: 'Namespace at that service.', default: 'default', secret: false },
  { variable: 'TEMPORAL_API_KEY', meaning: 'API key of Temporal Cloud; turns TLS on.', secret: true },
  {
    variable: 'TEMPORAL_TLS_CLIENT_CERT_PATH',
    meaning: 'Client certificate, where the service asks for one.',
    secret: false,
  },
  { variable: 'TEMPORAL_TLS_CLIENT_KEY_PATH', meaning: 'Its key.', secret: false },
  { variable: 'TEMPORAL_PROFILE', meaning: 'Profile of Temporal’s configuration file.', secret: false },
  {
    variable: 'TEMPORAL_UI_URL',
    meaning: 'Address of Temporal’s web UI, for links; known by itself for an embedded server and Temporal Cloud.',
    secret: false,
  },
  {
    variable: 'TEMPORAL_CLI_PATH',
    meaning: 'The Temporal CLI for the embedded server; else it is found or fetched.',
    secret: false,
  },
].map((setting) => ({ ...setting, group: 'Temporal', required: false }));

/** All variables, in the order in which they are documented. */
export const settingTable: readonly Setting[] = [
  ...Object.entries(settings).map(([variable, setting]): Setting => {
    const { group, meaning, secret, required } = setting;
    return {
      variable,
      group,
      meaning,
      secret,
      required,
      ...('default' in setting ? { default: setting.default } : {}),
    };
  }),
  ...temporalSettings,
];
