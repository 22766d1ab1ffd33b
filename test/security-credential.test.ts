/** The comparison of the webhook's secret, by the way it goes: what is compared with what, and how often; never by a clock. */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import fc from 'fast-check';
import { createCredentialCheck } from '../src/webhook/credential.js';
import { Refusal } from '../src/webhook/refusal.js';
import { searchSync } from './support/fuzz.js';

const secrets = ['a-secret-of-daily-0001', 'a-secret-of-daily-0002-longer', 'a-secret-of-weekly-01'];

describe('the webhook’s secret is compared in constant time', () => {
  const { timingSafeEqual } = crypto;
  let compared: [known: number, given: number][] = [];

  before(() => {
    const counting: typeof timingSafeEqual = (a, b) => {
      compared.push([a.byteLength, b.byteLength]);
      return timingSafeEqual(a, b);
    };
    Object.assign(crypto, { timingSafeEqual: counting });
    syncBuiltinESMExports();
  });
  after(() => {
    Object.assign(crypto, { timingSafeEqual });
    syncBuiltinESMExports();
  });

  const check = () =>
    createCredentialCheck(
      new Map([
        ['daily', { secrets: secrets.slice(0, 2) }],
        ['weekly', { secrets: secrets.slice(2) }],
      ]),
    );

  /** Which vendors a token opens, and what was compared on the way. */
  function opened(header: string): string[] {
    compared = [];
    try {
      return [...check()(header)];
    } catch (error) {
      assert.ok(error instanceof Refusal && error.status === 401, String(error));
      return [];
    }
  }

  /** One comparison with each configured secret, of digests: 32 bytes whatever the lengths of header and secret. */
  const all = secrets.map(() => [32, 32]);

  it('digests of one length are compared with every secret, whether the first, the last or none matches', () => {
    for (const [header, vendors] of [
      [`Bearer ${secrets[0]}`, ['daily']],
      [`Bearer ${secrets[1]}`, ['daily']],
      [`bearer   ${secrets[2]}  `, ['weekly']],
      ['Bearer wrong', []],
      [`Bearer ${secrets[0]?.slice(0, -1)}`, []],
      [`Bearer ${secrets[0]}0`, []],
      [`Bearer ${'x'.repeat(100_000)}`, []],
    ] as const) {
      assert.deepEqual([opened(header), compared], [vendors, all], header.slice(0, 40));
    }
  });

  it('whatever the header, it is refused by its form before any comparison, or compared with all', () => {
    const near = fc
      .constantFrom(...secrets)
      .chain((secret) =>
        fc.tuple(fc.nat(secret.length), fc.string({ maxLength: 3 })).map(([end, rest]) => secret.slice(0, end) + rest),
      );
    const token = fc.oneof(near, fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 5_000 }));
    const header = fc.oneof(
      token.map((text) => `Bearer ${text}`),
      token,
      fc
        .tuple(fc.constantFrom('Basic', 'bearer', 'BEARER', 'Bearer Bearer', ''), token)
        .map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(header, (text) => {
        const vendors = opened(text);
        assert.ok(compared.length === 0 || compared.length === all.length, `${compared.length} comparisons`);
        assert.deepEqual(compared, all.slice(0, compared.length));
        const [, given = ''] = /^bearer +(\S+) *$/i.exec(text) ?? [];
        assert.equal(vendors.length > 0, secrets.includes(given));
        if (vendors.length > 0) assert.equal(compared.length, all.length);
      }),
      searchSync(2_000),
    );
  });
});
