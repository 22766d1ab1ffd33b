import { Agent, type Dispatcher, request } from 'undici';
import type { z } from 'zod';
import { VendorError, type VendorErrorInit } from './errors.js';
import { compact, describeIssues, parseJson } from './json.js';
import { fillPath, type PathParams, parseBaseUrl, type Query } from './path.js';
import { type HttpReply, requestIdOf } from './reply.js';

/** All in milliseconds. */
export interface Timeouts {
  /** From the start of the attempt to the last byte of the answer. Default 20 000. */
  totalMs?: number;
  /** Until the connection stands. Default 5 000. */
  connectMs?: number;
  /** From the request to the answer's headers. Default 15 000. */
  headersMs?: number;
  /** Between two pieces of the body. Default 10 000. */
  idleMs?: number;
}

export interface HttpClientOptions {
  /** Begins the type of each error: `sesamy` or `rule`. */
  vendor: string;
  baseUrl: string;
  timeouts?: Timeouts;
  /** Most bytes of a body that are read. Default 5 MiB. */
  maxBytes?: number;
  userAgent?: string;
  /** Connections to use instead of own ones, for example a proxy agent; whoever made it closes it. */
  dispatcher?: Dispatcher;
}

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path template below the base URL, shown in errors; its `{names}` are filled from `params`, encoded. */
  path: string;
  params?: PathParams;
  query?: Query;
  headers?: Readonly<Record<string, string>>;
  body?: { json: unknown; contentType?: string } | { form: Readonly<Record<string, string>> };
  /** Cancels the attempt. */
  signal?: AbortSignal | undefined;
}

export interface HttpClient {
  /**
   * One attempt, without retry or redirect. Any status below 300 or from 400 on is an answer; what it means is the caller's to say.
   * @throws VendorError `…/unavailable` (network, time-out), `…/not-json` (the body broke off), `…/too-large`, `…/wrong-url`
   * (a redirect), `…/refused` (an empty id in the path). @throws the signal's own reason when the caller cancels.
   */
  send(call: HttpRequest): Promise<HttpReply>;
  /**
   * The body by its schema. The transport worked; our expectation may not hold.
   * @throws VendorError `…/not-json`, `…/wrong-shape`.
   */
  read<T>(call: HttpRequest, reply: HttpReply, schema: z.ZodType<T>): T;
  /** An error of this vendor about a call, with what its answer tells filled in. */
  error(call: HttpRequest, init: CallFailure, reply?: HttpReply): VendorError;
  close(): Promise<void>;
}

/** A failure of a call; `kind` is the part of the type after the vendor's name. */
export type CallFailure = Omit<VendorErrorInit, 'type' | 'method' | 'path' | 'status' | 'requestId'> & { kind: string };

const defaults = { totalMs: 20_000, connectMs: 5_000, headersMs: 15_000, idleMs: 10_000 } satisfies Required<Timeouts>;

/** @throws TypeError when the base URL is not a plain http or https address. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { origin, prefix } = parseBaseUrl(options.baseUrl);
  const times = { ...defaults, ...compact(options.timeouts ?? {}) };
  const maxBytes = options.maxBytes ?? 5 * 1024 * 1024;
  const own = options.dispatcher ? undefined : new Agent({ connect: { timeout: times.connectMs } });
  const dispatcher = options.dispatcher ?? own;

  const error: HttpClient['error'] = (call, { kind, ...init }, reply) =>
    new VendorError({
      ...init,
      type: `${options.vendor}/${kind}`,
      method: call.method,
      path: call.path,
      status: reply?.status,
      requestId: reply?.requestId,
    });

  async function send(call: HttpRequest): Promise<HttpReply> {
    const path = fillPath(call.path, call.params, call.query);
    if (path === undefined) {
      throw error(call, {
        kind: 'refused',
        next: 'fix-data',
        reason: 'an id in the path is empty, made of dots or no text',
      });
    }
    const { headers, body } = encode(call, options.userAgent ?? 'sesamy-rule');
    call.signal?.throwIfAborted();

    // Not AbortSignal.any: on Node 20 it keeps what it joins alive as long as the longest-lived of them, here a whole worker's.
    const attempt = new AbortController();
    const cancel = () => attempt.abort();
    call.signal?.addEventListener('abort', cancel, { once: true });
    const clock = setTimeout(cancel, times.totalMs);
    let answer: { status: number; requestId?: string } | undefined;
    try {
      const response = await request(`${origin}${prefix}${path}`, {
        method: call.method,
        headers,
        body,
        signal: attempt.signal,
        headersTimeout: times.headersMs,
        bodyTimeout: times.idleMs,
        ...(dispatcher ? { dispatcher } : {}),
      });
      const requestId = requestIdOf(response.headers, sentTexts(call, headers, body));
      answer = { status: response.statusCode, ...(requestId ? { requestId } : {}) };
      const text = await readText(response.body, maxBytes).catch((broken: unknown) => {
        // Of a failure the status says enough: a block whose text broke off is still a block.
        if (response.statusCode < 300 || call.signal?.aborted) throw broken;
        return '';
      });
      const reply: HttpReply = { ...answer, headers: response.headers, text };
      if (reply.status >= 300 && reply.status < 400) {
        const reason = 'the address of the service redirects elsewhere, so it is wrong (http instead of https?)';
        throw error(call, { kind: 'wrong-url', next: 'fix-key', reason }, reply);
      }
      return reply;
    } catch (cause) {
      if (cause instanceof VendorError) throw cause;
      call.signal?.throwIfAborted();
      const failure = transportFailure(call, cause, attempt.signal.aborted, answer !== undefined);
      throw error(call, failure, answer && { ...answer, headers: {}, text: '' });
    } finally {
      clearTimeout(clock);
      call.signal?.removeEventListener('abort', cancel);
    }
  }

  return {
    send,
    error,
    read(call, reply, schema) {
      const unknownOutcome = call.method !== 'GET';
      const json = parseJson(reply.text);
      if (json === undefined) {
        throw error(call, { kind: 'not-json', next: 'wait', reason: 'the answer is not JSON', unknownOutcome }, reply);
      }
      const parsed = schema.safeParse(json);
      if (parsed.success) return parsed.data;
      const reason = `the answer has not the expected shape: ${describeIssues(parsed.error)}`;
      throw error(call, { kind: 'wrong-shape', next: 'wait', reason, unknownOutcome }, reply);
    },
    async close() {
      await own?.destroy();
    },
  };
}

function encode(call: HttpRequest, userAgent: string): { headers: Record<string, string>; body: string | undefined } {
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': userAgent, ...call.headers };
  if (!call.body) return { headers, body: undefined };
  if ('form' in call.body) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    return { headers, body: new URLSearchParams(call.body.form).toString() };
  }
  headers['content-type'] = call.body.contentType ?? 'application/json';
  return { headers, body: JSON.stringify(call.body.json) };
}

/** What a server could echo: the ids and addresses of the path, the credential, the body. */
function sentTexts(call: HttpRequest, headers: Record<string, string>, body: string | undefined): string[] {
  const { authorization } = headers;
  return [
    ...Object.values(call.params ?? {}).map(String),
    ...Object.values(call.query ?? {}).map(String),
    ...(authorization ? [authorization, ...authorization.split(' ')] : []),
    ...(call.body && 'form' in call.body ? Object.values(call.body.form) : []),
    ...(body ? [body] : []),
  ];
}

class TooLarge extends Error {}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    // Leaving the loop destroys the body and its connection.
    if (size > maxBytes) throw new TooLarge();
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Failures before a byte of the request can have reached the vendor: a write was certainly not done. */
const notSent =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED|UNABLE_TO_)/;

function transportFailure(call: HttpRequest, cause: unknown, timedOut: boolean, answered: boolean): CallFailure {
  const code = faultCode(cause);
  const unknownOutcome = call.method !== 'GET' && !notSent.test(code);
  const common = { next: 'wait', unknownOutcome, cause: new Error(code) } as const;
  if (cause instanceof TooLarge)
    return { ...common, cause: undefined, kind: 'too-large', reason: 'the answer is too large' };
  if (timedOut)
    return { ...common, cause: undefined, kind: 'unavailable', reason: 'no whole answer within the total time' };
  if (/TIMEOUT/.test(code)) return { ...common, kind: 'unavailable', reason: `the answer took too long, ${code}` };
  if (answered) return { ...common, kind: 'not-json', reason: `the answer broke off, ${code}` };
  return { ...common, kind: 'unavailable', reason: `the connection failed, ${code}` };
}

/** An error's code, not the error itself: texts of the transport quote addresses and raw bytes of answers. */
function faultCode(cause: unknown): string {
  const candidates =
    cause instanceof Error ? [cause, cause.cause, ...(cause instanceof AggregateError ? cause.errors : [])] : [];
  for (const candidate of candidates) {
    const code: unknown = candidate instanceof Error && 'code' in candidate ? candidate.code : undefined;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code;
  }
  return cause instanceof Error && /^[A-Za-z]{1,40}$/.test(cause.name) ? cause.name : 'unknown fault';
}
