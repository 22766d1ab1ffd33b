import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { VendorError } from '../src/http/errors.js';
import { createSesamyClient, type SesamyClient, type SesamyClientOptions } from '../src/sesamy/index.js';
import { type LocalServer, type SeenRequest, sendJson, startLocalServer } from './support/local-server.js';

const userId = 'email|84cccf985de28a2a84824786';

const contract = (overrides: object = {}) => ({
  id: 'c1',
  name: 'Daily',
  userId,
  status: 'ACTIVE',
  isActive: true,
  price: 99,
  createdAt: '2026-01-01T10:00:00Z',
  nextBillAt: null,
  willCancelAt: null,
  items: [{ sku: 'sid:daily', name: 'Daily', purchaseOptionId: 'po1' }],
  manageUrl: 'https://example.com/manage#token=secret',
  ...overrides,
});

const entitlement = (overrides: object = {}) => ({
  id: 'e1',
  sku: 'sid:daily',
  title: 'Daily',
  type: 'pass',
  hasAccess: true,
  token: 'secret',
  ...overrides,
});

type Answer = (request: SeenRequest, response: ServerResponse) => void;

describe('the Sesamy client', () => {
  let server: LocalServer;
  let client: SesamyClient;
  let tokens: number;
  /** Answers by path; a path that nobody set is a 404. */
  let answers: Record<string, Answer>;

  beforeEach(async () => {
    tokens = 0;
    answers = {
      '/oauth/token': (_, response) => sendJson(response, { access_token: `token-${++tokens}`, expires_in: 86400 }),
    };
    server = await startLocalServer((request, response) => {
      const answer = answers[request.path];
      if (answer) answer(request, response);
      else sendJson(response, { error: { code: 'not_found', message: 'no' } }, 404);
    });
    client = open();
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  function open(options: Partial<SesamyClientOptions> = {}): SesamyClient {
    return createSesamyClient({
      apiUrl: server.url,
      tokenUrl: `${server.url}/oauth/token`,
      clientId: 'client',
      clientSecret: 'the-secret',
      vendorId: 'daily',
      rps: 1000,
      ...options,
    });
  }

  const calls = (path: string) => server.seen.filter((request) => request.path === path);
  const userPath = '/management/users/email%7C84cccf985de28a2a84824786';
  const profilePath = '/profile/email%7C84cccf985de28a2a84824786';
  const always =
    (body: unknown): Answer =>
    (_, response) =>
      sendJson(response, body);
  /** Entitlements that heed the filter: `nobody` has none. */
  const ofUser =
    (answer: Answer): Answer =>
    (request, response) =>
      request.query.get('userId') === userId ? answer(request, response) : sendJson(response, []);

  async function failure(work: Promise<unknown>): Promise<VendorError> {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof VendorError, `expected a VendorError, got ${error}`);
    return error;
  }

  describe('token', () => {
    beforeEach(() => {
      answers[userPath] = always({ userId, tags: [] });
    });

    it('is asked for as a form, without audience and scope unless they are set', async () => {
      await client.getUser(userId);
      const [request] = calls('/oauth/token');
      assert.equal(request?.headers['content-type'], 'application/x-www-form-urlencoded');
      assert.equal(request?.body, 'grant_type=client_credentials&client_id=client&client_secret=the-secret');
      assert.equal(calls(userPath)[0]?.headers.authorization, 'Bearer token-1');
    });

    it('is asked for with audience and scope where they are set', async () => {
      const other = open({ audience: 'https://api.sesamy.com', scope: 'users:read' });
      await other.getUser(userId);
      await other.close();
      assert.match(
        calls('/oauth/token')[0]?.body ?? '',
        /&audience=https%3A%2F%2Fapi\.sesamy\.com&scope=users%3Aread$/,
      );
    });

    it('is shared by callers at the same time and kept', async () => {
      await Promise.all([client.getUser(userId), client.getUser(userId), client.getUser(userId)]);
      await client.getUser(userId);
      assert.equal(tokens, 1);
    });

    it('goes on for the others when the caller who asked first leaves', async () => {
      const control = new AbortController();
      answers['/oauth/token'] = (_, response) => {
        control.abort(new Error('gone'));
        setImmediate(() => sendJson(response, { access_token: `token-${++tokens}`, expires_in: 86400 }));
      };
      const first = client.getUser(userId, { signal: control.signal });
      const second = client.getUser(userId);
      await assert.rejects(first, /gone/);
      assert.equal((await second)?.id, userId);
      assert.equal(tokens, 1);
    });

    for (const status of [401, 403]) {
      it(`is dropped once on ${status}, and the call repeated with a new one`, async () => {
        answers[userPath] = (request, response) =>
          request.headers.authorization === 'Bearer token-1'
            ? sendJson(response, { message: 'no' }, status)
            : sendJson(response, { userId });
        assert.equal((await client.getUser(userId))?.id, userId);
        assert.equal(tokens, 2);
      });

      it(`that is refused twice with ${status} is a failure of the key`, async () => {
        answers[userPath] = (_, response) => sendJson(response, { message: 'no' }, status);
        const error = await failure(client.getUser(userId));
        assert.equal(error.type, status === 401 ? 'sesamy/unauthorized' : 'sesamy/forbidden');
        assert.deepEqual([error.next, error.path, error.status], ['fix-key', '/management/users/{userId}', status]);
        assert.equal(calls(userPath).length, 2);
      });

      it(`of a wrong secret (${status}) is called bad credentials`, async () => {
        answers['/oauth/token'] = (_, response) =>
          sendJson(response, { message: 'Invalid client credentials' }, status);
        const error = await failure(client.getUser(userId));
        assert.deepEqual([error.type, error.next], ['sesamy/bad-credentials', 'fix-key']);
        assert.equal(calls(userPath).length, 0);
      });
    }

    it('is asked for again after its endpoint failed', async () => {
      const good = answers['/oauth/token'] as Answer;
      answers['/oauth/token'] = (_, response) => response.writeHead(502).end();
      assert.equal((await failure(client.getUser(userId))).type, 'sesamy/unavailable');
      answers['/oauth/token'] = good;
      assert.equal((await client.getUser(userId))?.id, userId);
    });
  });

  describe('getUser', () => {
    it('reads the whole profile', async () => {
      answers[userPath] = always({
        id: 'internal',
        userId,
        email: 'Kim@example.com',
        emailVerified: true,
        firstName: 'Kim',
        lastName: 'Åberg',
        mobilePhone: '070-174 06 05',
        phone_number: '070-174 06 06',
        workPhone: null,
        tags: ['vip'],
        billingAddress: { street: 'Storgatan 1', zip: '111 22', city: 'Ort', country: 'SE', co: null, unknown: 1 },
        user_metadata: { shoe: 43 },
        createdAt: '2026-01-01T10:00:00Z',
        updatedAt: '2026-01-02T10:00:00Z',
      });
      assert.deepEqual(await client.getUser(userId), {
        id: userId,
        email: 'Kim@example.com',
        emailVerified: true,
        firstName: 'Kim',
        lastName: 'Åberg',
        mobilePhone: '070-174 06 05',
        phone: '070-174 06 06',
        tags: ['vip'],
        billingAddress: { street: 'Storgatan 1', zip: '111 22', city: 'Ort', country: 'SE' },
        createdAt: '2026-01-01T10:00:00Z',
        updatedAt: '2026-01-02T10:00:00Z',
      });
    });

    it('falls back to the other naming style, and takes null for absent', async () => {
      answers[userPath] = always({
        sub: userId,
        given_name: 'Kim',
        family_name: 'Berg',
        firstName: '',
        tags: null,
        email: null,
      });
      assert.deepEqual(await client.getUser(userId), { id: userId, firstName: 'Kim', lastName: 'Berg', tags: [] });
    });

    it('answers undefined for somebody whom Sesamy does not know', async () => {
      assert.equal(await client.getUser(userId), undefined);
    });

    it('does not take a web page with status 404 for an unknown person', async () => {
      answers[userPath] = (_, response) =>
        response.writeHead(404, { 'content-type': 'text/html' }).end('<html></html>');
      assert.equal((await failure(client.getUser(userId))).type, 'sesamy/not-json');
    });

    it('completes a five-field user from the profile', async () => {
      answers[userPath] = always({ id: userId, email: 'kim@example.com', name: 'Kim', createdAt: 'a', updatedAt: 'b' });
      answers[profilePath] = always({ userId, firstName: 'Kim', tags: ['vip'], createdAt: 'c' });
      const expected = {
        id: userId,
        email: 'kim@example.com',
        firstName: 'Kim',
        tags: ['vip'],
        createdAt: 'c',
        updatedAt: 'b',
      };
      assert.deepEqual(await client.getUser(userId), expected);
      assert.deepEqual(await client.getUser(userId), expected);
      assert.equal(calls(profilePath).length, 2);
    });

    for (const status of [400, 401, 403, 405]) {
      it(`asks for the profile once and remembers a refusal with ${status}, keeping the token`, async () => {
        answers[userPath] = always({ id: userId, email: 'kim@example.com' });
        answers[profilePath] = (_, response) => sendJson(response, {}, status);
        const expected = { id: userId, email: 'kim@example.com', tags: [] };
        assert.deepEqual(await Promise.all([client.getUser(userId), client.getUser(userId)]), [expected, expected]);
        assert.deepEqual(await client.getUser(userId), expected);
        assert.equal(calls(profilePath).length, 1);
        assert.equal(tokens, 1);
      });
    }

    it('renews a token that the profile refuses after it had been given', async () => {
      answers[userPath] = always({ id: userId });
      answers[profilePath] = always({ userId, firstName: 'Kim' });
      await client.getUser(userId);
      answers[profilePath] = (request, response) =>
        request.headers.authorization === 'Bearer token-1'
          ? sendJson(response, {}, 401)
          : sendJson(response, { userId });
      await client.getUser(userId);
      assert.equal(tokens, 2);
    });

    it('fails rather than writing a person without the profile when the profile is down', async () => {
      answers[userPath] = always({ id: userId });
      answers[profilePath] = (_, response) => response.writeHead(503).end();
      assert.equal((await failure(client.getUser(userId))).path, '/profile/{userId}');
      answers[profilePath] = always({ userId, firstName: 'Kim' });
      assert.equal((await client.getUser(userId))?.firstName, 'Kim');
    });

    it('keeps to the five fields of a person who has no profile, and still asks for others', async () => {
      answers[userPath] = always({ id: userId });
      assert.deepEqual(await client.getUser(userId), { id: userId, tags: [] });
      await client.getUser(userId);
      assert.equal(calls(profilePath).length, 2);
    });
  });

  describe('lists', () => {
    const path = '/management/contracts';

    /** A server that heeds `limit` up to a cap of its own and `offset`. */
    const paged =
      (rows: unknown[], envelope: (page: unknown[]) => unknown, cap = 100): Answer =>
      (request, response) => {
        const offset = Number(request.query.get('offset'));
        const limit = Math.min(Number(request.query.get('limit')), cap);
        sendJson(response, envelope(rows.slice(offset, offset + limit)));
      };
    const many = (count: number) => Array.from({ length: count }, (_, index) => contract({ id: `c${index}` }));

    it('makes contracts uniform and drops secrets', async () => {
      answers[path] = always([
        contract({ status: 'Cancelled', contractDuration: 'recurring', expiresAt: '2026-02-01T00:00:00Z' }),
        contract({ id: 'c2', status: 'active', contractDuration: 'TRIAL', items: null, createdAt: undefined }),
      ]);
      assert.deepEqual(await client.listContracts(userId), [
        {
          id: 'c1',
          userId,
          status: 'CANCELED',
          isActive: true,
          duration: 'RECURRING',
          createdAt: '2026-01-01T10:00:00Z',
          expiresAt: '2026-02-01T00:00:00Z',
          items: [{ sku: 'sid:daily', name: 'Daily', purchaseOptionId: 'po1' }],
        },
        { id: 'c2', userId, status: 'ACTIVE', isActive: true, items: [] },
      ]);
      assert.equal(calls(path)[0]?.url, `${path}?userId=email%7C84cccf985de28a2a84824786&limit=50&offset=0`);
    });

    const envelopes: [string, (page: unknown[]) => unknown][] = [
      ['a bare array', (page) => page],
      ['{data}', (page) => ({ data: page })],
      ['{data, pagination} without total', (page) => ({ data: page, pagination: { limit: 20 } })],
      ['{data, pagination}', (page) => ({ data: page, pagination: { total: 120, limit: 50 } })],
      ['{contracts}', (page) => ({ contracts: page })],
    ];
    for (const [name, envelope] of envelopes) {
      it(`reads all pages of ${name}, though the server caps the limit`, async () => {
        answers[path] = paged(many(120), envelope, 20);
        const ids = (await client.listContracts(userId)).map(({ id }) => id);
        assert.deepEqual(
          ids,
          many(120).map(({ id }) => id),
        );
      });
    }

    it('ends when the total is reached, without an empty page', async () => {
      answers[path] = paged(many(50), (page) => ({ data: page, pagination: { total: 50 } }));
      assert.equal((await client.listContracts(userId)).length, 50);
      assert.equal(calls(path).length, 1);
    });

    it('goes on below ten rows where the total says that there are more', async () => {
      answers[path] = paged(many(7), (page) => ({ data: page, pagination: { total: 7 } }), 5);
      assert.equal((await client.listContracts(userId)).length, 7);
      assert.equal(calls(path).length, 2);
    });

    it('spends one call on a page of fewer than ten rows', async () => {
      answers[path] = paged(many(9), (page) => page);
      assert.equal((await client.listContracts(userId)).length, 9);
      assert.equal(calls(path).length, 1);
    });

    it('ends when the server ignores the offset', async () => {
      answers[path] = always(many(30));
      assert.equal((await client.listContracts(userId)).length, 30);
      assert.equal(calls(path).length, 2);
    });

    it('ends when the total promises more than there is', async () => {
      answers[path] = paged(many(3), (page) => ({ data: page, pagination: { total: 99 } }));
      assert.equal((await client.listContracts(userId)).length, 3);
    });

    it('gives up on a list that never ends', async () => {
      let next = 0;
      answers[path] = (_, response) =>
        sendJson(
          response,
          Array.from({ length: 10 }, () => contract({ id: `c${next++}` })),
        );
      assert.equal((await failure(client.listContracts(userId))).type, 'sesamy/wrong-shape');
    });

    it('takes 204 for an empty list', async () => {
      answers[path] = (_, response) => response.writeHead(204).end();
      assert.deepEqual(await client.listContracts(userId), []);
    });

    it('drops the contracts of other people', async () => {
      answers[path] = always([contract(), contract({ id: 'c2', userId: 'email|other' })]);
      assert.deepEqual(
        (await client.listContracts(userId)).map(({ id }) => id),
        ['c1'],
      );
    });

    const odd: [string, unknown, RegExp][] = [
      ['a row without id', [contract(), contract({ id: undefined })], /rows\.1\.id invalid_type/],
      ['a row whose flag is a text', [contract({ isActive: 'yes' })], /rows\.0\.isActive invalid_type/],
      ['an item without sku', [contract({ items: [{ name: 'Daily' }] })], /rows\.0\.items\.0\.sku invalid_type/],
      ['no list at all', { contracts: {} }, /rows invalid_type/],
      ['another resource', { users: [] }, /rows invalid_type/],
      ['a text', 'kim@example.com', /rows invalid_type/],
    ];
    for (const [name, body, places] of odd) {
      it(`fails the call for ${name}, with the place and without the value`, async () => {
        answers[path] = always(body);
        const error = await failure(client.listContracts(userId));
        assert.deepEqual([error.type, error.next], ['sesamy/wrong-shape', 'wait']);
        assert.match(error.message, places);
        assert.doesNotMatch(error.message, /kim|yes|Daily/);
      });
    }
  });

  describe('listEntitlements', () => {
    const path = '/management/entitlements';

    it('makes entitlements uniform and drops secrets', async () => {
      answers[path] = ofUser(
        always([
          entitlement({ purchaseOption: 'po1', origin: { type: 'PAYMENTS', contractId: 'c1' }, expiresAt: null }),
          entitlement({ id: 'e2', origin: { type: 'EXTERNAL', id: 'x', listId: 'l1', name: 'Library' } }),
          entitlement({ id: 'e3', type: 'article', origin: { type: 'NEW KIND' } }),
        ]),
      );
      const base = { sku: 'sid:daily', title: 'Daily', hasAccess: true };
      assert.deepEqual(await client.listEntitlements(userId), [
        { id: 'e1', type: 'pass', purchaseOptionId: 'po1', origin: { type: 'PAYMENTS', contractId: 'c1' }, ...base },
        { id: 'e2', type: 'pass', origin: { type: 'EXTERNAL', listId: 'l1' }, ...base },
        { id: 'e3', type: 'article', ...base },
      ]);
    });

    it('fails for a paid entitlement that names no contract', async () => {
      answers[path] = ofUser(always([entitlement({ origin: { type: 'PAYMENTS' } })]));
      assert.match((await failure(client.listEntitlements(userId))).message, /rows\.0\.origin\.contractId custom/);
    });

    it('asks once for somebody who does not exist, before the first list, whoever asks at the same time', async () => {
      answers[path] = ofUser(always([entitlement()]));
      await Promise.all([client.listEntitlements(userId), client.listEntitlements(userId)]);
      await client.listEntitlements(userId);
      const ids = calls(path).map((request) => request.query.get('userId'));
      assert.deepEqual(ids, ['email|000000000000000000000000', userId, userId, userId]);
    });

    it('refuses to trust an answer to a filter that is ignored, and does not ask on', async () => {
      answers[path] = always({ data: [entitlement()] });
      for (const _ of [1, 2]) {
        const error = await failure(client.listEntitlements(userId));
        assert.deepEqual([error.type, error.next], ['sesamy/filter-ignored', 'wait']);
        assert.ok((error.waitMs ?? 0) > 30 * 60_000);
      }
      assert.equal(calls(path).length, 1);
    });

    it('repeats the check when it failed on its way', async () => {
      answers[path] = (_, response) => response.destroy();
      assert.equal((await failure(client.listEntitlements(userId))).type, 'sesamy/unavailable');
      answers[path] = ofUser(always([entitlement()]));
      assert.equal((await client.listEntitlements(userId)).length, 1);
      assert.equal(calls(path).length, 3);
    });

    it('takes "no such user" for a filter that is heeded', async () => {
      answers[path] = (request, response) =>
        request.query.get('userId') === userId ? sendJson(response, [entitlement()]) : sendJson(response, {}, 404);
      assert.equal((await client.listEntitlements(userId)).length, 1);
    });
  });

  describe('listTransactions', () => {
    const path = '/management/transactions';
    const transaction = (overrides: object = {}) => ({
      id: 't1',
      userId,
      billId: 'b1',
      contractId: 'c1',
      amount: 99,
      currency: 'SEK',
      isRefund: false,
      createdAt: '2026-01-01T10:00:00Z',
      updatedAt: '2026-01-01T10:00:00Z',
      ...overrides,
    });
    const { userId: _, updatedAt: __, ...uniform } = transaction();

    it('makes transactions uniform, and drops those of other people', async () => {
      answers[path] = always([
        transaction({ currency: ' sek' }),
        transaction({
          id: 't2',
          contractId: null,
          currency: undefined,
          createdAt: null,
          amount: -99.5,
          isRefund: true,
        }),
        transaction({ id: 't3', userId: 'email|other' }),
      ]);
      assert.deepEqual(await client.listTransactions(userId), [
        uniform,
        { id: 't2', billId: 'b1', amount: -99.5, isRefund: true },
      ]);
      assert.equal(calls(path)[0]?.url, `${path}?userId=email%7C84cccf985de28a2a84824786&limit=50&offset=0`);
    });

    const envelopes: [string, (page: unknown[]) => unknown][] = [
      ['a bare array', (page) => page],
      ['{data, pagination}', (page) => ({ data: page, pagination: { total: 70, limit: 50 } })],
      ['{data}', (page) => ({ data: page })],
      ['{transactions}', (page) => ({ transactions: page })],
    ];
    for (const [name, envelope] of envelopes) {
      it(`reads all pages of ${name}`, async () => {
        const all = Array.from({ length: 70 }, (_, index) => transaction({ id: `t${index}` }));
        answers[path] = ({ query }, response) => {
          const offset = Number(query.get('offset'));
          sendJson(response, envelope(all.slice(offset, offset + Number(query.get('limit')))));
        };
        const ids = (await client.listTransactions(userId)).map(({ id }) => id);
        assert.deepEqual(
          ids,
          all.map(({ id }) => id),
        );
      });
    }

    it('takes 204 for an empty list', async () => {
      answers[path] = (_, response) => response.writeHead(204).end();
      assert.deepEqual(await client.listTransactions(userId), []);
    });

    const odd: [string, object, RegExp][] = [
      ['names no bill', { billId: null }, /rows\.0\.billId/],
      ['does not say whether it is a refund', { isRefund: null }, /rows\.0\.isRefund/],
      ['has an amount in words', { amount: '99 kr' }, /rows\.0\.amount/],
    ];
    for (const [name, overrides, place] of odd) {
      it(`fails for a transaction that ${name}`, async () => {
        answers[path] = always([transaction(overrides)]);
        const error = await failure(client.listTransactions(userId));
        assert.equal(error.type, 'sesamy/wrong-shape');
        assert.match(error.message, place);
        assert.doesNotMatch(error.message, /99|email/);
      });
    }
  });

  describe('getBill', () => {
    const path = '/management/bills/b%7C1';

    it('makes a bill uniform', async () => {
      answers[path] = always({
        id: 'b|1',
        items: [{ sku: 'sid:daily', title: 'Daily', purchaseOptionId: 'po1' }],
        price: 99,
        currency: 'sek',
        receiptUrl: 'https://example.com/receipts/1',
        paymentProvider: 'ADYEN',
        paymentMethod: 'CARD',
        status: 'paid',
        contractId: 'c1',
        createdAt: '2026-01-01T10:00:00Z',
        updatedAt: '2026-01-01T10:00:00Z',
      });
      assert.deepEqual(await client.getBill('b|1'), {
        id: 'b|1',
        status: 'PAID',
        price: 99,
        currency: 'SEK',
        items: [{ sku: 'sid:daily', title: 'Daily' }],
        receiptUrl: 'https://example.com/receipts/1',
        contractId: 'c1',
        createdAt: '2026-01-01T10:00:00Z',
      });
    });

    it('reads a bill of which only the least is told', async () => {
      answers[path] = always({ id: 'b|1', status: 'Cancelled', price: 0, items: null, receiptUrl: null });
      assert.deepEqual(await client.getBill('b|1'), { id: 'b|1', status: 'CANCELED', price: 0, items: [] });
    });

    it('answers undefined for a bill that Sesamy does not know, but not for a web page', async () => {
      assert.equal(await client.getBill('b|1'), undefined);
      answers[path] = (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<html></html>');
      const error = await failure(client.getBill('b|1'));
      assert.deepEqual([error.type, error.path], ['sesamy/not-json', '/management/bills/{billId}']);
    });

    it('fails for a bill without a price', async () => {
      answers[path] = always({ id: 'b|1', status: 'PAID' });
      assert.match((await failure(client.getBill('b|1'))).message, /price invalid_type/);
    });
  });

  describe('failures', () => {
    const rows: { name: string; answer: Answer; type: string; next: string; waitMs?: number }[] = [
      { name: '500', answer: (_, r) => sendJson(r, {}, 500), type: 'sesamy/unavailable', next: 'wait' },
      {
        name: '503 with Retry-After',
        answer: (_, r) => r.writeHead(503, { 'retry-after': '20' }).end(),
        type: 'sesamy/unavailable',
        next: 'wait',
        waitMs: 20_000,
      },
      {
        name: '429 with Retry-After',
        answer: (_, r) => r.writeHead(429, { 'retry-after': '7' }).end(),
        type: 'sesamy/rate-limited',
        next: 'wait',
        waitMs: 7_000,
      },
      {
        name: '429 without',
        answer: (_, r) => r.writeHead(429).end(),
        type: 'sesamy/rate-limited',
        next: 'wait',
        waitMs: 10_000,
      },
      { name: 'a hang-up', answer: (_, r) => r.destroy(), type: 'sesamy/unavailable', next: 'wait' },
      { name: 'HTML', answer: (_, r) => r.end('<html></html>'), type: 'sesamy/not-json', next: 'wait' },
      { name: 'nothing', answer: (_, r) => r.end(), type: 'sesamy/not-json', next: 'wait' },
      { name: 'JSON that broke off', answer: (_, r) => r.end('{"userId":"em'), type: 'sesamy/not-json', next: 'wait' },
      { name: 'a list', answer: (_, r) => sendJson(r, []), type: 'sesamy/wrong-shape', next: 'wait' },
      { name: 'no id', answer: (_, r) => sendJson(r, { email: 'a' }), type: 'sesamy/wrong-shape', next: 'wait' },
      { name: '400', answer: (_, r) => sendJson(r, {}, 400), type: 'sesamy/refused', next: 'fix-data' },
      { name: '418', answer: (_, r) => sendJson(r, {}, 418), type: 'sesamy/refused', next: 'fix-data' },
      {
        name: 'a redirect',
        answer: (_, r) => r.writeHead(302, { location: '/' }).end(),
        type: 'sesamy/wrong-url',
        next: 'fix-key',
      },
    ];
    for (const { name, answer, type, next, waitMs } of rows) {
      it(`calls ${name} ${type}`, async () => {
        answers[userPath] = answer;
        const error = await failure(client.getUser(userId));
        assert.deepEqual(
          [error.type, error.next, error.waitMs, error.method, error.path, error.unknownOutcome],
          [type, next, waitMs, 'GET', '/management/users/{userId}', false],
        );
      });
    }

    it('sends nothing more while Sesamy wants a pause', async () => {
      answers[userPath] = (_, response) => response.writeHead(429, { 'retry-after': '60' }).end();
      await failure(client.getUser(userId));
      const error = await failure(client.listContracts(userId));
      assert.equal(error.type, 'sesamy/rate-limited');
      assert.ok((error.waitMs ?? 0) > 50_000);
      assert.equal(calls('/management/contracts').length, 0);
    });
  });

  describe('checkAccess', () => {
    beforeEach(() => {
      answers['/management/users'] = always([{ id: 'a' }]);
      answers['/management/contracts'] = always({ data: [contract()] });
      answers['/management/entitlements'] = ofUser(always([]));
    });

    it('reads a little of each resource', async () => {
      await client.checkAccess();
      assert.deepEqual(
        server.seen.map(({ path, query }) => `${path} ${query.get('limit')}`),
        ['/oauth/token null', '/management/users 1', '/management/contracts 1', '/management/entitlements 1'],
      );
    });

    it('reads a little of the transactions too where receipts need them', async () => {
      answers['/management/transactions'] = always({ transactions: [] });
      await client.checkAccess({ receipts: true });
      assert.deepEqual(
        calls('/management/transactions').map(({ query }) => query.get('limit')),
        ['1'],
      );
      answers['/management/transactions'] = (_, response) => sendJson(response, {}, 403);
      const error = await failure(client.checkAccess({ receipts: true }));
      assert.deepEqual([error.type, error.path], ['sesamy/forbidden', '/management/transactions']);
      await client.checkAccess();
    });

    it('names the resource that the credential has no right to', async () => {
      answers['/management/contracts'] = (_, response) => sendJson(response, {}, 403);
      const error = await failure(client.checkAccess());
      assert.deepEqual([error.type, error.path], ['sesamy/forbidden', '/management/contracts']);
    });

    const token = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
    it('tells the credential of another publisher', async () => {
      answers['/oauth/token'] = always({ access_token: token({ vendor_id: 'weekly' }), expires_in: '86400' });
      assert.equal((await failure(client.checkAccess())).type, 'sesamy/wrong-vendor');
    });

    for (const claims of [{ vendor_id: 'daily' }, { sub: 'x' }, { vendor_id: null }]) {
      it(`accepts a token with ${JSON.stringify(claims)}`, async () => {
        answers['/oauth/token'] = always({ access_token: token(claims), expires_in: 86400 });
        await client.checkAccess();
      });
    }
  });

  it('keeps to its pace, the token included', async () => {
    answers[userPath] = always({ userId });
    const slow = open({ rps: 20 });
    const started: number[] = [];
    const now = () => started.push(performance.now());
    answers['/oauth/token'] = (_, response) => {
      now();
      sendJson(response, { access_token: 't', expires_in: 86400 });
    };
    answers[userPath] = (_, response) => {
      now();
      sendJson(response, { userId });
    };
    await Promise.all(Array.from({ length: 24 }, () => slow.getUser(userId)));
    await slow.close();
    assert.equal(started.length, 25);
    const busiest = Math.max(...started.map((from) => started.filter((at) => at >= from && at < from + 1000).length));
    // Where this process stands still for a moment, what was due meanwhile starts together.
    assert.ok(busiest <= 22, `${busiest} starts in a second`);
  });

  it('lets a caller leave while it waits for its turn', async () => {
    answers[userPath] = always({ userId });
    const slow = open({ rps: 1 });
    const control = new AbortController();
    const waiting = slow.getUser(userId, { signal: control.signal });
    answers['/oauth/token'] = (_, response) => {
      sendJson(response, { access_token: 't', expires_in: 86400 });
      setImmediate(() => control.abort(new Error('gone')));
    };
    await assert.rejects(waiting, /gone/);
    await slow.close();
  });
});
