import { type Command, Option } from 'commander';
import {
  and,
  type BrakeStatus,
  heldTypes,
  type SubscriberFilter,
  type SubscriberListing,
  type Subscribers,
  stages,
} from '../client.js';
import type { Config } from '../config/index.js';
import {
  command,
  failureTypeOption,
  parseLimit,
  sinceOption,
  stageOption,
  type VendorOption,
  vendorOption,
} from './options.js';
import { answer, type OutputOptions, say, table } from './output.js';
import { vendorIdOf, withSession } from './session.js';
import { sayWhereClocksDiffer } from './stand-in-clock.js';

interface ListOptions extends OutputOptions, VendorOption {
  state?: SubscriberFilter['state'];
  stage?: string;
  failureType?: string;
  since?: Date;
  query?: string;
  held?: boolean;
  limit: number;
}

/** `list`: readers by state, stage, failure. */
export function listCommand(): Command {
  return command('list', 'list readers by state, stage or failure; the newest failures first', [
    ['sesamy-rule list --state failed', 'who waits for a mend'],
    ['sesamy-rule list --state retrying --since 2h', 'who began to fail in the last two hours'],
    ["sesamy-rule list --failure-type 'rule/invalid'", 'whose data Rule refuses'],
    ['sesamy-rule list --held', 'for whom an event waits for your decision'],
    ['sesamy-rule list --query "NextDueAt < \'2026-10-01T00:00:00Z\'"', "any condition of Temporal's query language"],
  ])
    .addOption(vendorOption())
    .addOption(
      new Option('--state <state>', 'only readers in this state').choices([
        'ok',
        'retrying',
        'failed',
        'skipped',
        'erased',
      ]),
    )
    .addOption(stageOption(stages))
    .addOption(failureTypeOption())
    .addOption(sinceOption())
    .option('--held', 'only readers for whom something is held: ends of subscriptions, receipts in doubt')
    .option('--query <condition>', "a further condition in Temporal's visibility query language")
    .option('--limit <count>', 'how many at the most', parseLimit, 100)
    .action(list);
}

async function list(options: ListOptions): Promise<void> {
  const { state, stage, failureType, since, vendor, limit } = options;
  const query = and(options.held ? heldQuery : undefined, options.query || undefined);
  const asked = (config: Config) => (vendor === undefined ? undefined : vendorIdOf(config, vendor));
  await withSession(asked, async ({ env, config, subscribers }, vendorId) => {
    const filter: SubscriberFilter = { vendorId, state, stage, failureType, failedSince: since, query };
    const total = await subscribers.count(filter);
    const found: SubscriberListing[] = [];
    if (total > 0) {
      for await (const listing of subscribers.list(filter)) {
        if (found.push(listing) >= limit) break;
      }
    }
    found.sort(newestFailureFirst);
    const ids = vendorId === undefined ? config.vendors.map(({ id }) => id) : [vendorId];
    const brakes = options.held ? await brakesOf(subscribers, ids) : undefined;
    answer(options, { total, shown: found.length, subscribers: found, ...(brakes ? { brakes } : {}) }, () =>
      tell(found, config.vendors.length > 1),
    );
    for (const brake of brakes ?? []) say(brakeSentence(brake));
    if (!options.json) await sayWhereClocksDiffer(env);
    if (options.held && found.length === 0 && brakes && brakes.length > 0)
      say('Nobody is held yet: an end waits before it is held; look again in a quarter of an hour.');
    if (!options.json)
      say(total > found.length ? `${found.length} of ${total}; --limit shows more.` : `${total} in all.`);
  });
}

const heldQuery = `FailureType IN (${Object.values(heldTypes)
  .map((type) => `'${type}'`)
  .join(', ')})`;

type VendorBrake = BrakeStatus & { vendorId: string };

/** The brakes that are on. */
async function brakesOf(subscribers: Subscribers, vendorIds: readonly string[]): Promise<VendorBrake[]> {
  const all = await Promise.all(
    vendorIds.map(async (vendorId) => ({ vendorId, ...(await subscribers.brake(vendorId)) })),
  );
  return all.filter((brake): brake is VendorBrake => 'on' in brake && brake.on === true);
}

function brakeSentence({ vendorId, since, count, limit }: VendorBrake): string {
  return `The brake of ${vendorId} is on since ${since}: ${count} subscriptions seemed to end within an hour, more than ${limit}. Were they real? sesamy-rule release --ended; if not: sesamy-rule discard --ended`;
}

function tell(found: readonly SubscriberListing[], withVendor: boolean): string[] {
  if (found.length === 0) return ['Nobody matches.'];
  const rows = found.map(({ vendorId, userId, state, stage, failureType, failedAt, nextDueAt }) => [
    ...(withVendor ? [vendorId] : []),
    userId,
    state ?? 'new',
    stage ?? '',
    failureType ?? '',
    failedAt?.toISOString() ?? '',
    nextDueAt?.toISOString() ?? '',
  ]);
  return [table([...(withVendor ? ['vendor'] : []), 'reader', 'state', 'stage', 'failure', 'since', 'next due'], rows)];
}

/** Among those that were fetched: Temporal orders by the start of the workflow only. */
function newestFailureFirst(a: SubscriberListing, b: SubscriberListing): number {
  return (b.failedAt?.getTime() ?? 0) - (a.failedAt?.getTime() ?? 0);
}
