/** Workers as processes of their own, killed at a chosen HTTP call of a chosen reader. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Faults } from '../../sandbox/common/faults.js';
import { startWorkerProcess, type WorkerProcess } from './cli.js';
import { eventually } from './eventually.js';
import { type System, type SystemOptions, startSystem } from './system.js';

/** A call and the side of its effect on which it is held. */
export interface Point {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Regular expression, tested on path and query. */
  path: string;
  /** `before`: it never takes effect. `after`: it has, and its answer never arrives. */
  when: 'before' | 'after';
  /** Lets the first n such requests pass. */
  skip?: number;
}

/** Longer than any test; the client gives up after 15 s, so a worker has to be killed sooner than that. */
const forEver = 60 * 60_000;
const clientWaitsMs = 15_000;

/** A system whose only workers are processes that get killed. */
export class KillableSystem {
  private worker: WorkerProcess | undefined;
  private readonly held: { faults: Faults; id: string; what: string; from?: number }[] = [];

  private constructor(readonly system: System) {}

  /** @param vendor members of the vendor in the vendors file, such as `lifecycle` */
  static async start(vendor: Record<string, unknown> = {}, options: SystemOptions = {}): Promise<KillableSystem> {
    const file = join(mkdtempSync(join(tmpdir(), 'sesamy-rule-vendors-')), 'vendors.json');
    const content = {
      id: 'daily',
      sesamy: { clientId: 'client-daily', clientSecret: { env: 'SESAMY_CLIENT_SECRET' } },
      rule: { apiKey: { env: 'RULE_API_KEY' } },
      // Looks that come by themselves would blur what a kill has caused.
      timings: { extraLooksSeconds: [], recheckDays: 300 },
      ...vendor,
    };
    writeFileSync(file, JSON.stringify({ vendors: [content] }));
    const env = { ...options.env, SESAMY_RULE_CONFIG: file };
    const killable = new KillableSystem(await startSystem({ ...options, env, workers: false }));
    await killable.startWorker();
    return killable;
  }

  /** The next such request to Rule, or to Sesamy, is held until the worker is killed. */
  hold(point: Point, vendor: 'rule' | 'sesamy' = 'rule'): void {
    const { faults } = this.system[vendor];
    const id = faults.add({ kind: 'latency', ms: forEver, times: 1, ...point });
    this.held.push({ faults, id, what: `${point.method} ${point.path}, ${point.when}` });
  }

  /** Waits until every held request has come. */
  async untilHeld(): Promise<void> {
    await eventually(
      () => {
        const coming = this.held.filter(({ faults, id }) => faults.list().some((fault) => fault.id === id));
        for (const one of this.held) if (!coming.includes(one)) one.from ??= Date.now();
        assert.deepEqual(
          coming.map(({ what }) => what),
          [],
          'these requests have not come',
        );
      },
      { timeoutMs: 30_000, what: 'the points of the kill' },
    );
  }

  /** Kills the worker when every held request has come. What was held never goes on. */
  async kill(): Promise<void> {
    await this.untilHeld();
    await this.worker?.kill();
    this.worker = undefined;
    const killedAt = Date.now();
    for (const { from = 0, what } of this.held.splice(0)) {
      assert.ok(killedAt - from < clientWaitsMs, `the worker had given up by itself: ${what}`);
    }
  }

  async startWorker(): Promise<void> {
    assert.equal(this.worker, undefined, 'a worker runs already');
    this.worker = await startWorkerProcess(this.system.env);
  }

  async close(): Promise<void> {
    await this.worker?.kill();
    await this.system.close();
  }
}
