import type { Command } from 'commander';
import { NoAnswerError, type PersonId, type ResyncRequest, stages } from '../client.js';
import type { Config } from '../config/index.js';
import { CommandError, UsageError } from './errors.js';
import { command, failureTypeOption, sinceOption, stageOption, type VendorOption, vendorOption } from './options.js';
import { answer, facts, type OutputOptions } from './output.js';
import { type ManyOptions, resyncMany } from './resync-many.js';
import { named, personOf, type Session, vendorIdOf, withSession } from './session.js';
import { workflowUrl } from './temporal-ui.js';

interface ResyncOptions extends OutputOptions, VendorOption, ManyOptions {
  recreate?: boolean;
}

/** `resync`: write everything again, quietly, for one reader or for many. */
export function resyncCommand(): Command {
  return command('resync', 'have readers written again, quietly: one, all that fail, or those of a query', [
    ["sesamy-rule resync 'email|84cc01'", 'one reader'],
    ['sesamy-rule resync --failed', 'all that are failed or retrying; shows how many and asks first'],
    ["sesamy-rule resync --failed --failure-type 'rule/invalid' --since 2d", 'some of them'],
    ['sesamy-rule resync --query "LifecycleStage = \'active\'" --yes', 'whoever a query finds, without asking'],
  ])
    .argument('[userId]', "the reader's id at Sesamy, in quotes: 'email|84cc01…'")
    .addOption(vendorOption())
    .option('--failed', 'all readers whose state is failed or retrying; --stage, --failure-type and --since narrow it')
    .option('--query <condition>', "all readers that a condition in Temporal's visibility query language finds")
    .addOption(stageOption(stages))
    .addOption(failureTypeOption())
    .addOption(sinceOption())
    .option('--recreate', 'write a reader again who was deleted in Rule; for one reader only')
    .option('--yes', 'do not ask')
    .option('--no-wait', 'do not wait until all have been told')
    .action(resync);
}

async function resync(userId: string | undefined, options: ResyncOptions): Promise<void> {
  const { failed, query, stage, failureType, since, recreate } = options;
  const many = failed === true || query !== undefined;
  if (query !== undefined && query.trim() === '') {
    throw new UsageError("--query is empty; for everybody write --query \"SesamyVendor = '…'\" with the vendor's id.");
  }
  if (userId === undefined && !many)
    throw new UsageError(
      stage
        ? `--stage narrows --failed; for all in a stage write --query "LifecycleStage = '${stage}'".`
        : 'Say who is meant: a user id, --failed, or --query.',
    );
  if (userId !== undefined && (many || stage || failureType || since)) {
    throw new UsageError('Either a user id, or --failed or --query with their filters; not both.');
  }
  if (userId === undefined && recreate) {
    throw new UsageError('--recreate is for one reader: a deletion in Rule is a decision about that person.');
  }
  if (userId === undefined) {
    const asked = (config: Config) => (options.vendor === undefined ? undefined : vendorIdOf(config, options.vendor));
    return withSession(asked, (session, vendorId) => resyncMany(session, vendorId, options));
  }
  const asked = (config: Config) => personOf(config, userId, options.vendor);
  return withSession(asked, (session, person) => resyncOne(session, person, options));
}

async function resyncOne(session: Session, person: PersonId, options: ResyncOptions): Promise<void> {
  const request: ResyncRequest = { by: 'operator', recreate: options.recreate === true };
  // Asked before, since a signal to somebody unknown makes them known.
  const known = await session.subscribers.exists(person);
  // Who is erased takes no notice of it; where no worker answers, nobody can say.
  const status = known
    ? await session.subscribers.status(person, { timeoutMs: 5_000 }).catch(nobodyAnswers)
    : undefined;
  if (status?.state === 'erased') {
    throw new CommandError(
      `${person.userId} is erased on request: nothing is written. To take that back: sesamy-rule erase ${named(person.userId, options.vendor)} --lift`,
    );
  }
  await session.subscribers.resync(person, request);
  const url = workflowUrl(session, person);
  answer(options, { ...person, asked: true, known, ...(url ? { url } : {}) }, () => [
    known
      ? `${person.userId} is going to be written again, quietly.`
      : `${person.userId} was not known here: is going to be written if Sesamy knows the id.`,
    ...facts([
      ['Look', `sesamy-rule status ${named(person.userId, options.vendor)}`],
      ['Temporal UI', url],
    ]),
  ]);
}

function nobodyAnswers(error: unknown): undefined {
  if (!(error instanceof NoAnswerError)) throw error;
  return undefined;
}
