import type { Command } from 'commander';
import { fieldTable } from '../mapping/index.js';
import { command } from './options.js';
import { answer, type OutputOptions, table } from './output.js';

/** `fields`: the table of the mapping; needs no settings. */
export function fieldsCommand(): Command {
  return command('fields', 'the fields that a reader gets in Rule', [
    ['sesamy-rule fields', 'key, type, origin, and what a missing value does'],
    ['sesamy-rule fields --json', 'the same for programs'],
  ]).action((options: OutputOptions) => {
    const fields = fieldTable.map(({ key, type, description, derivation, missing, missingNote }) => {
      return { key, type, description, derivation, missing, ...(missingNote ? { missingNote } : {}) };
    });
    answer(options, fields, () => [
      table(
        ['field', 'type', 'if missing', 'what it is'],
        fields.map(({ key, type, missing, description }) => [key, type, missing, description]),
      ),
      'If missing: `clear` empties the field in Rule, `keep` leaves there what is there. Derivations: docs/fields.md, or --json.',
    ]);
  });
}
