/**
 * Epoch milliseconds by a clock that never jumps: for how long to wait, and since when. The system's clock is set now and then, by hand or
 * by a time server, and a wait that is measured by it would end too early or an hour late.
 */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
