import type { Client } from '@temporalio/client';
import { subscriberStages } from './brake.js';
import { visibilityQuery } from './client.js';
import {
  lifecycleStageKey,
  type PersonId,
  parseSubscriberWorkflowId,
  resyncSignal,
  subscriberWorkflowId,
  syncStateKey,
} from './contract/index.js';
import { grpcStatus, grpcStatusOf } from './grpc-status.js';
import { orUnknown } from './or-unknown.js';

/** Somebody who has, or had when they were looked at last, a given address. */
export interface AddressEntry {
  userId: string;
  /** Erased on request: the address is not to come back under any id. */
  erased: boolean;
  /** Had a running subscription when they were looked at last. */
  subscribes: boolean;
}

/**
 * Who has which address, by keyed hashes only: each subscriber workflow carries the hash of its reader's address as the search attribute
 * `AddressKey`. As Temporal's visibility store it is a second or so behind.
 */
export interface AddressBook {
  /** Everybody else with that address, at most fifty. */
  others(addressKey: string, userId: string): Promise<AddressEntry[]>;
  /** Has them looked at again, quietly: an address has changed hands, or is about to; they are told who it was. */
  lookAgain(userIds: readonly string[], by: string): Promise<void>;
}

/** More people with one address than this are not one address's people. */
const mostEntries = 50;

export function createAddressBook(client: Client, vendorId: string): AddressBook {
  return {
    async others(addressKey, userId) {
      const query = visibilityQuery({ vendorId, query: `AddressKey = '${addressKey}'` });
      const found: AddressEntry[] = [];
      try {
        for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query })) {
          const person = parseSubscriberWorkflowId(workflowId);
          if (!person || person.userId === userId) continue;
          found.push({
            userId: person.userId,
            erased: typedSearchAttributes.get(syncStateKey) === 'erased',
            subscribes: subscriberStages.includes(typedSearchAttributes.get(lifecycleStageKey) ?? ''),
          });
          if (found.length === mostEntries) break;
        }
      } catch (error) {
        // Temporal's time-skipping test server has no visibility store.
        if (grpcStatusOf(error) !== grpcStatus.UNIMPLEMENTED) throw error;
      }
      return found;
    },

    async lookAgain(userIds, by) {
      const people = userIds.map((userId): PersonId => ({ vendorId, userId }));
      await Promise.all(
        people.map(async (person) => {
          const handle = client.workflow.getHandle(subscriberWorkflowId(person));
          // Without a workflow nothing that we wrote is theirs.
          await orUnknown(handle.signal(resyncSignal, { by: 'address', sharesAddressWith: by }));
        }),
      );
    },
  };
}
