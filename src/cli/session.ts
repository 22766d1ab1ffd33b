import { existsSync } from 'node:fs';
import { createSubscribers, type PersonId, type Subscribers, userIdPattern, vendorIdPattern } from '../client.js';
import type { Config } from '../config/index.js';
import { connectTemporal, type TemporalConnection, TemporalUnreachableError } from '../temporal/connect.js';
import { databaseOf, dataFolderOf, environment, namesTemporal } from './environment.js';
import { CommandError, UsageError } from './errors.js';
import { readSettings } from './read-settings.js';

/** What a command that talks to Temporal has in its hands. */
export interface Session extends TemporalConnection {
  env: NodeJS.ProcessEnv;
  config: Config;
  subscribers: Subscribers;
}

/**
 * Reads the settings, connects, does the work, and closes the connection however the work ends.
 *
 * @param check looks at what was asked for before anything is connected, so that a slip is told at once
 */
export async function withSession<Asked, T>(
  check: (config: Config) => Asked,
  work: (session: Session, asked: Asked) => Promise<T>,
): Promise<T> {
  const env = environment();
  const config = readSettings(env, { webhook: false });
  const asked = check(config);
  const temporal = await connect(env);
  try {
    return await work({ ...temporal, env, config, subscribers: createSubscribers(temporal.client) }, asked);
  } finally {
    await temporal.connection.close();
  }
}

/** A server that no setting names is this machine's own: it is there at once or not at all. */
const ownServerMs = 3_000;

async function connect(env: NodeJS.ProcessEnv): Promise<TemporalConnection> {
  if (namesTemporal(env)) return connectTemporal(env);
  // Whoever answers at the usual port now is another installation: what is asked of it would be done there, or never.
  if (existsSync(databaseOf(dataFolderOf(env)))) throw new CommandError(nothingRuns);
  try {
    return await connectTemporal(env, { timeoutMs: ownServerMs });
  } catch (error) {
    if (!(error instanceof TemporalUnreachableError)) throw error;
    throw new CommandError(nothingRuns);
  }
}

const nothingRuns =
  'Nothing runs here: start it with `npm start` or `sesamy-rule start` in this folder, or set TEMPORAL_ADDRESS to your Temporal service.';

/** What is needed of the settings to tell vendors apart. */
interface Vendors {
  vendors: readonly { id: string }[];
}

/**
 * The vendor that is meant. Where this machine has no vendor's settings, a name given by `--vendor` is taken as it is: looking at and
 * retriggering people needs Temporal only.
 *
 * @throws UsageError that names the vendors
 */
export function vendorIdOf({ vendors }: Vendors, wanted: string | undefined): string {
  const ids = vendors.map(({ id }) => id);
  if (wanted !== undefined) {
    if (ids.length > 0 ? ids.includes(wanted) : vendorIdPattern.test(wanted)) return wanted;
    throw new UsageError(
      ids.length > 0 ? `No vendor of that id is configured; write --vendor ${ids.join(' or ')}.` : notAVendor,
    );
  }
  const [only, ...others] = ids;
  if (only === undefined) throw new UsageError(noVendors);
  if (others.length > 0)
    throw new UsageError(`Several vendors are configured; say which: --vendor ${ids.join(' or ')}.`);
  return only;
}

const notAVendor = 'That is not the form of a vendor id: lower-case letters, digits and hyphens.';

/** The same words wherever settings are missing. */
export const noVendors =
  'No vendor is configured: set SESAMY_VENDOR_ID, SESAMY_CLIENT_ID, SESAMY_CLIENT_SECRET and RULE_API_KEY, or run `sesamy-rule start` in this folder, which brings stand-ins.';

/** The person that is meant. @throws UsageError; what was given is not repeated, since it could be an address */
export function personOf(config: Vendors, userId: string, vendor: string | undefined): PersonId {
  if (!userIdPattern.test(userId)) {
    throw new UsageError(
      "A reader is named by Sesamy's user id, for example 'email|84cc01…'; that is no such id (an e-mail address is not one either).",
    );
  }
  return { vendorId: vendorIdOf(config, vendor), userId };
}

/** A reader as commands take them; with the vendor where that had to be said, so that a hint works as it is pasted. */
export function named(userId: string, vendor: string | undefined): string {
  return vendor === undefined ? quoted(userId) : `${quoted(userId)} --vendor ${vendor}`;
}

/** An id as it can be pasted into a shell. */
export function quoted(id: string): string {
  return /^[\w.:@%+=-]+$/.test(id) ? id : `'${id}'`;
}
