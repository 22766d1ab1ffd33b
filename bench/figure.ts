/** What a benchmark hands back: numbers with their spread, each beside what it is compared with and what was aimed at. */
import { max, median, min, quantile } from 'simple-statistics';

/** Over the rounds of one run. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

export interface Result {
  /** What was measured, in words. */
  what: string;
  unit: string;
  ours: Spread;
  /** The same of what it is compared with. */
  theirs?: Spread & { name: string };
  /** Ours divided by theirs, round by round: both sides of a round were measured right after one another. */
  ratio?: Spread;
  /** Of the ratio where there is one, else of ours. */
  target?: { least?: number; most?: number };
  /** Of the median. `none`: nothing was aimed at. */
  verdict: 'met' | 'missed' | 'none';
}

export interface Figure {
  /** As `--only` takes it. */
  name: string;
  title: string;
  /** The sizes and settings of this run. */
  conditions: string;
  rounds: number;
  results: Result[];
  /** Why there are no results. */
  leftOut?: string;
}

export interface BenchOptions {
  /** Each round measures all sides once, in turn. */
  rounds: number;
  /** People, or samples, of one side of one round; each figure has its own default. */
  size?: number;
  /** People of a backfill, one after another; default small. */
  sizes?: number[];
  log: (line: string) => void;
}

interface Measured {
  what: string;
  unit: string;
  /** One number a round. */
  ours: readonly number[];
  theirs?: { name: string; values: readonly number[] };
  target?: { least?: number; most?: number };
}

export function result({ what, unit, ours, theirs, target }: Measured): Result {
  const ratio = theirs && spread(ours.map((value, round) => value / (theirs.values[round] ?? Number.NaN)));
  const judged = (ratio ?? spread(ours)).median;
  const met = judged >= (target?.least ?? Number.NEGATIVE_INFINITY) && judged <= (target?.most ?? Infinity);
  return {
    what,
    unit,
    ours: spread(ours),
    ...(theirs ? { theirs: { name: theirs.name, ...spread(theirs.values) } } : {}),
    ...(ratio ? { ratio } : {}),
    ...(target ? { target } : {}),
    verdict: target ? (met ? 'met' : 'missed') : 'none',
  };
}

/** The middle and the slowest hundredth of what took so many ms, round by round, beside the same of something else. */
export function latencyResults(
  what: string,
  ours: readonly (readonly number[])[],
  theirs: { name: string; values: readonly (readonly number[])[] },
  target: { most: number },
): Result[] {
  const at = (share: number, name: string, aim?: { most: number }) =>
    result({
      what: `${what}, ${name}`,
      unit: 'ms',
      ours: ours.map((all) => percentile(all, share)),
      theirs: { name: theirs.name, values: theirs.values.map((all) => percentile(all, share)) },
      ...(aim ? { target: aim } : {}),
    });
  return [at(0.5, 'p50'), at(0.99, 'p99', target)];
}

export function spread(values: readonly number[]): Spread {
  const all = [...values];
  return { median: round(median(all)), min: round(min(all)), max: round(max(all)) };
}

/** @param share 0.5 for the middle, 0.99 for all but the slowest hundredth */
export function percentile(values: readonly number[], share: number): number {
  return quantile([...values], share);
}

/** Three digits are more than a busy machine repeats. */
function round(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(Math.abs(value) >= 1_000 ? 4 : 3)) : value;
}
