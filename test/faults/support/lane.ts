/**
 * One publisher with stand-ins and a worker of its own, beside others on one Temporal service. Its worker can die at any call: the
 * connections break in the middle, what it knew is gone, and its attempts end as the server sees those of a dead worker, without the 15
 * seconds that the server waits for a heartbeat. What a real process leaves behind when it is killed is in system-kill.test.ts.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import type { Fault } from '../../../sandbox/common/faults.js';
import { createActivities } from '../../../src/activities/index.js';
import type { SubscriberStatus } from '../../../src/client.js';
import { activityTaskQueue } from '../../../src/contract/index.js';
import { type OpenVendors, openVendors } from '../../../src/vendors.js';
import { type System, type SystemOptions, startSystem } from '../../support/system.js';
import { Connections } from './connections.js';
import type { Hub } from './hub.js';

export type Account = 'sesamy' | 'rule';

/** What can happen to one HTTP call. */
export const mishaps = {
  'times out before it arrives': { kind: 'latency', ms: 60_000 },
  'takes effect and times out': { kind: 'latency', ms: 60_000, when: 'after' },
  'takes effect and its answer is lost': { kind: 'hang-up', when: 'after' },
  'is answered with 429': { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  'is answered with 500': { kind: 'status', status: 500 },
  'is answered with 503': { kind: 'status', status: 503 },
  'takes effect and is answered with 503': { kind: 'status', status: 503, when: 'after' },
  'is answered with a web page': { kind: 'html' },
  'takes effect and is answered with a web page': { kind: 'html', status: 502, when: 'after' },
  'has its answer cut off': { kind: 'cut-body', when: 'after' },
  'is refused a connection': 'refused',
  'is the last of a worker that dies before it takes effect': 'died-before',
  'is the last of a worker that dies before its answer': 'died-after',
} as const satisfies Record<string, Fault | 'refused' | 'died-before' | 'died-after'>;

export type Mishap = keyof typeof mishaps;

/** So that a call that nobody answers costs a test little. */
const timeouts = { headersMs: 1_500, totalMs: 2_500, connectMs: 1_000, idleMs: 1_000 };

/** How the workflow sees an attempt whose worker is gone. */
const isGone = () => ApplicationFailure.create({ message: 'the worker is gone', type: 'temporal/timeout' });

/** From the start of a worker to its death. */
interface Life {
  vendors: OpenVendors;
  connections: Record<Account, Connections>;
  activities: ReturnType<typeof createActivities>;
  died: Promise<never>;
  die: () => void;
}

export class Lane {
  private life: Life | undefined;
  private readonly watches = new Set<Promise<void>>();
  private isOpen = true;
  deaths = 0;

  private constructor(
    private readonly hub: Hub,
    readonly system: System,
  ) {}

  static async start(hub: Hub, vendorId: string, options: SystemOptions = {}): Promise<Lane> {
    const system = await startSystem({
      ...options,
      namespace: hub.namespace,
      sesamy: { vendorId, ...options.sesamy },
      timings: { extraLooksMs: [], recheckMs: 300 * 86_400_000, ...options.timings },
      workers: false,
    });
    const lane = new Lane(hub, system);
    await lane.begin();
    await lane.work();
    return lane;
  }

  private stopWorker = async () => {};

  private async work(): Promise<void> {
    const alive = () => {
      assert.ok(this.life);
      return this.life;
    };
    // Until the worker is dead: whatever the attempt does after that is nobody's business, and reaches nobody.
    const mortal =
      <Input, Result>(name: keyof Life['activities']) =>
      async (input: Input): Promise<Result> => {
        const { activities, died } = alive();
        const work = (activities[name] as (input: Input) => Promise<unknown>)(input);
        work.catch(() => {});
        return (await Promise.race([work, died])) as Result;
      };
    const names = Object.keys(alive().activities) as (keyof Life['activities'])[];
    const worker = await Worker.create({
      connection: this.hub.connection,
      namespace: this.hub.namespace,
      taskQueue: activityTaskQueue(this.system.vendorId),
      activities: Object.fromEntries(names.map((name) => [name, mortal(name)])),
      maxConcurrentActivityTaskExecutions: 10,
      shutdownGraceTime: 100,
      shutdownForceTime: 5_000,
    });
    const run = worker.run();
    this.stopWorker = async () => {
      worker.shutdown();
      await run;
    };
  }

  /** A new process: new connections, no token, an open gate, nothing remembered. */
  private async begin(): Promise<void> {
    const connections = { sesamy: await Connections.create(), rule: await Connections.create() };
    const { config } = this.system;
    const vendors = openVendors(
      [
        {
          ...config,
          sesamy: Object.assign({ ...config.sesamy }, { dispatcher: connections.sesamy, timeouts }),
          rule: Object.assign({ ...config.rule }, { dispatcher: connections.rule, timeouts }),
        },
      ],
      this.hub.client,
    );
    const [vendor] = vendors.all;
    assert.ok(vendor);
    let die = () => {};
    const died = new Promise<never>((_resolve, reject) => {
      die = () => reject(isGone());
    });
    died.catch(() => {});
    this.life = { vendors, connections, activities: createActivities(vendor), died, die };
  }

  /** The worker dies at once, in the middle of whatever it does, and another one takes over. */
  async die(): Promise<void> {
    const before = this.life;
    assert.ok(before);
    this.deaths += 1;
    await this.begin();
    before.die();
    await Promise.allSettled([before.connections.sesamy.destroy(), before.connections.rule.destroy()]);
  }

  /** Number of calls that this worker has made to an account. */
  calls(account: Account): number {
    return this.life?.connections[account].count ?? 0;
  }

  /** Something happens to the call with this number from now on, the next one being 0. */
  plan(account: Account, number: number, mishap: Mishap): void {
    const fault = mishaps[mishap];
    if (fault === 'refused') {
      this.life?.connections[account].refuse(this.calls(account) + number);
      return;
    }
    const { faults } = this.system[account];
    if (typeof fault === 'object') {
      faults.add({ ...fault, skip: number, times: 1 });
      return;
    }
    const when = fault === 'died-before' ? 'before' : 'after';
    const id = faults.add({ kind: 'latency', ms: 3_600_000, when, skip: number, times: 1 });
    const watch = this.dieWhenMet(account, id).finally(() => this.watches.delete(watch));
    this.watches.add(watch);
  }

  private async dieWhenMet(account: Account, id: string): Promise<void> {
    const { faults } = this.system[account];
    while (this.isOpen) {
      if (!faults.list().some((fault) => fault.id === id)) {
        if (this.healing) return;
        await this.die();
        return;
      }
      await delay(10);
    }
  }

  private healing = false;

  /** Nothing goes wrong from now on. @returns how much of what was planned has not happened */
  async heal(): Promise<number> {
    this.healing = true;
    const left = this.system.sesamy.faults.list().length + this.system.rule.faults.list().length;
    this.system.sesamy.faults.clear();
    this.system.rule.faults.clear();
    await Promise.all(this.watches);
    this.healing = false;
    return left;
  }

  /**
   * Waits until nothing is to be done for a reader. Whoever is `retrying` is retried as a person could ask for: the workflow's own retry
   * comes after half a minute.
   */
  async atRest(userId: string, attempts = 1, timeoutMs = 120_000): Promise<SubscriberStatus> {
    const end = Date.now() + timeoutMs;
    let pressed = 0;
    for (;;) {
      const status = await this.patientStatus(userId, end);
      if (status && isQuiet(status, attempts)) return status;
      assert.ok(status?.state !== 'failed', `${userId} is failed: ${JSON.stringify(status?.failure)}`);
      assert.ok(Date.now() < end, `${userId} does not come to rest: ${JSON.stringify(status)}`);
      if (status?.state === 'retrying' && Date.now() > pressed) {
        pressed = Date.now() + 2_000;
        await this.system.subscribers.resync(this.system.person(userId));
      }
      await delay(250);
    }
  }

  /** A machine with too much to do answers late. */
  private async patientStatus(userId: string, end: number): Promise<SubscriberStatus | undefined> {
    for (;;) {
      try {
        return await this.system.status(userId);
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  }

  async close(): Promise<void> {
    this.isOpen = false;
    this.system.sesamy.faults.clear();
    this.system.rule.faults.clear();
    await Promise.all(this.watches);
    await this.stopWorker();
    this.life?.die();
    await this.life?.connections.sesamy.destroy();
    await this.life?.connections.rule.destroy();
    await this.system.close();
  }
}

function isQuiet({ attempts, pending, gained, waiting, state, erasure }: SubscriberStatus, least: number): boolean {
  if (erasure) return erasure.erasedAt !== undefined;
  return (
    attempts >= least &&
    pending.length === 0 &&
    gained.length === 0 &&
    waiting.every(({ held }) => held) &&
    (state === 'ok' || state === 'skipped')
  );
}
