/** The command line as its users run it: a process of its own, in a folder of its own, with an environment of its own. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.js';
import { needles } from './markers.js';

/** As built: what is tested is what is published. */
const cli = fileURLToPath(new URL('../../dist/src/cli.js', import.meta.url));

/** Empty, so that neither an `.env` nor a running `start` of this checkout is found. */
export const emptyFolder = mkdtempSync(join(tmpdir(), 'sesamy-rule-cli-'));

export interface CliResult {
  /** Exit code. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** Stdout as the one JSON document that `--json` promises. */
  json<T = Record<string, unknown>>(): T;
}

interface CliOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Whoever reads the output goes away before there is any, as `head` may. */
  closeStdout?: boolean;
  /** What Node runs with the arguments; default the command line. */
  program?: readonly string[];
}

/** Runs a command to its end. Whatever it prints is searched for planted personal data, unless it is the one that may print it. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { child, output } = start(args, options);
  const [code] = (await once(child, 'close')) as [number | null];
  const { stdout, stderr } = output;
  if (args[0] !== 'preview') assertNothingPersonal(stdout + stderr);
  assert.doesNotMatch(stderr, /^\s+at .*\d+:\d+/m, `a stack trace was shown: ${stderr}`);
  return { code, stdout, stderr, json: <T>() => JSON.parse(stdout) as T };
}

/**
 * Runs a command as a person at a terminal does, and types the reply when a question has been asked. `script` gives it the terminal: it is
 * in every Debian (of util-linux) and in macOS (of BSD), each with options of its own.
 *
 * @returns what is seen on the terminal, stdout and stderr alike, and the exit code
 */
export async function runCliOnTerminal(
  args: readonly string[],
  reply: string,
  { env = {} }: CliOptions = {},
): Promise<{ code: number | null; screen: string }> {
  const words = [process.execPath, cli, ...args];
  const line = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const typescript = process.platform === 'darwin' ? ['-q', '/dev/null', ...words] : ['-qec', line, '/dev/null'];
  const child = spawn('script', typescript, {
    cwd: emptyFolder,
    env: { PATH: process.env.PATH, HOME: emptyFolder, TERM: 'dumb', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  let asked = false;
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    if (asked || !screen.includes('[y/N]')) return;
    asked = true;
    child.stdin.write(reply);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  assertNothingPersonal(screen);
  return { code, screen: screen.replaceAll('\r\n', '\n') };
}

export interface RunningCli {
  pid: number;
  /** What it has printed so far. */
  output: { stdout: string; stderr: string };
  /** Sends SIGTERM and answers the exit code. */
  stop(): Promise<number | null>;
  /** Its exit code, once it has ended by itself. */
  ended: Promise<number | null>;
}

/** Starts a command that runs until it is stopped; resolves when it has said on stdout that it runs. */
export async function startCli(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
  const { child, closed, output } = await startRunning(args, options);
  return {
    pid: child.pid ?? assert.fail('the process has no id'),
    output,
    ended: closed.then(([code]) => code),
    async stop() {
      child.kill('SIGTERM');
      // A child that does not stop must neither hold up the tests nor outlive them.
      const killer = setTimeout(() => child.kill('SIGKILL'), 40_000);
      const [code] = await closed;
      clearTimeout(killer);
      assertNothingPersonal(output.stdout + output.stderr);
      return code;
    },
  };
}

async function startRunning(args: readonly string[], options: CliOptions) {
  const { child, output } = start(args, options);
  const closed = once(child, 'close') as Promise<[number | null]>;
  await eventually(
    () => {
      assert.equal(child.exitCode, null, `${args.join(' ')} ended: ${output.stderr}`);
      assert.notEqual(output.stdout, '', 'nothing has been said yet');
    },
    { timeoutMs: 30_000, what: [...(options.program ?? []), ...args].join(' ') },
  );
  return { child, closed, output };
}

export interface WorkerProcess {
  pid: number | undefined;
  output: RunningCli['output'];
  /** Ends it as a power cut would: SIGKILL, nothing is cleaned up. Resolves when it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts `sesamy-rule worker`, or another program that says on stdout when it is ready; resolves when it takes work.
 *
 * @param program what Node is to run, with its arguments
 */
export async function startWorkerProcess(
  env: Record<string, string>,
  program: readonly string[] = [cli, 'worker'],
): Promise<WorkerProcess> {
  const { child, closed, output } = await startRunning([], { env, program });
  return {
    pid: child.pid,
    output,
    async kill() {
      child.kill('SIGKILL');
      await closed;
      assert.equal(child.signalCode, 'SIGKILL', `the worker had ended by itself: ${output.stderr}`);
      assertNothingPersonal(output.stdout + output.stderr);
    },
  };
}

/** Does the work for each item, a few at a time: a process takes longer to start than to do what is tested. */
export async function atOnce<T>(items: readonly T[], work: (item: T) => Promise<void>, lanes = 3): Promise<void> {
  const left = [...items];
  const lane = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function start(args: readonly string[], options: CliOptions) {
  const { env = {}, cwd = emptyFolder, closeStdout = false, program = [cli] } = options;
  const child: ChildProcess = spawn(process.execPath, [...program, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: emptyFolder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (closeStdout) child.stdout?.destroy();
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return { child, output };
}

function assertNothingPersonal(text: string): void {
  for (const needle of needles) assert.ok(!text.includes(needle), `personal data or a key was printed: ${needle}`);
}
