/** A terminal and npm each pass the same Ctrl-C on: what comes this soon after the first is no second one. */
const sameMs = 1_500;

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, for people in a hurry. */
export function untilSignal(onFirst: () => void = () => {}): Promise<void> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const handle = (signal: NodeJS.Signals) => {
      if (firstAt !== undefined) {
        if (Date.now() - firstAt < sameMs) return;
        process.exit(signal === 'SIGINT' ? 130 : 143);
      }
      firstAt = Date.now();
      onFirst();
      resolve();
    };
    process.on('SIGINT', handle);
    process.on('SIGTERM', handle);
  });
}
