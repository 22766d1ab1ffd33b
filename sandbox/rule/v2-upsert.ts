import { z } from 'zod';
import type { Account } from './account.js';
import type { TagMode } from './automations.js';
import { checkEmail, checkPhone, checkTags, parseBody, tagReference } from './checks.js';
import type { Context } from './context.js';
import { checkGroupSizes, createFields, type PlannedWrite, writeFields } from './field-writes.js';
import type { Subscriber, Tag } from './model.js';
import type { Identity } from './people.js';
import { Refusal, undocumented } from './refusal.js';
import { recalculateSegments } from './segments.js';
import { giveTags, unblockBy } from './tagging.js';
import { planFields, v2Field } from './v2-fields.js';
import { v2Subscriber } from './wire.js';

const CALL = 'POST /v2/subscribers';
/** More people than this in one call are a 413 (rule-api §2). */
const MAX_ENTRIES = 1000;
/** With `sync_subscribers` omitted, automations fire in calls with fewer people than this (rule-api §2). */
const SILENT_FROM = 20;
/** With `sync_subscribers: true`, automations fire for this many people at most (rule-api §2). */
const AUTOMATION_CAP = 100;

const language = z.string().regex(/^[a-z]{2}$/, 'Not an ISO 639-1 code.');
const entrySchema = z.strictObject({
  email: z.string().nullable().optional(),
  phone_number: z.string().nullable().optional(),
  language: language.optional(),
  fields: z.array(v2Field).optional(),
});
/** The members that any official client documents; `auto_create_*`, `async` and `fields_clear` are left out (rule-api §2). */
const topMembers = {
  tags: z.array(tagReference),
  update_on_duplicate: z.boolean().optional(),
  automation: z.union([z.literal(false), z.literal('reset'), z.literal('force')]).optional(),
  sync_subscribers: z.boolean().optional(),
  require_opt_in: z.boolean().optional(),
  language: language.optional(),
};
const singleSchema = z.strictObject({ ...topMembers, subscribers: entrySchema });
const multipleSchema = z.strictObject({ ...topMembers, subscribers: z.array(entrySchema).min(1) });

type Entry = z.infer<typeof entrySchema>;
type Body = z.infer<typeof singleSchema> | z.infer<typeof multipleSchema>;

interface PlannedEntry {
  identity: Identity;
  language: string | undefined;
  fields: PlannedWrite[];
}

interface Outcome {
  subscriber: Subscriber;
  created: boolean;
  suppressed: boolean;
}

/**
 * v2 `POST /subscribers`: everything is checked before anything is written, so a refused call changes nothing.
 * @returns the reply of the single form (object) or of the multiple form (array), rule-api §2.
 */
export function upsert(context: Context, sent: unknown): unknown {
  const body = readBody(sent);
  const entries = Array.isArray(body.subscribers) ? body.subscribers : [body.subscribers];
  const single = !Array.isArray(body.subscribers);
  const types = new Map<string, PlannedWrite['type']>();
  const planned = entries.map((entry, index) =>
    plan(context, body, entry, single ? 'subscribers' : `subscribers.${index}`, types),
  );
  checkTags(context.account, body.tags);
  const tags = context.account.tags.resolve(body.tags, context.account.now());
  const applyAll = (): Outcome[] =>
    planned.map((entry, index) => apply(context, body, entry, tags, index, planned.length));
  if (!single && planned.length >= context.account.switches.asyncBatchFrom) {
    context.jobs.enqueue(applyAll);
    return { success: true, message: 'Success' };
  }
  const outcomes = applyAll();
  const [first] = outcomes;
  return single && first ? singleReply(context, body, first) : multipleReply(outcomes);
}

function readBody(sent: unknown): Body {
  const subscribers = sent !== null && typeof sent === 'object' && 'subscribers' in sent ? sent.subscribers : undefined;
  if (!Array.isArray(subscribers)) return parseBody(singleSchema, sent);
  if (subscribers.length > MAX_ENTRIES) {
    throw new Refusal('too-large', `At most ${MAX_ENTRIES} subscribers are allowed in one call.`);
  }
  return parseBody(multipleSchema, sent);
}

function plan(
  { account }: Context,
  body: Body,
  entry: Entry,
  path: string,
  types: Map<string, PlannedWrite['type']>,
): PlannedEntry {
  if (!entry.email && !entry.phone_number) {
    throw undocumented('A subscriber needs an email or a phone_number.', { [path]: 'No identity.' });
  }
  const identity: Identity = {
    email: entry.email ? checkEmail(entry.email, `${path}.email`) : null,
    phoneNumber: entry.phone_number ? checkPhone(account, entry.phone_number, `${path}.phone_number`) : null,
  };
  checkOnePerson(account, identity);
  const existing = match(account, identity);
  if (existing && !body.update_on_duplicate) throw new Refusal('conflict', 'The subscriber exists already.');
  const fields = planFields(account, entry.fields ?? [], `${path}.fields`, types);
  checkGroupSizes(account, existing, fields);
  return { identity, language: entry.language ?? body.language, fields };
}

/** E-mail first, then phone (rule-api §12 row 9). */
function match({ people }: Account, { email, phoneNumber }: Identity): Subscriber | undefined {
  const byEmail = email ? people.find('email', email) : undefined;
  return byEmail ?? (phoneNumber ? people.find('phone_number', phoneNumber) : undefined);
}

/** @throws Refusal 409 if e-mail and phone belong to two people and the switch refuses that. */
function checkOnePerson({ people, switches }: Account, { email, phoneNumber }: Identity): void {
  if (switches.emailPhoneConflict !== 'refuse' || !email || !phoneNumber) return;
  const byEmail = people.find('email', email);
  const byPhone = people.find('phone_number', phoneNumber);
  if (byEmail && byPhone && byEmail !== byPhone) {
    throw new Refusal('conflict', 'The email and the phone number belong to different subscribers.');
  }
}

function apply(context: Context, body: Body, entry: PlannedEntry, tags: Tag[], index: number, size: number): Outcome {
  const { account } = context;
  const existing = match(account, entry.identity);
  const subscriber = existing ? update(context, existing, entry) : create(context, body, entry);
  const suppressed = subscriber.suppressions.size > 0;
  if (!suppressed || account.switches.writesToSuppressed) {
    writeFields(account, subscriber, createFields(account, entry.fields), account.switches.upsertAppendsToHistorical);
    const fires = firesFor(body, index, size);
    if (existing && fires && body.automation && account.switches.v2AutomationUnblocks) {
      unblockBy(account, subscriber, body.automation, CALL);
    }
    giveTags(account, subscriber, tags, (lacked) => (fires ? modeFor(context, body, !existing, lacked) : null), CALL);
    if (body.sync_subscribers !== false) recalculateSegments(account, subscriber, CALL);
  }
  return { subscriber, created: !existing, suppressed };
}

function create({ account }: Context, body: Body, entry: PlannedEntry): Subscriber {
  const chosen = entry.language ?? account.switches.accountLanguage;
  const subscriber = account.people.create(entry.identity, chosen, account.now());
  if (body.require_opt_in) subscriber.optedIn = false;
  return subscriber;
}

/** Found by e-mail: a free phone number is taken over. Found by phone: the e-mail is filled in only where there is none. */
function update({ account }: Context, existing: Subscriber, entry: PlannedEntry): Subscriber {
  const { email, phoneNumber } = entry.identity;
  if (email && !existing.email) account.people.identify(existing, { email });
  const holder = phoneNumber ? account.people.find('phone_number', phoneNumber) : undefined;
  if (phoneNumber && !holder) account.people.identify(existing, { phoneNumber });
  if (entry.language) existing.language = entry.language;
  return existing;
}

function firesFor(body: Body, index: number, size: number): boolean {
  if (body.sync_subscribers === undefined) return size < SILENT_FROM;
  return body.sync_subscribers && index < AUTOMATION_CAP;
}

function modeFor({ account }: Context, body: Body, isNew: boolean, lacked: boolean): TagMode {
  if (isNew) return 'new';
  if (body.automation) return body.automation;
  return lacked && account.switches.automationFalseFiresGainedTags ? 'gained' : null;
}

function singleReply({ account }: Context, body: Body, { subscriber, suppressed }: Outcome): unknown {
  const wire = v2Subscriber(account, subscriber);
  if (account.switches.upsertReplyTags === 'none') wire.tags = [];
  if (account.switches.upsertReplyTags === 'sent') {
    wire.tags = body.tags
      .flatMap((reference) => account.tags.find(reference) ?? [])
      .map(({ id, name }) => ({ id, name }));
  }
  const refused = suppressed ? [{ email: subscriber.email, phone_number: subscriber.phoneNumber }] : [];
  return { message: 'Success', subscriber: wire, suppressed: refused };
}

function multipleReply(outcomes: readonly Outcome[]): unknown {
  return {
    success: true,
    message: 'Success',
    subscribers_created: outcomes.filter(({ created }) => created).length,
    subscribers_updated: outcomes.filter(({ created }) => !created).length,
    subscribers_suppressed: outcomes.filter(({ suppressed }) => suppressed).length,
  };
}
