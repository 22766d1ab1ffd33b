import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Account } from './account.js';
import type { Subscriber } from './model.js';
import { type IdentifierKind, identifierKinds } from './people.js';
import { parsePhone } from './phone.js';
import { invalid, notFound, undocumented } from './refusal.js';

/** Reads a body in its documented shape. @throws Refusal marked as a violation when a member is unknown or of a wrong kind. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const plain =
    body !== null && typeof body === 'object' && !Array.isArray(body) && 'apikey' in body ? withoutKey(body) : body;
  return parse(schema, plain, 'The body');
}

/**
 * Reads the query in its documented shape. `source` and `version` are tolerated (rule-api §1), and on v2 `apikey`.
 * @throws Refusal marked as a violation on any other parameter.
 */
export function parseQuery<T>(schema: z.ZodType<T>, request: FastifyRequest): T {
  const { source: _source, version: _version, ...rest } = request.query as Record<string, unknown>;
  const plain = request.url.startsWith('/api/v2') ? withoutKey(rest) : rest;
  return parse(schema, plain, 'The query');
}

/** Query of a call that takes no parameter. */
export const noQuery = z.strictObject({});

/** `identified_by` of a call that finds a person by any identity. */
export const anyIdentifier = z.strictObject({ identified_by: z.enum(identifierKinds) });

/** `identified_by` of the v2 calls that do not know `custom_identifier` (rule-api §3). */
export const plainIdentifier = z.strictObject({ identified_by: z.enum(['email', 'phone_number', 'id']) });

/** A tag name or numeric id. */
export const tagReference = z.union([z.string().min(1), z.int().positive()]);

/** A person in a bulk call: exactly one identity (rule-api §4.3). */
export const bulkIdentity = z
  .strictObject({
    email: z.string().optional(),
    phone_number: z.string().optional(),
    id: z.int().positive().optional(),
    custom_identifier: z.string().optional(),
  })
  .refine((entry) => Object.keys(entry).length === 1, 'Exactly one identifier is needed.');

/** @throws Refusal 404 when nobody is found; a violation when an id is not a number. */
export function findSubscriber(account: Account, kind: IdentifierKind, value: string): Subscriber {
  const found = account.people.find(kind, readIdentifier(account, kind, value));
  if (!found) throw notFound('Subscriber');
  return found;
}

/** Everybody named in a bulk call who exists; the others are passed over, since the job has no answer (rule-api §4.3). */
export function findMany(account: Account, identities: readonly z.infer<typeof bulkIdentity>[]): Subscriber[] {
  return identities.flatMap((identity) => {
    const entry = Object.entries(identity)[0] as [IdentifierKind, string | number] | undefined;
    const found = entry && account.people.find(entry[0], readIdentifier(account, entry[0], String(entry[1])));
    return found ? [found] : [];
  });
}

/** A numeric id in a path. @throws Refusal marked as a violation. */
export function numericId(value: string): number {
  if (!/^\d+$/.test(value)) throw undocumented('The identifier must be a numeric id.', { identifier: 'Not a number.' });
  return Number(value);
}

/** @throws Refusal naming `path` when this is no e-mail address. */
export function checkEmail(email: string, path: string): string {
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email.trim())) throw invalid(path, 'The email is not valid.');
  return email;
}

/** @returns the number in E.164. @throws Refusal naming `path` when the number is not valid (rule-api §2). */
export function checkPhone(account: Account, phone: string, path: string): string {
  const parsed = parsePhone(phone, account.switches.phoneCountry);
  if (!parsed) throw invalid(path, 'The phone number is not valid.');
  return parsed;
}

/** @throws Refusal with `fields` on an empty or repeating list (rule-api §12 row 4). */
export function checkTags(account: Account, tags: readonly (string | number)[]): void {
  if (tags.length === 0 && account.switches.refuseEmptyTags) throw invalid('tags', 'The tags may not be empty.');
  if (account.switches.refuseDuplicateTags && account.tags.hasDuplicates(tags)) {
    throw invalid('tags', 'The tags hold a duplicate value.');
  }
}

function readIdentifier(account: Account, kind: IdentifierKind, value: string): string | number {
  if (kind === 'id') return numericId(value);
  if (kind === 'phone_number') return parsePhone(value, account.switches.phoneCountry) ?? value;
  return value;
}

function withoutKey(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'apikey'));
}

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields: Record<string, string> = {};
  for (const issue of result.error.issues) {
    const path = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) fields[path ? `${path}.${key}` : key] = 'Unknown member.';
    } else {
      fields[path || 'request'] = issue.message;
    }
  }
  throw undocumented(`${what} is not in a documented shape: ${Object.keys(fields).join(', ')}.`, fields);
}
