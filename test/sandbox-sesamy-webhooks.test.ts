import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type SesamySandbox, startSesamySandbox } from '../sandbox/sesamy/index.js';
import { eventually } from './support/eventually.js';
import { type LocalServer, startLocalServer } from './support/local-server.js';
import { apiOf } from './support/sesamy-api.js';

describe('the stand-in of Sesamy: webhooks', () => {
  let receiver: LocalServer;
  let sandbox: SesamySandbox;
  /** How the receiver answers, one request after another; then 202. */
  let answers: ((response: ServerResponse) => void)[];

  beforeEach(async () => {
    answers = [];
    receiver = await startLocalServer((_request, response) => {
      const answer = answers.shift() ?? status(202);
      answer(response);
    });
    sandbox = await startSesamySandbox({
      rps: 0,
      webhook: { url: `${receiver.url}/hook`, headers: { Authorization: 'Bearer invented' } },
      switches: { webhookRetryMs: [10, 20, 30] },
    });
  });
  afterEach(async () => {
    await sandbox.close();
    await receiver.close();
  });

  const status = (code: number) => (response: ServerResponse) => response.writeHead(code).end();
  const seen = () => receiver.seen.map(({ body }) => JSON.parse(body) as Record<string, string>);
  const outcome = () => sandbox.webhooks.sent.map(({ state, attempts }) => [state, attempts.map((one) => one.status)]);

  it('are thin JSON posts with the static headers', async () => {
    const { id } = sandbox.addPerson();
    await sandbox.webhooks.idle();
    const [request] = receiver.seen;
    assert.deepEqual(
      [request?.method, request?.path, request?.headers.authorization, request?.headers['content-type']],
      ['POST', '/hook', 'Bearer invented', 'application/json'],
    );
    const { occured_at, ...rest } = seen()[0] ?? {};
    assert.deepEqual(rest, { eventType: 'userVendor.1#new', vendorId: 'daily', userId: id });
    assert.match(occured_at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(outcome(), [['delivered', [202]]]);
  });

  it('the two entitlement events are forwarded only where the switch says so', async () => {
    const { id } = sandbox.addPerson();
    sandbox.grantExternal(id);
    sandbox.switches.forwardEntitlements = true;
    sandbox.grantExternal(id);
    await sandbox.webhooks.idle();
    assert.deepEqual(
      seen().map(({ eventType }) => eventType),
      ['userVendor.1#new', 'entitlement.1#new'],
    );
  });

  for (const code of [500, 503, 429]) {
    it(`${code} is tried again until it is taken`, async () => {
      answers = [status(code), status(code)];
      sandbox.addPerson();
      await sandbox.webhooks.idle();
      assert.deepEqual(outcome(), [['delivered', [code, code, 202]]]);
      const [first, second] = receiver.seen;
      assert.equal(first?.body, second?.body);
    });
  }

  it('is given up after the last of the waits', async () => {
    answers = Array.from({ length: 9 }, () => status(503));
    sandbox.addPerson();
    await sandbox.webhooks.idle();
    assert.deepEqual(outcome(), [['given-up', [503, 503, 503, 503]]]);
  });

  for (const code of [400, 401, 404, 302]) {
    it(`${code} is not tried again`, async () => {
      answers = [status(code)];
      sandbox.addPerson();
      await sandbox.webhooks.idle();
      assert.deepEqual(outcome(), [['refused', [code]]]);
    });
  }

  it('a receiver that takes too long or hangs up is tried again', async () => {
    sandbox.switches.webhookTimeoutMs = 50;
    answers = [() => {}, (response) => response.destroy()];
    sandbox.addPerson();
    await sandbox.webhooks.idle();
    assert.deepEqual(outcome(), [['delivered', [undefined, undefined, 202]]]);
    const [slow, cut] = sandbox.webhooks.sent[0]?.attempts ?? [];
    assert.equal(slow?.error, 'TimeoutError');
    assert.ok(cut?.error);
  });

  it('a receiver that is not there is tried again', async () => {
    const { url } = receiver;
    await receiver.close();
    sandbox.addPerson();
    await eventually(() => assert.ok((sandbox.webhooks.sent[0]?.attempts.length ?? 0) > 0));
    receiver = await startLocalServer((_request, response) => response.writeHead(202).end());
    sandbox.webhooks.setTarget({ url: receiver.url });
    await sandbox.webhooks.idle();
    assert.notEqual(receiver.url, url);
    assert.equal(sandbox.webhooks.sent[0]?.state, 'delivered');
  });

  it('first attempts come in the order of the events; later events do not wait for a retry', async () => {
    sandbox.switches.webhookRetryMs = [200];
    answers = [status(503)];
    const ids = Array.from({ length: 5 }, () => sandbox.addPerson().id);
    await sandbox.webhooks.idle();
    assert.deepEqual(
      seen().map(({ userId }) => userId),
      [...ids, ids[0]],
    );
  });

  it('a slow receiver does not hold up the API', async () => {
    let release = () => {};
    answers = [
      (response) => {
        release = () => status(202)(response);
      },
    ];
    const api = await apiOf(sandbox);
    sandbox.addPerson();
    await eventually(() => assert.equal(receiver.seen.length, 1));
    assert.equal((await api('/management/users')).status, 200);
    release();
    await sandbox.webhooks.idle();
  });

  it('pause holds them back, drop loses the waiting ones, resume sends the rest', async () => {
    sandbox.webhooks.pause();
    const ids = Array.from({ length: 4 }, () => sandbox.addPerson().id);
    await sandbox.webhooks.idle();
    assert.deepEqual(receiver.seen, []);
    assert.equal(sandbox.webhooks.drop(2), 2);
    sandbox.webhooks.resume();
    await sandbox.webhooks.idle();
    assert.deepEqual(
      seen().map(({ userId }) => userId),
      ids.slice(2),
    );
    assert.deepEqual(
      outcome().map(([state]) => state),
      ['dropped', 'dropped', 'delivered', 'delivered'],
    );
    assert.equal(sandbox.webhooks.drop(Number.POSITIVE_INFINITY), 0);
  });

  it('one that was refused can be sent again', async () => {
    answers = [status(401)];
    sandbox.addPerson();
    await sandbox.webhooks.idle();
    assert.equal(sandbox.webhooks.resend(1), true);
    assert.equal(sandbox.webhooks.resend(99), false);
    await sandbox.webhooks.idle();
    assert.deepEqual(outcome(), [['delivered', [401, 202]]]);
  });

  it('without a receiver nothing is sent or kept', async () => {
    sandbox.webhooks.setTarget(undefined);
    sandbox.addPerson();
    await sandbox.webhooks.idle();
    assert.deepEqual(sandbox.webhooks.sent, []);
    assert.throws(() => sandbox.webhooks.setTarget({ url: 'nowhere' }));
  });

  it('close does not wait for a receiver or a retry', async () => {
    answers = [status(503), () => {}];
    sandbox.switches.webhookRetryMs = [60_000];
    sandbox.addPerson();
    sandbox.addPerson();
    await eventually(() => assert.equal(receiver.seen.length, 2));
    await sandbox.close();
  });
});
