import { Random } from './random.js';

/**
 * Ids of the invented population tell which person they belong to, so that nobody has to be made up before somebody asks: the last eight
 * digits are the person's number (from 1), multiplied by an odd constant modulo 2^32 so that neighbours do not look alike.
 */
const factor = 0x9e3779b1;
const inverse = 0x0e8b2f51;

/** `email|` and 24 hexadecimal digits (sesamy-api §3.1). */
export function userIdOf(seed: number, index: number): string {
  return `email|${new Random(seed, 'user', index).hex(16)}${hideIndex(index)}`;
}

/** 32 hexadecimal digits; `kind` and `ordinal` tell a person's ids apart. */
export function rowIdOf(seed: number, index: number, kind: string, ordinal: number): string {
  return new Random(seed, kind, index, ordinal).hex(24) + hideIndex(index);
}

/** The person's number that an id of either form carries, if it is one of ours: the caller looks whether that person has the id. */
export function indexIn(id: string): number | undefined {
  const tail = /[0-9a-f]{8}$/.exec(id)?.[0];
  return tail === undefined ? undefined : (Math.imul(Number.parseInt(tail, 16), inverse) - 1) >>> 0;
}

function hideIndex(index: number): string {
  return (Math.imul(index + 1, factor) >>> 0).toString(16).padStart(8, '0');
}
