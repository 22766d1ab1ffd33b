import type { Command } from 'commander';
import type { SubscriberStatus, SyncNowRequest, TrailEntry } from '../client.js';
import type { Config } from '../config/index.js';
import { command, userIdArgument, type VendorOption, vendorOption } from './options.js';
import { answer, facts, type OutputOptions, say } from './output.js';
import { named, personOf, withSession } from './session.js';
import { adviceFor, failureSentence, reasons } from './story.js';
import { workflowUrl } from './temporal-ui.js';

/** `sync`: one attempt now, and what it did. */
export function syncCommand(): Command {
  return command('sync', 'bring one reader in step now, quietly, and show what was done', [
    ["sesamy-rule sync 'email|84cc01'", 'writes what changed'],
    ["sesamy-rule sync 'email|84cc01' --force", 'writes everything, also what is said to be unchanged'],
    ["sesamy-rule sync 'email|84cc01' --recreate", 'also if the subscriber was deleted in Rule by hand'],
  ])
    .addArgument(userIdArgument())
    .addOption(vendorOption())
    .option('--force', 'write everything, whatever is remembered')
    .option('--recreate', 'write a reader again who was deleted in Rule')
    .action(sync);
}

async function sync(userId: string, options: OutputOptions & VendorOption & SyncNowRequest): Promise<void> {
  const asked = (config: Config) => personOf(config, userId, options.vendor);
  await withSession(asked, async (session, person) => {
    const request = { force: options.force === true, recreate: options.recreate === true };
    const entry = await session.subscribers.sync(person, request);
    const now = await session.subscribers.status(person);
    const url = workflowUrl(session, person);
    answer(options, { ...person, ...entry, state: now?.state, next: now?.next, ...(url ? { url } : {}) }, () =>
      tell(userId, named(userId, options.vendor), entry, now, url),
    );
    if (entry.reason === 'not-at-sesamy' && !options.json) say('Check the id: nobody of that id can be written.');
    if (entry.failure || entry.reason === 'not-at-sesamy') process.exitCode = 1;
  });
}

function tell(
  userId: string,
  reader: string,
  entry: TrailEntry,
  now: SubscriberStatus | undefined,
  url: string | undefined,
): string[] {
  const { failure, changes, problems } = entry;
  const list = (names: readonly string[] | undefined) => names?.join(', ');
  return facts([
    ['Reader', userId],
    ['Verdict', failure ? 'failed' : entry.verdict],
    ['Why', entry.reason && reasons[entry.reason]],
    ['Failure', failure && failureSentence(failure)],
    ['Mend', failure && adviceFor(failure, reader)],
    ['Fields', list(changes?.fields)],
    ['Tags added', list(changes?.tagsAdded)],
    ['Tags removed', list(changes?.tagsRemoved)],
    ['Address', changes?.addressChanged ? 'changed; the subscriber keeps its id in Rule' : undefined],
    [
      'Moved',
      changes?.movedFrom === undefined
        ? undefined
        : `from Rule subscriber ${changes.movedFrom}: its new address was taken`,
    ],
    ['Problems', list(problems?.map(({ field, code }) => `${field}: ${code}`))],
    ['Next', now?.next && `${now.next.at}: ${now.next.why}`],
    ['Temporal UI', url],
  ]);
}
