import { hasUnknownStatus } from './contracts.js';
import { emailOf, type FieldType, fieldContext, fieldTable } from './field-table.js';
import { type MappingProblem, uniqueProblems } from './problems.js';
import type { MappingSettings } from './settings.js';
import type { Source, SourceUser } from './source.js';
import { deriveTags } from './tags.js';
import { filled } from './text.js';

/** Raised when the output for the same source changes, so that everybody is written anew. */
export const mappingVersion = 1;

/** Whether a person may be in Rule: guests, whom a purchase made in passing, may not (sesamy-api §8). */
export type Standing = { confirmed: true } | { confirmed: false; reason: 'no-email' | 'email-not-verified' };

export interface MappedField {
  key: string;
  type: FieldType;
  /** `undefined`: missing at Sesamy, the row of the table says whether it is cleared or kept. `''`: to be emptied in any case. */
  value: string | string[] | undefined;
}

/** What Rule should hold for a person. */
export interface MappedPerson {
  standing: Standing;
  /** Lower case, no blanks around it. */
  email?: string;
  /** All fields, in the order of the table. */
  fields: MappedField[];
  /** Sorted, each once, the base tag included; the stage's tag is not: see `stageTag`. */
  tags: string[];
  problems: MappingProblem[];
  /** The contract that the fields `Sesamy_Subscription.*` come from. */
  contractId?: string;
}

/**
 * One person's whole mapping. The same source gives the same result, in whatever order its lists are; the source stays as it was.
 * @throws RangeError if the zone of the settings does not exist
 */
export function mapPerson(source: Source, settings: MappingSettings): MappedPerson {
  const context = fieldContext(source, settings);
  const problems: MappingProblem[] = [];
  const fields = fieldTable.map(({ key, type, derive }) => ({
    key,
    type,
    value: derive(context, (code) => problems.push({ field: key, code })),
  }));
  if (source.contracts.some(hasUnknownStatus)) {
    problems.push({ field: 'Sesamy_Subscription.Status', code: 'unknown-status' });
  }
  const { tags, problems: tagProblems } = deriveTags(source, settings);
  const email = emailOf(source.user);
  return {
    standing: standing(source.user, settings),
    ...(email ? { email } : {}),
    fields,
    tags,
    problems: uniqueProblems([...problems, ...tagProblems]),
    ...(context.contract ? { contractId: context.contract.id } : {}),
  };
}

/**
 * Confirmed = has an address that Sesamy does not call unverified. Nothing marks a guest in Sesamy's API (sesamy-api §8); to be
 * stricter would lose customers who paid and never logged in, see `requireVerifiedEmail`.
 */
export function standing(user: SourceUser, settings: Pick<MappingSettings, 'requireVerifiedEmail'>): Standing {
  if (!filled(user.email)) return { confirmed: false, reason: 'no-email' };
  const verified = settings.requireVerifiedEmail ? user.emailVerified === true : user.emailVerified !== false;
  return verified ? { confirmed: true } : { confirmed: false, reason: 'email-not-verified' };
}
