/** The last lines of a stream of output, for the message that says why a program failed. */
export class LastLines {
  readonly #limit: number;
  #lines: string[] = [];
  #rest = '';

  /** @param limit how many lines are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('utf8')).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lines = [...this.#lines, ...lines].slice(-this.#limit);
  }

  includes(words: string): boolean {
    return this.text().includes(words);
  }

  text(): string {
    return [...this.#lines, this.#rest].join('\n').trim();
  }
}
