/** Two Sesamy users with one e-mail address: Rule has one subscriber for it, so one of them owns it. See docs/identity.md. */
import { fetchSource, type Person, readPerson, subscribes } from './read-person.js';
import type { Vendor } from './vendor.js';

/** One of several Sesamy users with the same address, as far as it matters for whose it is. */
export interface Contender {
  userId: string;
  /** Has an address that counts as confirmed; who has not is not written at all. */
  confirmed: boolean;
  /** Has a running subscription. */
  subscribes: boolean;
  /** When the user was made at Sesamy, epoch milliseconds; 0 where Sesamy does not tell. */
  createdAt: number;
}

/** The policy: of those who are confirmed whoever has a running subscription, else whoever is newest at Sesamy. The same for whoever asks. */
export function ownerAmong(contenders: readonly [Contender, ...Contender[]]): Contender {
  return contenders.reduce((a, b) => (precedes(b, a) ? b : a));
}

function precedes(a: Contender, b: Contender): boolean {
  if (a.confirmed !== b.confirmed) return a.confirmed;
  if (a.subscribes !== b.subscribes) return a.subscribes;
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt;
  return a.userId < b.userId;
}

/**
 * - `ours`: no other user owns the address; `rivals` have it too and do not own it. `unsure` are those who had it and of whom Sesamy shows
 *   something else now: another address, no subscription where one was, or nothing at all; one answer is not enough to believe that
 * - `theirs`: another user owns it
 * - `erased`: whoever had it was erased on request, and is not to come back under another id
 */
export type AddressClaim =
  | { kind: 'ours'; rivals: string[]; unsure: string[] }
  | { kind: 'theirs'; owner: string }
  | { kind: 'erased' };

/**
 * Whether the person owns their address. Those who may have it too are fetched from Sesamy, so the answer does not depend on who was
 * looked at first: three reads for each, and nearly nobody has any.
 *
 * @param also Sesamy users besides those that the address book names: `holders` have the address in Rule, `tellers` said that they have it
 */
export async function claimAddress(
  vendor: Vendor,
  person: Person,
  addressKey: string,
  also: { holders: readonly string[]; tellers: readonly string[] },
  { signal, now }: { signal: AbortSignal; now: Date },
): Promise<AddressClaim> {
  const { id } = person.source.user;
  const entries = (await vendor.addressBook?.others(addressKey, id)) ?? [];
  if (entries.some(({ erased }) => erased)) return { kind: 'erased' };
  const inBook = new Map(entries.map((entry) => [entry.userId, entry]));
  const had = new Set([...inBook.keys(), ...also.holders]);
  const others = [...new Set([...had, ...also.tellers])].filter((userId) => userId !== id);
  const rivals: Contender[] = [];
  const unsure: string[] = [];
  for (const userId of others) {
    const source = await fetchSource(vendor, userId, {}, signal);
    const other = source && readPerson(vendor, source, now);
    const hasIt = other !== undefined && other.mapped.email === person.mapped.email;
    if (hasIt) rivals.push(contender(other));
    const isEmptied = hasIt && source?.contracts.length === 0 && inBook.get(userId)?.subscribes === true;
    if (had.has(userId) && (!hasIt || isEmptied)) unsure.push(userId);
  }
  const owner = ownerAmong([contender(person), ...rivals]);
  if (owner.userId !== id) return { kind: 'theirs', owner: owner.userId };
  return { kind: 'ours', rivals: rivals.map(({ userId }) => userId), unsure };
}

function contender(person: Person): Contender {
  const { source, mapped } = person;
  const createdAt = Date.parse(source.user.createdAt ?? '');
  return {
    userId: source.user.id,
    confirmed: mapped.standing.confirmed,
    subscribes: subscribes(person),
    createdAt: Number.isNaN(createdAt) ? 0 : createdAt,
  };
}
