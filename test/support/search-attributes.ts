import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { searchAttributeKeys } from '../../src/contract/index.js';

/** Numbers of `temporal.api.enums.v1.IndexedValueType`. */
const indexedValueType: Record<string, number> = { KEYWORD: 2, DATETIME: 6, KEYWORD_LIST: 7 };

/** The time-skipping server knows only the attributes it is told of, and has no list to read them back. */
export async function registerSearchAttributesOnTestServer(env: TestWorkflowEnvironment): Promise<void> {
  const searchAttributes = Object.fromEntries(
    searchAttributeKeys.map((key) => [key.name, indexedValueType[key.type] ?? 0]),
  );
  await env.connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes });
}
