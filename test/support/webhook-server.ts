import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Nudge, PersonId } from '../../src/contract/index.js';
import { createLogger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';
import { createWebhookServer, type WebhookDeps } from '../../src/webhook/index.js';

export const secret = 'invented-webhook-secret';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  body: { accepted?: boolean; error?: string; reason?: string };
}

/** A webhook server on a free port of this machine, with all that it did. */
export async function listening(deps: Partial<WebhookDeps> = {}) {
  const notified: { person: PersonId; nudge: Nudge }[] = [];
  const logs: string[] = [];
  const app = createWebhookServer({
    vendors: new Map([['daily', { secrets: [secret] }]]),
    subscribers: { notify: async (person, nudge) => void notified.push({ person, nudge }) },
    ready: async () => true,
    metrics: createMetrics(),
    log: createLogger({ level: 'trace', format: 'json', destination: { write: (line) => void logs.push(line) } }),
    ...deps,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;

  const call = (
    method: string,
    path: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: string | Buffer } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const json = String(response.headers['content-type']).startsWith('application/json') && text !== '';
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            body: json ? JSON.parse(text) : {},
          });
        });
      });
      request.on('error', reject);
      request.end(body);
    });

  return {
    app,
    port,
    notified,
    /** One parsed line each. */
    entries: () => logs.map((line) => JSON.parse(line) as Record<string, unknown>),
    logText: () => logs.join(''),
    call,
    /** Posts a webhook with the right secret. */
    post: (body: unknown, headers: Record<string, string> = {}) =>
      call('POST', '/webhooks/sesamy', {
        headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json', ...headers },
        body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      }),
    /** Writes bytes to a new connection; resolves with all that comes back until the other side ends it. */
    raw: (bytes: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk.toString();
        });
        socket.on('error', reject);
        socket.on('close', () => resolve(text));
      }),
  };
}

export type Listening = Awaited<ReturnType<typeof listening>>;

/** A webhook as Sesamy's documentation shows it (sesamy-api §4.1). */
export function webhook(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    eventType: 'contract.1#purchased',
    vendorId: 'daily',
    userId: 'email|84cccf985de28a2a84824786',
    contractId: '1d78271264b9c76d5842911dd70b4353',
    occured_at: '2026-11-10T12:00:00Z',
    ...overrides,
  };
}
