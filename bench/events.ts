import { performance } from 'node:perf_hooks';
import { workflowTaskQueue } from '../src/contract/index.js';
import { atOnce } from '../test/support/cli.js';
import { type Bed, type Design, quiet, startBed } from './bed.js';
import { type BenchOptions, type Figure, type Result, result } from './figure.js';

/** Webhooks that come at about the same time for one person, and how much better than a handler for each we mean to be. */
const bursts = [
  { events: 1, least: 1.3 },
  { events: 5, least: 4 },
  { events: 20, least: 12 },
];

/** Of one burst, which events Sesamy sends; the first is of a purchase. */
const types = [
  'contract.1#purchased',
  'entitlement.1#new',
  'contract.1#update',
  'userVendor.1#update',
  'entitlement.1#update',
];

const lanes = 20;

const designs = [
  { design: 'threeActivities', name: 'a workflow an event, three activities' },
  { design: 'oneActivity', name: 'a workflow an event, one activity' },
] as const;

interface Round {
  eventsPerSecond: number;
  writesPerEvent: number;
}

/** Events handled a second, and what they cost Rule, against the designs that suggest themselves, on the same engine and modules. */
export async function events({ rounds, size = 40, log }: BenchOptions): Promise<Figure> {
  const peopleOf = (burst: number) => Math.max(Math.min(size, 10), Math.round(size / burst));
  const needed = bursts.reduce((sum, burst) => sum + peopleOf(burst.events), 0) * rounds * 3 + 30;
  const bed = await startBed({ readers: needed });
  try {
    const { vendorId, subscribers } = bed.system;
    await bed.startWorker();
    const others: (Design & { design: string })[] = [];
    for (const { design } of designs) others.push({ design, ...(await bed.startDesign(design)) });
    const sides: ((userId: string, event: string, id: string) => Promise<unknown>)[] = [
      (userId, event) => subscribers.notify({ vendorId, userId }, { event, occurredAt: new Date().toISOString() }),
      ...others.map(
        ({ design, client }) =>
          (userId: string, event: string, id: string) =>
            client.workflow.start(design, {
              workflowId: `${design}/${id}`,
              taskQueue: workflowTaskQueue,
              args: [{ vendorId, userId, event }],
            }),
      ),
    ];
    for (const [index, send] of sides.entries()) await burstsOf(bed, 10, 1, send, index > 0);
    const results: Result[] = [];
    for (const { events: burst, least } of bursts) {
      const measured: Round[][] = sides.map(() => []);
      for (let round = 1; round <= rounds; round += 1) {
        for (const [index, send] of sides.entries()) {
          measured[index]?.push(await burstsOf(bed, peopleOf(burst), burst, send, index > 0));
        }
        const told = measured.map((side) => side.at(-1)?.eventsPerSecond.toFixed(1)).join(', ');
        log(`events, bursts of ${burst}, ${round}/${rounds}: ${told} a second`);
      }
      const [ours = [], ...compared] = measured;
      for (const [index, { name }] of designs.entries()) {
        const theirs = compared[index] ?? [];
        const values = (of: keyof Round, side: Round[]) => side.map((round) => round[of]);
        results.push(
          result({
            what: `bursts of ${burst}: events handled`,
            unit: 'events/s',
            ours: values('eventsPerSecond', ours),
            theirs: { name, values: values('eventsPerSecond', theirs) },
            target: { least },
          }),
          result({
            what: `bursts of ${burst}: events handled with one write to Rule`,
            unit: 'events/write',
            ours: ours.map(({ writesPerEvent }) => 1 / writesPerEvent),
            theirs: { name, values: theirs.map(({ writesPerEvent }) => 1 / writesPerEvent) },
            target: { least },
          }),
        );
      }
    }
    return {
      name: 'events',
      title: 'Events against the obvious designs on the same engine',
      conditions: `bursts for ${bursts.map(({ events }) => `${peopleOf(events)} people (${events} each)`).join(', ')} a round, ${lanes} people at once; everybody new to Rule`,
      rounds,
      results,
    };
  } finally {
    await bed.close();
  }
}

/** @param each whether every event is looked at for itself */
async function burstsOf(
  bed: Bed,
  people: number,
  burst: number,
  send: (userId: string, event: string, id: string) => Promise<unknown>,
  each: boolean,
): Promise<Round> {
  const ids = bed.take(people);
  bed.sesamy.reset();
  bed.rule.reset();
  const from = performance.now();
  await atOnce(
    ids,
    async (userId) => {
      for (let index = 0; index < burst; index += 1) {
        await send(userId, types[index % types.length] ?? '', `${userId}/${index}`);
      }
    },
    lanes,
  );
  const last = await quiet(bed, () => bed.sesamy.looks >= (each ? people * burst : people));
  for (const userId of ids) {
    if (!bed.system.rule.subscriber(bed.addressOf(userId))) throw new Error('An event was not handled.');
  }
  const events = people * burst;
  return { eventsPerSecond: events / ((last - from) / 1_000), writesPerEvent: bed.rule.writes / events };
}
