import type { Command } from 'commander';
import type { Erasure, SubscriberStatus } from '../client.js';
import type { Config } from '../config/index.js';
import { CommandError } from './errors.js';
import { command, userIdArgument, type VendorOption, vendorOption } from './options.js';
import { answer, facts, type OutputOptions } from './output.js';
import { named, personOf, withSession } from './session.js';
import { sayWhereClocksDiffer } from './stand-in-clock.js';
import { adviceFor, failureSentence, stateSentence, toldSentence, trailLines, waitingSentence } from './story.js';
import { workflowUrl } from './temporal-ui.js';

/** `status`: the story of one reader. */
export function statusCommand(): Command {
  return command('status', 'what was done for a reader, what failed, and what happens next', [
    ["sesamy-rule status 'email|84cc01'", 'the story, with a link to the Temporal UI'],
    ["sesamy-rule status 'email|84cc01' --json", 'the same for programs'],
  ])
    .addArgument(userIdArgument())
    .addOption(vendorOption())
    .action(status);
}

async function status(userId: string, options: OutputOptions & VendorOption): Promise<void> {
  const asked = (config: Config) => personOf(config, userId, options.vendor);
  await withSession(asked, async (session, person) => {
    const found = await session.subscribers.status(person);
    if (!found) {
      throw new CommandError(
        `${userId} of vendor ${person.vendorId} is not known here: no webhook has told of that id, or its erasure was taken back. Check it; to look it up at Sesamy: sesamy-rule preview ${named(userId, options.vendor)}`,
      );
    }
    const url = workflowUrl(session, person);
    if (!options.json) await sayWhereClocksDiffer(session.env);
    answer(options, { ...found, ...(url ? { url } : {}) }, () => tell(found, named(userId, options.vendor), url));
  });
}

function erasureSentence({ askedAt, erasedAt, deleted }: Erasure): string {
  if (!erasedAt) return `asked for on ${askedAt}, not done yet`;
  return `asked for on ${askedAt}, done on ${erasedAt}${deleted.length > 0 ? `; deleted in Rule: ${deleted.join(', ')}` : ''}`;
}

/** What comes after the next look, where that is something else. */
function laterDue({ next, due }: SubscriberStatus): string | undefined {
  return due && due.why !== next?.why ? `${due.at}: ${due.why}` : undefined;
}

function tell(found: SubscriberStatus, reader: string, url: string | undefined): string[] {
  const { failure, trail, waiting, told } = found;
  return [
    `Reader ${found.userId} of vendor ${found.vendorId}`,
    '',
    ...facts([
      ['State', stateSentence(found)],
      ['Stage', found.stage],
      ['Rule id', found.erasure ? undefined : String(found.ruleId ?? 'not written yet')],
      ['Tags', found.tags.join(', ')],
      ['Tags on the way', found.gained.join(', ')],
      ['Attempts', String(found.attempts)],
      ['Erasure', found.erasure && erasureSentence(found.erasure)],
      ['Failure', failure && failureSentence(failure)],
      ['Mend', failure && adviceFor(failure, reader)],
      ['Waiting', found.pending.length > 0 ? `${found.pending.join(', ')} (not acted on yet)` : undefined],
      ['Next', found.next && `${found.next.at}: ${found.next.why}`],
      ['Then', laterDue(found)],
      ['Temporal UI', url],
    ]),
    ...(waiting.length > 0 ? ['', 'Waits to be told to Rule:'] : []),
    ...waiting.map((one) => `  ${waitingSentence(one)}`),
    ...(told.length > 0 ? ['', 'Events of this reader, the latest last:'] : []),
    ...told.map((one) => `  ${one.at}  ${toldSentence(one)}`),
    ...(trail.length > 0 ? ['', 'What was done, the latest last:'] : []),
    ...trailLines(trail),
  ];
}
