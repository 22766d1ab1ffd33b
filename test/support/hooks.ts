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
