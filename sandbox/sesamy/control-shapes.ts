import { z } from 'zod';
import type { ProfilePatch } from './person-life.js';

const word = z.string();

export const addressLines = z
  .strictObject({
    firstName: word,
    lastName: word,
    street: word,
    co: word,
    zip: word,
    city: word,
    country: word,
  })
  .partial();

const optionalWord = word.nullish();

/** Members of a profile that may be changed over HTTP; `null` takes one away. */
export const profilePatch: z.ZodType<ProfilePatch> = z.strictObject({
  firstName: optionalWord,
  lastName: optionalWord,
  name: optionalWord,
  nickname: optionalWord,
  given_name: optionalWord,
  family_name: optionalWord,
  email: optionalWord,
  emailVerified: z.boolean().nullish(),
  mobilePhone: optionalWord,
  workPhone: optionalWord,
  homePhone: optionalWord,
  phone_number: optionalWord,
  locale: optionalWord,
  picture: optionalWord,
  company: optionalWord,
  tags: z.array(word).nullish(),
  user_metadata: z.record(word, z.union([word, z.number()])).nullish(),
  billingAddress: addressLines.nullish(),
  deliveryAddress: addressLines.nullish(),
  createdAt: word.optional(),
  updatedAt: word.optional(),
});

const row = z.record(word, z.unknown());
const rows = z.array(row).optional();

/** A person with rows of any form. */
export const rawPerson = z.strictObject({
  id: word.optional(),
  profile: row.optional(),
  contracts: rows,
  entitlements: rows,
  bills: rows,
  transactions: rows,
  notes: row.optional(),
});
