import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until the check passes; at the end of the time its own failure is the test's. */
export async function eventually(
  check: () => void | Promise<void>,
  { timeoutMs = 15_000, what }: { timeoutMs?: number; what?: string } = {},
): Promise<void> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > end) {
        if (what && error instanceof Error) error.message = `${what}: ${error.message}`;
        throw error;
      }
      await delay(25);
    }
  }
}
