import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { codeOf } from './mistakes.js';

/** Gmail cuts mails behind 102 KB. */
const longest = 200_000;

/** The text of a template's file, or what is wrong with it; relative paths start from the folder. */
export function readTemplateFile(path: string, folder: string): { text: string } | { problem: string; mend: string } {
  const mend = 'write the path of a Liquid file, from the folder of the vendors file on';
  try {
    const absolute = resolve(folder, path);
    const file = statSync(absolute);
    // A device or a pipe could be read for ever.
    if (!file.isFile()) return { problem: 'does not name a file', mend };
    if (file.size > longest)
      return { problem: `names a file of more than ${longest / 1000} KB`, mend: 'make it shorter' };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(absolute)) };
  } catch (error) {
    const code = codeOf(error);
    return code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
      ? { problem: 'names a file that is not UTF-8 text', mend: 'save it as UTF-8' }
      : { problem: `names a file that cannot be read (${code})`, mend };
  }
}
