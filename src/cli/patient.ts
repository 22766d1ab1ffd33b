import { setTimeout as delay } from 'node:timers/promises';
import { VendorError } from '../http/errors.js';
import { say } from './output.js';

/** Between the tries, in milliseconds; a vendor's own wish comes before them. */
const pausesMs = [1_000, 3_000, 10_000];

/** A vendor that asks for more is not waited for in a terminal. */
const longestWaitMs = 60_000;

/**
 * A call in the middle of a reading of thousands: what passes by itself is tried again, so that one bad second does not cost all that was
 * read before. Nothing else in this program tries again in a client: what workflows do is retried by them.
 *
 * @param passes which errors are worth another try
 */
export async function patiently<T>(call: () => Promise<T>, passes = passesByItself): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof VendorError) || !passes(error)) throw error;
      const waitMs = Math.max(pauseMs, error.waitMs ?? 0);
      say(`  ${error.type}; goes on in ${Math.ceil(waitMs / 1_000)} s`);
      await delay(waitMs);
    }
  }
  return call();
}

function passesByItself({ type, waitMs = 0 }: VendorError): boolean {
  return /\/(?:unavailable|rate-limited|blocked|not-json)$/.test(type) && waitMs <= longestWaitMs;
}
