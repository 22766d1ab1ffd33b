import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal } from './refusal.js';

/** Finds which vendors a header opens. */
export type CredentialCheck = (authorization: string | undefined) => ReadonlySet<string>;

/**
 * Compares bearer secrets. Digests are compared, in constant time, and all of them whether one has matched or not: the time that an
 * answer takes tells nothing about the secrets, their lengths or their number right.
 *
 * @throws {TypeError} for a vendor without a secret: its webhooks would all be refused, and Sesamy does not send again after a 401
 */
export function createCredentialCheck(vendors: ReadonlyMap<string, { secrets: readonly string[] }>): CredentialCheck {
  const known = [...vendors].flatMap(([vendorId, { secrets }]) => {
    if (secrets.length === 0) throw new TypeError(`vendor ${vendorId} has no webhook secret`);
    return secrets.map((secret) => ({ vendorId, digest: digest(secret) }));
  });
  return (authorization) => {
    if (authorization === undefined)
      throw unauthorised('There is no Authorization header; send Authorization: Bearer <secret>.');
    const [, token] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
    if (token === undefined) throw unauthorised('The Authorization header is not of the form Bearer <secret>.');
    const given = digest(token);
    const opened = known.filter((secret) => timingSafeEqual(secret.digest, given)).map(({ vendorId }) => vendorId);
    if (opened.length === 0)
      throw unauthorised('The secret of the Authorization header is not one of those configured here.');
    return new Set(opened);
  };
}

/** A wrong secret, or one that is not this vendor's. */
export function unauthorised(reason: string): Refusal {
  return new Refusal(401, 'credential', reason, { 'WWW-Authenticate': 'Bearer' });
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
