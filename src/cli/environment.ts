import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadEnvFile } from '../config/index.js';

/**
 * What a running `start` tells commands in other terminals: where its Temporal is and, with the stand-ins, how to reach them. Written
 * with the rights of its owner only; real keys are never in it.
 */
interface Running {
  pid: number;
  env: Record<string, string>;
}

/** The folder for what the program keeps on disk. */
export function dataFolderOf(env: NodeJS.ProcessEnv): string {
  return resolve(env.SESAMY_RULE_DATA || '.sesamy-rule');
}

/** The database of the embedded Temporal server: there as soon as `start` has run on this data folder. */
export function databaseOf(dataFolder: string): string {
  return join(dataFolder, 'temporal.db');
}

const runningFile = (dataFolder: string) => join(dataFolder, 'running.json');

export function announceRunning(dataFolder: string, env: Record<string, string>): void {
  const running: Running = { pid: process.pid, env };
  writeFileSync(runningFile(dataFolder), JSON.stringify(running, undefined, 2), { mode: 0o600 });
}

/** Takes back what this process announced; what another one did stays. */
export function forgetRunning(dataFolder: string): void {
  const file = runningFile(dataFolder);
  if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as Running).pid === process.pid) rmSync(file);
}

/** The `start` that runs on this data folder, if its process is alive. */
export function findRunning(dataFolder: string): Running | undefined {
  const file = runningFile(dataFolder);
  if (!existsSync(file)) return undefined;
  try {
    const running = JSON.parse(readFileSync(file, 'utf8')) as Running;
    return isOurs(running.pid) ? running : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The settings a command sees: the environment, then `.env` of the working folder, then what a running `start` announces, so that a
 * second terminal needs no settings of its own. With credentials of one's own only the address of Temporal is taken over.
 */
export function environment(): NodeJS.ProcessEnv {
  loadEnvFile(process.cwd());
  const own = process.env;
  const running = findRunning(dataFolderOf(own));
  if (!running) return own;
  const configured = Object.keys(own).some((name) =>
    /^(SESAMY_(CLIENT|VENDOR)_|RULE_API_KEY|SESAMY_RULE_CONFIG)/.test(name),
  );
  const offered = Object.entries(running.env).filter(([name]) => !configured || name.startsWith('TEMPORAL_'));
  return { ...Object.fromEntries(offered), ...own };
}

/** A crash leaves the file behind, and ids are given again: in a container even our own may stand in it. */
function isOurs(pid: number): boolean {
  if (pid === process.pid) return false;
  process.kill(pid, 0);
  const ofLinux = `/proc/${pid}/cmdline`;
  return !existsSync(ofLinux) || /sesamy-rule|cli\.[jt]s/.test(readFileSync(ofLinux, 'utf8'));
}

/** Whether the settings name a Temporal service; without one `start` runs an embedded server. */
export function namesTemporal(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.TEMPORAL_ADDRESS || env.TEMPORAL_PROFILE || env.TEMPORAL_CONFIG_FILE);
}
