/**
 * Who uses a development server's database file. SQLite would let a second server open it; both then trip over each other's locks
 * without a word that a person could act on. So each server's process id is noted beside the file.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { commandLine, isAlive } from './processes.js';

interface Owner {
  /** Process id of the server. */
  server: number;
  /** Process id of the program that started it. */
  starter: number;
}

/** The database file is in use by a living server. */
export class DatabaseInUseError extends Error {
  override name = 'DatabaseInUseError';
}

/**
 * Returns once no living server uses the file. A server whose starter has died is given a few seconds, since it is about to be stopped
 * by its watchdog. Throws {@link DatabaseInUseError} otherwise.
 */
export async function assertDatabaseIsFree(dbFile: string, patienceMs = 10_000): Promise<void> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const owner = await readOwner(dbFile);
    if (owner === undefined || !(await isServerOf(dbFile, owner.server))) return;
    if (isAlive(owner.starter)) {
      throw new DatabaseInUseError(
        `The Temporal database ${dbFile} is in use by a program that is running (process ${owner.starter}); stop that one first.`,
      );
    }
    if (Date.now() > until) {
      throw new DatabaseInUseError(
        `The Temporal database ${dbFile} is still in use by a server that an earlier run left behind; stop it with \`kill ${owner.server}\`.`,
      );
    }
    await delay(100);
  }
}

/** Notes that this server, started by this process, uses the file. */
export async function noteDatabaseOwner(dbFile: string, server: number): Promise<void> {
  const owner: Owner = { server, starter: process.pid };
  await writeFile(ownerFile(dbFile), JSON.stringify(owner));
}

/** Removes the note; to be called once the server has ended. */
export async function forgetDatabaseOwner(dbFile: string): Promise<void> {
  await rm(ownerFile(dbFile), { force: true });
}

function ownerFile(dbFile: string): string {
  return `${dbFile}.owner.json`;
}

async function readOwner(dbFile: string): Promise<Owner | undefined> {
  try {
    const owner = JSON.parse(await readFile(ownerFile(dbFile), 'utf8')) as Partial<Owner>;
    const { server, starter } = owner;
    return Number.isInteger(server) && Number.isInteger(starter) ? (owner as Owner) : undefined;
  } catch {
    return undefined;
  }
}

/** Process ids are used again, so after a reboot the noted one may be anybody: it is the server if its command line names the file. */
async function isServerOf(dbFile: string, pid: number): Promise<boolean> {
  return isAlive(pid) && ((await commandLine(pid)) ?? dbFile).includes(dbFile);
}
