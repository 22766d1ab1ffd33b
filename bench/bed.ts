/** What all figures stand on: both stand-ins, a namespace on the run's Temporal server, invented readers, processes that do the work. */
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import type { SesamySandbox } from '../sandbox/sesamy/index.js';
import { connectTemporal } from '../src/temporal/connect.js';
import { startWorkerProcess, type WorkerProcess } from '../test/support/cli.js';
import { type System, startSystem } from '../test/support/system.js';
import { freshNamespace } from '../test/support/temporal.js';
import { type Calls, watchCalls } from './calls.js';

export interface Bed {
  system: System;
  sesamy: Calls;
  rule: Calls;
  /** Takes as many readers as nobody has taken yet: confirmed, with a subscription that is older than any event that may be told. */
  take(count: number): string[];
  /** Those of them whom Sesamy lists last. */
  takeLast(count: number): string[];
  addressOf(userId: string): string;
  /** `sesamy-rule worker`. */
  startWorker(): Promise<WorkerProcess>;
  /** A program of `designs/` in a namespace of its own, with the environment of the worker otherwise. */
  startDesign(design: string, more?: Record<string, string>): Promise<Design>;
  close(): Promise<void>;
}

export interface Design {
  client: Client;
  process: WorkerProcess;
  close(): Promise<void>;
}

export interface BedOptions {
  /** Readers that {@link Bed.take} can give. */
  readers?: number;
  /** Everybody at Sesamy; default as many as those readers need. */
  people?: number;
  /** Sesamy requests a second that the program is given; default as many as it takes, so that the machine is the limit. */
  rps?: number;
}

const main = fileURLToPath(new URL('./designs/main.ts', import.meta.url));
const month = 31 * 86_400_000;

export async function startBed({ readers = 0, people = readers * 4 + 32, rps = 1_000 }: BedOptions): Promise<Bed> {
  const system = await startSystem({
    // One in three is such a reader; the rest are guests, people without an address, people whose subscription has just begun…
    sesamy: { population: { people, seed: 7 } },
    rule: { switches: { allowedRequests: 1_000_000_000 } },
    env: { SESAMY_RPS: String(rps) },
    workers: false,
  });
  // Only the webhooks that a figure sends.
  system.sesamy.webhooks.setTarget(undefined);
  const fit = readersOf(system.sesamy);
  const sesamy = watchCalls(system.sesamy.recorder);
  const rule = watchCalls(system.rule.recorder);
  const processes: WorkerProcess[] = [];
  const designs: Design[] = [];
  return {
    system,
    sesamy,
    rule,
    take: (count) => enough(fit.splice(0, count), count),
    takeLast: (count) => enough(fit.splice(-count), count),
    addressOf: (userId) => system.sesamy.person(userId)?.profile.email ?? '',
    async startWorker() {
      const worker = await startWorkerProcess(system.env);
      processes.push(worker);
      return worker;
    },
    async startDesign(design, more = {}) {
      const env = { ...system.env, TEMPORAL_NAMESPACE: await freshNamespace(), ...more };
      const { client, connection } = await connectTemporal(env);
      const process = await startWorkerProcess(env, ['--import', import.meta.resolve('tsx'), main, design]);
      const one: Design = {
        client,
        process,
        async close() {
          if (!processes.includes(process)) return;
          processes.splice(processes.indexOf(process), 1);
          await process.kill();
          await connection.close();
        },
      };
      processes.push(process);
      designs.push(one);
      return one;
    },
    async close() {
      for (const design of designs) await design.close();
      for (const process of processes) await process.kill().catch(() => {});
      await system.close();
    },
  };
}

function enough(taken: string[], wanted: number): string[] {
  if (taken.length < wanted) throw new Error(`Too few invented readers: ${taken.length} of ${wanted}.`);
  return taken;
}

/** Readers who can be synced without any event: confirmed, with running subscriptions that are older than a month. */
export function readersOf(sesamy: SesamySandbox): string[] {
  const before = Date.now() - month;
  const holders = new Map<string, number>();
  for (const id of sesamy.world.userIds()) {
    const address = sesamy.person(id)?.profile.email?.toLowerCase() ?? '';
    holders.set(address, (holders.get(address) ?? 0) + 1);
  }
  return [...sesamy.world.userIds()].filter((id) => {
    const person = sesamy.person(id);
    const { profile, contracts = [] } = person ?? {};
    // Of two with one address only one is written.
    if (!profile?.email || holders.get(profile.email.toLowerCase()) !== 1) return false;
    if (!profile.emailVerified || Date.parse(profile.createdAt) > before) return false;
    return (
      contracts.length > 0 && contracts.every(({ createdAt, isActive }) => isActive && Date.parse(createdAt) < before)
    );
  });
}

/** Resolves when enough has come and neither vendor has been called for a while, with when the last call came in. */
export async function quiet(
  bed: Bed,
  enough: () => boolean,
  { forMs = 1_500, withinMs = 600_000 } = {},
): Promise<number> {
  const end = performance.now() + withinMs;
  for (;;) {
    const last = Math.max(bed.sesamy.last, bed.rule.last);
    if (enough() && performance.now() - last >= forMs) return last;
    if (performance.now() > end) throw new Error('The work of a round was not done in time.');
    await delay(20);
  }
}
