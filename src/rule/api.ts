import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { VendorError } from '../http/errors.js';
import { compact } from '../http/json.js';
import { type HttpReply, numberHeader } from '../http/reply.js';
import { type CallFailure, createHttpClient, type HttpRequest, type Timeouts } from '../http/request.js';
import { defaultBlockMs, ruleFailure, type Sent } from './failures.js';
import type { AccountGate, AccountUse, Outcome } from './gate.js';
import { doneReply } from './schemas.js';

export interface RuleApiOptions {
  /** For example `https://app.rule.io/api`; a `/v2` or `/v3` at its end is cut. */
  apiUrl: string;
  apiKey: string;
  timeouts?: Timeouts;
  userAgent?: string;
  /** Connections to use instead of own ones; whoever made it closes it. */
  dispatcher?: Dispatcher;
  /** Shared by everybody in the process who uses this account. */
  gate: AccountGate;
}

export interface ApiCall extends Pick<HttpRequest, 'method' | 'params' | 'query' | 'signal'> {
  /** Begins with `/v2` or `/v3`. */
  path: string;
  json?: unknown;
  sent?: Omit<Sent, 'write' | 'aboutOne'>;
  /** A 401 or 403 is about this call alone and says nothing of the key: it does not close the account's gate. */
  mayBeRefused?: boolean;
}

/** Calls to Rule with key and gate; knows nothing of subscribers. */
export interface RuleApi {
  /** One write whose answer says only that it was done, mostly by having no body. */
  write(call: ApiCall): Promise<void>;
  /** One call whose answer is read by a schema. @throws VendorError for each status from 300 on, and what the gate throws. */
  read<T>(call: ApiCall, schema: z.ZodType<T>): Promise<T>;
  close(): Promise<void>;
}

/** @throws TypeError when the address is not a plain http or https URL. */
export function createRuleApi({ apiUrl, apiKey, gate, ...rest }: RuleApiOptions): RuleApi {
  const http = createHttpClient({ ...rest, vendor: 'rule', baseUrl: apiUrl.replace(/\/(?:v[23]\/?)?$/, '') });

  async function call(wanted: ApiCall): Promise<HttpReply> {
    const request = toRequest(wanted, apiKey);
    wanted.signal?.throwIfAborted();
    const pass = gate.enter();
    let outcome: Outcome = { kind: 'abandoned' };
    try {
      const reply = await http.send(request);
      const failure = ruleFailure(reply, {
        ...wanted.sent,
        aboutOne: wanted.path.includes('{'),
        write: wanted.method !== 'GET',
      });
      outcome = outcomeOf(failure, useOf(reply), wanted.mayBeRefused ?? false);
      if (failure) throw http.error(request, failure, reply);
      return reply;
    } catch (error) {
      // What is no VendorError is the caller's own cancelling.
      if (error instanceof VendorError && outcome.kind === 'abandoned') outcome = { kind: 'unavailable' };
      throw error;
    } finally {
      pass.done(outcome);
    }
  }

  return {
    async write(wanted) {
      const reply = await call(wanted);
      if (reply.text.trim() !== '') http.read(toRequest(wanted, apiKey), reply, doneReply);
    },
    read: async (wanted, schema) => http.read(toRequest(wanted, apiKey), await call(wanted), schema),
    close: () => http.close(),
  };
}

function toRequest({ method, path, params, query, signal, json }: ApiCall, apiKey: string): HttpRequest {
  // v3 is said to require the charset (rule-api §1).
  const contentType = path.startsWith('/v3') ? 'application/json;charset=utf-8' : 'application/json';
  return {
    method,
    path,
    params,
    query,
    signal,
    headers: { authorization: `Bearer ${apiKey}` },
    ...(json === undefined ? {} : { body: { json, contentType } }),
  };
}

function outcomeOf(failure: CallFailure | undefined, use: AccountUse, mayBeRefused: boolean): Outcome {
  switch (failure?.kind) {
    case 'rate-limited':
      return { kind: 'blocked', waitMs: failure.waitMs ?? defaultBlockMs, use };
    case 'unauthorized':
    case 'forbidden':
      return { kind: mayBeRefused ? 'answered' : 'key-refused', use };
    case 'unavailable':
      return { kind: 'unavailable', use };
    default:
      return { kind: 'answered', use };
  }
}

/** Both versions may send these headers (rule-api §8, §12 no. 6); a member that an answer leaves out is left out here. */
function useOf({ headers }: HttpReply): AccountUse {
  return compact({
    allowed: numberHeader(headers, 'requestscount-allowed'),
    current: numberHeader(headers, 'requestscount-current'),
    errorShare: numberHeader(headers, 'x-errorpercent-current'),
    errorShareLimit: numberHeader(headers, 'x-errorpercent-limit'),
  });
}
