import type { z } from 'zod';

/** One mistake in the settings, with what to do about it. Never holds the value: it could be a secret. */
export interface Mistake {
  /** Name of the environment variable, or the path in the vendors file: `vendors[1].rule.apiKey`. */
  variable: string;
  /** What is wrong, to be read after the variable's name: `is not set`. */
  problem: string;
  /** What mends it, as a request: `set it to the key of …`. */
  mend: string;
}

/** The settings cannot be used. The message lists every mistake on a line of its own and is meant for people. */
export class ConfigError extends Error {
  override name = 'ConfigError';

  constructor(readonly mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? 'is one mistake' : `are ${mistakes.length} mistakes`;
    const lines = mistakes.map(({ variable, problem, mend }) => `  ${variable} ${problem}; ${mend}`);
    super([`There ${count} in the settings:`, ...lines].join('\n'));
    // Where in our code the mistake was noticed helps nobody.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** The mistakes behind zod's issues. `root` is put before the path; where there is no path it stands alone. */
export function toMistakes(issues: readonly z.core.$ZodIssue[], root = ''): Mistake[] {
  return issues.flatMap((issue) => {
    const variable = pathText(issue.path, root);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        variable: pathText([...issue.path, key], root),
        problem: 'is not a member that is known here',
        mend: 'correct its spelling or remove it',
      }));
    }
    return [{ variable, ...describe(issue) }];
  });
}

function describe(issue: z.core.$ZodIssue): Pick<Mistake, 'problem' | 'mend'> {
  switch (issue.code) {
    case 'custom':
      return { problem: issue.message, mend: String(issue.params?.mend ?? 'correct it') };
    case 'invalid_type': {
      const kind = kinds[issue.expected] ?? issue.expected;
      return issue.message === missing
        ? { problem: missing, mend: `add it: ${kind}` }
        : { problem: `is not ${kind}`, mend: `write ${kind}` };
    }
    case 'invalid_value':
      return { problem: 'is none of the possible values', mend: `write ${issue.values.map(String).join(' or ')}` };
    case 'invalid_key': {
      const [within] = issue.issues;
      return within ? describe(within) : { problem: 'is not valid', mend: 'correct it' };
    }
    case 'too_small':
      return { problem: 'is empty', mend: 'add at least one' };
    default:
      return { problem: 'is not valid', mend: 'correct it' };
  }
}

const kinds: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of members',
  record: 'a mapping of members',
};

const missing = 'is missing';

/** Error texts of our own for a `safeParse` whose issues go to {@link toMistakes}. */
export const parseOptions: z.core.ParseContext<z.core.$ZodIssue> = {
  error: (issue) => (issue.input === undefined ? missing : undefined),
};

function pathText(path: readonly PropertyKey[], root: string): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, root);
}

/** `ENOENT` and the like; a system error's message would repeat the path, which may be a secret in the wrong variable. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
