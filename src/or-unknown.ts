import { WorkflowNotFoundError } from '@temporalio/client';

/** What Temporal answers of a workflow; `undefined` where there is none of that id. */
export async function orUnknown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
