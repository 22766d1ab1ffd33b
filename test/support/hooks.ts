/** What happens once before and once after a run of mocha, and in each of its processes; loaded by .mocharc.json. */
import assert from 'node:assert/strict';
import { installRuntime } from '../../src/runtime.js';
import { beginFile, endFile, removeRunFolder } from './run-folder.js';
import { startSharedTemporal, stopSharedTemporal, temporalTestServer } from './temporal.js';
import { traceLogger } from './traces.js';

// As in production: what Temporal's SDK has to say goes through our logger, and is searched with it at the end.
const runtime = installRuntime(traceLogger());

/**
 * Fetches Temporal's programs where they are missing, so that no test's time limit has to pay for a download, and starts the server that
 * all files share. A failure is left to the tests that need them: the others can run without.
 */
export async function mochaGlobalSetup(): Promise<void> {
  await Promise.allSettled([startSharedTemporal(), temporalTestServer()]);
}

export async function mochaGlobalTeardown(): Promise<void> {
  await stopSharedTemporal();
  await runtime.shutdown();
  removeRunFolder();
}

export const mochaHooks = { beforeAll: beginFile, afterAll: endFile };

/**
 * Without a message Node reads and parses the test's source to make one, at the position that the transpiled code has: in a file whose
 * lines differ that can go on for ever, and no time limit ends it. So there is always a message.
 */
const { ok } = assert;
Object.assign(assert, {
  ok: (value: unknown, message: string | Error = 'expected something truthy') => ok(value, message),
});
