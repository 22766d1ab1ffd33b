/**
 * Receipts as mails of their own: the worker is killed at every HTTP call of such a delivery. Rule cannot be asked whether a mail went
 * out, so what is doubtful waits for a person; never is a mail sent twice for a bill.
 */
import assert from 'node:assert/strict';
import type { SubscriberStatus } from '../src/client.js';
import { emptyFolder, runCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { KillableSystem, type Point } from './support/killing.js';
import { addressOf } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import type { System } from './support/system.js';

interface Scene {
  /** The call at which the worker is killed. */
  call: string;
  when: Point['when'];
  point: (reader: Reader) => Omit<Point, 'when'>;
  vendor?: 'sesamy';
  /** Its path does not tell whom it is about, so it begins when nobody else is on the way there. */
  late?: true;
  /** After the next worker has taken over: whether a person has to decide, and how many mails have gone out. */
  inDoubt: boolean;
  mails: 0 | 1;
  /** What the person decides who looks whether the mail is there. */
  decision?: 'release' | 'discard';
  /** The worker is killed again, at the released mail. */
  killedAgain?: Point['when'];
}

interface Reader {
  id: string;
  ruleId: number;
  billId: string;
}

const both = (scene: Omit<Scene, 'when'>): Scene[] => [
  { ...scene, when: 'before' },
  { ...scene, when: 'after' },
];
const claim = { call: 'claim', point: ({ ruleId }: Reader) => post(`/v3/custom-field-data/${ruleId}$`) };
const mail = { call: 'mail', point: () => post('/v2/transactionals$'), late: true as const };
const claimed: Scene = { ...claim, when: 'after', inDoubt: true, mails: 0 };

const scenes: Scene[] = [
  ...both({
    call: 'look at who it is',
    point: ({ ruleId }) => get(`/v2/subscribers/${ruleId}\\?`),
    inDoubt: false,
    mails: 1,
  }),
  ...both({
    call: 'read of the bill',
    point: ({ billId }) => get(`/management/bills/${billId}`),
    vendor: 'sesamy',
    inDoubt: false,
    mails: 1,
  }),
  ...both({
    call: 'read of the reader and the address',
    // The sync before it reads them too.
    point: ({ id }) => ({ ...get(`/management/users/.*${id.slice(-6)}`), skip: 1 }),
    vendor: 'sesamy',
    inDoubt: false,
    mails: 1,
  }),
  { ...claim, when: 'before', inDoubt: false, mails: 1 },
  { ...claimed, decision: 'release' },
  { ...claimed, decision: 'release', killedAgain: 'before' },
  { ...claimed, decision: 'release', killedAgain: 'after' },
  { ...mail, when: 'before', inDoubt: true, mails: 0, decision: 'release' },
  { ...mail, when: 'after', inDoubt: true, mails: 1, decision: 'discard' },
  ...both({
    call: 'recalculation of segments',
    point: ({ ruleId }) => ({ method: 'PUT', path: `/v3/subscribers/${ruleId}/tags\\?` }),
    inDoubt: true,
    mails: 1,
    decision: 'discard',
  }),
];

function get(path: string): Omit<Point, 'when'> {
  return { method: 'GET', path };
}

function post(path: string): Omit<Point, 'when'> {
  return { method: 'POST', path };
}

describe('a worker is killed in the middle of a receipt that is a mail of its own', function () {
  this.timeout(180_000);
  let killable: KillableSystem;
  let system: System;
  const readers = new Map<Scene, Reader>();
  const readerOf = (scene: Scene) => readers.get(scene) as Reader;
  const mailsTo = ({ id }: Reader) => system.rule.transactions().filter(({ to }) => to === addressOf(id)).length;
  const twice = scenes.filter(({ killedAgain }) => killedAgain);

  before(async () => {
    killable = await KillableSystem.start({
      receipts: { mode: 'transactional', from: { name: 'Daily Example', email: 'no-reply@example.com' } },
    });
    system = killable.system;
    // One nudge for each bill: Sesamy's own two could let the sync run twice before anything is told.
    system.sesamy.webhooks.pause();
    const ids = scenes.map(() => aReader(system));
    for (const id of ids) await system.subscribers.resync(system.person(id));
    for (const [index, id] of ids.entries()) {
      await system.attempted(id);
      const ruleId = system.rule.subscriber(addressOf(id))?.id;
      assert.ok(ruleId);
      system.sesamy.renew(contractOf(id));
      const billId = system.sesamy.person(id)?.bills.at(-1)?.id;
      assert.ok(billId);
      readers.set(scenes[index] as Scene, { id, ruleId, billId });
    }
    const late = scenes.filter((scene) => scene.late);
    const begin = async (now: readonly Scene[]) => {
      for (const scene of now) killable.hold({ ...scene.point(readerOf(scene)), when: scene.when }, scene.vendor);
      const ids = now.map((scene) => readerOf(scene).id);
      await Promise.all(ids.map((id) => system.nudge(id, 'contract.1#update', { contractId: contractOf(id) })));
      await killable.untilHeld();
    };
    await begin(scenes.filter((scene) => !late.includes(scene)));
    // One by one, or they would be held at each other's points.
    for (const scene of late) await begin([scene]);
    await killable.kill();
    await killable.startWorker();
  });
  after(() => killable?.close());

  async function untilStatus(scene: Scene, check: (status: SubscriberStatus) => void): Promise<void> {
    const { id } = readerOf(scene);
    const what = `the ${scene.call}, ${scene.when}`;
    await eventually(
      async () => {
        const status = await system.status(id);
        assert.ok(status);
        assert.deepEqual(status.pending, []);
        check(status);
      },
      { timeoutMs: 60_000, what },
    );
  }

  const untilHeld = (scene: Scene) =>
    untilStatus(scene, ({ waiting }) =>
      assert.deepEqual(
        waiting.map(({ event, held }) => [event.billId, held]),
        [[readerOf(scene).billId, 'receipt']],
      ),
    );
  const untilTold = (scene: Scene, outcome: string) =>
    untilStatus(scene, ({ told, waiting }) => {
      assert.deepEqual(waiting, []);
      assert.deepEqual(
        told.map((one) => one.outcome),
        [outcome],
      );
    });

  async function untilListed(wanted: readonly Scene[]): Promise<void> {
    await eventually(
      async () => {
        const ids: string[] = [];
        for await (const { userId } of system.subscribers.list({ failureType: 'receipt/in-doubt' })) ids.push(userId);
        assert.deepEqual(ids.sort(), wanted.map((scene) => readerOf(scene).id).sort());
      },
      { timeoutMs: 30_000 },
    );
  }

  const decide = (scene: Scene, decision: 'release' | 'discard') =>
    system.subscribers.decide(system.person(readerOf(scene).id), decision, { what: 'receipt' });

  for (const scene of scenes.filter(({ killedAgain }) => !killedAgain)) {
    const { call, when, inDoubt, mails } = scene;
    const side = when === 'before' ? 'before it takes effect' : 'before its answer';
    const outcome = inDoubt
      ? `a receipt in doubt, ${mails === 0 ? 'which did not go out' : 'which did go out'}, is held and not sent again`
      : 'the receipt goes out once';
    it(`killed at the ${call} ${side}: ${outcome}`, async () => {
      await (inDoubt ? untilHeld(scene) : untilTold(scene, 'sent'));
      assert.equal(mailsTo(readerOf(scene)), mails);
    });
  }

  it('list --held names all that are in doubt, and nobody else', async () => {
    const doubtful = scenes.filter(({ inDoubt }) => inDoubt);
    await untilListed(doubtful);
    const { stdout } = await runCli(['list', '--held', '--json'], { env: system.env, cwd: emptyFolder });
    const { subscribers } = JSON.parse(stdout) as { subscribers: { userId: string; failureType?: string }[] };
    assert.deepEqual(
      subscribers.map(({ userId, failureType }) => `${userId} ${failureType}`).sort(),
      doubtful.map((scene) => `${readerOf(scene).id} receipt/in-doubt`).sort(),
    );
  });

  it('another nudge sends none of them again', async () => {
    const doubtful = scenes.filter(({ inDoubt }) => inDoubt);
    await Promise.all(doubtful.map((scene) => system.nudge(readerOf(scene).id, 'userVendor.1#update')));
    for (const scene of doubtful) {
      await system.attempted(readerOf(scene).id, 3);
      await untilHeld(scene);
      assert.equal(mailsTo(readerOf(scene)), scene.mails);
    }
  });

  it('release sends what did not go out, once; discard leaves it at the one mail that did', async () => {
    const decided = scenes.filter(({ decision, killedAgain }) => decision && !killedAgain);
    await Promise.all(decided.map((scene) => decide(scene, scene.decision ?? 'discard')));
    for (const scene of decided) {
      await untilTold(scene, scene.decision === 'release' ? 'sent' : 'discarded');
      assert.equal(mailsTo(readerOf(scene)), 1, scene.call);
    }
    await untilListed(twice);
  });

  it('killed while a released receipt is sent: in doubt again, not sent again', async () => {
    for (const scene of twice) {
      killable.hold({ ...mail.point(), when: scene.killedAgain ?? 'before' });
      await decide(scene, 'release');
      await killable.untilHeld();
    }
    await killable.kill();
    await killable.startWorker();
    for (const scene of twice) {
      await untilHeld(scene);
      assert.equal(mailsTo(readerOf(scene)), scene.killedAgain === 'before' ? 0 : 1);
    }
    await untilListed(twice);
    for (const scene of twice) {
      await decide(scene, scene.killedAgain === 'before' ? 'release' : 'discard');
      await untilTold(scene, scene.killedAgain === 'before' ? 'sent' : 'discarded');
    }
    await untilListed([]);
  });

  it('in the end every bill has had one mail and one row', () => {
    for (const scene of scenes) {
      const { id, billId } = readerOf(scene);
      assert.equal(mailsTo(readerOf(scene)), 1, scene.call);
      const rows = (system.rule.subscriber(addressOf(id))?.rows ?? []).map(({ group, values }) => [group, values.Id]);
      assert.deepEqual(rows, [['Sesamy_Receipt', billId]], scene.call);
    }
  });
});
