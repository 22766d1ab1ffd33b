import assert from 'node:assert/strict';
import { type Contract, type Person, type SesamySandbox, startSesamySandbox } from '../sandbox/sesamy/index.js';
import { type LocalServer, startLocalServer } from './support/local-server.js';
import { type Answer, control } from './support/sesamy-api.js';

describe('the stand-in of Sesamy: controls over HTTP', () => {
  let sandbox: SesamySandbox;
  let reader: string;
  let path: string;

  beforeEach(async () => {
    sandbox = await startSesamySandbox({ population: { people: 10 } });
    reader = sandbox.addPerson({ profile: { firstName: 'Åsa' } }).id;
    path = `/people/${encodeURIComponent(reader)}`;
  });
  afterEach(() => sandbox.close());

  const call = (method: string, route: string, body?: unknown): Promise<Answer> =>
    control(sandbox.url, method, route, body);
  const profile = () => sandbox.person(reader)?.profile;
  const subscribe = async () => {
    const { body } = await call('POST', `${path}/purchase`, { productSku: sandbox.world.products[0]?.sku });
    return (body as { contract: Contract }).contract.id;
  };

  it('list, search and show people', async () => {
    assert.equal(((await call('GET', '/people')).body as Person[]).length, 11);
    assert.equal(((await call('GET', '/people?limit=2')).body as Person[]).length, 2);
    const found = (await call('GET', `/people?search=${encodeURIComponent(reader)}`)).body as Person[];
    assert.deepEqual(
      found.map(({ id }) => id),
      [reader],
    );
    assert.deepEqual((await call('GET', path)).body, sandbox.person(reader));
    assert.equal((await call('GET', '/people/nobody')).status, 404);
    assert.equal((await call('GET', '/people?limt=2')).status, 400);
  });

  it('add, change, replace and delete a person', async () => {
    const { status, body } = await call('POST', '/people', { profile: { firstName: 'Östen', emailVerified: false } });
    assert.deepEqual([status, sandbox.person((body as Person).id)?.profile.firstName], [201, 'Östen']);
    assert.equal((await call('POST', '/people')).status, 201);
    await call('PATCH', path, { mobilePhone: '070-174 06 07', firstName: null, billingAddress: { city: 'Åmål' } });
    assert.deepEqual(
      [profile()?.mobilePhone, profile()?.firstName, profile()?.billingAddress],
      ['070-174 06 07', undefined, { city: 'Åmål' }],
    );
    assert.equal((await call('PATCH', path, { frstName: 'x' })).status, 400);
    await call('PUT', path, { profile: { odd: 1 }, contracts: [{ id: 'c1' }] });
    assert.deepEqual(sandbox.person(reader)?.contracts, [{ id: 'c1' }]);
    assert.equal((await call('DELETE', path)).status, 204);
    assert.equal((await call('DELETE', path)).status, 404);
  });

  it('change name, address, e-mail and tags, and confirm', async () => {
    sandbox.updateProfile(reader, { emailVerified: false });
    await call('POST', `${path}/name`, { firstName: 'Ylva', lastName: '' });
    await call('POST', `${path}/address`, { city: 'Östersund' });
    await call('POST', `${path}/email`, { email: 'ylva@example.com' });
    await call('POST', `${path}/confirm`);
    await call('POST', `${path}/tags`, { tag: 'Vin & öl' });
    const { firstName, billingAddress, email, emailVerified, tags } = profile() ?? {};
    assert.deepEqual(
      [firstName, billingAddress, email, emailVerified, tags],
      ['Ylva', { city: 'Östersund' }, 'ylva@example.com', true, ['Vin & öl']],
    );
    await call('DELETE', `${path}/tags/${encodeURIComponent('Vin & öl')}`);
    assert.deepEqual(profile()?.tags, []);
    assert.equal((await call('POST', `${path}/email`, {})).status, 400);
  });

  it('purchase, also as a gift, and buy an article', async () => {
    const friend = sandbox.addPerson().id;
    assert.ok(await subscribe());
    await call('POST', `${path}/purchase`, { productSku: sandbox.world.products[0]?.sku, giftTo: friend });
    assert.equal(sandbox.person(friend)?.entitlements.length, 1);
    await call('POST', `${path}/article`);
    assert.deepEqual(
      sandbox.person(reader)?.contracts.map(({ status }) => status),
      ['ACTIVE', 'ACTIVE', 'CLOSED'],
    );
    assert.equal((await call('POST', `${path}/purchase`, { productSku: 'none' })).status, 404);
    assert.equal(((await call('GET', '/products')).body as unknown[]).length, sandbox.world.products.length);
  });

  it('all that happens to a contract, and a refund', async () => {
    const id = await subscribe();
    const story: unknown[] = [];
    for (const act of [
      'renew',
      'cancel',
      'regret',
      'fail-payment',
      'recover-payment',
      'expire',
      'renew',
      'end-now',
      'renew',
    ]) {
      const { status, body } = await call('POST', `/contracts/${id}/${act}`);
      const contract = body as Contract;
      story.push([act, status, contract.status, contract.willCancelAt !== null]);
    }
    assert.deepEqual(story, [
      ['renew', 200, 'ACTIVE', false],
      ['cancel', 200, 'ACTIVE', true],
      ['regret', 200, 'ACTIVE', false],
      ['fail-payment', 200, 'OVERDUE', false],
      ['recover-payment', 200, 'ACTIVE', false],
      ['expire', 200, 'EXPIRED', false],
      ['renew', 200, 'ACTIVE', false],
      ['end-now', 200, 'CANCELED', false],
      ['renew', 200, 'ACTIVE', false],
    ]);
    const bill = sandbox.person(reader)?.bills[0]?.id;
    assert.equal(((await call('POST', `/bills/${bill}/refund`)).body as Contract).status, 'CANCELED');
    assert.equal(((await call('GET', `/contracts/${id}`)).body as Contract).status, 'CANCELED');
    assert.equal((await call('POST', `/contracts/${id}/regret`)).status, 409);
    assert.equal((await call('POST', '/contracts/none/renew')).status, 404);
  });

  it('give and end access from elsewhere, one or all', async () => {
    const { body } = await call('POST', `${path}/external`, { listName: 'Skolor' });
    await call('POST', `${path}/external`);
    const access = () => sandbox.person(reader)?.entitlements.map(({ hasAccess }) => hasAccess);
    await call('DELETE', `${path}/external/${(body as { id: string }).id}`);
    assert.deepEqual(access(), [false, true]);
    await call('DELETE', `${path}/external`);
    assert.deepEqual(access(), [false, false]);
    assert.equal((await call('DELETE', `${path}/external`)).status, 404);
  });

  it('show and set switches; a wrong one is refused', async () => {
    const { body } = await call('PATCH', '/switches', { envelope: 'data', lagMs: 5 });
    assert.deepEqual(body, sandbox.switches);
    assert.deepEqual([sandbox.switches.envelope, sandbox.switches.lagMs], ['data', 5]);
    assert.equal((await call('PATCH', '/switches', { envelope: 'xml' })).status, 400);
    assert.deepEqual((await call('GET', '/switches')).body, sandbox.switches);
  });

  it('move the clock and revoke tokens', async () => {
    const before = Date.parse(((await call('GET', '/clock')).body as { now: string }).now);
    const { now } = (await call('POST', '/clock', { days: 1, hours: '2' })).body as { now: string };
    assert.ok(Date.parse(now) - before >= 26 * 3_600_000);
    assert.equal((await call('POST', '/clock', { weeks: 1 })).status, 400);
    assert.equal((await call('POST', '/tokens/revoke')).status, 204);
  });

  it('set the receiver, pause, drop, resume, send again and announce', async () => {
    const receiver: LocalServer = await startLocalServer((_request, response) => response.writeHead(202).end());
    try {
      assert.equal((await call('PUT', '/webhooks/target', { url: receiver.url })).status, 204);
      await call('POST', '/webhooks/pause');
      assert.deepEqual((await call('POST', '/announce')).body, { webhooks: 11 });
      assert.deepEqual((await call('POST', '/webhooks/drop', { count: 3 })).body, { dropped: 3 });
      assert.deepEqual((await call('POST', '/webhooks/drop')).body, { dropped: 8 });
      await call('POST', '/webhooks/resume');
      await call('POST', '/announce', { eventType: 'contract.1#update', userId: reader, contractId: 'c' });
      await sandbox.webhooks.idle();
      assert.equal(receiver.seen.length, 1);
      assert.equal((await call('POST', '/webhooks/12/resend')).status, 204);
      assert.equal((await call('POST', '/webhooks/99/resend')).status, 404);
      await sandbox.webhooks.idle();
      assert.equal(receiver.seen.length, 2);
      assert.equal(((await call('GET', '/webhooks')).body as unknown[]).length, 12);
      assert.equal((await call('DELETE', '/webhooks/target')).status, 204);
      assert.equal((await call('PUT', '/webhooks/target', { url: 'nowhere' })).status, 400);
    } finally {
      await receiver.close();
    }
  });
});

describe('the stand-in of Sesamy: pages', () => {
  let sandbox: SesamySandbox;
  before(async () => {
    sandbox = await startSesamySandbox({ population: { people: 130 } });
  });
  after(() => sandbox.close());

  const open = async (path: string) => {
    const answer = await fetch(new URL(path, sandbox.pageUrl));
    return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') };
  };
  const pageOf = (id: string) => open(`/people/${encodeURIComponent(id)}`);

  it('list readers with what they hold, the first hundred of many', async () => {
    const { status, text, type } = await open('/');
    assert.deepEqual([status, type], [200, 'text/html; charset=utf-8']);
    assert.equal(text.match(/<tr><td>/g)?.length, 100);
    assert.match(text, /The first 100 of 130/);
    for (const word of ['overdue', 'external', 'gift', 'guest', 'cancelled']) assert.ok(text.includes(word), word);
  });

  it('search by name, address and id', async () => {
    const [person] = sandbox.people();
    const { text } = await open(`/?search=${encodeURIComponent(person?.profile.email ?? '')}`);
    assert.equal(text.match(/<tr><td>/g)?.length, 1);
    assert.ok(text.includes(person?.profile.email ?? ''));
  });

  it('show a reader with the buttons that apply, and only those', async () => {
    const { id } = sandbox.addPerson({ profile: { emailVerified: false } });
    assert.match((await pageOf(id)).text, /Confirm the account/);
    sandbox.confirm(id);
    const { contract } = sandbox.purchase(id, { productSku: sandbox.world.products[0]?.sku ?? '' });
    const buttons = async () => {
      const { text } = await pageOf(id);
      return [...text.matchAll(/<button[^>]*>([^<]+)</g)].map(([, label]) => label);
    };
    const always = ['Change name', 'Change e-mail', 'Change address', 'Purchase', 'Buy an article', 'Delete'];
    for (const label of [...always, 'Renew', 'Cancel', 'Fail payment', 'Expire', 'Refund', '20 minutes', 'a year']) {
      assert.ok((await buttons()).includes(label), label);
    }
    assert.ok(!(await buttons()).includes('Confirm the account'));
    sandbox.cancel(contract.id);
    assert.ok((await buttons()).includes('Regret'));
    sandbox.failPayment(contract.id);
    assert.ok((await buttons()).includes('Recover payment'));
    sandbox.expire(contract.id);
    assert.ok(!(await buttons()).includes('Cancel'));
  });

  it('escape what readers are called', async () => {
    const { id } = sandbox.addPerson({ profile: { firstName: '<script>alert(1)</script>' } });
    for (const { text } of [await open('/?search=%3Cscript'), await pageOf(id)]) {
      assert.ok(!text.includes('<script>alert'));
      assert.ok(text.includes('&lt;script&gt;alert'));
    }
  });

  it('show webhooks with their state, requests and violations', async () => {
    const receiver = await startLocalServer((_request, response) => response.writeHead(401).end());
    sandbox.webhooks.setTarget({ url: receiver.url });
    const { id } = sandbox.addPerson();
    await sandbox.webhooks.idle();
    sandbox.recorder.recordViolation('GET', '/management/odd', 'for the test');
    await fetch(`${sandbox.url}/management/users`);
    const { text } = await open('/traffic');
    for (const word of [
      'userVendor.1#new',
      id.replace('|', '%7C'),
      'refused',
      '401',
      'Send again',
      '/management/odd',
      '/management/users',
    ]) {
      assert.ok(text.includes(word), word);
    }
    await receiver.close();
  });

  it('nobody’s page is 404', async () => {
    assert.equal((await pageOf('email|0')).status, 404);
  });
});
