import { DateTime } from 'luxon';
import { type HttpReply, header } from './reply.js';

/** Nobody blocks for longer; a larger value is a mistake of a header and must not stop a person for good. */
export const longestWaitMs = 24 * 60 * 60 * 1000;

/** Rule writes wall time without a zone (rule-api §8). */
const wallZone = 'Europe/Stockholm';

export interface WaitSource {
  /** `Retry-After` header. */
  retryAfter?: string | undefined;
  /** The answer's own `Date` header: the moment that a point in time is measured from, so that our clock need not be right. */
  date?: string | undefined;
  /** Body as text: a 429 of Rule repeats the moment in a sentence (rule-api §1.2). */
  body?: string | undefined;
}

/**
 * How long an answer asks to wait, in milliseconds, between 0 and 24 h; `undefined` where it does not say. Reads whole seconds,
 * `YYYY-MM-DD HH:MM:SS` as Stockholm wall time, an ISO 8601 or HTTP date, and the sentence "You can continue at …" in the body.
 */
export function retryAfterMs(source: WaitSource, now: number = Date.now()): number | undefined {
  const answered = parseHttpDate(source.date) ?? now;
  const sentence = /continue at (\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2})?)/i.exec(source.body ?? '')?.[1];
  const wait = waitUntil(source.retryAfter?.trim(), answered) ?? waitUntil(sentence, answered);
  return wait === undefined ? undefined : Math.min(Math.max(wait, 0), longestWaitMs);
}

/** `retryAfterMs` of an answer. */
export function replyWaitMs(reply: Pick<HttpReply, 'headers' | 'text'>, now?: number): number | undefined {
  const source = {
    retryAfter: header(reply.headers, 'retry-after'),
    date: header(reply.headers, 'date'),
    body: reply.text,
  };
  return retryAfterMs(source, now);
}

function waitUntil(text: string | undefined, answered: number): number | undefined {
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const moment = wallTime(text, answered) ?? parseHttpDate(text);
  return moment === undefined ? undefined : moment - answered;
}

/**
 * In the night when clocks go back an hour exists twice: then the first of the two moments that is still to come is meant, since who is
 * refused at the first is blocked until the second. A time that the spring night skips is read as the hour after it.
 */
function wallTime(text: string, answered: number): number | undefined {
  const parsed = DateTime.fromISO(text.replace(' ', 'T'), { zone: wallZone });
  if (!parsed.isValid) return undefined;
  if (/(?:Z|[+-]\d{2}:?\d{2})$/i.test(text.slice('YYYY-MM-DD'.length))) return parsed.toMillis();
  const moments = parsed.getPossibleOffsets().map((moment) => moment.toMillis());
  return moments.sort((a, b) => a - b).find((moment) => moment > answered) ?? moments.at(-1);
}

function parseHttpDate(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const parsed = DateTime.fromHTTP(text);
  return parsed.isValid ? parsed.toMillis() : undefined;
}
