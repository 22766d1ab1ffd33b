/** Registering and checking the search attributes by which people find subscribers. */
import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionLike, isGrpcServiceError } from '@temporalio/client';
import { SearchAttributeType } from '@temporalio/common';
import { searchAttributeKeys } from '../contract/search-attributes.js';
import { grpcStatus } from '../grpc-status.js';

/** The two services of a connection that are used here. */
export type SearchAttributeConnection = Pick<ConnectionLike, 'operatorService' | 'workflowService' | 'withDeadline'>;

export interface SearchAttributeCheck {
  name: string;
  expected: SearchAttributeType;
  /** The registered type, or `undefined` where there is none. */
  found: SearchAttributeType | undefined;
}

/** The search attributes are not as they must be, and the program may not or cannot mend it. The message has the commands that do. */
export class SearchAttributeError extends Error {
  override name = 'SearchAttributeError';
}

/** temporal.api.enums.v1.IndexedValueType, and how the Temporal CLI calls each. */
const types = [
  { number: 1, type: SearchAttributeType.TEXT, cli: 'Text' },
  { number: 2, type: SearchAttributeType.KEYWORD, cli: 'Keyword' },
  { number: 3, type: SearchAttributeType.INT, cli: 'Int' },
  { number: 4, type: SearchAttributeType.DOUBLE, cli: 'Double' },
  { number: 5, type: SearchAttributeType.BOOL, cli: 'Bool' },
  { number: 6, type: SearchAttributeType.DATETIME, cli: 'Datetime' },
  { number: 7, type: SearchAttributeType.KEYWORD_LIST, cli: 'KeywordList' },
] as const;

/** No single call may take longer; all of them are small. */
const callTimeoutMs = 10_000;

/**
 * Compares what is registered with what the program needs; changes nothing.
 *
 * Temporal Cloud has no operator service. There the attributes are asked for by a query that compares each with a value of its type;
 * a keyword attribute cannot be told from a text one that way.
 */
export async function checkSearchAttributes(
  connection: SearchAttributeConnection,
  namespace: string,
): Promise<SearchAttributeCheck[]> {
  const registered = await listRegistered(connection, namespace);
  if (registered)
    return searchAttributeKeys.map(({ name, type }) => ({ name, expected: type, found: registered[name] }));
  return Promise.all(
    searchAttributeKeys.map(async (key) => {
      const known = await answersQuery(connection, namespace, comparison(key));
      return { name: key.name, expected: key.type, found: known ? key.type : undefined };
    }),
  );
}

/**
 * Registers the search attributes that are missing, and returns their names once they can be used.
 *
 * Throws {@link SearchAttributeError} if one exists with another type (which Temporal would silently leave as it is), if the program
 * may not register, or if they cannot be used after `timeoutMs` (a cluster may take a while to spread the news).
 */
export async function ensureSearchAttributes(
  connection: SearchAttributeConnection,
  namespace: string,
  { timeoutMs = 30_000 }: { timeoutMs?: number } = {},
): Promise<string[]> {
  const checks = await checkSearchAttributes(connection, namespace);
  const wrong = checks.filter(({ found, expected }) => found !== undefined && found !== expected);
  if (wrong.length > 0) throw wrongTypes(wrong, namespace);
  const missing = checks.filter(({ found }) => found === undefined);
  if (missing.length > 0) {
    await register(connection, namespace, missing);
    await waitUntilUsable(connection, namespace, timeoutMs);
  }
  return missing.map(({ name }) => name);
}

/** Name and type of all custom attributes, or `undefined` where the server does not let us ask. */
async function listRegistered(
  connection: SearchAttributeConnection,
  namespace: string,
): Promise<Record<string, SearchAttributeType | undefined> | undefined> {
  try {
    const { customAttributes } = await bounded(connection, () =>
      connection.operatorService.listSearchAttributes({ namespace }),
    );
    return Object.fromEntries(
      Object.entries(customAttributes).map(([name, number]) => [
        name,
        types.find((known) => known.number === number)?.type,
      ]),
    );
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

async function register(
  connection: SearchAttributeConnection,
  namespace: string,
  missing: SearchAttributeCheck[],
): Promise<void> {
  const searchAttributes = Object.fromEntries(missing.map(({ name, expected }) => [name, describe(expected).number]));
  try {
    await bounded(connection, () => connection.operatorService.addSearchAttributes({ namespace, searchAttributes }));
  } catch (error) {
    const reason = isRefusal(error)
      ? 'this program may not register them'
      : `registering them failed (${error instanceof Error ? error.message : String(error)})`;
    throw new SearchAttributeError(
      `The namespace ${namespace} lacks search attributes and ${reason}; on Temporal Cloud add them in the namespace's settings, elsewhere run:\n${createCommands(missing, namespace)}`,
      { cause: error },
    );
  }
}

async function waitUntilUsable(
  connection: SearchAttributeConnection,
  namespace: string,
  timeoutMs: number,
): Promise<void> {
  const query = searchAttributeKeys.map(comparison).join(' AND ');
  const deadline = Date.now() + timeoutMs;
  while (!(await answersQuery(connection, namespace, query))) {
    if (Date.now() > deadline) {
      throw new SearchAttributeError(
        `The search attributes of the namespace ${namespace} are registered, but cannot be used after ${timeoutMs / 1_000} s; try again in a minute.`,
      );
    }
    await delay(100);
  }
}

async function answersQuery(connection: SearchAttributeConnection, namespace: string, query: string): Promise<boolean> {
  try {
    await bounded(connection, () => connection.workflowService.countWorkflowExecutions({ namespace, query }));
    return true;
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === grpcStatus.INVALID_ARGUMENT) return false;
    throw error;
  }
}

function comparison({ name, type }: { name: string; type: SearchAttributeType }): string {
  return type === SearchAttributeType.DATETIME ? `${name} > "2000-01-01T00:00:00Z"` : `${name} = "none"`;
}

function wrongTypes(wrong: SearchAttributeCheck[], namespace: string): SearchAttributeError {
  const list = wrong.map(
    ({ name, found, expected }) => `${name} is ${found && describe(found).cli}, not ${describe(expected).cli}`,
  );
  const removals = wrong.map(
    ({ name }) => `temporal operator search-attribute remove --namespace ${namespace} --name ${name}`,
  );
  return new SearchAttributeError(
    `The namespace ${namespace} has search attributes of another type (${list.join('; ')}); use another namespace, or, if nobody else needs them, run:\n${removals.join('\n')}\n${createCommands(wrong, namespace)}`,
  );
}

function createCommands(attributes: SearchAttributeCheck[], namespace: string): string {
  return attributes
    .map(
      ({ name, expected }) =>
        `temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${describe(expected).cli}`,
    )
    .join('\n');
}

function describe(type: SearchAttributeType): (typeof types)[number] {
  const known = types.find((candidate) => candidate.type === type);
  if (!known) throw new TypeError(`Unknown search attribute type ${type}`);
  return known;
}

function isRefusal(error: unknown): boolean {
  const refusals: number[] = [grpcStatus.PERMISSION_DENIED, grpcStatus.UNIMPLEMENTED, grpcStatus.UNAUTHENTICATED];
  return isGrpcServiceError(error) && refusals.includes(error.code);
}

function bounded<R>(connection: SearchAttributeConnection, call: () => Promise<R>): Promise<R> {
  return connection.withDeadline(Date.now() + callTimeoutMs, call);
}
