/**
 * What Rule's documents leave open, as switches. Each default is the stand-in default of rule-api §12, or a number made up
 * where the page says that it is unknown. A test that depends on one of them sets it, so that both worlds stay covered.
 */
export interface RuleSwitches {
  /** Whether v2 `PUT /subscribers/{id}` takes `email` (§12 row 1). `refuse` answers 400. */
  putEmail: 'accept' | 'refuse';
  /** Status when that e-mail (or phone) belongs to somebody else (§12 row 1). */
  putTakenStatus: 400 | 409 | 422;
  /** Tags listed in the reply to a single v2 upsert (§12 row 2): all of the person's, those sent, or none. */
  upsertReplyTags: 'all' | 'sent' | 'none';
  /** Whether `automation: false` (or omitted) on a v2 upsert fires for a tag that an existing person newly gains (§12 row 3). */
  automationFalseFiresGainedTags: boolean;
  /** Whether an empty `tags` array is a 400 (§12 row 4). */
  refuseEmptyTags: boolean;
  /** Whether the same tag twice in `tags` is a 400 (§12 row 4). */
  refuseDuplicateTags: boolean;
  /** Answer to the removal of an existing tag that the person does not hold (unknown; v2 and v3). */
  tagNotHeld: 'not-found' | 'success';
  /** Answer of v3 `POST /subscribers` for somebody who exists (§12 row 5). 200 updates status and language. */
  v3ExistingStatus: 200 | 409 | 422;
  /** Whether v2 calls carry the rate-limit headers and share the budget (§12 row 6). */
  v2SharesBudget: boolean;
  /** Requests allowed in one window (rule-api §8: 2000 was seen). */
  allowedRequests: number;
  /** Length of the window in seconds (§12 row 6; made up). */
  windowSeconds: number;
  /** Whether a 404 or 409 counts towards the error share (§12 row 6). Other 4xx always do; 5xx never do. */
  countNotFoundAndConflict: boolean;
  /** A share of errors in the window above this many per cent blocks the account (rule-api §8). */
  errorPercentLimit: number;
  /** Fewer answers than this in the window never lead to an error block (made up). */
  errorMinimumSample: number;
  /** Length of a block in seconds (rule-api §8: ten minutes in one sample). */
  blockSeconds: number;
  /** Whether a request during a block starts the block anew (rule-api §8 says that it lengthens it, not by how much). */
  blockedRequestsLengthen: boolean;
  /** What an omitted `create_if_not_exists` means (§12 row 7). */
  createIfNotExistsDefault: boolean;
  /** What `historical: true` does to an existing plain group (§12 row 7). */
  historicalOnPlainGroup: 'ignore' | 'convert';
  /** Whether a v2 write into a historical group appends a row (§12 row 8); else the newest row is overwritten. */
  upsertAppendsToHistorical: boolean;
  /** E-mail belongs to A, phone to B (§12 row 9): `email` updates A and leaves both phones; `refuse` answers 409. */
  emailPhoneConflict: 'email' | 'refuse';
  /** Whether e-mail addresses match and are stored without regard to case (§12 row 10). */
  emailCaseInsensitive: boolean;
  /** How `callback_url` is called when a job ends (§12 row 11). */
  callbackMethod: 'POST' | 'GET';
  /** Whether a v2 call with `automation` unblocks a blocked person, as v3 does (§12 row 12). */
  v2AutomationUnblocks: boolean;
  /** What `""`, `null` or `[]` does to a `date`, `datetime` or `time` field; every other type is always cleared by it. */
  emptyDate: 'clear' | 'refuse';
  /** Whether a `datetime` may be full ISO 8601 too (rule-api §9: one official client sends it). */
  isoDatetime: boolean;
  /** Whether an upsert of a person with a suppression still writes fields and tags (rule-api §2). */
  writesToSuppressed: boolean;
  /** Whether mode `force` first takes the person out of the segments built on that tag (rule-api §7). */
  forceLeavesTagSegments: boolean;
  /**
   * Whether `reset` cancels pending mails of a person who lost the tag in between, too. Rule-api §7 says "starts at step 1" for whoever lacks
   * the tag, and says nothing of mails that are pending from before.
   */
  resetCancelsAfterTagLost: boolean;
  /** Member that holds a field's name in `GET /v2/subscriber/{identifier}/fields` (rule-api §3). */
  fieldsMemberName: 'name' | 'key';
  /** Form of timestamps in answers (rule-api §1): `2026-06-01 10:00:00` or ISO 8601; both UTC. */
  timestamps: 'plain' | 'iso';
  /** Country of a phone number without country code (rule-api §2: Swedish). */
  phoneCountry: 'SE' | 'NO' | 'DK' | 'FI';
  /** Language of a person when none is sent. */
  accountLanguage: string;
  /** A v2 upsert of at least this many people is done as a job; the reply then only acknowledges (threshold unknown). */
  asyncBatchFrom: number;
  /** Delay of asynchronous jobs in milliseconds. */
  jobDelayMs: number;
}

/** The defaults of rule-api §12 and the made-up numbers. */
export const defaultSwitches: Readonly<RuleSwitches> = {
  putEmail: 'accept',
  putTakenStatus: 409,
  upsertReplyTags: 'all',
  automationFalseFiresGainedTags: false,
  refuseEmptyTags: true,
  refuseDuplicateTags: true,
  tagNotHeld: 'not-found',
  v3ExistingStatus: 409,
  v2SharesBudget: true,
  allowedRequests: 2000,
  windowSeconds: 60,
  countNotFoundAndConflict: true,
  errorPercentLimit: 49,
  errorMinimumSample: 50,
  blockSeconds: 600,
  blockedRequestsLengthen: true,
  createIfNotExistsDefault: true,
  historicalOnPlainGroup: 'ignore',
  upsertAppendsToHistorical: true,
  emailPhoneConflict: 'email',
  emailCaseInsensitive: true,
  callbackMethod: 'POST',
  v2AutomationUnblocks: false,
  emptyDate: 'clear',
  isoDatetime: true,
  writesToSuppressed: true,
  forceLeavesTagSegments: false,
  resetCancelsAfterTagLost: true,
  fieldsMemberName: 'name',
  timestamps: 'plain',
  phoneCountry: 'SE',
  accountLanguage: 'sv',
  asyncBatchFrom: 100,
  jobDelayMs: 20,
};

/** Allowed values of the switches that have a list of them; the others take any boolean, number or text like their default. */
export const switchChoices: { readonly [K in keyof RuleSwitches]?: readonly RuleSwitches[K][] } = {
  putEmail: ['accept', 'refuse'],
  putTakenStatus: [400, 409, 422],
  upsertReplyTags: ['all', 'sent', 'none'],
  tagNotHeld: ['not-found', 'success'],
  v3ExistingStatus: [200, 409, 422],
  historicalOnPlainGroup: ['ignore', 'convert'],
  emailPhoneConflict: ['email', 'refuse'],
  callbackMethod: ['POST', 'GET'],
  emptyDate: ['clear', 'refuse'],
  fieldsMemberName: ['name', 'key'],
  timestamps: ['plain', 'iso'],
  phoneCountry: ['SE', 'NO', 'DK', 'FI'],
};
