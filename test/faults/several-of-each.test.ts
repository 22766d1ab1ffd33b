/**
 * Three workers and three webhook servers on one Temporal service, all of them processes: they are stopped, killed and started again one
 * after another under load, and Temporal is killed in the middle. A webhook that is not taken is sent again, as Sesamy does after a 5xx.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../../src/temporal/embedded.js';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.js';
import { type RunningCli, startCli, startWorkerProcess, type WorkerProcess } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { plantedKeys } from '../support/markers.js';
import { addressOf, aProfile } from '../support/people.js';
import { aReader, contractOf } from '../support/readers.js';
import { type System, startSystem } from '../support/system.js';
import { temporalCli } from '../support/temporal.js';

const people = Number(process.env.FAULT_PEOPLE || 40);
/** Sesamy requests a second, over all workers. */
const budget = 40;
/** Of the budget, in seconds of it: after a quiet time each process may go ahead of the others (see system-queue.test.ts). */
const headStart = 9;
const renewals = 3;
const dayMs = 24 * 60 * 60_000;
const at = (days: number) => new Date(Date.now() + days * dayMs).toISOString();

interface WebhookProcess extends RunningCli {
  url: string;
}

describe('three workers and three webhook servers, killed and rolled under load, and Temporal killed', function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-several-'));
  let temporal: EmbeddedTemporal;
  let system: System;
  const workers: WorkerProcess[] = [];
  const webhooks: WebhookProcess[] = [];
  let ids: string[];
  /** When requests to Sesamy began, in milliseconds. */
  let reads: number[];

  const startTemporal = async (port?: number) => {
    temporal = await startEmbeddedTemporal({
      executable: await temporalCli(),
      uiPort: false,
      dbFile: join(folder, 'temporal.db'),
      ...(port ? { port } : {}),
    });
  };
  const startWebhook = async (): Promise<WebhookProcess> => {
    const running = await startCli(['webhook'], { env: { ...system.env, LOG_LEVEL: 'error' } });
    const url = /http:\/\/\S+/.exec(running.output.stdout)?.[0] ?? '';
    return { ...running, url: new URL('/webhooks/sesamy', url).href };
  };

  let next = 0;
  let refused = 0;
  /** Sends until somebody takes it, each time to the next server, as a load balancer would. */
  async function send(userId: string): Promise<void> {
    const body = JSON.stringify({
      eventType: 'contract.1#update',
      vendorId: system.vendorId,
      userId,
      contractId: contractOf(userId),
      occured_at: new Date().toISOString(),
    });
    const headers = { authorization: `Bearer ${plantedKeys.webhookSecret}`, 'content-type': 'application/json' };
    for (;;) {
      next += 1;
      const url = webhooks[next % webhooks.length]?.url ?? '';
      const answer = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
      if (answer?.status === 202) return;
      assert.ok(answer === undefined || answer.status === 503, `answered ${answer?.status}`);
      refused += 1;
      await delay(300);
    }
  }

  /** Everybody's contract is renewed for another day, one reader after another, within so many seconds. */
  async function renewEverybody(round: number, seconds: number): Promise<void> {
    const sending: Promise<void>[] = [];
    for (const id of ids) {
      const held = system.sesamy.person(id);
      const contracts = (held?.contracts ?? []).map((one) => ({ ...one, updatedAt: at(0), nextBillAt: at(round) }));
      system.sesamy.setPerson({ ...held, profile: aProfile(id, { firstName: `Renewed ${round}` }), contracts });
      sending.push(send(id));
      await delay((1_000 * seconds) / ids.length);
    }
    await Promise.all(sending);
  }

  const told = (round: number) =>
    eventually(
      async () => {
        const behind = [];
        for (const id of ids) {
          const rows = system.rule.subscriber(addressOf(id))?.rows ?? [];
          if (rows.length < round) behind.push(id);
        }
        assert.deepEqual(behind, []);
      },
      { timeoutMs: 120_000, what: `renewal ${round} of everybody` },
    );

  before(async () => {
    await startTemporal();
    system = await startSystem({
      temporal: temporal.address,
      env: { SESAMY_RPS: String(budget) },
      workers: false,
    });
    system.sesamy.webhooks.setTarget(undefined);
    await ensureSearchAttributes(system.client.connection, 'default');
    system.rule.addAutomation({
      name: 'Renewed',
      trigger: { type: 'TAG', name: 'sesamy_event_renewed' },
      mails: [{ subject: 'Renewed', afterDays: 0 }],
    });
    for (const _one of [1, 2, 3]) {
      workers.push(await startWorkerProcess(system.env));
      webhooks.push(await startWebhook());
    }
    ids = Array.from({ length: people }, () => aReader(system, { contract: { nextBillAt: at(-1) } }));
    for (const id of ids) await system.subscribers.resync(system.person(id));
    await eventually(() => assert.equal(system.rule.size, people), { timeoutMs: 120_000 });
    system.sesamy.recorder.clear();

    const replaceWorker = async (index: number) => {
      await workers[index]?.kill();
      workers[index] = await startWorkerProcess(system.env);
    };
    const replaceWebhook = async (index: number) => {
      assert.equal(await webhooks[index]?.stop(), 0);
      webhooks[index] = await startWebhook();
    };
    // One worker after another is killed, and comes back.
    await Promise.all([
      renewEverybody(1, 8),
      (async () => {
        for (const index of [0, 1, 2]) await replaceWorker(index);
      })(),
    ]);
    await told(1);
    // One webhook server after another is stopped and started, as when a new version is rolled out.
    await Promise.all([
      renewEverybody(2, 8),
      (async () => {
        for (const index of [0, 1, 2]) await replaceWebhook(index);
      })(),
    ]);
    await told(2);
    // Temporal is killed, and a worker with it.
    await Promise.all([
      renewEverybody(3, 8),
      (async () => {
        await delay(2_000);
        await temporal.kill();
        await workers[0]?.kill();
        await delay(3_000);
        await startTemporal(Number(temporal.address.split(':')[1]));
        workers[0] = await startWorkerProcess(system.env);
      })(),
    ]);
    await told(3);
    reads = system.sesamy.recorder.requests
      .filter(({ path }) => path.startsWith('/management/'))
      .map(({ at: begun }) => Date.parse(begun));
  });
  after(async () => {
    for (const worker of workers) await worker.kill();
    for (const webhook of webhooks) await webhook.stop();
    await system?.close();
    await temporal?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('A20, A21: no event is lost and none is told twice, in the order in which they happened', () => {
    const wanted = (id: string) =>
      Array.from(
        { length: renewals },
        (_none, index) =>
          `renewed.${contractOf(id)}.${at(index + 1)
            .slice(0, 10)
            .replaceAll('-', '')}`,
      );
    for (const id of ids) {
      const held = system.rule.subscriber(addressOf(id));
      assert.deepEqual(
        held?.rows.map(({ values }) => values.Id),
        wanted(id),
      );
      const starts = system.rule
        .automationsStarted()
        .filter(({ subscriberId, automation }) => subscriberId === held?.id && automation === 'Renewed');
      assert.equal(starts.length, renewals);
      assert.equal(held?.fields['Subscriber.FirstName']?.value, `Renewed ${renewals}`);
    }
  });

  it('A20: webhooks that came while Temporal was away were answered with 503, and not lost', () => {
    assert.ok(refused > 0, 'nothing was refused');
  });

  it('the budget of Sesamy holds over all workers', () => {
    // In any window: as many as the budget allows in it, and the head start.
    for (const [index, begun] of reads.entries()) {
      const window = reads.slice(index).filter((one) => one - begun <= 10_000).length;
      assert.ok(window <= budget * (10 + headStart), `${window} reads within 10 s`);
    }
  });

  it('nobody is left behind, and everybody is looked after by one workflow', async () => {
    for (const id of ids) assert.equal((await system.status(id))?.state, 'ok');
    assert.equal(await system.subscribers.count({ vendorId: system.vendorId }), people);
    const { byStatus } = system.rule.counts();
    assert.equal(byStatus['429'] ?? 0, 0, JSON.stringify(byStatus));
  });
});
