import type { SubscriberView } from '../views.js';

const dayMs = 86_400_000;

/** `2026-06-01 10:00:00` in UTC. */
export function clock(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

/** `2026-06-01 10:00` in UTC, for mails: nobody asks for their seconds. */
export function minute(iso: string): string {
  return clock(iso).slice(0, 16);
}

/** `3 days`, `5 hours`, `1 minute`: a stretch of time in its largest unit. */
export function stretch(ms: number): string {
  const units = [
    ['day', dayMs],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const;
  const [unit, size] = units.find(([, size]) => Math.abs(ms) >= size) ?? units[2];
  const count = Math.round(Math.abs(ms) / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** What a person is called in lists. */
export function nameOf(person: SubscriberView): string {
  return person.email ?? person.phone_number ?? person.custom_identifier ?? String(person.id);
}

/** A field's value on one line. */
export function text(value: unknown): string {
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
