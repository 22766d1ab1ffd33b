import { DateTime } from 'luxon';
import { z } from 'zod';
import { type Nudge, objectIdPattern, type PersonId, userIdPattern, vendorIdPattern } from '../contract/index.js';
import { Refusal } from './refusal.js';

/** A webhook, reduced to whom to look at and what may be stored about the reason. */
export interface WebhookEvent {
  person: PersonId;
  nudge: Nudge;
}

/** Wide enough for all documented names (sesamy-api §4.2) and their like, too narrow for a sentence or an address. */
const eventTypePattern = /^[A-Za-z][\w.#:-]{0,99}$/;

/**
 * Without an offset the instant is taken as UTC. A time that we cannot read, or none, is the time of arrival: it is a hint only, and a
 * refusal would lose the event, since Sesamy does not send again after a 4xx (sesamy-api §4.3).
 */
const instant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(T|$)/)
  .transform((text) => DateTime.fromISO(text, { zone: 'utc' }))
  .refine((date) => date.isValid)
  .transform((date) => date.toJSDate().toISOString())
  .catch(() => new Date().toISOString());

/** An id in a form that we would not store is left out: it is a hint only, and the person is looked at all the same. */
const hint = z.string().regex(objectIdPattern).optional().catch(undefined);

/** sesamy-api §4.1. Members that are not named here are ignored. */
const webhookSchema = z.object({
  eventType: z.string().regex(eventTypePattern),
  vendorId: z.string().regex(vendorIdPattern),
  userId: z.string().regex(userIdPattern),
  /** The vendor's spelling. */
  occured_at: instant,
  contractId: hint,
  entitlementId: hint,
  checkoutId: hint,
});

const memberRules: Record<string, string> = {
  eventType: 'eventType must be the name of an event such as contract.1#purchased',
  vendorId: 'vendorId must be a Sesamy vendor id',
  userId: 'userId must be a Sesamy user id, of letters, digits and . : | + ~ = - _ only',
};

/**
 * Reads the body of a webhook.
 *
 * @throws {Refusal} 400, naming each member that is missing or of another form
 */
export function parseEvent(body: unknown): WebhookEvent {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw notAnEvent('The body is not a JSON object.');
  }
  const result = webhookSchema.safeParse(withVendorsSpelling(body));
  if (!result.success) {
    const members = new Set(result.error.issues.map(({ path }) => String(path[0])));
    throw notAnEvent(
      `The body is not a Sesamy webhook: ${[...members].map((member) => memberRules[member]).join('; ')}.`,
    );
  }
  const { eventType, vendorId, userId, occured_at, ...hints } = result.data;
  const given = Object.entries(hints).filter(([, id]) => id !== undefined);
  return {
    person: { vendorId, userId },
    nudge: { event: eventType, occurredAt: occured_at, ...Object.fromEntries(given) },
  };
}

/** `occurred_at` is read as well, for the day on which Sesamy mends the spelling. */
function withVendorsSpelling(body: object): object {
  return 'occurred_at' in body && !('occured_at' in body) ? { ...body, occured_at: body.occurred_at } : body;
}

function notAnEvent(reason: string): Refusal {
  return new Refusal(400, 'not-an-event', reason);
}
