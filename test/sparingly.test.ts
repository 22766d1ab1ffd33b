import assert from 'node:assert/strict';
import { sparingly } from '../src/cli/sparingly.js';

describe('lines of progress that last a day', () => {
  it('come often at first and more seldom later', () => {
    let now = 0;
    const isShown = sparingly(() => now);
    const shown: number[] = [];
    for (; now < 18 * 3_600_000; now += 1_000) if (isShown('running', `${now}`)) shown.push(now);
    assert.deepEqual(shown.slice(0, 3), [0, 1_000, 2_000]);
    assert.ok(shown.length < 500, `${shown.length} lines`);
    assert.ok((shown.at(-1) ?? 0) - (shown.at(-2) ?? 0) > 20 * 60_000);
  });

  it('come at once where something else happens, and never twice', () => {
    let now = 0;
    const isShown = sparingly(() => now);
    assert.deepEqual([isShown('running', 'a'), isShown('running', 'b'), isShown('paused', 'c')], [true, false, true]);
    now = 1_000_000;
    assert.deepEqual([isShown('paused', 'c'), isShown('paused', 'd')], [false, true]);
  });
});
