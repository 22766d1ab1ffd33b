import type { z } from 'zod';

/** The most places of a wrong shape that a message names. */
const mostIssues = 5;

/**
 * Where and how an answer misses its schema, as `path code` pairs: zod's own messages can hold the values that were received.
 * Path parts that do not look like a member name of a schema are shown as `*`.
 */
export function describeIssues(error: z.ZodError): string {
  const told = error.issues.slice(0, mostIssues).map((issue) => `${issuePath(issue.path)} ${issue.code}`);
  const more = error.issues.length - told.length;
  return told.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function issuePath(path: readonly PropertyKey[]): string {
  const parts = path.map((part) =>
    typeof part === 'number' || /^[A-Za-z_]{1,40}$/.test(String(part)) ? String(part) : '*',
  );
  return parts.length > 0 ? parts.join('.') : 'whole answer';
}

/** The parsed text, or `undefined` where it is not JSON (JSON itself has no `undefined`). */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A member that may be absent or null; `undefined` in both cases. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** Leaves out the members that have no value. */
export function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
