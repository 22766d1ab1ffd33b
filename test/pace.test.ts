import assert from 'node:assert/strict';
import { createPace } from '../src/sesamy/pace.js';

describe('the pace of calls to Sesamy', () => {
  it('lets the lowest rank go first, and equals in their order', async () => {
    const pace = createPace(100);
    const order: string[] = [];
    const wait = (name: string, rank = 5) => pace.turn(undefined, rank).then(() => order.push(name));
    await Promise.all([
      wait('at once'),
      wait('a'),
      wait('b'),
      wait('c'),
      wait('first urgent', 1),
      wait('second urgent', 1),
    ]);
    assert.deepEqual(order, ['at once', 'first urgent', 'second urgent', 'a', 'b', 'c']);
  });

  it('keeps the distance, and makes up for nothing after it was held up', async () => {
    const pace = createPace(50);
    await pace.turn();
    const end = performance.now() + 200;
    while (performance.now() < end); // Nothing else runs meanwhile.
    const begun = performance.now();
    for (let number = 0; number < 5; number += 1) await pace.turn();
    assert.ok(performance.now() - begun >= 4 * 21 - 5, `five starts within ${performance.now() - begun} ms`);
  });

  it('lets whoever waits leave, and refuses those who wait when it is closed', async () => {
    const pace = createPace(20);
    await pace.turn();
    const leaving = new AbortController();
    const left = pace.turn(leaving.signal);
    const next = pace.turn();
    leaving.abort(new Error('given up'));
    await assert.rejects(left, /given up/);
    await next;
    const last = pace.turn();
    pace.close();
    await assert.rejects(last, /closed/);
    await assert.rejects(pace.turn(), /closed/);
  });
});
