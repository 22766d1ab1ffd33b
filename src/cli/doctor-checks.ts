import { VendorError } from '../http/errors.js';
import { mendOf } from './mends.js';
import { explain } from './report-error.js';

/** `note`: nothing is wrong, and it is good to know. */
export type Result = 'ok' | 'note' | 'warning' | 'failed';

/** What one look found. */
export interface Finding {
  result: Result;
  /** What was found, in a sentence. */
  detail: string;
  /** What to do about it. */
  mend?: string;
}

export interface Check extends Finding {
  /** What was looked at. */
  check: string;
}

/** Runs a check; an error is what it found. */
export async function look(check: string, work: () => Promise<Finding | string>): Promise<Check> {
  try {
    const found = await work();
    return typeof found === 'string' ? { check, result: 'ok', detail: found } : { check, ...found };
  } catch (error) {
    return failed(check, error);
  }
}

export function failed(check: string, error: unknown): Check {
  const mend = error instanceof VendorError ? mendOf(error) : undefined;
  return { check, result: 'failed', detail: explain(error).message, ...(mend ? { mend } : {}) };
}
