import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { parseBaseUrl } from '../http/path.js';
import type { HttpReply } from '../http/reply.js';
import {
  type CallFailure,
  createHttpClient,
  type HttpClient,
  type HttpRequest,
  type Timeouts,
} from '../http/request.js';
import { steadyNow } from '../http/steady-clock.js';
import { apiFailure, tokenFailure } from './failures.js';
import { createPace } from './pace.js';
import { tokenSchema } from './schemas.js';
import { createTokenSource, type FetchedToken } from './token.js';

export interface SesamyApiOptions {
  /** For example `https://api2.sesamy.com`, without `/management`. */
  apiUrl: string;
  /** For example `https://token.sesamy.com/oauth/token`. */
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
  /** Not sent when empty (sesamy-api §9 Q17). */
  audience?: string | undefined;
  /** Not sent when empty. */
  scope?: string | undefined;
  /** Request starts a second in this process, the token's and the filter check's included. */
  rps: number;
  /** Of the calls that wait for their turn the one of the lowest rank goes first. Default: all are equal. */
  rankOfCall?: () => number;
  timeouts?: Timeouts;
  userAgent?: string;
  /** Connections to use instead of own ones; whoever made it closes it. */
  dispatcher?: Dispatcher;
}

export interface ApiCall extends Pick<HttpRequest, 'path' | 'params' | 'query' | 'signal'> {
  /** A 404 is an answer like any other rather than a failure. */
  mayBeMissing?: boolean;
}

/** Reads of the Management API with token and pace; knows nothing of users or contracts. */
export interface SesamyApi {
  /** One GET, repeated once with a new token after a 401 or 403. The answer has a status below 300, or 404 where the call allows it. */
  get(call: ApiCall): Promise<HttpReply>;
  /** One GET with the present token, whatever its answer: for an address that may refuse this kind of token. */
  tryOnce(call: ApiCall): Promise<HttpReply>;
  /** @throws VendorError when the status is a failure. */
  judge(call: ApiCall, reply: HttpReply): void;
  read<T>(call: ApiCall, reply: HttpReply, schema: z.ZodType<T>): T;
  error(call: ApiCall, failure: CallFailure, reply?: HttpReply): Error;
  token(signal?: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** @throws TypeError when an address is not a plain http or https URL. */
export function createSesamyApi(options: SesamyApiOptions): SesamyApi {
  const { timeouts, userAgent, dispatcher } = options;
  const shared = { vendor: 'sesamy', timeouts, userAgent, dispatcher };
  const http = createHttpClient({ ...shared, baseUrl: options.apiUrl });
  const tokenUrl = parseBaseUrl(options.tokenUrl);
  const tokenHttp = createHttpClient({ ...shared, baseUrl: tokenUrl.origin });
  const pace = createPace(options.rps);
  const tokens = createTokenSource(fetchToken);
  let quietUntil = 0;

  /** Once Sesamy has asked for a pause, nobody in this process calls before its end. */
  async function paced(over: HttpClient, call: HttpRequest): Promise<HttpReply> {
    await pace.turn(call.signal, options.rankOfCall?.());
    const waitMs = quietUntil - steadyNow();
    if (waitMs > 0)
      throw over.error(call, { kind: 'rate-limited', next: 'wait', reason: 'Sesamy asks for a pause', waitMs });
    const reply = await over.send(call);
    if (reply.status === 429) quietUntil = steadyNow() + (apiFailure(reply)?.waitMs ?? 0);
    return reply;
  }

  async function fetchToken(): Promise<FetchedToken> {
    const form: Record<string, string> = {
      grant_type: 'client_credentials',
      client_id: options.clientId,
      client_secret: options.clientSecret,
      ...(options.audience ? { audience: options.audience } : {}),
      ...(options.scope ? { scope: options.scope } : {}),
    };
    const call: HttpRequest = { method: 'POST', path: tokenUrl.prefix || '/', body: { form } };
    const reply = await paced(tokenHttp, call);
    const failure = tokenFailure(reply);
    if (failure) throw tokenHttp.error(call, failure, reply);
    return tokenHttp.read(call, reply, tokenSchema);
  }

  function judge(call: ApiCall, reply: HttpReply): void {
    const failure = apiFailure(reply);
    const missing = reply.status === 404 && failure?.kind === 'refused';
    if (failure && !(missing && call.mayBeMissing)) throw http.error(asGet(call), failure, reply);
  }

  async function send(call: ApiCall, token: string): Promise<HttpReply> {
    return paced(http, { ...call, method: 'GET', headers: { authorization: `Bearer ${token}` } });
  }

  return {
    async get(call) {
      const first = await tokens.get(call.signal);
      let reply = await send(call, first);
      if (reply.status === 401 || reply.status === 403) {
        tokens.drop(first);
        reply = await send(call, await tokens.get(call.signal));
      }
      const failure = apiFailure(reply);
      if (failure && !(reply.status === 404 && failure.kind === 'refused'))
        throw http.error(asGet(call), failure, reply);
      return reply;
    },
    tryOnce: async (call) => send(call, await tokens.get(call.signal)),
    judge,
    read: (call, reply, schema) => http.read(asGet(call), reply, schema),
    error: (call, failure, reply) => http.error(asGet(call), failure, reply),
    token: (signal) => tokens.get(signal),
    async close() {
      pace.close();
      await Promise.all([http.close(), tokenHttp.close()]);
    },
  };
}

function asGet(call: ApiCall): HttpRequest {
  return { ...call, method: 'GET' };
}
