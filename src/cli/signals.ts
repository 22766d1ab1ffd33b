/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, for people in a hurry. */
export function untilSignal(onFirst: () => void = () => {}): Promise<void> {
  return new Promise((resolve) => {
    let first = true;
    const handle = (signal: NodeJS.Signals) => {
      if (!first) process.exit(signal === 'SIGINT' ? 130 : 143);
      first = false;
      onFirst();
      resolve();
    };
    process.on('SIGINT', handle);
    process.on('SIGTERM', handle);
  });
}
