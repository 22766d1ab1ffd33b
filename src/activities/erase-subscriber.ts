import type { EraseInput, EraseResult } from '../contract/index.js';
import { addressKeyOf } from './hashes.js';
import type { Attempt } from './sync-subscriber.js';
import type { Vendor } from './vendor.js';
import { ownerOf } from './write-person.js';

/**
 * Deletes a person in Rule: the subscribers that are or were theirs, and the one at the address that Sesamy shows now. One that is
 * another Sesamy user's is left alone. May be repeated: what is gone already counts as deleted.
 */
export async function eraseSubscriber(vendor: Vendor, input: EraseInput, attempt: Attempt): Promise<EraseResult> {
  const { signal, step } = attempt;
  vendor.gate.check();
  const keys = new Set(input.addressKeys);
  const keyOf = (email: string) => addressKeyOf(vendor.hashKey, input.vendorId, email);
  const deleted = new Set<number>();

  const remove = async (id: number, email: string | undefined) => {
    const owner = await ownerOf(vendor, id, signal);
    if (owner !== undefined && owner !== input.userId) return;
    if (email) keys.add(keyOf(email));
    step('rule: delete');
    await vendor.rule.remove(id, { signal });
    deleted.add(id);
  };

  step('rule: who it is');
  for (const id of input.ruleIds) {
    const subscriber = await vendor.rule.get(id, { signal });
    if (subscriber) await remove(id, subscriber.email);
    else deleted.add(id);
  }
  // After what is known: an outage of Sesamy must not keep that in Rule.
  step('sesamy: user');
  const email = (await vendor.sesamy.getUser(input.userId, { signal }))?.email?.trim();
  if (email) {
    keys.add(keyOf(email));
    const found = await vendor.rule.findByEmail(email.toLowerCase(), { signal });
    if (found) await remove(found.id, found.email);
  }
  const others = await Promise.all([...keys].map((key) => vendor.addressBook?.others(key, input.userId) ?? []));
  const sharedWith = others.flat().filter(({ erased }) => !erased);
  return {
    deleted: [...deleted],
    addressKeys: [...keys],
    sharedWith: [...new Set(sharedWith.map(({ userId }) => userId))],
  };
}
