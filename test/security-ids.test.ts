/** Ids on their way from a webhook to a workflow and to a vendor's path: none may become another path, another header or another person. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { parseSubscriberWorkflowId, subscriberWorkflowId } from '../src/client.js';
import { VendorError } from '../src/http/errors.js';
import { fillPath } from '../src/http/path.js';
import { createAccountGate, createRuleClient } from '../src/rule/index.js';
import { createSesamyClient, type SesamyClient } from '../src/sesamy/index.js';
import { prototypeNames, scale, search, searchSync } from './support/fuzz.js';
import { type LocalServer, startLocalServer } from './support/local-server.js';
import { type Listening, listening, webhook } from './support/webhook-server.js';

const piece = fc.oneof(
  fc.constantFrom('|', '/', '\\', '..', '.', '%2e%2e', '%2F', '%00', '%', '?', '#', ';', '&', '=', '+', ' ', ':'),
  fc.constantFrom(
    '\r\n',
    '\r\nX-Evil: 1\r\n\r\n',
    '\n',
    '\t',
    '\0',
    '\u2028',
    '\ufeff',
    '\ud800',
    '\udc00',
    '😀',
    'å',
    'ﬀ',
  ),
  fc.constantFrom('email', 'auth2', '84cccf985de28a2a84824786', 'subscriber/', 'daily', '_sandbox', ...prototypeNames),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const id = fc.oneof(
  { weight: 8, arbitrary: fc.array(piece, { minLength: 0, maxLength: 6 }).map((pieces) => pieces.join('')) },
  { weight: 1, arbitrary: fc.tuple(piece, fc.nat(3)).map(([text, size]) => text.repeat(size * 1_000)) },
);

describe('ids', function () {
  this.timeout(20_000 * Math.max(1, scale));
  let vendor: LocalServer;
  let server: Listening;

  before(async () => {
    vendor = await startLocalServer(({ path }, response) => {
      const answer = path === '/token' ? { access_token: 'token', expires_in: 86400 } : { error: 'NotFound' };
      response.writeHead(path === '/token' ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    });
    server = await listening();
  });
  after(async () => {
    await server.app.close();
    await vendor.close();
  });

  it('of a webhook are refused, or name one workflow and one path, from which they can be read back', async () => {
    const sesamy = openSesamy();
    try {
      await fc.assert(
        fc.asyncProperty(id, id, async (userId, contractId) => {
          const before = server.notified.length;
          const { status, text } = await server.post(webhook({ userId, contractId }));
          const [told] = server.notified.slice(before);
          assert.ok([202, 400, 413].includes(status), String(status));
          assert.equal(server.notified.length - before, status === 202 ? 1 : 0);
          if (told === undefined) {
            if (userId.length > 8) assert.ok(!text.includes(JSON.stringify(userId).slice(1, -1)), 'the id is repeated');
            return;
          }
          assert.deepEqual(told.person, { vendorId: 'daily', userId });
          assert.ok([undefined, contractId].includes(told.nudge.contractId));
          const workflowId = subscriberWorkflowId(told.person);
          assert.match(workflowId, /^subscriber\/daily\/[^/\s%?#\\]+$/);
          assert.deepEqual(parseSubscriberWorkflowId(workflowId), told.person);
          await assertArrives(userId, (one) => sesamy.getUser(one), '/management/users/');
        }),
        search(400),
      );
    } finally {
      await sesamy.close();
    }
  });

  it('of any text stay one part of a vendor’s path, or the call is refused with a typed error', async () => {
    const sesamy = openSesamy();
    const rule = createRuleClient({ apiUrl: vendor.url, apiKey: 'key', gate: createAccountGate() });
    try {
      await fc.assert(
        fc.asyncProperty(id, async (text) => {
          await assertArrives(text, (one) => sesamy.getBill(one), '/management/bills/');
          await assertArrives(text, (one) => sesamy.getUser(one), '/management/users/');
          // Here it is a part of the query, of which nothing may fall off.
          await outcome(() => sesamy.listContracts(text));
          await outcome(() => rule.removeTag(9001, text));
          await outcome(() => rule.findByEmail(text));
          for (const { url, headers } of vendor.seen) {
            assert.match(
              url,
              /^\/(token|management\/(users|bills)\/[^/?#]+|management\/contracts\?userId=[^&#]*&limit=50&offset=0|v[23]\/[\w/%.~!*'()?=&+-]*)$/,
            );
            assert.equal(headers['x-evil'], undefined);
          }
          vendor.seen.splice(0);
        }),
        search(150),
      );
    } finally {
      await Promise.all([sesamy.close(), rule.close()]);
    }
  });

  it('fill a path that the URL parser reads as it was meant', () => {
    fc.assert(
      fc.property(id, id, (one, two) => {
        const path = fillPath('/v2/{one}/x/{two}', { one, two }, { q: two });
        if (path === undefined) return;
        const url = new URL(path, 'https://example.com/');
        assert.equal(url.host, 'example.com');
        const [, version, first, x, second, ...more] = url.pathname.split('/');
        assert.deepEqual([version, x, more], ['v2', 'x', []]);
        assert.deepEqual(
          [first, second].map((part) => decodeURIComponent(part ?? '')),
          [one, two],
        );
        assert.deepEqual([...url.searchParams.keys()], ['q']);
        assert.doesNotMatch(path, /[^\x21-\x7e]|[#\\]/);
      }),
      searchSync(2_000),
    );
  });

  it('in the address of a webhook are answered as no such path, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(id, async (text) => {
        // What a client may write into a request line; the rest is the subject of the search by bytes.
        const path = `/webhooks/sesamy/${text.replace(/[^\x21-\x7e]/g, '').slice(0, 3_000)}`;
        const status = await new Promise((resolve, reject) => {
          const request = httpRequest({ host: '127.0.0.1', port: server.port, path, method: 'POST' }, (response) => {
            response.resume().on('end', () => resolve(response.statusCode));
          });
          request.on('error', reject);
          request.end('{}');
        });
        assert.ok([404, 401].includes(Number(status)), `${status} for ${path}`);
      }),
      search(100),
    );
  });

  function openSesamy(): SesamyClient {
    return createSesamyClient({
      apiUrl: vendor.url,
      tokenUrl: `${vendor.url}/token`,
      clientId: 'client',
      clientSecret: 'secret',
      vendorId: 'daily',
      rps: 10_000,
    });
  }

  /** A call ends as it may; undefined where it brought something. */
  async function outcome(call: () => Promise<unknown>): Promise<VendorError | undefined> {
    try {
      await call();
      return undefined;
    } catch (error) {
      assert.ok(error instanceof VendorError, String(error));
      return error;
    }
  }

  /** The vendor sees the id as the last part of the path and nothing else, or is not called at all. */
  async function assertArrives(text: string, call: (id: string) => Promise<unknown>, path: string): Promise<void> {
    const before = vendor.seen.length;
    const error = await outcome(() => call(text));
    const seen = vendor.seen.slice(before).filter(({ url }) => url !== '/token');
    if (seen.length === 0) {
      assert.equal(error?.type, 'sesamy/refused');
      return;
    }
    assert.deepEqual(
      seen.map(({ url }) => url),
      [`${path}${encodeURIComponent(text)}`],
    );
    assert.equal(decodeURIComponent(seen[0]?.url.slice(path.length) ?? ''), text);
  }
});
