import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Figure, percentile, result, spread } from '../bench/figure.js';

const bench = fileURLToPath(new URL('../bench/index.ts', import.meta.url));

describe('the benchmark', () => {
  it('takes ratios round by round, and judges their median', () => {
    const theirs = { name: 'another', values: [10, 10, 100] };
    const one = result({ what: 'x', unit: 'people/s', ours: [20, 30, 100], theirs, target: { least: 2 } });
    assert.deepEqual(one.ours, { median: 30, min: 20, max: 100 });
    assert.deepEqual(one.theirs, { name: 'another', median: 10, min: 10, max: 100 });
    assert.deepEqual(one.ratio, { median: 2, min: 1, max: 3 });
    assert.equal(one.verdict, 'met');
    assert.equal(
      result({ what: 'x', unit: '', ours: [20, 30, 100], theirs, target: { least: 2.1 } }).verdict,
      'missed',
    );
  });

  it('judges what is compared with nothing by itself', () => {
    assert.equal(result({ what: 'x', unit: '', ours: [0.94], target: { least: 0.95 } }).verdict, 'missed');
    assert.equal(result({ what: 'x', unit: '', ours: [1], target: { most: 1 } }).verdict, 'met');
    assert.equal(result({ what: 'x', unit: '', ours: [1] }).verdict, 'none');
    assert.deepEqual(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
    assert.equal(
      percentile(
        Array.from({ length: 100 }, (_, index) => index + 1),
        0.99,
      ),
      99.01,
    );
  });

  it('runs, and says in one JSON document what it has measured', async () => {
    // A Temporal server of its own: what the compared designs store is not the program's.
    const { SESAMY_RULE_TEST_TEMPORAL: _shared, ...env } = process.env;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', bench, '--json', '--only', 'webhook', '--rounds', '1', '--size', '8'],
      { env, timeout: 50_000 },
    );
    const { machine, figures } = JSON.parse(stdout) as { machine: string; figures: Figure[] };
    assert.match(machine, /Node v\d+/);
    assert.deepEqual(
      figures.map(({ name, rounds }) => [name, rounds]),
      [['webhook', 1]],
    );
    const results = figures[0]?.results ?? [];
    assert.deepEqual(
      results.map(({ what, unit, target }) => [what, unit, target]),
      [
        ['answer, p50', 'ms', undefined],
        ['answer, p99', 'ms', { most: 1.25 }],
      ],
    );
    for (const { ours, theirs, ratio } of results) {
      for (const value of [ours, theirs, ratio]) {
        assert.ok(value && value.min > 0 && value.min <= value.median && value.median <= value.max);
      }
    }
  });
});
