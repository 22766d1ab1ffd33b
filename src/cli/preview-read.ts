import { fetchSource, type Person, readPerson } from '../activities/read-person.js';
import type { Vendor } from '../activities/vendor.js';
import { createSubscribers, type PersonId, type SubscriberStatus, type SyncReason } from '../client.js';
import { connectTemporal } from '../temporal/connect.js';
import { CommandError } from './errors.js';
import { say } from './output.js';
import { type Comparison, compare, type Held } from './preview-compare.js';
import { vendorsNow } from './stand-in-clock.js';

/** What would happen to a reader if everything were written now. */
export interface Preview extends PersonId {
  verdict: 'create' | 'update' | 'unchanged' | 'skip';
  reason?: SyncReason;
  ruleId?: number;
  stage: string;
  /** Rule sends this person nothing, and that stays so. */
  suppressed?: boolean;
  /** Absent for somebody who is skipped. */
  changes?: Comparison;
}

/** Reads the person at both vendors; writes nothing. @throws VendorError, CommandError where Sesamy does not know the person */
export async function readPreview(
  vendor: Vendor,
  person: PersonId,
  o: { env: NodeJS.ProcessEnv; recreate: boolean },
): Promise<Preview> {
  const known = await remembered(o.env, person);
  const source = await fetchSource(vendor, person.userId, {});
  if (!source)
    throw new CommandError(`Sesamy does not know ${person.userId} of vendor ${person.vendorId}; check the id.`);
  const read = readPerson(vendor, source, await vendorsNow(o.env));
  const base = { ...person, stage: read.stage.stage };

  if (known?.state === 'erased') return { ...base, verdict: 'skip', reason: 'erased' };
  const { standing } = read.mapped;
  if (!standing.confirmed && known?.ruleId === undefined)
    return { ...base, verdict: 'skip', reason: `guest/${standing.reason}` };
  const held = await heldByRule(vendor, read, known?.ruleId);
  if (known?.ruleId !== undefined && !held && !o.recreate) {
    return { ...base, verdict: 'skip', reason: 'deleted-in-rule', ruleId: known.ruleId };
  }
  const changes = compare(read, held, await vendor.fieldTypes.get());
  const verdict = !held ? 'create' : changes.changed ? 'update' : 'unchanged';
  return {
    ...base,
    verdict,
    ...(held ? { ruleId: held.subscriber.id, suppressed: held.subscriber.suppressed } : {}),
    changes,
  };
}

/** What the workflow remembers; without Temporal the person is looked for by e-mail. */
async function remembered(env: NodeJS.ProcessEnv, person: PersonId): Promise<SubscriberStatus | undefined> {
  try {
    const { connection, client } = await connectTemporal(env, { timeoutMs: 3_000 });
    try {
      return await createSubscribers(client).status(person, { timeoutMs: 5_000 });
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (!(error instanceof Error) || !['TemporalUnreachableError', 'NoAnswerError'].includes(error.name)) throw error;
    say('No answer from Temporal or a worker: the subscriber is looked for in Rule by e-mail.');
    return undefined;
  }
}

async function heldByRule(vendor: Vendor, { mapped }: Person, ruleId: number | undefined): Promise<Held | undefined> {
  const { rule } = vendor;
  const byEmail = () => (mapped.email ? rule.findByEmail(mapped.email) : undefined);
  const subscriber = await (ruleId === undefined ? byEmail() : rule.get(ruleId));
  if (!subscriber) return undefined;
  const fields = await rule.readFields(subscriber.id);
  return { subscriber, fields, tags: subscriber.tags ?? (await rule.listTags(subscriber.id)) };
}
