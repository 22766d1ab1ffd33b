import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { VendorError } from '../src/http/errors.js';
import { createAccountGate, createRuleClient } from '../src/rule/index.js';
import { createSesamyClient } from '../src/sesamy/index.js';
import { type LocalServer, type SeenRequest, startLocalServer } from './support/local-server.js';

/** Long and odd enough not to be found by chance; some look like what a request id or an error code may look like. */
const address = 'kim.berg.4711@example.com';
const key = '0f8fad5b-d9cb-469f-a165-70867728950e';
const secret = 'SESAMY_CLIENT_SECRET_4711';
const token = 'c0ffee11c0ffee22c0ffee33c0ffee44';
const personId = 'email|84cccf985de28a2a84824786';
const firstName = 'Kimberleigh';
const phone = '+46701740605';
const secrets = [
  address,
  encodeURIComponent(address),
  key,
  secret,
  token,
  personId,
  '84cccf985de28a2a84824786',
  firstName,
  phone,
];

/** What a server could make of them. */
const echo = fc.constantFrom(...secrets);
const text = fc.oneof(
  echo,
  fc.tuple(fc.string(), echo, fc.string()).map((parts) => parts.join('')),
  echo.map((one) => `<html>${one}</html>`),
  echo.map((one) => `Too Many Requests. You can continue at ${one}.`),
);
const members = [
  'error',
  'message',
  'fields',
  'errors',
  'subscriber',
  'subscribers',
  'id',
  'email',
  'userId',
  'tags',
  'groups',
];
const memberName = fc.oneof(
  fc.constantFrom(...members, 'data', 'meta', 'pagination', 'access_token', 'expires_in'),
  echo,
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.constantFrom(null, true, 0, 9001),
    fc.dictionary(memberName, tie('json'), { maxKeys: 5 }),
    fc.array(tie('json'), { maxLength: 3 }),
  ),
}));
const headerName = fc.constantFrom(
  'x-request-id',
  'cf-ray',
  'retry-after',
  'date',
  'content-type',
  'location',
  'x-amzn-requestid',
);
const answers = fc.record({
  status: fc.constantFrom(200, 200, 201, 301, 400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 503),
  headers: fc.dictionary(headerName, fc.oneof(echo, fc.constantFrom('30', 'application/json'))),
  body: fc.oneof(
    text,
    json.map((value) => JSON.stringify(value)),
    json.map((value) => JSON.stringify(value).slice(0, -2)),
  ),
  /** The token endpoint answers by the same, or properly. */
  tokenGiven: fc.boolean(),
  hangUp: fc.constantFrom(false, false, false, true),
});

describe('the errors of both clients', () => {
  let server: LocalServer;
  let answer: (request: SeenRequest, response: ServerResponse) => void;

  before(async () => {
    server = await startLocalServer((request, response) => answer(request, response));
  });
  after(() => server.close());

  /** Everything that a log, a failure in Temporal or a terminal could show of an error. */
  function shown(error: unknown): string {
    const stack = error instanceof Error ? error.stack : '';
    return [String(error), stack, JSON.stringify(error), inspect(error, { depth: 10, showHidden: true })].join('\n');
  }

  it('hold no address, id, name or key, whatever a server says', async () => {
    await fc.assert(
      fc.asyncProperty(answers, async ({ status, headers: echoed, body, tokenGiven, hangUp }) => {
        answer = (request, response) => {
          // Rule's key has the form of a request id, and only a server that was sent it can echo it.
          const knowsKey = request.headers.authorization?.includes(key);
          const headers = Object.fromEntries(Object.entries(echoed).filter(([, value]) => knowsKey || value !== key));
          if (request.path === '/token' && tokenGiven) {
            response.end(JSON.stringify({ access_token: token, expires_in: 86400 }));
          } else if (hangUp) {
            response.writeHead(status, { ...headers, 'content-length': body.length + 10 });
            response.write(body, () => response.destroy());
          } else {
            response.writeHead(status, headers).end(body);
          }
        };
        const rule = createRuleClient({ apiUrl: server.url, apiKey: key, gate: createAccountGate() });
        const sesamy = createSesamyClient({
          apiUrl: server.url,
          tokenUrl: `${server.url}/token`,
          clientId: personId,
          clientSecret: secret,
          vendorId: 'daily',
          rps: 1000,
        });
        const fields = [
          { key: 'Subscriber.FirstName', value: firstName, type: 'text' as const },
          { key: 'Subscriber.Phone', value: phone, type: 'text' as const },
        ];
        const outcomes = await Promise.allSettled([
          rule.upsertByEmail({ email: address, fields, tags: ['sesamy'] }),
          rule.update(9001, { email: address, fields }),
          rule.addTags(9001, ['sesamy'], { recalculateSegments: true }),
          rule.removeTag(9001, firstName),
          rule.fire(9001, ['sesamy', firstName]),
          rule.findRow(9001, { group: 'Sesamy_Event', field: 'ID', value: personId }),
          rule.appendRow(9001, { group: 'Sesamy_Event', values: { ID: personId, Name: firstName } }),
          rule.sendEmail({
            name: 'Receipt',
            subject: firstName,
            from: { name: 'Daily', email: 'no-reply@example.com' },
            to: { name: firstName, email: address },
            html: phone,
            text: phone,
          }),
          rule.findByEmail(address),
          rule.readFields(9001),
          rule.listFieldTypes(),
          sesamy.getUser(personId),
          sesamy.listContracts(personId),
          sesamy.listEntitlements(personId),
          sesamy.listTransactions(personId),
          sesamy.getBill(personId),
        ]);
        await Promise.all([rule.close(), sesamy.close()]);
        for (const outcome of outcomes) {
          if (outcome.status === 'fulfilled') continue;
          assert.ok(outcome.reason instanceof VendorError, shown(outcome.reason));
          const seen = shown(outcome.reason).toLowerCase();
          for (const one of secrets) assert.ok(!seen.includes(one.toLowerCase()), `${one} in ${seen}`);
        }
      }),
      { numRuns: 150 },
    );
  });
});
