import type { Command } from 'commander';
import { tagTable } from '../mapping/index.js';
import { command } from './options.js';
import { answer, type OutputOptions, table } from './output.js';

/** `tags`: the table of our tags and families of tags; needs no settings. */
export function tagsCommand(): Command {
  return command('tags', 'the tags that a reader gets in Rule', [
    ['sesamy-rule tags', 'name, meaning, and when it leaves'],
    ['sesamy-rule tags --json', 'the same for programs'],
  ]).action((options: OutputOptions) => {
    answer(options, tagTable, () => [
      table(
        ['tag', 'meaning', 'kept until'],
        tagTable.map(({ name, meaning, keptUntil }) => [name, meaning, keptUntil]),
      ),
      'Tags of other names are never touched. When each is given: docs/tags.md, or --json.',
    ]);
  });
}
