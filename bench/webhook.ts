import { performance } from 'node:perf_hooks';
import { atOnce, startCli } from '../test/support/cli.js';
import { nextId } from '../test/support/people.js';
import { startBed } from './bed.js';
import { type BenchOptions, type Figure, latencyResults, percentile } from './figure.js';

const lanes = 4;

/** How long a webhook waits for its answer, against the call that it makes: `signalWithStart` by the same client to the same server. */
export async function webhook({ rounds, size = 400, log }: BenchOptions): Promise<Figure> {
  const bed = await startBed({ readers: 0 });
  const { env, subscribers, vendorId } = bed.system;
  const server = await startCli(['webhook'], { env });
  try {
    const [url] = /http:\/\/\S+/.exec(server.output.stdout) ?? [];
    if (!url) throw new Error(`The webhook server does not say where it is: ${server.output.stdout}`);
    const event = 'contract.1#update';
    const sides = {
      webhook: async (userId: string) => {
        const { status } = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${env.WEBHOOK_SECRET}` },
          body: JSON.stringify({ eventType: event, vendorId, userId, occured_at: new Date().toISOString() }),
        });
        if (status !== 202) throw new Error(`A webhook was answered with ${status}.`);
      },
      bare: (userId: string) =>
        subscribers.notify({ vendorId, userId }, { event, occurredAt: new Date().toISOString() }),
    };
    const times = async (count: number, send: (userId: string) => Promise<void>): Promise<number[]> => {
      const all: number[] = [];
      await atOnce(
        Array.from({ length: count }, nextId),
        async (userId) => {
          const from = performance.now();
          await send(userId);
          all.push(performance.now() - from);
        },
        lanes,
      );
      return all;
    };
    const measured = { webhook: [] as number[][], bare: [] as number[][] };
    for (let round = 0; round <= rounds; round += 1) {
      const both = { webhook: [] as number[], bare: [] as number[] };
      // In short turns, so that what else the machine does meets both.
      const turns = round === 0 ? 1 : 8;
      for (let turn = 0; turn < turns; turn += 1) {
        for (const side of ['webhook', 'bare'] as const) {
          both[side].push(...(await times(Math.ceil(size / 8), sides[side])));
        }
      }
      // The first is for the processes to warm up.
      if (round === 0) continue;
      for (const side of ['webhook', 'bare'] as const) measured[side].push(both[side]);
      log(
        `webhook ${round}/${rounds}: p99 ${percentile(both.webhook, 0.99).toFixed(1)} and ${percentile(both.bare, 0.99).toFixed(1)} ms`,
      );
    }
    return {
      name: 'webhook',
      title: 'The answer to a webhook',
      conditions: `${size} calls of each side a round, ${lanes} at once, each for a new person; no worker runs`,
      rounds,
      results: latencyResults(
        'answer',
        measured.webhook,
        { name: 'signalWithStart', values: measured.bare },
        { most: 1.25 },
      ),
    };
  } finally {
    await server.stop();
    await bed.close();
  }
}
