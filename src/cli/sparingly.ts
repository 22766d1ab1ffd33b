/** Of the time that has passed, so much goes by between two lines of one kind. */
const pause = 1 / 50;
const shortestPauseMs = 1_000;

/**
 * Lets lines of progress through: at once where their kind is new, else the more seldom the longer it goes on, so that the output of a
 * day stays readable. The same line is never let through twice in a row.
 *
 * @param now milliseconds since the epoch
 */
export function sparingly(now: () => number = Date.now): (kind: string, line: string) => boolean {
  const begun = now();
  let last: { kind: string; line: string; at: number } | undefined;
  return (kind, line) => {
    const at = now();
    const isDue = !last || kind !== last.kind || at - last.at >= Math.max(shortestPauseMs, (at - begun) * pause);
    if (!isDue || line === last?.line) return false;
    last = { kind, line, at };
    return true;
  };
}
