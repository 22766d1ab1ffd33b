import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { SubscriberFilter, Subscribers } from '../client.js';
import { CommandError, UsageError } from './errors.js';
import { answer, type OutputOptions, say } from './output.js';
import type { Session } from './session.js';

export interface ManyOptions extends OutputOptions {
  failed?: boolean;
  query?: string;
  stage?: string;
  failureType?: string;
  since?: Date;
  yes?: boolean;
  /** False with `--no-wait`. */
  wait: boolean;
}

const sampleSize = 10;

/** The batch job goes on by itself; only the watching ends. */
const longestWaitMs = 10 * 60_000;
const pollMs = 500;

/** Shows whom it is about, asks, and has Temporal tell each of them. Pressed twice it does no harm: a resync changes nothing that is right. */
export async function resyncMany(
  { subscribers }: Session,
  vendorId: string | undefined,
  options: ManyOptions,
): Promise<void> {
  const filter: SubscriberFilter = {
    vendorId,
    stage: options.stage,
    failureType: options.failureType,
    failedSince: options.since,
    query: options.query,
  };
  const { filter: meant, ...about } = await countThem(subscribers, filter, options.failed === true);
  if (about.total === 0) {
    answer(options, { ...about, finished: true, told: 0, notTold: 0 }, () => ['Nobody matches: nothing to do.']);
    return;
  }
  say(howMany(about));
  say(`  ${about.sample.join('\n  ')}${about.total > about.sample.length ? '\n  …' : ''}`);
  if (!options.yes) await confirm(about.total);

  const jobId = await subscribers.resyncAll(meant, { by: 'operator' });
  const { finished, done, failed } = options.wait ? await watch(subscribers, jobId) : await subscribers.batch(jobId);
  answer(options, { ...about, jobId, finished, told: done, notTold: failed }, () => [
    finished
      ? `${done} ${readers(done)} told to write everything again, quietly.`
      : `Temporal goes on telling them (batch job ${jobId}, ${done} so far).`,
    'Look: sesamy-rule list --state failed, sesamy-rule list --state retrying',
  ]);
  if (failed > 0) {
    say(`${failed} ${readers(failed)} could not be told; run the same command again.`);
    process.exitCode = 1;
  }
}

interface About {
  filter: SubscriberFilter;
  total: number;
  failed?: number;
  retrying?: number;
  sample: string[];
}

async function countThem(subscribers: Subscribers, base: SubscriberFilter, failing: boolean): Promise<About> {
  const filter = failing ? { ...base, query: both("SyncState IN ('failed', 'retrying')", base.query) } : base;
  const total = await subscribers.count(filter);
  const sample: string[] = [];
  if (total > 0) {
    for await (const { userId } of subscribers.list(filter)) {
      if (sample.push(userId) >= sampleSize) break;
    }
  }
  if (!failing) return { filter, total, sample };
  const [failed, retrying] = await Promise.all([
    subscribers.count({ ...base, state: 'failed' }),
    subscribers.count({ ...base, state: 'retrying' }),
  ]);
  return { filter, total, failed, retrying, sample };
}

function both(condition: string, other: string | undefined): string {
  return other === undefined ? condition : `${condition} AND (${other})`;
}

function howMany({ total, failed, retrying }: Omit<About, 'filter'>): string {
  const states = failed === undefined ? '' : ` (${failed} failed, ${retrying} retrying)`;
  return `This is about ${total} ${readers(total)}${states}:`;
}

function readers(count: number): string {
  return count === 1 ? 'reader' : 'readers';
}

/** @throws UsageError where nobody can be asked, CommandError where the answer is no */
async function confirm(total: number): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError(`Nobody can be asked here: add --yes to write these ${total} again.`);
  }
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const reply = await questions.question('Write them all again, quietly? [y/N] ');
    if (!/^y(es)?$/i.test(reply.trim())) throw new CommandError('Nothing was done.');
  } finally {
    questions.close();
  }
}

async function watch(subscribers: Subscribers, jobId: string): ReturnType<Subscribers['batch']> {
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
