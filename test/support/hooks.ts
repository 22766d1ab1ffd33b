import assert from 'node:assert/strict';
/** What happens once before and once after a run of mocha; loaded by .mocharc.json. */
import { installRuntime } from '../../src/runtime.js';
import { stopSharedTemporal, temporalCli, temporalTestServer } from './temporal.js';
import { traceLogger } from './traces.js';

let runtime: ReturnType<typeof installRuntime> | undefined;

/**
 * Fetches Temporal's programs where they are missing, so that no test's time limit has to pay for a download. A failure is left to the
 * tests that need them: the others can run without.
 */
export async function mochaGlobalSetup(): Promise<void> {
  // As in production: what Temporal's SDK has to say goes through our logger, and is searched with it at the end.
  runtime = installRuntime(traceLogger());
  await Promise.allSettled([temporalCli(), temporalTestServer()]);
}

export async function mochaGlobalTeardown(): Promise<void> {
  await stopSharedTemporal();
  await runtime?.shutdown();
}

/**
 * Without a message Node reads and parses the test's source to make one, at the position that the transpiled code has: in a file whose
 * lines differ that can go on for ever, and no time limit ends it. So there is always a message.
 */
const { ok } = assert;
Object.assign(assert, {
  ok: (value: unknown, message: string | Error = 'expected something truthy') => ok(value, message),
});
