import { ApplicationFailure } from '@temporalio/common';
import { VendorError } from './http/errors.js';

/** What may be logged of an error. */
export interface LoggedError {
  name: string;
  /** Of our own failures only: `rule/…`. */
  type?: string;
  /** Of our own failures only: others may quote the data they met. */
  message?: string;
  /** A system's or library's code such as `ECONNREFUSED`. */
  code?: string | number;
  /** Where it happened. */
  stack?: string[];
  cause?: LoggedError;
}

/** Types that this program makes; the messages of such failures are put together from codes and path templates. */
const ownType = /^(sesamy|rule|mapping|internal|temporal)\/[a-z-]+$/;
const deepestCause = 4;

/** What {@link loggedError} has made, so that a logger's serializer can meet it again. */
const made = new WeakSet<object>();

/** An error reduced to what can hold no personal data: names, codes, frames; the message only where we wrote it. */
export function loggedError(error: unknown): LoggedError {
  if (isMade(error)) return error;
  const logged = reduce(error, 0);
  made.add(logged);
  return logged;
}

function isMade(value: unknown): value is LoggedError {
  return typeof value === 'object' && value !== null && made.has(value);
}

function reduce(error: unknown, depth: number): LoggedError {
  if (!(error instanceof Error)) return { name: typeof error };
  const type = typeOf(error);
  const own = type !== undefined && ownType.test(type);
  const code =
    'code' in error && /^(?:[A-Z][A-Z0-9_]{0,60}|\d{1,6})$/.test(String(error.code)) ? error.code : undefined;
  return {
    name: /^[A-Za-z]\w{0,60}$/.test(error.name) ? error.name : 'Error',
    ...(own ? { type, message: error.message } : {}),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack ? { stack: frames(error.stack, error.message) } : {}),
    ...(error.cause !== undefined && depth < deepestCause ? { cause: reduce(error.cause, depth + 1) } : {}),
  };
}

/** Whether all of the error's text is ours. */
export function isOwnError(error: unknown): boolean {
  return ownType.test(typeOf(error) ?? '');
}

function typeOf(error: unknown): string | undefined {
  if (error instanceof VendorError) return error.type;
  if (error instanceof ApplicationFailure) return error.type ?? undefined;
  return undefined;
}

/** The stack begins with the message, which may have lines that look like frames. */
function frames(stack: string, message: string): string[] {
  const start = message === '' ? -1 : stack.indexOf(message);
  const rest = start < 0 ? stack : stack.slice(start + message.length);
  return rest
    .split('\n')
    .filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line))
    .map((line) => line.trim())
    .slice(0, 12);
}
