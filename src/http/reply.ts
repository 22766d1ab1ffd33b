import type { IncomingHttpHeaders } from 'undici/types/header.js';

/** An answer, whatever its status, read to its end. */
export interface HttpReply {
  status: number;
  headers: IncomingHttpHeaders;
  /** Body as text; empty where there is none. It may hold personal data: it goes into no message. */
  text: string;
  requestId?: string;
}

/** First value of a header that may come more than once. Names are lower case. */
export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** A whole number from a header, `undefined` where it has none. */
export function numberHeader(headers: IncomingHttpHeaders, name: string): number | undefined {
  const value = header(headers, name);
  return value !== undefined && /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : undefined;
}

/** A page made for people, by a proxy or a wrong address: not the vendor's API speaking. */
export function isHtml(reply: Pick<HttpReply, 'headers' | 'text'>): boolean {
  return (
    /text\/html/i.test(header(reply.headers, 'content-type') ?? '') || /^\s*<(?:!doctype|html|\?xml)/i.test(reply.text)
  );
}

const requestIdHeaders = [
  'x-request-id',
  'request-id',
  'x-correlation-id',
  'x-amzn-requestid',
  'apigw-requestid',
  'x-amz-cf-id',
  'cf-ray',
];

const requestIdForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{16}-[a-z]{3}$/;

/**
 * The vendor's id of a request. Only a UUID or Cloudflare's ray is taken, and none that repeats something that we sent: a server that
 * echoes an address or a key must not get it into our logs.
 */
export function requestIdOf(headers: IncomingHttpHeaders, sent: readonly string[]): string | undefined {
  for (const name of requestIdHeaders) {
    const id = header(headers, name)?.trim().toLowerCase();
    if (id && requestIdForm.test(id) && !sent.some((text) => repeats(id, text.toLowerCase()))) return id;
  }
  return undefined;
}

function repeats(id: string, sent: string): boolean {
  return sent.length >= 4 && (sent.includes(id) || id.includes(sent));
}
