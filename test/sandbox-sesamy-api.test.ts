import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type SesamySandbox, type SesamySandboxOptions, startSesamySandbox } from '../sandbox/sesamy/index.js';
import { eventually } from './support/eventually.js';
import { type Answer, apiOf, askForToken, tokenOf } from './support/sesamy-api.js';

type Row = Record<string, unknown> & { id: string };

describe('the stand-in of Sesamy: its API', () => {
  let sandbox: SesamySandbox;
  let api: (path: string, init?: RequestInit) => Promise<Answer>;

  const start = async (options: SesamySandboxOptions = {}) => {
    sandbox = await startSesamySandbox({ rps: 0, population: { people: 40 }, ...options });
    api = await apiOf(sandbox);
  };
  afterEach(() => sandbox.close());

  const rows = async (path: string) => (await api(path)).body as Row[];
  const whys = () => sandbox.recorder.violations.map(({ why }) => why);
  const withSubscription = () => {
    const found = sandbox.people().find(({ contracts }) => contracts.length === 3);
    assert.ok(found);
    return found;
  };

  describe('tokens', () => {
    beforeEach(() => start());

    it('are given for client credentials in form encoding, and name the vendor', async () => {
      const { status, body } = await askForToken(sandbox);
      const { access_token: token, ...rest } = body as { access_token: string };
      assert.deepEqual([status, rest], [200, { token_type: 'Bearer', expires_in: 86_400 }]);
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      assert.equal(claims.vendor_id, 'daily');
      assert.deepEqual(sandbox.recorder.violations, []);
    });

    it('are refused for a JSON body, which is a violation', async () => {
      const { clientId, clientSecret, tokenUrl } = sandbox;
      const body = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
      const answer = await fetch(tokenUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      assert.deepEqual([answer.status, await answer.json()], [403, { message: 'Client not found' }]);
      assert.match(whys()[0] ?? '', /form encoding/);
    });

    it('are refused with a tenant-id header, which is a violation', async () => {
      const { status, body } = await askForToken(sandbox, {}, { 'tenant-id': 'daily' });
      assert.deepEqual([status, body], [403, { message: 'Client not found' }]);
      assert.match(whys()[0] ?? '', /tenant-id/);
    });

    it('a wrong secret is 403, a missing one 401, an unknown client 403; none is a violation', async () => {
      const wrong = await askForToken(sandbox, { client_secret: 'wrong' });
      assert.deepEqual([wrong.status, wrong.body], [403, { message: 'Invalid client credentials' }]);
      assert.equal((await askForToken(sandbox, { client_secret: '' })).status, 401);
      assert.equal((await askForToken(sandbox, { client_id: 'nobody' })).status, 403);
      assert.deepEqual(whys(), []);
    });

    it('another grant type and an unknown parameter are OAuth errors and violations', async () => {
      const grant = await askForToken(sandbox, { grant_type: 'password' });
      assert.deepEqual([grant.status, (grant.body as Row).error], [400, 'unsupported_grant_type']);
      const unknown = await askForToken(sandbox, { vendor: 'daily' });
      assert.deepEqual([unknown.status, (unknown.body as Row).error], [400, 'invalid_request']);
      assert.equal(whys().length, 2);
    });

    for (const audience of ['https://api.sesamy.com', 'urn:sesamy']) {
      it(`take the audience ${audience}`, async () => {
        assert.equal((await askForToken(sandbox, { audience })).status, 200);
      });
    }

    it('another audience is an OAuth error', async () => {
      const { status, body } = await askForToken(sandbox, { audience: 'https://example.com' });
      assert.deepEqual([status, (body as Row).error], [403, 'access_denied']);
    });

    it('echo a scope', async () => {
      assert.equal(((await askForToken(sandbox, { scope: 'users:read' })).body as Row).scope, 'users:read');
    });

    it('live as long as the switch says', async () => {
      sandbox.switches.tokenLifetime = 0.05;
      const short = await apiOf(sandbox);
      await eventually(async () => assert.equal((await short('/management/vendors')).status, 401));
    });

    it('can all be revoked; a bad or missing token is 401 in the API’s error shape', async () => {
      assert.equal((await api('/management/vendors')).status, 200);
      sandbox.revokeTokens();
      const { status, body } = await api('/management/vendors');
      assert.deepEqual([status, body], [401, { error: { code: 'unauthorized', message: 'Invalid access token' } }]);
      assert.equal((await fetch(`${sandbox.url}/management/vendors`)).status, 401);
      assert.deepEqual(whys(), []);
    });
  });

  describe('reads', () => {
    beforeEach(() => start());
    afterEach(() => assert.deepEqual(whys(), []));

    it('a user is the whole profile plus id', async () => {
      const person = withSubscription();
      const { body } = await api(`/management/users/${encodeURIComponent(person.id)}`);
      assert.deepEqual(body, { id: person.id, ...person.profile });
    });

    it('a user nobody has is 404 in the API’s error shape', async () => {
      const { status, body } = await api('/management/users/email%7C000000000000000000000000');
      assert.deepEqual([status, body], [404, { error: { code: 'not_found', message: 'User not found' } }]);
    });

    it('users are paged and searched by name, address and id', async () => {
      const all = await rows('/management/users');
      assert.equal(all.length, 40);
      assert.deepEqual(await rows('/management/users?limit=3&offset=5'), all.slice(5, 8));
      const [first] = all;
      assert.deepEqual(await rows(`/management/users?search=${encodeURIComponent(String(first?.email))}`), [first]);
      assert.deepEqual(await rows(`/management/users?search=${encodeURIComponent(String(first?.id))}`), [first]);
      assert.deepEqual(await rows('/management/users?search=nobody-at-all'), []);
    });

    it('contracts by user, by status in any case, and by id', async () => {
      const { id, contracts } = withSubscription();
      assert.deepEqual(await rows(`/management/contracts?userId=${encodeURIComponent(id)}`), contracts);
      const overdue = await rows('/management/contracts?status=overdue');
      assert.ok(overdue.length > 0 && overdue.every(({ status }) => status === 'OVERDUE'));
      assert.deepEqual((await api(`/management/contracts/${contracts[1]?.id}`)).body, contracts[1]);
      assert.equal((await api(`/management/contracts/${'0'.repeat(32)}`)).status, 404);
      assert.deepEqual(await rows('/management/contracts?userId=email%7C0'), []);
    });

    it('entitlements by user, type and sku', async () => {
      const { id, entitlements } = withSubscription();
      const user = encodeURIComponent(id);
      assert.deepEqual(await rows(`/management/entitlements?userId=${user}`), entitlements);
      const podcasts = entitlements.filter(({ type }) => type === 'podcast');
      assert.equal(podcasts.length, 1);
      assert.deepEqual(await rows(`/management/entitlements?userId=${user}&type=podcast`), podcasts);
      const sku = encodeURIComponent(podcasts[0]?.sku ?? '');
      assert.deepEqual(await rows(`/management/entitlements?userId=${user}&sku=${sku}`), podcasts);
    });

    it('bills by user, status, contract and words, and by id', async () => {
      const { id, bills, contracts } = withSubscription();
      const user = encodeURIComponent(id);
      assert.deepEqual(await rows(`/management/bills?userId=${user}`), bills);
      assert.deepEqual(await rows(`/management/bills?userId=${user}&status=VOIDED`), []);
      assert.deepEqual(
        await rows(`/management/bills?contractId=${contracts[1]?.id}`),
        bills.filter(({ contractId }) => contractId === contracts[1]?.id),
      );
      assert.ok((await rows('/management/bills?q=sk%C3%A4rg%C3%A5rdspodden')).length > 0);
      assert.deepEqual((await api(`/management/bills/${bills[0]?.id}`)).body, bills[0]);
      assert.equal((await api('/management/bills/none')).status, 404);
    });

    it('transactions by user', async () => {
      const { id, transactions } = withSubscription();
      const user = encodeURIComponent(id);
      assert.deepEqual(await rows(`/management/transactions?userId=${user}`), transactions);
      assert.deepEqual(await rows(`/management/transactions?userId=${user}&type=any&status=any`), transactions);
    });

    it('products, searched and by sku, and the vendor', async () => {
      const products = await rows('/management/products');
      assert.equal(products.length, sandbox.world.products.length);
      assert.ok(products.every((product) => !('options' in product)));
      assert.equal((await rows('/management/products?search=podden')).length, 1);
      const sku = String(products[0]?.sku);
      assert.deepEqual((await api(`/management/products/${encodeURIComponent(sku)}`)).body, products[0]);
      assert.equal((await api('/management/products/none')).status, 404);
      assert.deepEqual(
        (await rows('/management/vendors')).map(({ id }) => id),
        ['daily'],
      );
    });
  });

  describe('calls outside the documented shapes are refused and recorded', () => {
    beforeEach(() => start());

    for (const [what, path] of [
      ['an unknown query parameter', '/management/users?userId=x'],
      ['a query on a single read', '/management/contracts/1?limit=1'],
      ['the text undefined', '/management/contracts?userId=undefined'],
      ['a limit that is no number', '/management/contracts?limit=ten'],
      ['a limit of nothing', '/management/contracts?limit=0'],
      ['a parameter given twice', '/management/contracts?userId=a&userId=b'],
    ] as const) {
      it(what, async () => {
        const { status, body } = await api(path);
        assert.equal(status, 400);
        assert.equal((body as { error: { code: string } }).error.code, 'validation_error');
        assert.equal(whys().length, 1);
      });
    }

    it('a | that is not encoded', async () => {
      const [person] = sandbox.people();
      const authorization = `Bearer ${await tokenOf(sandbox)}`;
      const { port } = new URL(sandbox.url);
      const path = `/management/users/${person?.id}`;
      const status = await new Promise((resolve, reject) => {
        const call = request({ port, path, headers: { authorization } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        call.on('error', reject).end();
      });
      assert.equal(status, 400);
      assert.match(whys()[0] ?? '', /%7C/);
    });

    it('/management twice, which the vendor’s SDK does with the documented base address', async () => {
      assert.equal((await api('/management/management/users')).status, 404);
      assert.match(whys()[0] ?? '', /base address/);
    });

    it('writes, which the stand-in does not imitate, and addresses that do not exist', async () => {
      assert.equal((await api('/management/users', { method: 'POST', body: '{}' })).status, 404);
      assert.equal((await api('/v1/users')).status, 404);
      assert.deepEqual(
        sandbox.recorder.violations.map(({ method, path }) => `${method} ${path}`),
        ['POST /management/users', 'GET /v1/users'],
      );
    });
  });

  describe('switches', () => {
    beforeEach(() => start());
    const resources = ['users', 'contracts', 'entitlements', 'bills', 'transactions', 'products'];

    it('envelope: bare arrays, {data, pagination} or {<resource>}', async () => {
      for (const resource of resources) {
        const path = `/management/${resource}?limit=2&offset=1`;
        sandbox.switches.envelope = 'array';
        const bare = await rows(path);
        assert.equal(bare.length, 2);
        sandbox.switches.envelope = 'resource';
        assert.deepEqual((await api(path)).body, { [resource]: bare });
        sandbox.switches.envelope = 'data';
        const { data, pagination } = (await api(path)).body as { data: unknown; pagination: Record<string, number> };
        assert.deepEqual(data, bare);
        assert.deepEqual([pagination.limit, pagination.offset], [2, 1]);
        assert.ok((pagination.total ?? 0) > 2);
        const whole = (await api(`/management/${resource}?limit=10000`)).body as { data: unknown[] };
        assert.equal(whole.data.length, pagination.total);
      }
    });

    it('paging: offset heeded, ignored, or from instead', async () => {
      const all = await rows('/management/contracts');
      sandbox.switches.paging = 'offset-ignored';
      assert.deepEqual(await rows('/management/contracts?limit=2&offset=2'), all.slice(0, 2));
      assert.deepEqual(await rows('/management/users?limit=2&offset=2'), await rows('/management/users?limit=2'));
      sandbox.switches.paging = 'from';
      assert.deepEqual(await rows('/management/contracts?limit=2&from=3'), all.slice(3, 5));
      assert.deepEqual(await rows('/management/contracts?limit=2&offset=3'), all.slice(0, 2));
    });

    it('limitCap and defaultLimit: the most rows of a page', async () => {
      sandbox.switches.limitCap = 3;
      assert.equal((await rows('/management/contracts?limit=10')).length, 3);
      assert.equal((await rows('/management/contracts?limit=2')).length, 2);
      sandbox.switches.limitCap = 0;
      sandbox.switches.defaultLimit = 4;
      assert.equal((await rows('/management/users')).length, 4);
    });

    it('userAnswer five-fields: the short User, alone and in lists', async () => {
      sandbox.switches.userAnswer = 'five-fields';
      const { id, profile } = withSubscription();
      const { body } = await api(`/management/users/${encodeURIComponent(id)}`);
      const { email, createdAt, updatedAt } = profile;
      const { name, ...rest } = body as Row;
      assert.deepEqual(rest, { id, email, createdAt, updatedAt });
      assert.ok(name);
      const keys = new Set((await rows('/management/users')).flatMap((user) => Object.keys(user)));
      assert.deepEqual([...keys].sort(), ['createdAt', 'email', 'id', 'name', 'updatedAt']);
    });

    it('profile: refused with a management token, or served', async () => {
      const { id, profile } = withSubscription();
      const path = `/profile/${encodeURIComponent(id)}`;
      assert.equal((await api(path)).status, 403);
      sandbox.switches.profile = 'serve';
      assert.deepEqual((await api(path)).body, profile);
      assert.equal((await api('/profile/email%7C0')).status, 404);
      assert.deepEqual(whys(), []);
    });

    it('entitlementFilter ignored: everybody’s entitlements, also for a user who does not exist', async () => {
      sandbox.switches.entitlementFilter = 'ignored';
      assert.ok((await rows('/management/entitlements?userId=email%7C0&limit=10000')).length > 20);
    });

    it('emptyLists: 200 without rows, in each envelope; single reads go on', async () => {
      sandbox.switches.emptyLists = true;
      for (const resource of resources) assert.deepEqual(await rows(`/management/${resource}`), []);
      sandbox.switches.envelope = 'data';
      const { body } = await api('/management/users?limit=5');
      assert.deepEqual(body, { data: [], pagination: { total: 0, limit: 5, offset: 0 } });
      assert.equal((await api(`/management/users/${encodeURIComponent(withSubscription().id)}`)).status, 200);
    });

    it('lagMs: the API shows a change, a new reader and a deletion only later', async () => {
      const [changed, gone] = sandbox.people();
      assert.ok(changed && gone);
      sandbox.switches.lagMs = 400;
      sandbox.updateProfile(changed.id, { firstName: 'Ändrad' });
      sandbox.deletePerson(gone.id);
      const added = sandbox.addPerson();
      const user = async (id: string) => api(`/management/users/${encodeURIComponent(id)}`);
      const nameOf = async () => ((await user(changed.id)).body as Row).firstName;
      assert.equal(await nameOf(), changed.profile.firstName);
      assert.deepEqual([(await user(gone.id)).status, (await user(added.id)).status], [200, 404]);
      assert.equal(sandbox.person(changed.id)?.profile.firstName, 'Ändrad', 'the controls see it at once');
      await eventually(async () => assert.equal(await nameOf(), 'Ändrad'));
      await eventually(async () =>
        assert.deepEqual([(await user(gone.id)).status, (await user(added.id)).status], [404, 200]),
      );
    });

    it('rps: more requests a second are answered 429 with Retry-After', async () => {
      sandbox.switches.rps = 3;
      const answers = await Promise.all(Array.from({ length: 8 }, () => api('/management/vendors')));
      const refused = answers.filter(({ status }) => status === 429);
      assert.equal(refused.length, 5);
      assert.equal(refused[0]?.headers.get('retry-after'), '1');
      await eventually(async () => assert.equal((await api('/management/vendors')).status, 200));
    });
  });

  it('allows five requests a second unless told otherwise', async () => {
    await start({ rps: undefined });
    const answers = await Promise.all(Array.from({ length: 7 }, () => api('/management/vendors')));
    assert.equal(answers.filter(({ status }) => status === 429).length, 2);
  });

  it('faults meet the token endpoint and the API', async () => {
    await start();
    sandbox.faults.add({ kind: 'status', status: 503, path: '^/oauth/token', times: 1 });
    sandbox.faults.add({ kind: 'html', path: '^/management/users' });
    assert.equal((await askForToken(sandbox)).status, 503);
    assert.match(String((await api('/management/users')).body), /^<!doctype html>/);
    assert.deepEqual(whys(), []);
  });
});
