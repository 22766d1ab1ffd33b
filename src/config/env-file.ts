import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvFile as load } from 'node:process';
import { ConfigError, codeOf } from './mistakes.js';

/**
 * Sets what the file `.env` of a folder says as environment variables of this process; those that exist win. No file is fine.
 *
 * @throws {ConfigError} when there is one that cannot be read
 */
export function loadEnvFile(cwd: string = process.cwd()): void {
  const path = join(cwd, '.env');
  if (!existsSync(path)) return;
  try {
    load(path);
  } catch (error) {
    const problem = `cannot be read (${codeOf(error)})`;
    throw new ConfigError([
      { variable: '.env', problem, mend: 'make it a file that this user may read, or remove it' },
    ]);
  }
}
