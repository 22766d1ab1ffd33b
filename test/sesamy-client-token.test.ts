import assert from 'node:assert/strict';
import { createTokenSource } from '../src/sesamy/token.js';

describe('the token of a Sesamy client', () => {
  const start = 1_000_000;
  let clock: number;
  let fetched: number;

  beforeEach(() => {
    clock = start;
    fetched = 0;
  });

  function source(expires_in?: number) {
    return createTokenSource(
      async () => ({ access_token: `token-${++fetched}`, ...(expires_in === undefined ? {} : { expires_in }) }),
      () => clock,
    );
  }

  const rows: { name: string; expiresIn?: number; keptMs: number }[] = [
    { name: 'a day', expiresIn: 86_400, keptMs: 86_340_000 },
    { name: 'two minutes', expiresIn: 120, keptMs: 60_000 },
    { name: 'ten seconds, so half of it', expiresIn: 10, keptMs: 5_000 },
    { name: 'a time that the answer does not tell', keptMs: 540_000 },
  ];
  for (const { name, expiresIn, keptMs } of rows) {
    it(`that lives ${name} is renewed early`, async () => {
      const tokens = source(expiresIn);
      assert.equal(await tokens.get(), 'token-1');
      clock = start + keptMs - 1;
      assert.equal(await tokens.get(), 'token-1');
      clock = start + keptMs;
      assert.equal(await tokens.get(), 'token-2');
    });
  }

  it('that was renewed meanwhile is not dropped for its predecessor', async () => {
    const tokens = source(86_400);
    const old = await tokens.get();
    tokens.drop(old);
    assert.equal(await tokens.get(), 'token-2');
    tokens.drop(old);
    assert.equal(await tokens.get(), 'token-2');
    assert.equal(fetched, 2);
  });
});
