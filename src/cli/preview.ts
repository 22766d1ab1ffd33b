import type { Command } from 'commander';
import { loadConfig } from '../config/index.js';
import { openVendors } from '../vendors.js';
import { environment } from './environment.js';
import { UsageError } from './errors.js';
import { command, userIdArgument, type VendorOption, vendorOption } from './options.js';
import { answer, facts, type OutputOptions, table } from './output.js';
import { type Preview, readPreview } from './preview-read.js';
import { named, noVendors, personOf } from './session.js';
import { reasons } from './story.js';

interface PreviewOptions extends OutputOptions, VendorOption {
  recreate?: boolean;
}

/** `preview`: old beside new for one reader. */
export function previewCommand(): Command {
  const preview = command('preview', 'show what would be written for a reader, old beside new; writes nothing', [
    ["sesamy-rule preview 'email|84cc01'", 'fields and tags: + comes, − goes, ~ changes, = stays'],
    [
      "sesamy-rule preview 'email|84cc01' --recreate",
      'as if the reader were to be written again after a deletion in Rule',
    ],
  ]);
  return preview
    .addHelpText('after', '\nThis is the only command that prints personal data: mind where its output goes.')
    .addArgument(userIdArgument())
    .addOption(vendorOption())
    .option('--recreate', 'look past a deletion in Rule')
    .action(show);
}

async function show(userId: string, options: PreviewOptions): Promise<void> {
  const env = environment();
  const config = loadConfig(env, { webhook: false });
  const person = personOf(config, userId, options.vendor);
  const vendors = openVendors(config.vendors);
  try {
    const vendor = vendors.get(person.vendorId);
    if (!vendor) throw new UsageError(noVendors);
    const preview = await readPreview(vendor, person, { env, recreate: options.recreate === true });
    answer(options, preview, () => tell(preview, named(userId, options.vendor)));
  } finally {
    await vendors.close();
  }
}

const verdicts: Readonly<Record<Preview['verdict'], string>> = {
  create: 'would be written to Rule for the first time',
  update: 'would be changed in Rule',
  unchanged: 'Rule holds all of it already',
  skip: 'would not be written',
};

function tell({ userId, verdict, reason, ruleId, stage, suppressed, changes }: Preview, reader: string): string[] {
  const head = facts([
    ['Reader', userId],
    ['Verdict', `${verdicts[verdict]}${reason ? `: ${reasons[reason]}` : ''}`],
    ['Rule id', ruleId === undefined ? undefined : String(ruleId)],
    ['Stage', stage],
    ['Suppressed', suppressed ? 'in Rule; stays so' : undefined],
  ]);
  if (!changes) return head;
  const { email, fields, tags, otherTags, problems } = changes;
  return [
    ...head,
    '',
    table(
      ['', 'field', 'in Rule', 'new'],
      [email, ...fields].map((row) => [row.mark, row.key, row.old, row.new]),
    ),
    table(
      ['', 'tag'],
      tags.map(({ mark, tag }) => [mark, tag]),
    ),
    ...(otherTags > 0 ? [`Tags that are not ours: ${otherTags}; they stay.`] : []),
    ...problems.map(({ field, code }) => `Problem: ${field}: ${code}`),
    verdict === 'unchanged'
      ? 'Nothing was written, and nothing is to be written.'
      : `Nothing was written. To write it: sesamy-rule resync ${reader}`,
  ];
}
