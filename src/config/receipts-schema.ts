/** The member `receipts` of a vendor in the vendors file: its templates are read and tried here, so that a slip is found at start. */
import { z } from 'zod';
import {
  checkTemplate,
  defaultReceiptSettings,
  type ReceiptSettings,
  type ReceiptTemplate,
  receiptModes,
  type TemplatePart,
} from '../receipts/index.js';
import { readTemplateFile } from './template-file.js';
import * as values from './values.js';

const builtIn = defaultReceiptSettings.templates;
const parts: readonly TemplatePart[] = ['subject', 'html', 'text'];

/** @param folder what relative paths start from */
export function receiptsSchema(folder: string) {
  const file = (part: TemplatePart) =>
    z.string().transform((path, ctx) => {
      const read = readTemplateFile(path, folder);
      return 'problem' in read ? values.refuse(ctx, read.problem, read.mend) : checked(part, read.text, ctx, true);
    });
  const template = z.strictObject({
    subject: z
      .string()
      .transform((text, ctx) => checked('subject', text, ctx, false))
      .optional(),
    html: file('html').optional(),
    text: file('text').optional(),
  });
  return z
    .strictObject({
      mode: z.enum(receiptModes).default(defaultReceiptSettings.mode),
      from: z.strictObject({ name: values.senderName, email: values.emailAddress }).optional(),
      language: values.language.default(defaultReceiptSettings.language),
      amountUnit: z.enum(['major', 'minor']).default(defaultReceiptSettings.amountUnit),
      templates: z.record(values.language, template).default({}),
    })
    .superRefine(
      (receipts, ctx) => {
        for (const { path, message, mend } of gaps(receipts)) {
          ctx.addIssue({ code: 'custom', path, message, params: { mend } });
        }
      },
      // Beside the mistakes within the members, so that all are told at once.
      { when: ({ value }) => typeof value === 'object' && value !== null },
    )
    .transform(({ from, templates, ...receipts }): ReceiptSettings => {
      const own = Object.entries(templates).map(([language, given]) => [language, { ...builtIn[language], ...given }]);
      return {
        ...receipts,
        ...(from ? { from } : {}),
        templates: { ...builtIn, ...(Object.fromEntries(own) as Record<string, ReceiptTemplate>) },
      };
    });
}

function checked(part: TemplatePart, source: string, ctx: z.core.$RefinementCtx, isFile: boolean): string {
  const fault = checkTemplate(part, source);
  if (!fault) return source;
  return values.refuse(ctx, isFile ? `names a template that ${fault.problem}` : fault.problem, fault.mend);
}

/** What is not wrong by itself but lacks something else. Members that could not be read may hold anything. */
function gaps({ mode, from, language, templates }: Partial<Record<keyof ReceiptSettings, unknown>>) {
  const isLanguage = (name: unknown): name is string => values.language.safeParse(name).success;
  const all = Object.entries(typeof templates === 'object' ? (templates ?? {}) : {});
  const given = all.filter(([name]) => isLanguage(name));
  const found: { path: string[]; message: string; mend: string }[] = [];
  if (mode === 'transactional' && from === undefined) {
    const mend = 'add from: { name: …, email: … }, with an address that Rule may send from';
    found.push({ path: ['from'], message: 'is needed for transactional receipts', mend });
  }
  for (const [name, own] of given) {
    if (name in builtIn || typeof own !== 'object' || own === null) continue;
    for (const part of parts.filter((one) => !(one in own))) {
      const mend = `add it: only ${Object.keys(builtIn).join(' and ')} have templates of their own`;
      found.push({ path: ['templates', name, part], message: 'is missing', mend });
    }
  }
  const languages = [...new Set([...Object.keys(builtIn), ...given.map(([name]) => name)])];
  if (isLanguage(language) && !languages.includes(language)) {
    const mend = `write one of ${languages.join(', ')}, or add a template for it`;
    found.push({ path: ['language'], message: 'has no template', mend });
  }
  return found;
}
