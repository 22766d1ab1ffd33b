import { type Client, QueryRejectedError, WorkflowClient, WorkflowNotFoundError } from '@temporalio/client';
import { memoryQuery, type PersonId, type SubscriberMemory, subscriberWorkflowId } from './contract/index.js';

const answerWithinMs = 10_000;

/** Asks a person's workflow what it remembers; `undefined` where none is open. */
export type SubscriberMemories = (person: PersonId) => Promise<SubscriberMemory | undefined>;

export function createSubscriberMemories(client: Client): SubscriberMemories {
  // One that has ended would answer as well, by its last state; but nobody looks after the person any more.
  const workflows = new WorkflowClient({
    connection: client.connection,
    namespace: client.options.namespace,
    queryRejectCondition: 'NOT_OPEN',
  });
  return async (person) => {
    try {
      return await client.withDeadline(Date.now() + answerWithinMs, () =>
        workflows.getHandle(subscriberWorkflowId(person)).query(memoryQuery),
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof QueryRejectedError) return undefined;
      throw error;
    }
  };
}
