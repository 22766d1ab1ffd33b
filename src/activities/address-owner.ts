/** Two Sesamy users with one e-mail address: Rule has one subscriber for it, so one of them owns it. See docs/identity.md. */
import { fetchSource, type Person, readPerson } from './read-person.js';
import type { Vendor } from './vendor.js';

/** One of several Sesamy users with the same address, as far as it matters for whose it is. */
export interface Contender {
  userId: string;
  /** Has a running subscription. */
  subscribes: boolean;
  /** When the user was made at Sesamy, epoch milliseconds; 0 where Sesamy does not tell. */
  createdAt: number;
}

/** The policy: whoever has a running subscription, else whoever is newest at Sesamy, owns the address. The same for whoever asks. */
export function ownerAmong(contenders: readonly [Contender, ...Contender[]]): Contender {
  return contenders.reduce((a, b) => (precedes(b, a) ? b : a));
}

function precedes(a: Contender, b: Contender): boolean {
  if (a.subscribes !== b.subscribes) return a.subscribes;
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt;
  return a.userId < b.userId;
}

/**
 * - `ours`: no other user owns the address; `rivals` have it too and do not own it, `movedOn` have another at Sesamy by now
 * - `theirs`: another user owns it
 * - `erased`: whoever had it was erased on request, and is not to come back under another id
 */
export type AddressClaim =
  | { kind: 'ours'; rivals: string[]; movedOn: string[] }
  | { kind: 'theirs'; owner: string }
  | { kind: 'erased' };

/**
 * Whether the person owns their address. Those who may have it too are fetched from Sesamy, so the answer does not depend on who was
 * looked at first: three reads for each, and nearly nobody has any.
 *
 * @param also Sesamy users who may have the address besides those that the address book names
 */
export async function claimAddress(
  vendor: Vendor,
  person: Person,
  addressKey: string,
  also: readonly string[],
  { signal, now }: { signal: AbortSignal; now: Date },
): Promise<AddressClaim> {
  const { id } = person.source.user;
  const entries = (await vendor.addressBook?.others(addressKey, id)) ?? [];
  if (entries.some(({ erased }) => erased)) return { kind: 'erased' };
  const others = [...new Set([...entries.map(({ userId }) => userId), ...also])].filter((userId) => userId !== id);
  const rivals: Contender[] = [];
  const movedOn: string[] = [];
  for (const userId of others) {
    const source = await fetchSource(vendor, userId, {}, signal);
    const other = source && readPerson(vendor, source, now);
    if (other && other.mapped.email === person.mapped.email) rivals.push(contender(other));
    else if (other?.mapped.email) movedOn.push(userId);
  }
  const owner = ownerAmong([contender(person), ...rivals]);
  if (owner.userId !== id) return { kind: 'theirs', owner: owner.userId };
  return { kind: 'ours', rivals: rivals.map(({ userId }) => userId), movedOn };
}

function contender({ source, mapped }: Person): Contender {
  const createdAt = Date.parse(source.user.createdAt ?? '');
  return {
    userId: source.user.id,
    subscribes: mapped.tags.includes('sesamy_active_subscriber'),
    createdAt: Number.isNaN(createdAt) ? 0 : createdAt,
  };
}
