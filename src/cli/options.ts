import { Argument, Command, InvalidArgumentError, Option } from 'commander';

/** A command with what all of them share: `--json`, and examples below its help. */
export function command(
  name: string,
  description: string,
  examples: readonly (readonly [line: string, what: string])[],
): Command {
  const width = Math.max(...examples.map(([line]) => line.length)) + 3;
  const lines = examples.map(([line, what]) => `  $ ${line.padEnd(width)}${what}`);
  return new Command(name)
    .description(description)
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
    .option('--json', 'print one JSON document on stdout');
}

/** The reader a command is about. Checked by `personOf`: commander would repeat a refused value, which could be an address. */
export function userIdArgument(): Argument {
  return new Argument('<userId>', "the reader's id at Sesamy, in quotes: 'email|84cc01…'");
}

export function vendorOption(): Option {
  return new Option('--vendor <id>', 'which publisher; needed where several are configured');
}

export interface VendorOption {
  vendor?: string;
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30m`, `2h`, `7d` before now, or an ISO date or instant (UTC where it has no zone). */
export function parseSince(value: string, now: () => Date = () => new Date()): Date {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(value) ?? [];
  if (amount && unit) return new Date(now().getTime() - Number(amount) * (unitMs[unit] ?? 0));
  const zoned = /T.*(Z|[+-]\d{2}:?\d{2})$/.test(value) ? value : `${value}${value.includes('T') ? '' : 'T00:00:00'}Z`;
  const date = new Date(zoned);
  if (!/^\d{4}-\d{2}-\d{2}/.test(value) || Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError('Write 30m, 2h, 7d, or an ISO date such as 2026-09-01.');
  }
  return date;
}

export function parseLimit(value: string): number {
  const limit = Number(value);
  if (!Number.isInteger(limit) || limit < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  return limit;
}

export function stageOption(stages: readonly string[]): Option {
  return new Option('--stage <stage>', 'only readers in this stage').choices(stages);
}

export function sinceOption(): Option {
  return new Option('--since <when>', 'failing since then or later: 30m, 2h, 7d or an ISO date').argParser(
    (value: string) => parseSince(value),
  );
}

export function failureTypeOption(): Option {
  return new Option('--failure-type <type>', "only this failure, for example 'rule/invalid'");
}
