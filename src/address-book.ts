import { type Client, isGrpcServiceError } from '@temporalio/client';
import {
  type PersonId,
  parseSubscriberWorkflowId,
  resyncSignal,
  subscriberWorkflowId,
  subscriberWorkflowType,
  syncStateKey,
} from './contract/index.js';
import { grpcStatus } from './temporal/grpc-status.js';

/** Somebody who has, or had when they were looked at last, a given address. */
export interface AddressEntry {
  userId: string;
  /** Erased on request: the address is not to come back under any id. */
  erased: boolean;
}

/**
 * Who has which address, by keyed hashes only: each subscriber workflow carries the hash of its reader's address as the search attribute
 * `AddressKey`. As Temporal's visibility store it is a second or so behind.
 */
export interface AddressBook {
  /** Everybody else with that address, at most ten. */
  others(addressKey: string, userId: string): Promise<AddressEntry[]>;
  /** Has them looked at again, quietly: an address has changed hands, or is about to; they are told who it was. */
  lookAgain(userIds: readonly string[], by: string): Promise<void>;
}

/** More people with one address than this are not one address's people. */
const mostEntries = 10;

export function createAddressBook(client: Client, vendorId: string): AddressBook {
  return {
    async others(addressKey, userId) {
      const query = `WorkflowType = '${subscriberWorkflowType}' AND ExecutionStatus = 'Running' AND SesamyVendor = '${vendorId}' AND AddressKey = '${addressKey}'`;
      const found: AddressEntry[] = [];
      try {
        for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query })) {
          const person = parseSubscriberWorkflowId(workflowId);
          if (!person || person.userId === userId) continue;
          found.push({ userId: person.userId, erased: typedSearchAttributes.get(syncStateKey) === 'erased' });
          if (found.length === mostEntries) break;
        }
      } catch (error) {
        if (!hasNoVisibility(error)) throw error;
      }
      return found;
    },

    async lookAgain(userIds, by) {
      const people = userIds.map((userId): PersonId => ({ vendorId, userId }));
      await Promise.all(
        people.map(async (person) => {
          try {
            const handle = client.workflow.getHandle(subscriberWorkflowId(person));
            await handle.signal(resyncSignal, { by: 'address', sharesAddressWith: by });
          } catch (error) {
            // They have no workflow: nothing that we wrote is theirs.
            if (!isMissing(error)) throw error;
          }
        }),
      );
    },
  };
}

/** Temporal's time-skipping test server has no visibility store. */
function hasNoVisibility(error: unknown): boolean {
  return statusOf(error) === grpcStatus.UNIMPLEMENTED;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && error.name === 'WorkflowNotFoundError';
}

function statusOf(error: unknown): number | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return cause.code;
  }
  return undefined;
}
