import { parseJson } from '../http/json.js';

/**
 * The publisher that a token is for, from its `vendor_id` claim (sesamy-api §1.1); `undefined` where the token is not a JWT or has no
 * such claim. The signature is not checked: the token came from the token endpoint itself, and nothing is allowed on its word.
 */
export function vendorOfToken(token: string): string | undefined {
  const payload = token.split('.')[1];
  const claims = payload ? parseJson(Buffer.from(payload, 'base64url').toString('utf8')) : undefined;
  if (typeof claims !== 'object' || claims === null || !('vendor_id' in claims)) return undefined;
  return typeof claims.vendor_id === 'string' ? claims.vendor_id : undefined;
}
