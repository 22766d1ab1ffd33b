import { VendorError } from '../http/errors.js';

/** What a call brings, or `undefined` where Rule answers 404. Rule counts that as an error of the account (rule-api §8). */
export async function orMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof VendorError && error.type === 'rule/not-found') return undefined;
    throw error;
  }
}
