/**
 * What the processes of one test run share: mocha runs its files in several, and they belong together. Whoever loads this first makes the
 * folder and is the run's own process; those it starts find it by the environment.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const told = process.env.SESAMY_RULE_TEST_RUN;

/** Absolute path of the run's folder. */
export const runFolder = told ?? mkdtempSync(join(tmpdir(), 'sesamy-rule-test-'));
process.env.SESAMY_RULE_TEST_RUN = runFolder;

const underWay = join(runFolder, 'under-way');
mkdirSync(underWay, { recursive: true });
const mark = join(underWay, String(process.pid));

/** Says that this process has a test file under way. */
export function beginFile(): void {
  writeFileSync(mark, '');
}

export function endFile(): void {
  rmSync(mark, { force: true });
}

/** How many other processes have a test file under way. */
export function othersUnderWay(): number {
  return readdirSync(underWay).filter((pid) => pid !== String(process.pid)).length;
}

/** Removes the folder, if this process has made it. */
export function removeRunFolder(): void {
  if (told === undefined) rmSync(runFolder, { recursive: true, force: true });
}
