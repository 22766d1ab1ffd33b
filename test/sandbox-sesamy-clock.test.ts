import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type LiveOnProgress, type Person, type SesamySandbox, startSesamySandbox } from '../sandbox/sesamy/index.js';
import { eventually } from './support/eventually.js';
import { type LocalServer, startLocalServer } from './support/local-server.js';
import { type Answer, apiOf, control } from './support/sesamy-api.js';

describe('the stand-in of Sesamy: when the clock moves', () => {
  let receiver: LocalServer;
  let sandbox: SesamySandbox;
  let reader: string;

  beforeEach(async () => {
    receiver = await startLocalServer((_request, response) => response.writeHead(202).end());
    sandbox = await startSesamySandbox({
      now: () => new Date('2026-11-10T12:00:00Z'),
      webhook: { url: receiver.url },
      switches: { forwardEntitlements: true },
    });
    reader = sandbox.addPerson().id;
    await told();
  });
  afterEach(async () => {
    await sandbox.close();
    await receiver.close();
  });

  /** The webhooks since the last call. */
  async function told(): Promise<Record<string, string>[]> {
    await sandbox.webhooks.idle();
    return receiver.seen.splice(0).map(({ body }) => JSON.parse(body));
  }
  const held = (id = reader): Person => {
    const person = sandbox.person(id);
    assert.ok(person);
    return person;
  };
  const [digital, fixed] = [0, 1];
  const sku = (index: number) => sandbox.world.products[index]?.sku ?? '';
  /** A running subscription whose purchase has been told. */
  async function subscribe(index = digital, purchaseOptionId?: string): Promise<string> {
    const { contract } = sandbox.purchase(reader, { productSku: sku(index), purchaseOptionId });
    await told();
    return contract.id;
  }
  const access = (contractId: string, id = reader) =>
    held(id).entitlements.filter(({ origin }) => origin?.type === 'PAYMENTS' && origin.contractId === contractId);

  const changes = async () =>
    (await told()).filter(({ eventType }) => eventType === 'contract.1#update').map(({ occured_at }) => occured_at);

  it('due contracts renew, each time with bill and transaction, at their own dates', async () => {
    const contractId = await subscribe();
    sandbox.advance({ days: 70 });
    assert.equal(sandbox.world.timestamp(), '2027-01-19T12:00:00Z');
    assert.deepEqual(await changes(), ['2026-12-10T12:00:00Z', '2027-01-10T12:00:00Z']);
    assert.deepEqual(
      held().bills.map(({ createdAt }) => createdAt.slice(0, 10)),
      ['2026-11-10', '2026-12-10', '2027-01-10'],
    );
    assert.equal(held().transactions.length, 3);
    assert.equal(sandbox.contract(contractId).nextBillAt, '2027-02-10T12:00:00Z');
  });

  it('hours and minutes count too, and nothing happens before its time', async () => {
    await subscribe();
    sandbox.advance({ days: 29, hours: 23, minutes: 59 });
    assert.deepEqual(await changes(), []);
    sandbox.advance({ minutes: 1 });
    assert.deepEqual(await changes(), ['2026-12-10T12:00:00Z']);
  });

  it('an overdue contract is tried every three days, and expires with the third try', async () => {
    const contractId = await subscribe();
    sandbox.failPayment(contractId);
    await told();
    sandbox.advance({ days: 8 });
    assert.equal(sandbox.contract(contractId).status, 'OVERDUE');
    assert.equal(held().bills.at(-1)?.status, 'RETRYING');
    sandbox.advance({ days: 2 });
    assert.deepEqual(await changes(), ['2026-11-13T12:00:00Z', '2026-11-16T12:00:00Z', '2026-11-19T12:00:00Z']);
    assert.equal(sandbox.contract(contractId).status, 'EXPIRED');
    assert.equal(held().bills.at(-1)?.status, 'EXPIRED');
    assert.deepEqual(
      access(contractId).map(({ hasAccess }) => hasAccess),
      [false],
    );
  });

  it('the grace of an overdue contract is cut short by the next billing date', async () => {
    const weekly = sandbox.world.products[digital]?.options.find(({ interval }) => interval === 'WEEK');
    const contractId = await subscribe(digital, weekly?.id);
    sandbox.setContracts(reader, [{ ...sandbox.contract(contractId), nextBillAt: '2026-11-10T12:00:00Z' }]);
    sandbox.failPayment(contractId);
    sandbox.advance({ days: 20 });
    const { status, expiresAt } = sandbox.contract(contractId);
    assert.deepEqual([status, expiresAt], ['EXPIRED', '2026-11-17T12:00:00Z']);
  });

  it('a cancelled contract reaches its end', async () => {
    const contractId = await subscribe();
    sandbox.cancel(contractId);
    sandbox.advance({ days: 30 });
    const { status, isActive, expiresAt } = sandbox.contract(contractId);
    assert.deepEqual([status, isActive, expiresAt], ['CANCELED', false, '2026-12-10T12:00:00Z']);
  });

  it('a fixed term expires', async () => {
    const contractId = await subscribe(fixed, sandbox.world.products[fixed]?.options[1]?.id);
    sandbox.advance({ days: 364 });
    assert.equal(sandbox.contract(contractId).status, 'ACTIVE');
    sandbox.advance({ days: 1 });
    assert.equal(sandbox.contract(contractId).status, 'EXPIRED');
  });

  it('access from elsewhere ends at its date', async () => {
    sandbox.grantExternal(reader, { expiresAt: '2026-11-20T00:00:00Z' });
    await told();
    sandbox.advance({ days: 10 });
    assert.equal(held().entitlements[0]?.hasAccess, false);
    assert.deepEqual(
      (await told()).map(({ eventType, occured_at }) => [eventType, occured_at]),
      [['entitlement.1#update', '2026-11-20T00:00:00Z']],
    );
  });

  it('says when something falls due next, and nothing happens by asking', async () => {
    assert.equal(sandbox.nextDue(), undefined);
    const contractId = await subscribe();
    assert.equal(sandbox.nextDue(), '2026-12-10T12:00:00Z');
    sandbox.failPayment(contractId);
    assert.equal(sandbox.nextDue(), '2026-11-13T12:00:00Z');
    sandbox.grantExternal(reader, { expiresAt: '2026-11-11T00:00:00Z' });
    assert.equal(sandbox.nextDue(), '2026-11-11T00:00:00Z');
    await told();
    assert.equal(sandbox.nextDue(), '2026-11-11T00:00:00Z');
    assert.deepEqual(await told(), []);
  });

  it('webhooks of many readers go out in the order of what happened', async () => {
    const invented = await startSesamySandbox({ population: { people: 60 }, webhook: { url: receiver.url } });
    try {
      invented.advance({ days: 60 });
      await invented.webhooks.idle();
      const dates = (await told()).map(({ occured_at }) => occured_at ?? '');
      assert.ok(dates.length > 30);
      assert.deepEqual(dates, [...dates].sort());
    } finally {
      await invented.close();
    }
  });

  it('with its own clock the stand-in follows the real time', async () => {
    const real = await startSesamySandbox();
    try {
      const first = real.world.now().getTime();
      await eventually(() => assert.ok(real.world.now().getTime() > first));
    } finally {
      await real.close();
    }
  });
});

describe('the stand-in of Sesamy: living on', () => {
  let program: LocalServer;
  let sandbox: SesamySandbox;
  let reader: string;
  let other: string;
  /** Readers at whom the program does not look, though it takes their webhooks. */
  let blindTo: Set<string>;
  /** How the program answers webhooks. */
  let status: number;
  /** How long the program takes before it looks. */
  let slowMs: number;
  /** The stand-in's day of each look, and at whom. */
  let looks: { userId: string; at: string }[];

  beforeEach(async () => {
    blindTo = new Set();
    status = 202;
    slowMs = 5;
    looks = [];
    program = await startLocalServer(({ body }, response) => {
      response.writeHead(status).end();
      const { userId } = JSON.parse(body) as { userId: string };
      if (status === 202 && !blindTo.has(userId)) void lookLater(userId);
    });
    sandbox = await startSesamySandbox({
      now: () => new Date('2026-11-10T12:00:00Z'),
      rps: 0,
      switches: { lookPatienceMs: 300 },
    });
    reader = sandbox.addPerson({ profile: { firstName: 'Åsa' } }).id;
    other = sandbox.addPerson({ profile: { firstName: 'Östen' } }).id;
    api = await apiOf(sandbox);
    sandbox.webhooks.setTarget({ url: program.url });
  });
  afterEach(async () => {
    await sandbox.close();
    await program.close();
  });

  let api: Awaited<ReturnType<typeof apiOf>>;
  async function lookLater(userId: string): Promise<void> {
    await delay(slowMs);
    try {
      await api(`/management/users/${encodeURIComponent(userId)}`);
      looks.push({ userId, at: day(sandbox.now().toISOString()) });
    } catch {
      // The stand-in was closed meanwhile.
    }
  }
  const day = (at: string | undefined) => (at ?? '').slice(0, 10);
  const told = () => program.seen.map(({ body }) => JSON.parse(body) as Record<string, string>);
  const toldDays = (userId: string, eventType = 'userVendor.1#update') =>
    told()
      .filter((event) => event.userId === userId && event.eventType === eventType)
      .map(({ occured_at }) => day(occured_at));
  const call = (method: string, body?: unknown): Promise<Answer> => control(sandbox.url, method, '/live-on', body);
  /** A monthly subscription that has been told and looked at. */
  async function subscribe(userId = reader): Promise<string> {
    const { contract } = sandbox.purchase(userId, { productSku: sandbox.world.products[0]?.sku ?? '' });
    await sandbox.webhooks.idle();
    await delay(50);
    program.seen.length = 0;
    looks.length = 0;
    return contract.id;
  }

  it('everybody is nudged in each step of at most three days, and looked at before the next', async () => {
    slowMs = 60;
    const { running, from, until, now, steps, done, notLookedAt } = await sandbox.liveOn({ days: 7 });
    assert.deepEqual(
      { running, from, until, now, steps, done, notLookedAt },
      {
        running: false,
        from: '2026-11-10T12:00:00Z',
        until: '2026-11-17T12:00:00Z',
        now: '2026-11-17T12:00:00Z',
        steps: 3,
        done: 3,
        notLookedAt: 0,
      },
    );
    const days = ['2026-11-13', '2026-11-16', '2026-11-17'];
    for (const userId of [reader, other]) {
      assert.deepEqual(toldDays(userId), days);
      assert.deepEqual(
        looks.filter((look) => look.userId === userId).map(({ at }) => at),
        days,
      );
    }
  });

  it('whoever has a webhook of their own in a step is not nudged in it', async () => {
    await subscribe();
    await sandbox.liveOn({ days: 31 }, { stepDays: 7 });
    assert.deepEqual(toldDays(reader, 'contract.1#update'), ['2026-12-10']);
    assert.deepEqual(toldDays(reader), ['2026-11-17', '2026-11-24', '2026-12-01', '2026-12-08']);
    assert.equal(toldDays(other).length, 5);
    assert.equal(looks.filter(({ userId }) => userId === reader).length, 5);
  });

  it('a webhook that is not forwarded does not spare the nudge', async () => {
    sandbox.grantExternal(reader, { expiresAt: '2026-11-12T00:00:00Z' });
    await sandbox.liveOn({ days: 3 });
    assert.deepEqual(toldDays(reader), ['2026-11-13']);
  });

  it('with a reader named, the others get only what falls due', async () => {
    await subscribe(other);
    const { steps } = await sandbox.liveOn({ days: 30 }, { userId: reader, stepDays: 6 });
    assert.equal(steps, 5);
    assert.deepEqual(toldDays(reader), ['2026-11-16', '2026-11-22', '2026-11-28', '2026-12-04', '2026-12-10']);
    assert.deepEqual(
      told()
        .filter(({ userId }) => userId === other)
        .map(({ eventType, occured_at }) => [eventType, day(occured_at)]),
      [['contract.1#update', '2026-12-10']],
    );
  });

  it('a year of a monthly subscriber has twelve renewals, each looked at before time goes on', async () => {
    const contractId = await subscribe();
    const { steps, notLookedAt } = await sandbox.liveOn({ days: 365 }, { userId: reader, stepDays: 6 });
    assert.deepEqual([steps, notLookedAt], [61, 0]);
    const months = ['12', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11'];
    const renewals = months.map((month) => `${month === '12' ? 2026 : 2027}-${month}-10`);
    assert.deepEqual(toldDays(reader, 'contract.1#update'), renewals);
    assert.equal(toldDays(reader).length, 61 - 12);
    const days = looks.map(({ at }) => at);
    assert.deepEqual([days.length, days], [61, [...new Set(days)].sort()]);
    assert.equal(day(sandbox.contract(contractId).nextBillAt ?? ''), '2027-12-10');
  });

  it('twenty minutes are one short step', async () => {
    const { now, steps } = await sandbox.liveOn({ minutes: 20 }, { userId: reader });
    assert.deepEqual([now, steps], ['2026-11-10T12:20:00Z', 1]);
    assert.equal(looks.length, 1);
  });

  it('a reader at whom the program does not look is reported, and waited for once only', async () => {
    blindTo.add(other);
    const { done, notLookedAt } = await sandbox.liveOn({ days: 12 });
    assert.deepEqual([done, notLookedAt], [4, 1]);
    assert.equal(looks.filter(({ userId }) => userId === reader).length, 4);
    assert.equal(toldDays(other).length, 4);
  });

  it('when the receiver is away each step waits its time, and the steps go on', async () => {
    status = 503;
    const begin = performance.now();
    const { done, now, notLookedAt } = await sandbox.liveOn({ days: 6 });
    assert.deepEqual([done, now, notLookedAt], [2, '2026-11-16T12:00:00Z', 2]);
    assert.ok(performance.now() - begin >= 600);
  });

  it('what is refused, or sent nowhere, is not waited for', async () => {
    sandbox.switches.lookPatienceMs = 20_000;
    status = 401;
    assert.equal((await sandbox.liveOn({ days: 6 })).notLookedAt, 2);
    sandbox.webhooks.setTarget(undefined);
    const { done, notLookedAt } = await sandbox.liveOn({ days: 365 }, { userId: reader });
    assert.deepEqual([done, notLookedAt], [122, 1]);
  });

  it('a look whose answer failed does not count, a later one does', async () => {
    sandbox.faults.add({ kind: 'status', status: 503, path: '^/management/users/', times: 1 });
    void delay(100).then(() => lookLater(reader));
    assert.equal((await sandbox.liveOn({ days: 1 }, { userId: reader })).notLookedAt, 0);
    assert.equal(looks.length, 2);
  });

  it('the next step waits until the program has asked nothing for a while', async () => {
    sandbox.switches.lookPatienceMs = 20_000;
    const last: number[] = [];
    let others: Promise<unknown> = Promise.resolve();
    await program.close();
    program = await startLocalServer((_request, response) => {
      response.writeHead(202).end();
      others = (async () => {
        await api(`/management/users/${encodeURIComponent(reader)}`);
        for (let call = 0; call < 4; call += 1) {
          await delay(20);
          await api(`/management/contracts?userId=${encodeURIComponent(reader)}`);
        }
        last.push(performance.now());
      })();
    });
    sandbox.webhooks.setTarget({ url: program.url });
    await sandbox.liveOn({ days: 1 }, { userId: reader });
    const end = performance.now();
    await others;
    assert.ok(end - (last[0] ?? Number.POSITIVE_INFINITY) > 100);
  });

  describe('where the program says when it is done', () => {
    /** With whom it is not done, whoever asks. */
    let busy: Set<string>;
    /** Who was asked about, each time. */
    let asked: string[][];
    let told: SesamySandbox;

    beforeEach(async () => {
      busy = new Set();
      asked = [];
      await sandbox.close();
      sandbox = told = await startSesamySandbox({
        now: () => new Date('2026-11-10T12:00:00Z'),
        rps: 0,
        switches: { lookPatienceMs: 300 },
        notDone: async (readers) => {
          for (const { readAt } of readers) assert.ok(Date.now() - Date.parse(readAt) < 5_000, readAt);
          asked.push(readers.map(({ userId }) => userId));
          return readers.map(({ userId }) => userId).filter((userId) => busy.has(userId));
        },
      });
      reader = told.addPerson({ profile: { firstName: 'Åsa' } }).id;
      other = told.addPerson({ profile: { firstName: 'Östen' } }).id;
      api = await apiOf(told);
      told.webhooks.setTarget({ url: program.url });
    });

    it('the clock stands still until then', async () => {
      told.switches.lookPatienceMs = 20_000;
      busy.add(reader);
      const days: string[] = [];
      const end = told.liveOn({ days: 6 }, { userId: reader });
      await eventually(() => {
        days.push(day(told.now().toISOString()));
        assert.ok(asked.length >= 3);
      });
      assert.deepEqual([...new Set(days)], ['2026-11-13']);
      busy.clear();
      const { now, notDone } = await end;
      assert.deepEqual([now, notDone], ['2026-11-16T12:00:00Z', 0]);
      assert.deepEqual([...new Set(asked.flat())], [reader]);
    });

    it('those who were told of what fell due are waited for too, whoever is named', async () => {
      await subscribe(other);
      await told.liveOn({ days: 30 }, { userId: reader, stepDays: 6 });
      assert.deepEqual(asked, [...Array(4).fill([reader]), [reader, other]]);
      assert.deepEqual(
        looks.filter(({ userId }) => userId === other).map(({ at }) => at),
        ['2026-12-10'],
      );
    });

    it('the steps go on after their time, and the pages say with how many it was not done', async () => {
      busy.add(reader);
      const { done, notLookedAt, notDone } = await told.liveOn({ days: 6 });
      assert.deepEqual([done, notLookedAt, notDone], [2, 0, 1]);
      assert.match(await (await fetch(told.pageUrl)).text(), /was not done with 1 reader in time/);
    });
  });

  it('over HTTP: begins, shows how far it is, refuses a second and any other move, and can be stopped', async () => {
    assert.deepEqual((await call('GET')).body, {
      running: false,
      from: '2026-11-10T12:00:00Z',
      until: '2026-11-10T12:00:00Z',
      now: '2026-11-10T12:00:00Z',
      steps: 0,
      done: 0,
      notLookedAt: 0,
      notDone: 0,
    });
    const begun = await call('POST', { days: '30', userId: reader, stepDays: 5 });
    assert.equal(begun.status, 202);
    const { running, until, steps, userId } = begun.body as LiveOnProgress;
    assert.deepEqual([running, until, steps, userId], [true, '2026-12-10T12:00:00Z', 6, reader]);
    const second = await call('POST', { days: 1 });
    assert.equal(second.status, 409);
    assert.match((second.body as { error: string }).error, /already: to 2026-12-10T12:00:00Z, \d of 6 steps are done/);
    await assert.rejects(sandbox.liveOn({ days: 1 }), /already/);
    assert.equal((await control(sandbox.url, 'POST', '/clock', { days: 1 })).status, 409);
    await eventually(async () => {
      const { done, now } = (await call('GET')).body as LiveOnProgress;
      assert.ok(done >= 2 && now >= '2026-11-20T12:00:00Z');
    });
    const stopped = (await call('DELETE')).body as LiveOnProgress;
    assert.equal(stopped.running, false);
    assert.ok(stopped.done < 6);
    assert.equal((await control(sandbox.url, 'POST', '/clock', { days: 1 })).status, 200);
    const whole = await call('POST', { days: 1, wait: true });
    assert.deepEqual([whole.status, (whole.body as LiveOnProgress).done], [200, 1]);
  });

  it('over HTTP: says what is wrong', async () => {
    assert.equal((await call('POST', {})).status, 400);
    assert.equal((await call('POST', { days: -1 })).status, 400);
    assert.equal((await call('POST', { weeks: 1 })).status, 400);
    assert.equal((await call('POST', { days: 1, stepDays: 8 })).status, 400);
    assert.equal((await call('POST', { days: 1, userId: 'email|0' })).status, 404);
    await assert.rejects(sandbox.liveOn({ days: 1 }, { userId: 'email|0' }), /no person/);
    assert.equal(((await call('GET')).body as LiveOnProgress).running, false);
  });

  it('on the pages: for everybody or the one reader, and how far it is', async () => {
    const open = async (path: string) => (await fetch(new URL(path, sandbox.pageUrl))).text();
    const own = `/people/${encodeURIComponent(reader)}`;
    const bodies = (text: string) =>
      [...text.matchAll(/data-url="\/_sandbox\/live-on" data-body="([^"]*)">([^<]+)</g)].map(([, body, label]) => [
        label,
        JSON.parse((body ?? '').replaceAll('&quot;', '"')),
      ]);
    const spans: [string, object][] = [
      ['20 minutes', { minutes: 20 }],
      ['an hour', { hours: 1 }],
      ['a day', { days: 1 }],
      ['a week', { days: 7 }],
      ['a month', { days: 30 }],
      ['a year', { days: 365 }],
    ];
    assert.deepEqual(bodies(await open('/')), spans);
    assert.deepEqual(
      bodies(await open(own)),
      spans.map(([label, span]) => [label, { ...span, userId: reader }]),
    );
    assert.match(await open('/'), /A year with everybody takes many minutes/);
    assert.match(await open(own), /The clock moves for everybody, .* look at Åsa only.*A year takes a minute or two/);
    assert.match(await open('/'), /Tuesday,? 10 November 2026, 12:00 UTC/);
    blindTo.add(reader);
    const end = sandbox.liveOn({ days: 30 }, { userId: reader });
    const text = await open(own);
    assert.match(text, /Living on from 2026-11-10 to 2026-12-10 with Åsa/);
    assert.match(text, /<progress value="0" max="10">/);
    assert.deepEqual(bodies(text), [['Stop', {}]]);
    await end;
    assert.match(await open(own), /30 days ahead of the real date/);
    assert.match(await open('/'), /1 reader was not looked at/);
  });

  it('the clock stays ahead over a restart, also one in the middle', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sesamy-clock-'));
    const options = {
      dataFile: join(folder, 'sesamy.json'),
      now: () => new Date('2026-11-10T12:00:00Z'),
      webhook: { url: program.url },
    };
    try {
      const first = await startSesamySandbox(options);
      const { id } = first.addPerson();
      const end = first.liveOn({ days: 30 }, { userId: id });
      await first.close();
      const { done, now } = await end;
      assert.equal(done, 1);
      const second = await startSesamySandbox(options);
      assert.deepEqual([second.world.timestamp(), second.world.ahead], [now, 3 * 86_400_000]);
      await second.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
