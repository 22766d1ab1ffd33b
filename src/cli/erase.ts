import type { Command } from 'commander';
import type { Erasure, PersonId } from '../client.js';
import type { Config } from '../config/index.js';
import { confirm } from './batch.js';
import { CommandError } from './errors.js';
import { command, userIdArgument, type VendorOption, vendorOption } from './options.js';
import { answer, facts, type OutputOptions } from './output.js';
import { named, personOf, type Session, withSession } from './session.js';
import { failureSentence } from './story.js';
import { workflowUrl } from './temporal-ui.js';

interface EraseOptions extends OutputOptions, VendorOption {
  yes?: boolean;
  lift?: boolean;
}

/** `erase`: a reader is deleted in Rule, forgotten, and kept from coming back. */
export function eraseCommand(): Command {
  return command('erase', 'delete a reader in Rule for good and ignore what comes about them; asks first', [
    ["sesamy-rule erase 'email|84cc01'", 'one reader; says what was deleted and what stays on record'],
    ["sesamy-rule erase 'email|84cc01' --yes", 'without asking'],
    ["sesamy-rule erase 'email|84cc01' --lift", 'take it back: the next message about the reader begins anew'],
  ])
    .addArgument(userIdArgument())
    .addOption(vendorOption())
    .option('--lift', 'take an erasure back')
    .option('--yes', 'do not ask')
    .action(erase);
}

async function erase(userId: string, options: EraseOptions): Promise<void> {
  const asked = (config: Config) => personOf(config, userId, options.vendor);
  await withSession(asked, (session, person) =>
    options.lift ? lift(session, person, options) : eraseOne(session, person, options),
  );
}

async function eraseOne(session: Session, person: PersonId, options: EraseOptions): Promise<void> {
  if (!options.yes) {
    await confirm(`Delete ${person.userId} of vendor ${person.vendorId} in Rule, with all history there?`, 1);
  }
  const erasure = await session.subscribers.erase(person);
  const url = workflowUrl(session, person);
  answer(options, { ...person, ...erasure, ...(url ? { url } : {}) }, () =>
    tell(person, named(person.userId, options.vendor), erasure, url),
  );
  if (!erasure.erasedAt) process.exitCode = 1;
}

function tell(
  { userId }: PersonId,
  reader: string,
  { erasedAt, deleted, leftAlone, sharedWith, failure }: Erasure,
  url: string | undefined,
) {
  const first = erasedAt
    ? `${userId} is erased (${erasedAt}): ${deleted.length > 0 ? `deleted in Rule: ${deleted.join(', ')}` : 'Rule had no subscriber of theirs; if you expected one, check the id'}.`
    : `${userId} is not erased yet; it is tried again by itself, and nothing is written meanwhile.`;
  return [
    first,
    ...facts([
      ['Failure', failure && failureSentence(failure)],
      [
        'On record',
        'that it happened, when, and a keyed hash of the address if one was known, which keeps it from coming back',
      ],
      [
        'Left alone',
        leftAlone.length > 0
          ? `in Rule: ${leftAlone.join(', ')}, another Sesamy user's by its field Sesamy_User.ID`
          : undefined,
      ],
      [
        'Not erased',
        sharedWith.length > 0 ? `${sharedWith.join(', ')}: the same address or subscriber; erase them too?` : undefined,
      ],
      ['Sesamy', 'keeps its own data: a deletion there is asked for at Sesamy'],
      ['Look', `sesamy-rule status ${reader}`],
      ['Temporal UI', url],
    ]),
  ];
}

async function lift({ subscribers }: Session, person: PersonId, options: EraseOptions): Promise<void> {
  const status = await subscribers.status(person);
  if (!status?.erasure?.erasedAt)
    throw new CommandError(`${person.userId} is not erased: there is nothing to take back.`);
  await subscribers.liftErasure(person);
  answer(options, { ...person, lifted: true }, () => [
    `The erasure of ${person.userId} is taken back; the next message begins anew: sesamy-rule sync ${named(person.userId, options.vendor)}`,
  ]);
}
