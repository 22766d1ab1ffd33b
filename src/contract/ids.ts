/**
 * The ids that name a person in Temporal. Every caller makes them here, so that one person is one workflow whoever starts it.
 * None of them may hold personal data: workflow ids are stored and shown in the clear.
 */

/** What a vendor id looks like (sesamy-api §1.1), bounded so that queue names and labels stay short. */
export const vendorIdPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * What a Sesamy user id may look like: `<connection>|<id>` and its kin (sesamy-api §3.1, §8), at most 200 characters.
 * `@` is refused on purpose: some identity providers put the e-mail address into the id, and an address must not become a
 * workflow id, and so is `+` before a number, which may be a telephone's. `/`, `%` and a leading dot are refused because no Sesamy id has them and a path could be bent by them.
 */
export const userIdPattern = /^(?!.*\+\d{6})[A-Za-z0-9][\w.:|+~=-]{0,199}$/;

/** What the ids of contracts, entitlements and checkouts may look like; anything else is not stored. */
export const objectIdPattern = /^[A-Za-z0-9][\w.:|+~=-]{0,199}$/;

/** A person: which vendor's reader, and the id that Sesamy gives them. */
export interface PersonId {
  vendorId: string;
  userId: string;
}

const prefix = 'subscriber/';

/** The id of the workflow that looks after one person. {@link parseSubscriberWorkflowId} is its inverse. */
export function subscriberWorkflowId({ vendorId, userId }: PersonId): string {
  return `${prefix}${vendorId}/${userId}`;
}

/** The person a workflow id stands for, or `undefined` where the id is not a subscriber's. */
export function parseSubscriberWorkflowId(workflowId: string): PersonId | undefined {
  if (!workflowId.startsWith(prefix)) return undefined;
  const slash = workflowId.indexOf('/', prefix.length);
  if (slash < 0) return undefined;
  const vendorId = workflowId.slice(prefix.length, slash);
  const userId = workflowId.slice(slash + 1);
  return vendorIdPattern.test(vendorId) && userIdPattern.test(userId) ? { vendorId, userId } : undefined;
}

/** The name under which workers register the workflow; callers start it by name, so that they need none of its code. */
export const subscriberWorkflowType = 'subscriber';
