import { createHash, createHmac } from 'node:crypto';
import type { MappedField } from '../mapping/index.js';

/** Length of one field's hash: 48 bits tell a change for certain enough, and 19 of them stay small in every history. */
const slot = 8;
const neverWritten = '-'.repeat(slot);

/** Keyed hashes of one person's data. The person is part of the key, so that equal values of two people do not look equal. */
export interface PersonHashes {
  of(what: string, value: unknown): string;
  /**
   * One slot a field in table order. A missing value of a field that is kept in Rule keeps the slot of what was written last,
   * so that it neither counts as a change now nor when the same value comes back.
   */
  fields(fields: readonly (MappedField & { kept: boolean })[], before: string | undefined): string;
}

export function personHashes(hashKey: string, vendorId: string, userId: string): PersonHashes {
  const of = (what: string, value: unknown) =>
    createHmac('sha256', hashKey)
      .update(JSON.stringify([vendorId, userId, what, value ?? null]))
      .digest('base64url');
  return {
    of: (what, value) => of(what, value).slice(0, 22),
    fields: (fields, before) =>
      fields
        .map((field, index) =>
          field.value === undefined && field.kept ? slotOf(before, index) : of(field.key, field.value).slice(0, slot),
        )
        .join(''),
  };
}

/** Keyed hash of an address that is the same for everybody of the vendor who has it, in whatever letter case. */
export function addressKeyOf(hashKey: string, vendorId: string, email: string): string {
  return createHmac('sha256', hashKey)
    .update(JSON.stringify([vendorId, 'address-key', email.trim().toLowerCase()]))
    .digest('base64url')
    .slice(0, 22);
}

/** Which fields' slots differ, as indexes into the table. Everything, when there is nothing to compare with. */
export function changedSlots(before: string | undefined, now: string): number[] {
  const count = now.length / slot;
  return Array.from({ length: count }, (_, index) => index).filter(
    (index) => slotOf(before, index) !== slotOf(now, index),
  );
}

function slotOf(hashes: string | undefined, index: number): string {
  return hashes?.slice(index * slot, (index + 1) * slot) || neverWritten;
}

/** A number in [0, 1) that is a person's own and stays the same: spreads dates that would otherwise fall into one second. */
export function spread(userId: string, purpose: string): number {
  return createHash('sha256').update(`${purpose}\n${userId}`).digest().readUInt32BE(0) / 2 ** 32;
}
