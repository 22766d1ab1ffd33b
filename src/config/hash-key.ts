import { hkdfSync } from 'node:crypto';

/**
 * The key of one vendor's hashes (HKDF-SHA256). `secret` is `SESAMY_RULE_HASH_KEY` or, without it, the vendor's Sesamy client secret:
 * the derivation is the same, so that the old client secret can be kept as the key when it is rotated.
 */
export function deriveHashKey(secret: string, vendorId: string): string {
  return Buffer.from(hkdfSync('sha256', secret, '', `sesamy-rule hash key ${vendorId}`, 32)).toString('base64url');
}
