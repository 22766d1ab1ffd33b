/** Figures as tables: for a terminal, and in the documentation. */
import { readFile, writeFile } from 'node:fs/promises';
import Table from 'cli-table3';
import type { Figure, Result, Spread } from './figure.js';

const page = new URL('../docs/benchmarks.md', import.meta.url);

const heads = ['What', 'Unit', 'Ours', 'Compared with', 'Theirs', 'Ratio', 'Target', 'Verdict'];

function cells({ what, unit, ours, theirs, ratio, target, verdict }: Result): string[] {
  const aim = [target?.least && `≥ ${target.least}`, target?.most && `≤ ${target.most}`].filter(Boolean).join(', ');
  return [
    what,
    unit,
    span(ours),
    theirs?.name ?? '',
    theirs ? span(theirs) : '',
    ratio ? span(ratio) : '',
    aim,
    verdict === 'none' ? '' : verdict,
  ];
}

/** The median, and in brackets the least and the most of the rounds. */
function span({ median, min, max }: Spread): string {
  return min === max ? String(median) : `${median} (${min}–${max})`;
}

export function figureText({ title, conditions, rounds, results, leftOut }: Figure): string {
  if (leftOut) return `${title}: left out. ${leftOut}\n`;
  const table = new Table({ head: heads, style: { head: [], border: [] }, wordWrap: true });
  table.push(...results.map(cells));
  return `${title}\n${conditions}; ${counted(rounds)}\n${table.toString()}\n`;
}

function counted(rounds: number): string {
  return rounds === 1 ? '1 round' : `${rounds} rounds`;
}

function figureMarkdown({ conditions, rounds, results, leftOut }: Figure): string {
  if (leftOut) return `Left out. ${leftOut}`;
  const row = (all: string[]) => `| ${all.join(' | ')} |`;
  const lines = [row(heads), row(heads.map(() => '---')), ...results.map((one) => row(cells(one)))];
  return `${conditions}; ${counted(rounds)}.\n\n${lines.join('\n')}`;
}

/** Writes figures where the page has a place for them; those that were not taken stay as they are. */
export async function writeFigures(figures: readonly Figure[], machine: string): Promise<void> {
  let text = await readFile(page, 'utf8');
  const put = (name: string, content: string) => {
    const [begin, end] = [`<!-- figure: ${name} -->`, `<!-- /figure: ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for ${name}.`);
    text = `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
  };
  for (const figure of figures) put(figure.name, figureMarkdown(figure));
  put('machine', `${machine}.`);
  await writeFile(page, text);
}
