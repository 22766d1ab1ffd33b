import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SesamySwitches } from './switches.js';

export interface Credentials {
  vendorId: string;
  clientId: string;
  clientSecret: string;
}

/** sesamy-api §9 Q17. */
const audiences = ['https://api.sesamy.com', 'urn:sesamy'];
const parameters = new Set(['grant_type', 'client_id', 'client_secret', 'audience', 'scope']);

/** The access tokens that are good now. */
export class Tokens {
  /** Token to the time at which it ends, in real milliseconds. */
  private readonly ends = new Map<string, number>();

  constructor(
    private readonly credentials: Credentials,
    private readonly switches: SesamySwitches,
  ) {}

  /** A token of the usual form; nothing checks its signature. Its claim `vendor_id` names the vendor (sesamy-api §1.1). */
  issue(audience: string): string {
    const now = Date.now();
    for (const [token, end] of this.ends) if (end <= now) this.ends.delete(token);
    const end = now + this.switches.tokenLifetime * 1_000;
    const token = [
      { alg: 'RS256', typ: 'JWT' },
      {
        iss: 'https://token.sesamy.com/',
        aud: audience,
        sub: this.credentials.clientId,
        vendor_id: this.credentials.vendorId,
        iat: Math.floor(now / 1_000),
        exp: Math.floor(end / 1_000),
      },
    ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
    token.push(randomBytes(32).toString('base64url'));
    const text = token.join('.');
    this.ends.set(text, end);
    return text;
  }

  accepts(authorization: string | undefined): boolean {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    return (this.ends.get(token) ?? 0) > Date.now();
  }

  /** The credential has another secret from now on; tokens that were given out stay good, as with most token servers. */
  replaceSecret(secret: string): void {
    this.credentials.clientSecret = secret;
  }

  /** Makes every token that was given out so far worthless. */
  revokeAll(): void {
    this.ends.clear();
  }
}

/** `POST /oauth/token`, client credentials in form encoding only (sesamy-api §1.3). */
export function serveTokens(
  app: FastifyInstance,
  tokens: Tokens,
  credentials: Credentials,
  switches: SesamySwitches,
  onViolation: (request: FastifyRequest, why: string) => void,
): void {
  app.post('/oauth/token', (request, reply) => {
    reply.header('cache-control', 'no-store');
    const clientNotFound = (why: string) => {
      onViolation(request, why);
      return reply.code(403).send({ message: 'Client not found' });
    };
    const type = request.headers['content-type'] ?? '';
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
      return clientNotFound('The token endpoint takes form encoding only.');
    }
    if (request.headers['tenant-id'] !== undefined) return clientNotFound('A tenant-id header breaks a token request.');
    const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
    const unknown = [...form.keys()].filter((name) => !parameters.has(name));
    if (unknown.length > 0) {
      onViolation(request, `Unknown token parameters: ${unknown.join(', ')}.`);
      return oauthError(reply, 400, 'invalid_request', `Unknown parameter ${unknown[0]}.`);
    }
    if (form.get('grant_type') !== 'client_credentials') {
      onViolation(request, 'The grant type is client_credentials.');
      return oauthError(reply, 400, 'unsupported_grant_type', 'The grant type is not supported.');
    }
    if (form.get('client_id') !== credentials.clientId) return reply.code(403).send({ message: 'Client not found' });
    if (!form.get('client_secret')) return reply.code(401).send({ message: 'Client secret is required' });
    if (form.get('client_secret') !== credentials.clientSecret) {
      return reply.code(403).send({ message: 'Invalid client credentials' });
    }
    const audience = form.get('audience') ?? audiences[0] ?? '';
    if (!audiences.includes(audience)) return oauthError(reply, 403, 'access_denied', `Service not found: ${audience}`);
    const scope = form.get('scope');
    return reply.send({
      access_token: tokens.issue(audience),
      token_type: 'Bearer',
      expires_in: switches.tokenLifetime,
      ...(scope ? { scope } : {}),
    });
  });
}

function oauthError(reply: FastifyReply, status: number, error: string, description: string): FastifyReply {
  return reply.code(status).send({ error, error_description: description });
}
