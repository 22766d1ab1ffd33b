import type { LifecycleDue, NextLook, SyncInput } from '../contract/index.js';
import { millisOf } from '../lifecycle/subscriptions.js';
import type { Source } from '../mapping/index.js';
import { spread } from './hashes.js';
import type { Vendor } from './vendor.js';

/** Sesamy may end an access a little late; and a thousand midnight expiries must not fall into one second. */
const afterExpiryMs = 60_000;
const spreadMs = 5 * 60_000;

/** The nearest reason to look again by itself. */
export function nextLook(
  vendor: Pick<Vendor, 'timings'>,
  input: SyncInput,
  seen: { source: Source; news: boolean; due?: LifecycleDue | undefined },
  now: number,
): NextLook {
  const looks = [
    extraLook(vendor, input, seen),
    expiryLook(input, seen, now),
    dueLook(input, seen, now),
    recheck(vendor, input.userId, now),
  ];
  return looks.filter((look) => look !== undefined).reduce((a, b) => (b.afterMs < a.afterMs ? b : a));
}

/** The regular look, at a time of the person's own, so that a base spreads evenly over the period. */
export function recheck(vendor: Pick<Vendor, 'timings'>, userId: string, now: number): NextLook {
  const period = vendor.timings.recheckMs;
  const own = spread(userId, 'recheck') * period;
  const soonest = now + period / 8;
  const at = soonest + ((((own - soonest) % period) + period) % period);
  return { kind: 'recheck', afterMs: Math.ceil(at - now) };
}

/** Sesamy's API may lag its events (sesamy-api §4.3): a message that shows nothing new is looked into again. */
export function extraLook(
  vendor: Pick<Vendor, 'timings'>,
  input: SyncInput,
  seen: { source?: Source; news: boolean },
): NextLook | undefined {
  const listed = new Set([...(seen.source?.contracts ?? []), ...(seen.source?.entitlements ?? [])].map(({ id }) => id));
  const unlisted = input.expectedIds.some((id) => !listed.has(id));
  if ((seen.news && !unlisted) || input.expect === 'none') return undefined;
  const schedule =
    input.expect === 'late' && !unlisted ? vendor.timings.extraLooksMs.slice(0, 1) : vendor.timings.extraLooksMs;
  const at = schedule[input.look];
  return at === undefined ? undefined : { kind: 'look', afterMs: at - (schedule[input.look - 1] ?? 0) };
}

function expiryLook(input: SyncInput, { source }: { source: Source }, now: number): NextLook | undefined {
  // A quiet look that comes between an end and the look after it must not take its place: nobody would be told.
  const goesOn = (isOn: boolean, ends: (string | undefined)[]) =>
    ends.map(millisOf).filter((end) => end !== undefined && (isOn || (!input.live && end <= now)));
  const ends = [
    ...source.contracts.flatMap((c) => goesOn(c.isActive, [c.expiresAt, c.willCancelAt])),
    ...source.entitlements.flatMap((e) => goesOn(e.hasAccess, [e.expiresAt])),
  ];
  // The look is a little after the end, so an end that has just passed still has its look before it.
  const after = afterExpiryMs + Math.floor(spread(input.userId, 'expiry') * spreadMs);
  const next = Math.min(...ends.map((end) => (end ?? Number.NaN) + after).filter((at) => at > now));
  return Number.isFinite(next) ? { kind: 'expiry', afterMs: next - now } : undefined;
}

/** The lifecycle's nearest moment, a little later for everybody in their own way; one that has passed is due now. */
function dueLook(input: SyncInput, { due }: { due?: LifecycleDue | undefined }, now: number): NextLook | undefined {
  if (!due) return undefined;
  const at = Date.parse(due.at) + Math.ceil(spread(input.userId, 'due') * spreadMs);
  return { kind: 'due', afterMs: Math.max(at - now, 1_000), why: due.why };
}
