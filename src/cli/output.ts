import Table from 'cli-table3';

/** Options that every command has. */
export interface OutputOptions {
  /** One JSON document on stdout instead of text for people. */
  json?: boolean;
}

/** Lets a reader such as `head` go away early: what is left to print is dropped instead of ending the process with an error. */
export function outliveReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** The answer of a command: for programs exactly one JSON document, for people the lines. */
export function answer(options: OutputOptions, document: unknown, lines: () => readonly string[]): void {
  const text = options.json ? JSON.stringify(document, undefined, 2) : lines().join('\n');
  process.stdout.write(`${text}\n`);
}

/** Something to know besides the answer: progress, questions, advice. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const widthOfPipes = 140;

/** A table for people. Long cells are wrapped where the terminal is narrow, but no word is cut: an id can be copied. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    head: [...head],
    colWidths: columnWidths([head, ...rows], process.stdout.columns || widthOfPipes),
    wordWrap: true,
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  drawn.push(...rows.map((row) => row.map(printable)));
  return drawn.toString();
}

/** What readers typed into a form may hold characters that steer a terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** The blanks that the table puts around each cell. */
const padding = 2;

/** What each column would like, the widest ones made narrower until the whole fits or only single words are left. */
function columnWidths(rows: readonly (readonly string[])[], room: number): number[] {
  const columns = (rows[0] ?? []).map((_, index) => rows.map((row) => row[index] ?? ''));
  const longest = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length)) + padding;
  const least = columns.map((cells) => longest(cells.flatMap((cell) => cell.split(' '))));
  const widths = columns.map(longest);
  for (let over = sum(widths) + widths.length + 1 - room; over > 0; over -= 1) {
    const spare = widths.map((width, index) => (width > (least[index] ?? 0) ? width : 0));
    const widest = Math.max(...spare);
    if (widest === 0) break;
    widths[spare.indexOf(widest)] = widest - 1;
  }
  return widths;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Names and what they are, one a line; those without a value are left out. */
export function facts(rows: readonly (readonly [name: string, value: string | undefined])[]): string[] {
  const shown = rows.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(...shown.map(([name]) => name.length)) + 2;
  return shown.map(([name, value]) => `${name.padEnd(width)}${value}`);
}
