import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Subscribers } from '../client.js';
import { CommandError, UsageError } from './errors.js';
import { say } from './output.js';

/** The batch job goes on by itself; only the watching ends. */
const longestWaitMs = 10 * 60_000;
const pollMs = 500;

export function readers(count: number): string {
  return count === 1 ? 'reader' : 'readers';
}

/** Whether somebody sits at a terminal who can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** @throws UsageError where nobody can be asked, CommandError where the answer is no */
export async function confirm(question: string, total: number | undefined): Promise<void> {
  if (!canAsk()) {
    const meant = total === undefined ? 'everybody' : total === 1 ? 'this reader' : `these ${total} readers`;
    throw new UsageError(`Nobody can be asked here: add --yes if you mean ${meant}.`);
  }
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const reply = await questions.question(`${question} [y/N] `).catch((error: unknown) => {
      // Ctrl-C and Ctrl-D are a no.
      if (!(error instanceof Error && error.name === 'AbortError')) throw error;
      say('');
      return '';
    });
    if (!/^y(es)?$/i.test(reply.trim())) throw new CommandError('Nothing was done.');
  } finally {
    questions.close();
  }
}

/** Says how far a batch job is until it has ended. */
export async function watchBatch(subscribers: Subscribers, jobId: string): ReturnType<Subscribers['batch']> {
  const end = Date.now() + longestWaitMs;
  let shown = -1;
  for (;;) {
    const job = await subscribers.batch(jobId);
    if (job.finished || Date.now() > end) return job;
    if (job.done !== shown && job.total > 0) say(`  told ${job.done} of ${job.total}`);
    shown = job.done;
    await delay(pollMs);
  }
}
