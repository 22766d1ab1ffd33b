import type { Command } from 'commander';
import { type Decision, type HeldKind, heldTypes, type PersonId, type SubscriberFilter } from '../client.js';
import type { Config } from '../config/index.js';
import { confirm, readers, watchBatch } from './batch.js';
import { CommandError, UsageError } from './errors.js';
import { command, type VendorOption, vendorOption } from './options.js';
import { answer, type OutputOptions, say } from './output.js';
import { named, personOf, type Session, vendorIdOf, withSession } from './session.js';

interface DecideOptions extends OutputOptions, VendorOption {
  ended?: boolean;
  receipts?: boolean;
  yes?: boolean;
}

/** `release`: what is held is told after all. */
export function releaseCommand(): Command {
  return decideCommand('release', 'tell of what is held after all: ends of subscriptions, or receipts in doubt', [
    ['sesamy-rule list --held', 'whom it is about'],
    ['sesamy-rule release --ended', 'the ends were real: tell of those that are still true; asks first'],
    [
      "sesamy-rule release 'email|84cc01' --receipts",
      'send the receipt again of which nobody knows whether it went out',
    ],
  ]);
}

/** `discard`: what is held is never told. */
export function discardCommand(): Command {
  return decideCommand('discard', 'never tell of what is held: ends of subscriptions, or receipts in doubt', [
    ['sesamy-rule discard --ended', 'the ends were a mistake: nobody hears of them; asks first'],
    ["sesamy-rule discard 'email|84cc01' --receipts", 'the receipt did go out'],
  ]);
}

function decideCommand(decision: Decision, description: string, examples: [string, string][]): Command {
  return command(decision, description, examples)
    .argument('[userId]', "the reader's id at Sesamy, in quotes; without it all readers with something held")
    .addOption(vendorOption())
    .option('--ended', 'ends of subscriptions that the brake holds')
    .option('--receipts', 'receipts of which nobody knows whether they went out')
    .option('--yes', 'do not ask')
    .action((userId: string | undefined, options: DecideOptions) => decide(decision, userId, options));
}

async function decide(decision: Decision, userId: string | undefined, options: DecideOptions): Promise<void> {
  if (options.ended === options.receipts) throw new UsageError('Say which: --ended or --receipts.');
  const what: HeldKind = options.ended ? 'ended' : 'receipt';
  if (userId !== undefined) {
    const asked = (config: Config) => personOf(config, userId, options.vendor);
    return withSession(asked, (session, person) => decideOne(session, person, decision, what, options));
  }
  const asked = (config: Config) => (options.vendor === undefined ? undefined : vendorIdOf(config, options.vendor));
  return withSession(asked, (session, vendorId) => decideMany(session, vendorId, decision, what, options));
}

const done: Readonly<Record<Decision, string>> = {
  release: 'is told after all, as far as it is still true',
  discard: 'is never told',
};

async function decideOne(
  { subscribers }: Session,
  person: PersonId,
  decision: Decision,
  what: HeldKind,
  options: OutputOptions & VendorOption,
): Promise<void> {
  const status = await subscribers.status(person);
  if (!status) throw new CommandError(`${person.userId} of vendor ${person.vendorId} is not known here; check the id.`);
  const held = status.waiting.filter((one) => one.held === what);
  if (held.length > 0) await subscribers.decide(person, decision, { what });
  answer(options, { ...person, decision, held: held.map(({ event }) => event.id) }, () => [
    held.length === 0
      ? `Nothing of that kind is held for ${person.userId}.`
      : `What was held for ${person.userId} ${done[decision]}. Look: sesamy-rule status ${named(person.userId, options.vendor)}`,
  ]);
}

async function decideMany(
  { subscribers, config }: Session,
  vendorId: string | undefined,
  decision: Decision,
  what: HeldKind,
  options: DecideOptions,
): Promise<void> {
  const filter: SubscriberFilter = { vendorId, query: `FailureType = '${heldTypes[what]}'` };
  const total = await subscribers.count(filter);
  let told = 0;
  let failed = 0;
  if (total > 0) {
    say(`This is about ${total} ${readers(total)}.`);
    if (!options.yes)
      await confirm(`${decision === 'release' ? 'Tell' : 'Never tell'} of what is held for them?`, total);
    const job = await watchBatch(subscribers, await subscribers.decideAll(filter, decision, { what }));
    told = job.done;
    failed = job.failed;
  }
  // What was a mistake may go on being one: the brake stays on then, until an hour has passed without so many.
  if (what === 'ended' && decision === 'release') {
    for (const id of vendorId === undefined ? config.vendors.map((vendor) => vendor.id) : [vendorId]) {
      await subscribers.liftBrake(id);
    }
  }
  answer(options, { decision, total, told, notTold: failed }, () => [
    total === 0 ? 'Nothing of that kind is held.' : `For ${told} ${readers(told)}, what was held ${done[decision]}.`,
  ]);
  if (failed > 0) {
    say(`${failed} ${readers(failed)} could not be reached; run the same command again.`);
    process.exitCode = 1;
  }
}
