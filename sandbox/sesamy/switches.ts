import { z } from 'zod';

const ms = z.number().min(0);

/** Where sources disagree or are silent, the stand-in can do it either way (sesamy-api §9). */
export const switchesSchema = z.strictObject({
  /** Form of every list: a bare array, `{data, pagination}`, or `{<resource>: […]}` (sesamy-api §2.3). */
  envelope: z.enum(['array', 'data', 'resource']),
  /** What moves through a list: `offset`, nothing (each page is the first), or `from`. */
  paging: z.enum(['offset', 'offset-ignored', 'from']),
  /** The most rows of a page, whatever `limit` says; 0 = as asked. */
  limitCap: z.int().min(0),
  /** Rows of a page where no `limit` is given. */
  defaultLimit: z.int().positive(),
  /** A user as the whole profile plus `id`, or as the five-field `User` (sesamy-api §9 Q1). */
  userAnswer: z.enum(['profile', 'five-fields']),
  /** Whether `GET /profile/{userId}` takes a management token; refused with 403 if not. */
  profile: z.enum(['serve', 'refuse']),
  /** Whether `userId` on entitlements is heeded (sesamy-api §2.3). */
  entitlementFilter: z.enum(['honoured', 'ignored']),
  /** Every list is answered 200 and empty. */
  emptyLists: z.boolean(),
  /** Milliseconds that the API lags behind a change, and so behind its webhook (sesamy-api §4.3). */
  lagMs: ms,
  /** Life of an access token in seconds. */
  tokenLifetime: z.number().positive(),
  /** Requests a second before a 429 with `Retry-After`; 0 = no limit. */
  rps: z.number().min(0),
  /** Whether the two entitlement events are forwarded too; the built-in webhook forwards six of the eight (sesamy-api §4.2). */
  forwardEntitlements: z.boolean(),
  /** Waits before the second, third, … attempt of a webhook, in milliseconds; after the last it is given up. */
  webhookRetryMs: z.array(ms),
  /** How long the receiver of a webhook may take. */
  webhookTimeoutMs: z.number().positive(),
  /** How long a step of `liveOn` waits for a program that comes no further: takes no webhook, looks at nobody, is not done. */
  lookPatienceMs: ms,
});

export type SesamySwitches = z.infer<typeof switchesSchema>;

const minute = 60_000;

export const defaultSwitches: Readonly<SesamySwitches> = {
  envelope: 'array',
  paging: 'offset',
  limitCap: 0,
  defaultLimit: 100,
  userAnswer: 'profile',
  profile: 'refuse',
  entitlementFilter: 'honoured',
  emptyLists: false,
  lagMs: 0,
  tokenLifetime: 86_400,
  rps: 5,
  forwardEntitlements: false,
  webhookRetryMs: [minute, 2 * minute, 4 * minute, 8 * minute, 16 * minute],
  webhookTimeoutMs: 10_000,
  lookPatienceMs: 15_000,
};
