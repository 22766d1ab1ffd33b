import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { freePort } from '../src/temporal/ports.js';
import { atOnce, type WorkerProcess } from '../test/support/cli.js';
import { type Bed, quiet, startBed } from './bed.js';
import type { PersonEvent } from './designs/activities.js';
import { lockMs, queueName } from './designs/queue.js';
import { type BenchOptions, type Figure, type Result, result } from './figure.js';

const theirName = 'BullMQ, a job an event';
/** Events that come together for each person: a purchase tells of itself in about so many. */
const burst = 5;
const limits = [
  { name: 'under a limit of 50 requests/s at Sesamy', rps: 50 },
  { name: 'without a limit', rps: 1_000 },
];

/** Against the usual way without Temporal: a queue in Redis, a job for each webhook, the same fetch, mapping and write. */
export async function queue({ rounds, size = 20, log }: BenchOptions): Promise<Figure> {
  const frame = {
    name: 'queue',
    title: 'Against a queue in Redis',
    conditions: `bursts of ${burst} events for ${size} people a round, everybody new to Rule`,
    rounds,
  };
  if (!hasRedis())
    return {
      ...frame,
      results: [],
      leftOut: 'There is no `redis-server` on this machine (Debian: `apt-get install redis-server`).',
    };
  const redis = await startRedis();
  try {
    const results: Result[] = [];
    for (const limit of limits) results.push(...(await compare(redis.port, limit, { rounds, size, log })));
    results.push(...(await killed(redis.port, size, log)));
    return { ...frame, results };
  } finally {
    await redis.stop();
  }
}

interface Side {
  start(): Promise<WorkerProcess>;
  send(events: PersonEvent[]): Promise<void>;
  close(): Promise<void>;
}

function sidesOf(bed: Bed, port: number): { ours: Side; theirs: Side } {
  const { subscribers } = bed.system;
  const jobs = new Queue<PersonEvent>(queueName, { connection: { host: '127.0.0.1', port } });
  jobs.on('error', () => {});
  return {
    ours: {
      start: () => bed.startWorker(),
      async send(events) {
        for (const { event, ...person } of events) {
          await subscribers.notify(person, { event, occurredAt: new Date().toISOString() });
        }
      },
      close: async () => {},
    },
    theirs: {
      start: async () => (await bed.startDesign('queue', { REDIS_PORT: String(port) })).process,
      async send(events) {
        for (const event of events)
          await jobs.add('event', event, { attempts: 3, backoff: { type: 'exponential', delay: 1_000 } });
      },
      async close() {
        await jobs.obliterate({ force: true });
        await jobs.close();
      },
    },
  };
}

async function compare(
  port: number,
  { name, rps }: (typeof limits)[number],
  { rounds, size, log }: Required<Pick<BenchOptions, 'rounds' | 'size' | 'log'>>,
): Promise<Result[]> {
  const bed = await startBed({ readers: size * 2 * (rounds + 1), rps });
  const sides = sidesOf(bed, port);
  try {
    const measured = { ours: [] as Round[], theirs: [] as Round[] };
    for (const side of ['ours', 'theirs'] as const) await sides[side].start();
    for (let round = 0; round <= rounds; round += 1) {
      for (const side of ['ours', 'theirs'] as const) {
        const one = await roundOf(
          bed,
          sides[side],
          bed.take(round === 0 ? Math.min(size, 5) : size),
          side === 'theirs',
        );
        if (round > 0) measured[side].push(one);
      }
      if (round === 0) continue;
      log(
        `queue ${name}, ${round}/${rounds}: ${measured.ours.at(-1)?.rate.toFixed(1)} and ${measured.theirs.at(-1)?.rate.toFixed(1)} events a second`,
      );
    }
    const pair = (what: string, unit: string, of: keyof Round, target?: { least?: number; most?: number }) =>
      result({
        what: `${name}: ${what}`,
        unit,
        ours: measured.ours.map((one) => one[of]),
        theirs: { name: theirName, values: measured.theirs.map((one) => one[of]) },
        ...(target ? { target } : {}),
      });
    return [
      pair('events handled', 'events/s', 'rate', rps < 1_000 ? { least: 1 } : undefined),
      pair('calls to Sesamy', 'calls/event', 'sesamy'),
      pair('calls to Rule', 'calls/event', 'rule'),
    ];
  } finally {
    await sides.theirs.close();
    await bed.close();
  }
}

interface Round {
  rate: number;
  sesamy: number;
  rule: number;
}

const eventsOf = (bed: Bed, userId: string): PersonEvent[] =>
  Array.from({ length: burst }, () => ({ vendorId: bed.system.vendorId, userId, event: 'contract.1#update' }));

async function roundOf(bed: Bed, side: Side, people: readonly string[], each: boolean): Promise<Round> {
  bed.sesamy.reset();
  bed.rule.reset();
  const from = performance.now();
  await atOnce(people, (userId) => side.send(eventsOf(bed, userId)), 20);
  const count = people.length * burst;
  const last = await quiet(bed, () => bed.sesamy.looks >= (each ? count : people.length));
  return {
    rate: count / ((last - from) / 1_000),
    sesamy: bed.sesamy.reads / count,
    rule: (bed.rule.reads + bed.rule.writes) / count,
  };
}

/** The worker is killed twice in the middle of its work; what is there in the end, and when. */
async function killed(port: number, size: number, log: (line: string) => void): Promise<Result[]> {
  const measured = { ours: { lost: 0, seconds: 0 }, theirs: { lost: 0, seconds: 0 } };
  for (const side of ['ours', 'theirs'] as const) {
    const bed = await startBed({ readers: size, rps: 15 });
    const { [side]: one, theirs } = sidesOf(bed, port);
    try {
      const people = bed.take(size);
      const there = () => people.filter((id) => bed.system.rule.subscriber(bed.addressOf(id))).length;
      const worker = await one.start();
      await atOnce(people, (userId) => one.send(eventsOf(bed, userId).slice(0, 1)), 20);
      await until(() => there() >= size / 5, 60_000);
      await worker.kill();
      const second = await one.start();
      // What the first had in hand goes to the second when its time is over: that one is killed with it in hand as well.
      const had = bed.sesamy.looks;
      await until(() => bed.sesamy.looks > had, 2 * lockMs);
      await second.kill();
      const from = performance.now();
      await one.start();
      await until(() => there() === size, 6 * lockMs);
      measured[side] = { lost: size - there(), seconds: (performance.now() - from) / 1_000 };
      log(`queue, killed: ${side} lost ${measured[side].lost} of ${size}`);
    } finally {
      await theirs.close();
      await bed.close();
    }
  }
  const pair = (what: string, unit: string, of: 'lost' | 'seconds') => {
    const [ours, theirs] = [measured.ours[of], measured.theirs[of]];
    const both = result({
      what: `killed twice: ${what}`,
      unit,
      ours: [ours],
      theirs: { name: theirName, values: [theirs] },
    });
    const { ratio: _none, ...without } = both;
    return without;
  };
  return [
    pair('people who never arrived', 'people', 'lost'),
    pair('until all were there, or given up', 's', 'seconds'),
  ];
}

async function until(isSo: () => boolean, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs;
  while (!isSo() && performance.now() < end) await delay(50);
}

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Redis as a queue needs it: every write is on disk within a second. */
async function startRedis(): Promise<{ port: number; stop(): Promise<void> }> {
  const port = await freePort('127.0.0.1');
  const folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-redis-'));
  const child: ChildProcess = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', ''],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ready = new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('Ready to accept connections')) resolve();
    });
  });
  await ready;
  return {
    port,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'close');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
