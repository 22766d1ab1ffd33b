/** What a process has cost so far, by `ps`; 0 where that tells nothing. */
import { execFileSync } from 'node:child_process';

/** Resident memory in MiB. */
export function memoryOf(pid: number | undefined): number {
  return Math.round(ps('rss=', pid) / 1_024);
}

/** Seconds of processor time. */
export function processorSecondsOf(pid: number | undefined): number {
  return ps('cputimes=', pid);
}

function ps(what: 'rss=' | 'cputimes=', pid: number | undefined): number {
  try {
    return Number(execFileSync('ps', ['-o', what, '-p', String(pid)], { encoding: 'utf8' }));
  } catch {
    return 0;
  }
}
