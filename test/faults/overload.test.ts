/**
 * More webhooks than Temporal takes: by a limit of the service, and by a server that stands still. The webhook server is a process of its
 * own, so that its memory is its own.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type EmbeddedTemporal, startEmbeddedTemporal } from '../../src/temporal/embedded.js';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.js';
import { type RunningCli, startCli } from '../support/cli.js';
import { eventually } from '../support/eventually.js';
import { plantedKeys } from '../support/markers.js';
import { type System, startSystem } from '../support/system.js';
import { temporalCli } from '../support/temporal.js';

/** Calls a second that Temporal takes of us. */
const limit = 20;
/** Webhooks a second, and for how long. */
const rate = Number(process.env.FAULT_WEBHOOKS_PER_SECOND || 120);
const seconds = Number(process.env.FAULT_FLOOD_SECONDS || 12);
/** Sesamy's patience is not known. The answer is due within five seconds; a machine that is busy with other tests takes longer. */
const patienceMs = 20_000;

interface Flood {
  /** Number of answers by status; `no answer` and why where none came in time. */
  answers: Record<string, number>;
  /** Readers whose webhook was answered with 202. */
  accepted: string[];
}

describe('more webhooks than Temporal takes', function () {
  this.timeout(240_000);
  const folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-overload-'));
  let temporal: EmbeddedTemporal;
  let system: System;
  let webhook: RunningCli;
  let url: string;
  const agent = new Agent({ connections: 2_000, headersTimeout: patienceMs });

  before(async () => {
    temporal = await startEmbeddedTemporal({
      executable: await temporalCli(),
      uiPort: false,
      dbFile: join(folder, 'temporal.db'),
      dynamicConfig: { 'frontend.namespaceRPS': limit, 'frontend.globalNamespaceRPS': limit },
    });
    system = await startSystem({ temporal: temporal.address, workers: false });
    await ensureSearchAttributes(system.client.connection, 'default');
    webhook = await startCli(['webhook'], { env: { ...system.env, LOG_LEVEL: 'error' } });
    url = /http:\/\/\S+/.exec(webhook.output.stdout)?.[0] ?? '';
    assert.ok(url, webhook.output.stdout);
    url = new URL('/webhooks/sesamy', url).href;
  });
  after(async () => {
    await agent.destroy();
    await webhook?.stop();
    await system?.close();
    await temporal?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function post(userId: string): Promise<string> {
    try {
      const { statusCode, body } = await request(url, {
        method: 'POST',
        dispatcher: agent,
        headers: { authorization: `Bearer ${plantedKeys.webhookSecret}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          eventType: 'contract.1#update',
          vendorId: system.vendorId,
          userId,
          occured_at: new Date().toISOString(),
        }),
      });
      await body.dump();
      return String(statusCode);
    } catch (error) {
      return `no answer, ${error instanceof Error && 'code' in error ? error.code : error}`;
    }
  }

  async function flood(name: string): Promise<Flood> {
    const result: Flood = { answers: {}, accepted: [] };
    const sent: Promise<void>[] = [];
    const begin = Date.now();
    for (let number = 0; number < rate * seconds; number += 1) {
      const due = begin + (1_000 * number) / rate;
      if (due > Date.now()) await delay(due - Date.now());
      const userId = `email|${name}-${number}`;
      sent.push(
        post(userId).then((answer) => {
          result.answers[answer] = (result.answers[answer] ?? 0) + 1;
          if (answer === '202') result.accepted.push(userId);
        }),
      );
    }
    await Promise.all(sent);
    return result;
  }

  /** In MiB, at its highest. */
  function memory(): number {
    const status = readFileSync(`/proc/${webhook.pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
  }

  async function missing(accepted: readonly string[]): Promise<string[]> {
    const there = new Set<string>();
    for await (const { userId } of system.subscribers.list({ vendorId: system.vendorId })) there.add(userId);
    return accepted.filter((userId) => !there.has(userId));
  }

  for (const { name, begin, end } of [
    { name: 'limited', begin: () => {}, end: () => {} },
    {
      name: 'stopped',
      begin: () => void process.kill(temporal.pid, 'SIGSTOP'),
      end: () => void process.kill(temporal.pid, 'SIGCONT'),
    },
  ]) {
    it(`Temporal is ${name}: 202 or 503 in time, bounded memory, what is accepted is there, and it recovers by itself`, async () => {
      await eventually(async () => assert.equal(await post('email|before'), '202'));
      const before = memory();
      begin();
      const { answers, accepted } = await flood(name).finally(end);
      const grown = memory() - before;
      assert.deepEqual(
        Object.keys(answers).filter((answer) => answer !== '202' && answer !== '503'),
        [],
        JSON.stringify(answers),
      );
      assert.ok(answers['503'], 'it was more than Temporal takes');
      assert.ok(grown < 150, `${grown} MiB more than before`);
      await eventually(async () => assert.equal(await post('email|after'), '202'), { timeoutMs: 30_000 });
      await eventually(async () => assert.deepEqual(await missing(accepted), []), { timeoutMs: 60_000 });
    });
  }
});
