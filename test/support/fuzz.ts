/** Sizes of the searches with random input, and how one that has found something is run again. */
import fc from 'fast-check';

/** `FC_SCALE=20` makes every search twenty times as long; also the factor for its time limit. */
export const scale = Number(process.env.FC_SCALE ?? 1);

/** Settings of one search; what it finds is printed with the command that finds it again. */
export function search<T>(runs: number): fc.Parameters<T> {
  const { FC_SEED: seed, FC_PATH: path } = process.env;
  return {
    numRuns: Math.ceil(runs * scale),
    ...(seed ? { seed: Number(seed) } : {}),
    ...(path ? { path } : {}),
    includeErrorInReport: true,
    asyncReporter: async (result) => report(result),
  };
}

/** As {@link search}, for properties that do not wait. */
export function searchSync<T>(runs: number): fc.Parameters<T> {
  const { asyncReporter: _, ...settings } = search<T>(runs);
  return { ...settings, reporter: report };
}

function report<T>(result: fc.RunDetails<T>): void {
  if (!result.failed) return;
  const again = `FC_SEED=${result.seed} FC_PATH='${result.counterexamplePath ?? ''}'`;
  throw new Error(
    `${fc.defaultReportMessage(result)}\nRun it again: ${again} npx mocha <this file> -g '<the name of this test>'`,
    { cause: result.errorInstance },
  );
}

/** Objects that a program in a hurry would take for its own members. */
export const prototypeNames = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON'];

/** What has been added to the prototypes that everything has; empty unless something was polluted. */
export function pollution(): string[] {
  return [Object.prototype, Array.prototype, String.prototype, Function.prototype].flatMap((prototype) =>
    Object.keys(prototype),
  );
}
