import type { SubscriberFilter, Subscribers } from '../client.js';
import { and } from '../client.js';
import { confirm, readers, watchBatch } from './batch.js';
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
  if (!options.yes) await confirm('Write them all again, quietly?', about.total);

  const jobId = await subscribers.resyncAll(meant, { by: 'operator' });
  const { finished, done, failed } = options.wait
    ? await watchBatch(subscribers, jobId)
    : await subscribers.batch(jobId);
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
  const filter = failing ? { ...base, query: and("SyncState IN ('failed', 'retrying')", base.query) } : base;
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

function howMany({ total, failed, retrying }: Omit<About, 'filter'>): string {
  const states = failed === undefined ? '' : ` (${failed} failed, ${retrying} retrying)`;
  return `This is about ${total} ${readers(total)}${states}:`;
}
