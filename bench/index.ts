/** `npm run bench`: ratios of the program to what it is compared with, side by side in one run. docs/benchmarks.md says what they mean. */
import { Command, InvalidArgumentError } from 'commander';
import { installRuntime } from '../src/runtime.js';
import { stopSharedTemporal } from '../test/support/temporal.js';
import { traceLogger } from '../test/support/traces.js';
import { backfill } from './backfill.js';
import { events } from './events.js';
import type { BenchOptions, Figure } from './figure.js';
import { machine } from './machine.js';
import { queue } from './queue.js';
import { syncFloor } from './sync.js';
import { figureText, writeFigures } from './tables.js';
import { vendors } from './vendors.js';
import { webhook } from './webhook.js';
import { webhookToRule } from './webhook-to-rule.js';
import { year } from './year.js';

const figures: Record<string, (options: BenchOptions) => Promise<Figure>> = {
  sync: syncFloor,
  events,
  queue,
  webhook,
  'webhook-to-rule': webhookToRule,
  vendors,
  backfill,
  year,
};

const names = Object.keys(figures);

interface Options {
  json?: true;
  markdown?: true;
  check?: true;
  only: string[];
  rounds: number;
  size?: number;
  sizes?: number[];
}

const options = new Command('bench')
  .description('Measures the program against what it is compared with; needs nothing but this machine.')
  .option('--json', 'one JSON document on stdout')
  .option('--markdown', 'write the figures into docs/benchmarks.md')
  .option('--check', 'exit with 1 when a target is missed')
  .option('--only <names>', `some of the figures, with commas: ${names.join(', ')}`, chosen, names)
  .option('--rounds <number>', 'how often each side is measured', whole, 3)
  .option('--size <number>', 'people or samples of one side of a round; each figure has its own default', whole)
  .option('--sizes <numbers>', 'people of the backfills, with commas, for example 1000,10000,100000', (text: string) =>
    text.split(',').map(whole),
  )
  .addHelpText(
    'after',
    `
Examples:
  npm run bench
  npm run bench -- --only sync,webhook --rounds 5
  npm run bench -- --only backfill --sizes 1000,10000
  npm run --silent bench -- --json >figures.json`,
  )
  .parse()
  .opts<Options>();

const log = (line: string) => console.error(line);
const runtime = installRuntime(traceLogger());
const done: Figure[] = [];
let failed = 0;
for (const name of options.only) {
  log(`— ${name}`);
  try {
    const figure = await figures[name]?.({ ...options, log });
    if (figure) done.push(figure);
    if (figure && !options.json) console.log(figureText(figure));
  } catch (error) {
    failed += 1;
    log(`The figure ${name} could not be taken: ${error instanceof Error ? error.message : String(error)}`);
  }
}
if (options.json) console.log(JSON.stringify({ machine: machine(), figures: done }, undefined, 2));
if (options.markdown) await writeFigures(done, machine());
await stopSharedTemporal();
await runtime.shutdown();
const missed = done.some(({ results }) => results.some(({ verdict }) => verdict === 'missed'));
process.exit(failed > 0 || (options.check && missed) ? 1 : 0);

function chosen(text: string): string[] {
  const all = text.split(',');
  const unknown = all.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`Not a figure: ${unknown.join(', ')}.`);
  return all;
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('A whole number from 1 on is needed.');
  return number;
}
