/** What a seed stands for: who is there, what happens to them, and what goes wrong meanwhile. The same seed is the same plan everywhere. */
import { Random } from '../../../sandbox/sesamy/random.js';
import { type Account, type Mishap, mishaps } from './lane.js';

/** What can happen to a reader at Sesamy. */
export const turns = [
  'renews',
  'payment fails',
  'payment recovers',
  'cancels',
  'regrets',
  'ends',
  'runs again',
  'is renamed',
  'changes products',
  'moves to the other address',
  'gets a tag',
] as const;

/** What people do who have Rule or the command line before them. */
export const hands = [
  'unsubscribes in Rule',
  'is blocked in Rule',
  'is tagged by the marketer',
  'is edited in Rule',
  'is deleted in Rule',
  'is resynced',
  'is synced now',
  'is erased',
] as const;

/** What goes wrong for everybody. */
export const troubles = [
  'the worker dies',
  'Rule is down for a while',
  'Sesamy is down for a while',
  'Rule blocks the account',
  'Sesamy lists nothing for a while',
] as const;

export interface Step {
  afterMs: number;
  /** Number of the reader; absent for what happens to everybody. */
  reader?: number;
  what: (typeof turns)[number] | (typeof hands)[number] | (typeof troubles)[number];
  /** How late each webhook comes that tells of it; none where they are lost. */
  webhooksMs: number[];
}

export interface PlannedReader {
  /** In step before it begins; else unknown, and buys in the middle of it. */
  isKnown: boolean;
  /** Somebody whom we do not know is in Rule under the second address. */
  secondIsTaken: boolean;
}

export interface Plan {
  seed: number;
  readers: PlannedReader[];
  steps: Step[];
  mishaps: { account: Account; number: number; mishap: Mishap }[];
}

export function planOf(seed: number): Plan {
  const random = new Random('schedule', seed);
  const readers = Array.from({ length: random.int(2, 4) }, () => ({
    isKnown: random.chance(0.75),
    secondIsTaken: random.chance(0.25),
  }));
  const steps = Array.from({ length: random.int(4, 12) }, (): Step => {
    const afterMs = random.pick([0, 0, 20, 100, 300, 800]);
    const kind = random.next();
    if (kind > 0.85) return { afterMs, what: random.pick(troubles), webhooksMs: [] };
    const reader = random.int(0, readers.length - 1);
    if (kind > 0.68) return { afterMs, reader, what: handOf(random), webhooksMs: [] };
    const late = () => random.pick([0, 0, 50, 400, 1_500]);
    const webhooksMs = Array.from({ length: random.pick([0, 1, 1, 1, 2, 3]) }, late);
    return { afterMs, reader, what: random.pick(turns), webhooksMs };
  });
  const kinds = Object.keys(mishaps) as [Mishap, ...Mishap[]];
  const planned = Array.from({ length: random.int(1, 7) }, () => {
    const account = random.pick(['sesamy', 'rule', 'rule'] as const);
    return { account, number: random.int(0, 12 * readers.length), mishap: random.pick(kinds) };
  });
  return { seed, readers, steps, mishaps: planned };
}

/** What cannot be undone is rare, or there would be nobody left. */
function handOf(random: Random): (typeof hands)[number] {
  const hand = random.pick(hands);
  const isFinal = hand === 'is erased' || hand === 'is deleted in Rule';
  return isFinal && random.chance(0.5) ? 'is resynced' : hand;
}

/** For whoever reads of a seed that failed. */
export function inWords({ seed, readers, steps, mishaps: planned }: Plan): string {
  return [
    `SEED=${seed}`,
    ...readers.map(
      ({ isKnown, secondIsTaken }, number) =>
        `  reader ${number}: ${isKnown ? 'known' : 'new'}${secondIsTaken ? ', the second address is taken' : ''}`,
    ),
    ...planned.map(({ account, number, mishap }) => `  call ${number} to ${account} ${mishap}`),
    ...steps.map(({ afterMs, reader, what, webhooksMs }) => {
      const webhooks =
        reader === undefined || webhooksMs.length === 0 ? '' : `, webhooks after ${webhooksMs.join(', ')} ms`;
      return `  +${afterMs} ms: ${reader === undefined ? '' : `reader ${reader} `}${what}${webhooks}`;
    }),
  ].join('\n');
}
