import type { SesamySandbox } from '../../sandbox/sesamy/index.js';

export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** Asks the stand-in of Sesamy for a token, in the documented form unless told otherwise. */
export async function askForToken(
  sandbox: SesamySandbox,
  form: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { clientId, clientSecret } = sandbox;
  const all = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, ...form };
  return read(await fetch(sandbox.tokenUrl, { method: 'POST', headers, body: new URLSearchParams(all) }));
}

export async function tokenOf(sandbox: SesamySandbox): Promise<string> {
  const { body } = await askForToken(sandbox);
  return (body as { access_token: string }).access_token;
}

/** A reader of the Management API with a token of its own. */
export async function apiOf(sandbox: SesamySandbox) {
  const token = await tokenOf(sandbox);
  return async (path: string, init: RequestInit = {}): Promise<Answer> =>
    read(await fetch(sandbox.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } }));
}

/** A call of a control route with JSON. */
export async function control(base: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const text =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return read(await fetch(new URL(`/_sandbox${path}`, base), { method, ...text }));
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}
