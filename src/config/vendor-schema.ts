/** The shape of the vendors file. Members are named with their units; secrets are references to environment variables only. */
import { z } from 'zod';
import { lifecycleEventTypes } from '../contract/index.js';
import { defaultLifecycleSettings } from '../lifecycle/index.js';
import { deriveHashKey } from './hash-key.js';
import { receiptsSchema } from './receipts-schema.js';
import type { LifecycleConfig, MappingConfig, Timings, VendorConfig } from './types.js';
import * as values from './values.js';

/** What a vendor gets where the file says nothing: read from the environment. */
export interface VendorDefaults {
  apiUrl: string;
  tokenUrl: string;
  audience: string | undefined;
  requestsPerSecond: number;
  ruleApiUrl: string;
  timeZone: string;
  country: string;
  webhookSecrets: string[];
  hashKey: string | undefined;
  /** Where the paths of a vendors file start from: its own folder. */
  folder: string;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A length of time in the unit of its member's name, read to milliseconds. */
const span = (unit: number, byDefault: number) =>
  z
    .number()
    .default(byDefault)
    .transform((count, ctx) => {
      const ms = count * unit;
      return ms > 0 && ms <= 365 * day
        ? ms
        : values.refuse(ctx, 'is not a length of time that can be used', 'write a number above 0, at most a year');
    });

const timingsSchema = z
  .strictObject({
    extraLooksSeconds: z
      .array(z.number())
      .default([45, 300])
      .transform((looks, ctx) =>
        looks.every((look, index) => look > (looks[index - 1] ?? 0) && look * second <= day)
          ? looks
          : values.refuse(ctx, 'does not ascend', 'write seconds above 0 in ascending order, at most a day'),
      ),
    missingRowsMinutes: span(minute, 15),
    missingUserHours: span(hour, 24),
    recheckDays: span(day, 3),
    guestDays: span(day, 30),
  })
  .transform(
    (timings): Timings => ({
      extraLooksMs: timings.extraLooksSeconds.map((look) => look * second),
      missingRowsMs: timings.missingRowsMinutes,
      missingUserMs: timings.missingUserHours,
      recheckMs: timings.recheckDays,
      guestMs: timings.guestDays,
    }),
  );

const days = (byDefault: number) => z.number().default(byDefault).pipe(values.numberBetween(0, 366));

/** Distances in days, in any order; none = off. */
const distances = (byDefault: readonly number[]) =>
  z
    .array(z.number())
    .default([...byDefault])
    .transform((list, ctx) =>
      list.every((one) => Number.isInteger(one) && one >= 1 && one <= 730) && new Set(list).size === list.length
        ? list
        : values.refuse(ctx, 'is not a list of days', 'write whole numbers from 1 to 730, each once; [] = none'),
    );

const lifecycleSchema = z
  .strictObject({
    onboardingDays: days(defaultLifecycleSettings.onboardingDays),
    renewalNoticeDays: distances(defaultLifecycleSettings.renewalNoticeDays),
    renewalNoticeFromTermDays: days(defaultLifecycleSettings.longTermDays),
    cancelWaitMinutes: z
      .number()
      .default(15)
      .pipe(values.numberBetween(0, 7 * 24 * 60)),
    endedWaitMinutes: z
      .number()
      .default(15)
      .pipe(values.numberBetween(0, 7 * 24 * 60)),
    winBackDays: distances(defaultLifecycleSettings.winBackDays),
    maxEventAgeDays: z.number().default(7).pipe(values.numberBetween(1, 90)),
    events: z
      .strictObject(Object.fromEntries(lifecycleEventTypes.map((type) => [type, z.boolean().optional()])))
      .prefault({}),
    brake: z
      .strictObject({
        share: z.number().default(0.02).pipe(values.numberBetween(0, 1)),
        atLeast: z.number().default(20).pipe(values.numberBetween(1, 1_000_000)),
      })
      .prefault({}),
  })
  .transform(
    ({
      renewalNoticeFromTermDays,
      cancelWaitMinutes,
      endedWaitMinutes,
      maxEventAgeDays,
      events,
      ...rest
    }): LifecycleConfig => ({
      ...rest,
      longTermDays: renewalNoticeFromTermDays,
      cancelWaitMs: cancelWaitMinutes * minute,
      endedWaitMs: endedWaitMinutes * minute,
      maxEventAgeMs: maxEventAgeDays * day,
      off: lifecycleEventTypes.filter((type) => events[type] === false),
    }),
  );

const reconcileSchema = z.strictObject({
  everyHours: z
    .number()
    .default(24)
    .transform((hours, ctx) =>
      hours === 0 || (hours >= 1 && hours <= 31 * 24)
        ? hours
        : values.refuse(ctx, 'is out of range', 'write a number of hours from 1 to 744; 0 = never by itself'),
    ),
  share: z.number().default(0.2).pipe(values.numberBetween(0.01, 1)),
});

const flag = z.boolean().default(false);

const mappingSchema = (defaults: VendorDefaults): z.ZodType<MappingConfig> =>
  z.strictObject({
    timeZone: values.timeZone.default(defaults.timeZone),
    country: values.country.default(defaults.country),
    requireVerifiedEmail: flag,
    clearMissingAddress: flag,
    giftReceiverIsSubscriber: flag,
    productTags: z.strictObject({ articles: flag, physicalIssues: flag }).prefault({}),
    canceledAt: z.enum(['end-day', 'request-day']).default('end-day'),
  });

/** Upper case, as environment variables are: a secret that somebody wrote here by mistake is then most likely refused and not printed. */
const variablePattern = /^[A-Z_][A-Z0-9_]{0,99}$/;

/** `{ env: NAME }`, read to what that variable holds. */
function reference<T>(env: NodeJS.ProcessEnv, value: values.Value<T>) {
  return z.unknown().transform((given, ctx): T => {
    if (given === undefined)
      return values.refuse(ctx, 'is missing', 'add it: { env: NAME OF AN ENVIRONMENT VARIABLE }');
    const name = z.strictObject({ env: z.string().regex(variablePattern) }).safeParse(given).data?.env;
    if (name === undefined) {
      const problem =
        typeof given === 'string' ? 'holds a secret as text' : 'is not a reference to an environment variable';
      return values.refuse(
        ctx,
        problem,
        'write { env: NAME } with a name in upper case, and put the secret into that variable',
      );
    }
    const text = env[name]?.trim();
    if (!text) return values.refuse(ctx, `refers to ${name}, which is not set`, 'set that variable');
    const { data, error } = value.safeParse(text);
    const [issue] = error?.issues ?? [];
    if (issue?.code === 'custom') {
      return values.refuse(ctx, `refers to ${name}, which ${issue.message}`, String(issue.params?.mend));
    }
    return data as T;
  });
}

/** One vendor of the file, read to its settings. A vendor set by variables alone goes the same way. */
export function vendorSchema(env: NodeJS.ProcessEnv, defaults: VendorDefaults) {
  return z
    .strictObject({
      id: values.vendorId,
      sesamy: z.strictObject({
        clientId: values.credential,
        clientSecret: reference(env, values.credential),
        apiUrl: values.sesamyApiUrl.default(defaults.apiUrl),
        tokenUrl: values.tokenUrl.default(defaults.tokenUrl),
        /** Empty = not sent. */
        audience: z.string().optional(),
        scope: z.string().optional(),
        requestsPerSecond: z.number().default(defaults.requestsPerSecond).pipe(values.requestsPerSecond),
      }),
      rule: z.strictObject({
        apiKey: reference(env, values.credential),
        apiUrl: values.ruleApiUrl.default(defaults.ruleApiUrl),
      }),
      webhookSecrets: z.array(reference(env, values.webhookSecrets)).optional(),
      hashKey: reference(env, values.hashKey).optional(),
      mapping: mappingSchema(defaults).prefault({}),
      timings: timingsSchema.prefault({}),
      lifecycle: lifecycleSchema.prefault({}),
      receipts: receiptsSchema(defaults.folder).prefault({}),
      reconcile: reconcileSchema.prefault({}),
    })
    .transform(({ sesamy, webhookSecrets, hashKey, ...vendor }): VendorConfig => {
      const { audience = defaults.audience, scope, ...account } = sesamy;
      const ownSecrets = webhookSecrets?.flat() ?? [];
      return {
        ...vendor,
        sesamy: { ...account, ...(audience ? { audience } : {}), ...(scope ? { scope } : {}) },
        webhookSecrets: ownSecrets.length > 0 ? ownSecrets : defaults.webhookSecrets,
        hashKey: deriveHashKey(hashKey ?? defaults.hashKey ?? sesamy.clientSecret, vendor.id),
      };
    });
}
