/** The command was called in a way that cannot work; exit code 2. The message says what to write instead. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The command was right and did not succeed; exit code 1. The message is one sentence for people, with the mend. */
export class CommandError extends Error {
  override name = 'CommandError';
}
