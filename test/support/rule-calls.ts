import { type RuleSandbox, type RuleSandboxOptions, startRuleSandbox } from '../../sandbox/rule/index.js';

/** An answer of the stand-in, read whole; `json` is empty when the body is no JSON. */
export interface RuleAnswer<T = Record<string, unknown>> {
  status: number;
  headers: Headers;
  text: string;
  json: T;
}

/** A person in a v2 answer. */
export interface WireSubscriber {
  id: number;
  email: string | null;
  phone_number: string | null;
  custom_identifier: string | null;
  language: string;
  opted_in: boolean;
  created_at: string;
  tags: { id: number; name: string }[];
  suppressed: unknown;
}

/** A stand-in for each test of a `describe`, with the calls of an API user who sends what the documents say. */
export class RuleCalls {
  private running: RuleSandbox | undefined;

  /** Registers mocha hooks that start a stand-in before each test and close it afterwards. */
  static forEach(options: RuleSandboxOptions = {}): RuleCalls {
    const calls = new RuleCalls();
    beforeEach(async () => {
      calls.running = await startRuleSandbox({ ...options, switches: { jobDelayMs: 1, ...options.switches } });
    });
    afterEach(() => calls.running?.close());
    return calls;
  }

  get sandbox(): RuleSandbox {
    if (!this.running) throw new Error('The stand-in does not run.');
    return this.running;
  }

  v2<T = Record<string, unknown>>(method: string, path: string, body?: unknown, headers = {}): Promise<RuleAnswer<T>> {
    return this.send<T>(method, `/v2${path}`, body, { 'content-type': 'application/json', ...headers });
  }

  v3<T = Record<string, unknown>>(method: string, path: string, body?: unknown, headers = {}): Promise<RuleAnswer<T>> {
    return this.send<T>(method, `/v3${path}`, body, { 'content-type': 'application/json;charset=utf-8', ...headers });
  }

  /** v2 upsert of one person with `update_on_duplicate`, as an integration sends it. */
  upsert(email: string, more: Record<string, unknown> = {}, entry: Record<string, unknown> = {}) {
    return this.v2<{ subscriber: WireSubscriber; suppressed: unknown[] }>('POST', '/subscribers', {
      update_on_duplicate: true,
      tags: ['sesamy'],
      subscribers: { email, ...entry },
      ...more,
    });
  }

  /** Writes fields by an upsert that starts nothing. */
  fields(email: string, fields: { key: string; value: unknown; type?: string }[]) {
    return this.upsert(email, { sync_subscribers: false }, { fields });
  }

  private async send<T>(method: string, path: string, body: unknown, headers: Record<string, string>) {
    const { 'content-type': type, ...rest } = headers;
    const answer = await fetch(`${this.sandbox.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.sandbox.apiKey}`,
        ...(body === undefined ? {} : { 'content-type': String(type) }),
        ...rest,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const json = (text.startsWith('{') ? JSON.parse(text) : {}) as T;
    return { status: answer.status, headers: answer.headers, text, json };
  }
}
