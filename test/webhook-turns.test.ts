import assert from 'node:assert/strict';
import { createTurns, TooBusyError } from '../src/webhook/turns.js';

/** Work that ends when it is told to. */
function held() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name);
      ends.set(name, () => resolve(name));
    });
  return { begun, work, end: (name: string) => ends.get(name)?.() };
}

describe('turns of what is handed to Temporal', () => {
  it('so much is under way at one time; the rest comes in order', async () => {
    const turns = createTurns({ atOnce: 2, waiting: 10 });
    const { begun, work, end } = held();
    const all = ['a', 'b', 'c', 'd'].map((name) => turns.take('daily', 5_000, work(name)));
    await Promise.resolve();
    assert.deepEqual(begun, ['a', 'b']);
    end('b');
    await all[1];
    await Promise.resolve();
    assert.deepEqual(begun, ['a', 'b', 'c']);
    for (const name of ['a', 'c']) end(name);
    await Promise.all([all[0], all[2]]);
    end('d');
    assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd']);
  });

  it('a flood of one vendor does not hold up another', async () => {
    const turns = createTurns({ atOnce: 1, waiting: 10 });
    const { begun, work, end } = held();
    const all = [
      ...['a', 'b', 'c', 'd'].map((name) => turns.take('daily', 5_000, work(name))),
      turns.take('weekly', 5_000, work('w')),
    ];
    for (const name of ['a', 'b', 'w', 'c', 'd']) {
      await new Promise((resolve) => setImmediate(resolve));
      end(name);
    }
    await Promise.all(all);
    assert.deepEqual(begun, ['a', 'b', 'w', 'c', 'd']);
  });

  it('more than may wait is refused at once, and what waits too long is never begun', async () => {
    const turns = createTurns({ atOnce: 1, waiting: 1 });
    const { begun, work, end } = held();
    const first = turns.take('daily', 5_000, work('a'));
    const late = turns.take('daily', 20, work('b'));
    await assert.rejects(turns.take('daily', 5_000, work('c')), TooBusyError);
    await assert.rejects(late, TooBusyError);
    const after = turns.take('daily', 5_000, work('d'));
    end('a');
    await first;
    await new Promise((resolve) => setImmediate(resolve));
    end('d');
    assert.equal(await after, 'd');
    assert.deepEqual(begun, ['a', 'd']);
  });

  it('what fails makes room like what succeeds, and the work is told what is left of its time', async () => {
    const turns = createTurns({ atOnce: 1, waiting: 1 });
    await assert.rejects(
      turns.take('daily', 1_000, () => Promise.reject(new Error('refused'))),
      /refused/,
    );
    const left = await turns.take('daily', 1_000, (ms) => Promise.resolve(ms));
    assert.ok(left > 0 && left <= 1_000, `${left} ms`);
  });
});
