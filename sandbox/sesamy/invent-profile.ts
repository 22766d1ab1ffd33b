import type { Address, Profile } from './model.js';
import { asciiOf, cities, firstNames, lastNames, profileTags, streets } from './names.js';
import type { Kind } from './population.js';
import type { Random } from './random.js';
import { instant } from './time.js';

export interface ProfileInput {
  id: string;
  index: number;
  kind: Kind;
  epoch: Date;
}

/** An invented reader: names of all letters, phones of all kinds, addresses and tags here and there. */
export function inventProfile(random: Random, { id, index, kind, epoch }: ProfileInput): Profile {
  const firstName = random.pick(firstNames);
  const lastName = random.pick(lastNames);
  const createdAt = instant(epoch.getTime() - random.int(20 * 86_400, 900 * 86_400) * 1_000);
  const address = inventAddress(random, firstName, lastName);
  // Two naming styles stand side by side in the API (sesamy-api §3.2).
  const names = random.chance(0.12)
    ? { given_name: firstName, family_name: lastName }
    : { firstName, lastName, name: `${firstName} ${lastName}` };
  return {
    userId: id,
    sub: id,
    ...(random.chance(0.04) ? {} : names),
    ...(kind === 'no e-mail' ? {} : { email: emailOf(random, firstName, lastName, index) }),
    ...verified(random, kind),
    ...inventPhones(random),
    locale: 'sv-SE',
    tags: random.chance(0.25) ? [random.pick(profileTags)] : [],
    ...(random.chance(0.7) ? { billingAddress: address } : {}),
    ...(random.chance(0.3) ? { deliveryAddress: address } : {}),
    createdAt,
    updatedAt: createdAt,
  };
}

/** Unverified marks a guest; absent says nothing (sesamy-api §8). */
function verified(random: Random, kind: Kind): Pick<Profile, 'emailVerified'> {
  if (kind === 'guest buyer' || kind === 'guest subscriber' || kind === 'no e-mail') return { emailVerified: false };
  return random.chance(0.04) ? {} : { emailVerified: true };
}

function emailOf(random: Random, firstName: string, lastName: string, index: number): string {
  const local = `${asciiOf(firstName)}.${asciiOf(lastName)}.${index + 1}`;
  return `${random.chance(0.05) ? local : local.toLowerCase()}@example.com`;
}

function inventAddress(random: Random, firstName: string, lastName: string): Address {
  const street = `${random.pick(streets)} ${random.int(1, 99)}`;
  const co = random.chance(0.1) ? { co: `c/o ${random.pick(lastNames)}` } : {};
  return { firstName, lastName, street, ...co, ...random.pick(cities), country: 'SE' };
}

/** Numbers of the range that Sweden keeps for fiction, in the forms that people type. */
function inventPhones(random: Random): Partial<Profile> {
  const end = String(random.int(5, 99)).padStart(2, '0');
  const number = random.pick([`070-174 06 ${end}`, `+467017406${end}`, `0701 74 06 ${end}`, `0046 70 1740 6${end}`]);
  switch (random.int(0, 11)) {
    case 0:
      return {};
    case 1:
      return { phone_number: number };
    case 2:
      return { workPhone: number };
    case 3:
      return { homePhone: number };
    case 4:
      return { mobilePhone: '070-12' };
    case 5:
      return { mobilePhone: '', phone_number: number };
    case 6:
      return { mobilePhone: number, workPhone: '070-174 06 05', homePhone: '070-174 06 06' };
    default:
      return { mobilePhone: number };
  }
}
