import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Changes within this time are saved together. */
const settleMs = 500;

/** Keeps what a stand-in holds in one JSON file, so that it is there again after a restart. Without a file it does nothing. */
export class Store {
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();

  /** @param snapshot what to save, asked for when it is written. */
  constructor(
    private readonly file: string | undefined,
    private readonly snapshot: () => unknown,
  ) {}

  /** What was saved last, as parsed JSON. @throws when the file is there and is no JSON. */
  async load(): Promise<unknown> {
    if (!this.file) return undefined;
    try {
      return JSON.parse(await readFile(this.file, 'utf8'));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw new Error(`The stand-in cannot read ${this.file}; delete it to start anew.`, { cause: error });
    }
  }

  /** Says that something changed; it is saved soon. */
  changed(): void {
    if (!this.file || this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.save().catch((error: unknown) => console.error('The stand-in could not save what it holds:', error));
    }, settleMs).unref();
  }

  /** Saves for the last time. @throws when the file cannot be written. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.save();
  }

  /** One after another, each in full beside the old file and then in its place, so that a crash leaves a whole one. */
  private save(): Promise<void> {
    const { file } = this;
    if (!file) return Promise.resolve();
    const write = async () => {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(`${file}.new`, JSON.stringify(this.snapshot()));
      await rename(`${file}.new`, file);
    };
    this.saving = this.saving.then(write, write);
    return this.saving;
  }
}
