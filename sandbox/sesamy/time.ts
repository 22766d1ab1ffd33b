import type { IntervalUnit } from './model.js';

const dayMs = 86_400_000;

/** ISO 8601 in UTC, without the fraction where it is nothing, as Sesamy's samples have it. */
export function instant(date: Date | number): string {
  return new Date(date).toISOString().replace('.000Z', 'Z');
}

/**
 * Adds calendar intervals in UTC; the last day of a month stays inside the month. `count` may be negative. Done by hand, since a large
 * population needs it a million times.
 */
export function addIntervals(from: string | number | Date, unit: IntervalUnit, count: number): string {
  const date = new Date(from);
  if (unit === 'DAY' || unit === 'WEEK') return instant(date.getTime() + count * dayMs * (unit === 'WEEK' ? 7 : 1));
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + count * (unit === 'YEAR' ? 12 : 1));
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return instant(date);
}

export function addDays(from: string | number | Date, days: number): string {
  return addIntervals(from, 'DAY', days);
}
