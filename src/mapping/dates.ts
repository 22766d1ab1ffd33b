import { DateTime, IANAZone } from 'luxon';

const day = /^\d{4}-\d{2}-\d{2}$/;
const beginsWithDay = /^\d{4}-\d{2}-\d{2}/;

/**
 * The day (`YYYY-MM-DD`) on which an instant falls in a zone; `undefined` for a text that is no date. A text that is a day already
 * stays that day, whatever the zone. A time without an offset is read as UTC, which is what Sesamy's samples use (sesamy-api §3).
 * @throws RangeError if the zone does not exist
 */
export function dayOf(text: string, timeZone: string): string | undefined {
  const zone = IANAZone.create(timeZone);
  if (!zone.isValid) throw new RangeError(`unknown time zone: ${timeZone}`);
  const instant = parse(text);
  if (!instant) return undefined;
  const date = day.test(text.trim()) ? instant : instant.setZone(zone);
  const written = date.toISODate();
  // Moved into a zone, the last day of the year 9999 has a year of five digits.
  return written !== null && day.test(written) ? written : undefined;
}

/** Milliseconds since 1970, for comparing; `undefined` for a missing date or a text that is none. */
export function millisOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parse(text)?.toMillis();
}

/**
 * ISO 8601, or `YYYY-MM-DD HH:MM:SS`: the types of Sesamy's API promise neither (sesamy-api §3). A time of day alone is refused, since
 * luxon would make it one of today.
 */
function parse(text: string): DateTime<true> | undefined {
  const trimmed = text.trim();
  if (!beginsWithDay.test(trimmed)) return undefined;
  return [DateTime.fromISO, DateTime.fromSQL]
    .map((read) => read(trimmed, { zone: 'utc' }))
    .find((instant): instant is DateTime<true> => instant.isValid);
}
