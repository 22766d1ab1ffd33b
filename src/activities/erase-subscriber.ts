import type { EraseInput, EraseResult } from '../contract/index.js';
import { VendorError } from '../http/errors.js';
import { emailOf } from '../mapping/index.js';
import { addressKeyOf } from './hashes.js';
import type { Attempt } from './sync-subscriber.js';
import type { Vendor } from './vendor.js';
import { ownerOf } from './write-person.js';

/**
 * Deletes a person in Rule: the subscribers that are or were theirs, and the one at the address that Sesamy shows now. One that is
 * another Sesamy user's is left alone, and told. In two steps, since a subscriber that is deleted shows its address no more; each may be
 * repeated.
 */
export async function eraseSubscriber(vendor: Vendor, input: EraseInput, attempt: Attempt): Promise<EraseResult> {
  vendor.gate.check();
  return input.step === 'look' ? look(vendor, input, attempt) : remove(vendor, input, attempt);
}

/** Who it is in Rule, and under which addresses; nothing is changed. */
async function look(vendor: Vendor, input: EraseInput, { signal, step }: Attempt): Promise<EraseResult> {
  const keys = new Set(input.addressKeys);
  const keyOf = (email: string) => addressKeyOf(vendor.hashKey, input.vendorId, email);
  const ruleIds = new Set<number>();
  const leftAlone = new Set<number>();
  const owners = new Set<string>();

  const add = async (id: number, email: string | undefined) => {
    const owner = await ownerOf(vendor, id, signal);
    if (owner !== undefined && owner !== input.userId && (await isSomebody(vendor, owner, signal))) {
      leftAlone.add(id);
      owners.add(owner);
      return;
    }
    if (email) keys.add(keyOf(email));
    ruleIds.add(id);
  };

  step('rule: who it is');
  for (const id of input.ruleIds) {
    const subscriber = await vendor.rule.get(id, { signal });
    if (subscriber) await add(id, subscriber.email);
  }
  step('sesamy: user');
  // An outage of Sesamy must not keep what is known in Rule: that is deleted first, and Sesamy asked again.
  const email = await emailAtSesamy(vendor, input.userId, signal);
  if (typeof email === 'string') {
    const found = await vendor.rule.findByEmail(email, { signal });
    if (found && !ruleIds.has(found.id) && !leftAlone.has(found.id)) await add(found.id, found.email);
    keys.add(keyOf(email));
  }
  return {
    ruleIds: [...ruleIds],
    leftAlone: [...leftAlone],
    addressKeys: [...keys],
    sharedWith: [...new Set([...owners, ...(await holders(vendor, input.userId, keys))])],
    ...(email instanceof VendorError ? { incomplete: { type: email.type, next: email.next } } : {}),
  };
}

async function remove(vendor: Vendor, input: EraseInput, { signal, step }: Attempt): Promise<EraseResult> {
  step('rule: delete');
  for (const id of input.ruleIds) await vendor.rule.remove(id, { signal });
  const keys = new Set(input.addressKeys);
  const sharedWith = await holders(vendor, input.userId, keys);
  return { ruleIds: input.ruleIds, leftAlone: [], addressKeys: [...keys], sharedWith };
}

/** A user id that Sesamy does not know is nobody's: an older one of the same person, or typed by hand. */
async function isSomebody(vendor: Vendor, userId: string, signal: AbortSignal): Promise<boolean> {
  return (await vendor.sesamy.getUser(userId, { signal })) !== undefined;
}

/** The address; the error where Sesamy could not be asked. */
async function emailAtSesamy(
  vendor: Vendor,
  userId: string,
  signal: AbortSignal,
): Promise<string | VendorError | undefined> {
  try {
    const user = await vendor.sesamy.getUser(userId, { signal });
    return user && emailOf(user);
  } catch (error) {
    if (error instanceof VendorError) return error;
    throw error;
  }
}

async function holders(vendor: Vendor, userId: string, keys: ReadonlySet<string>): Promise<string[]> {
  const others = await Promise.all([...keys].map((key) => vendor.addressBook?.others(key, userId) ?? []));
  return [...new Set(others.flatMap((entries) => entries.filter(({ erased }) => !erased)).map((one) => one.userId))];
}
