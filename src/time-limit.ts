/** The work did not end in time; it goes on by itself. */
export class TimeLimitError extends Error {
  override name = 'TimeLimitError';
}

/** What `work` brings, or a {@link TimeLimitError} after `ms`. What it brings later is not looked at. */
export async function withinTime<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimeLimitError(`not done within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
