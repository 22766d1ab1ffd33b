import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMap, isSeq, parseDocument } from 'yaml';
import { z } from 'zod';
import { codeOf, type Mistake, parseOptions, toMistakes } from './mistakes.js';
import type { VendorConfig } from './types.js';
import { type VendorDefaults, vendorSchema } from './vendor-schema.js';

/** The vendors of a file, as far as they could be read, and all that is wrong with it. */
export interface VendorsFile {
  vendors: VendorConfig[];
  mistakes: Mistake[];
}

/** Reads a vendors file in YAML or, what is a part of it, JSON. */
export function readVendorsFile(path: string, env: NodeJS.ProcessEnv, defaults: VendorDefaults): VendorsFile {
  let text: string;
  try {
    // A device could be read for ever.
    if (statSync(path).isCharacterDevice())
      return unusable('names a file that cannot be read (no file)', 'write the path of a YAML or JSON file');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return unusable(`names a file that cannot be read (${codeOf(error)})`, 'write the path of a YAML or JSON file');
  }
  const parsed = parse(text);
  if ('mistakes' in parsed) return { vendors: [], ...parsed };

  const schema = z.strictObject({ vendors: z.array(vendorSchema(env, { ...defaults, folder: dirname(path) })).min(1) });
  const result = schema.safeParse(parsed.content, parseOptions);
  const mistakes = [...toMistakes(result.error?.issues ?? []), ...doubledIds(parsed.content)];
  const vendors = result.data?.vendors ?? [];
  return { vendors, mistakes: [...mistakes, ...sharedAccounts(vendors)] };
}

function parse(text: string): { content: unknown } | { mistakes: Mistake[] } {
  // Codes and line numbers only: the library's messages quote the file, which could hold what nobody should print.
  const document = parseDocument(text, { prettyErrors: true, logLevel: 'silent' });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    return {
      mistakes: faults.map(({ code, linePos }) => ({
        variable: 'SESAMY_RULE_CONFIG',
        problem: `names a file that is not valid YAML or JSON (${code.toLowerCase()}, line ${linePos?.[0].line ?? '?'})`,
        mend: 'correct that line',
      })),
    };
  }
  if (!isMap(document.contents) || !isSeq(document.contents.get('vendors'))) {
    return unusable('names a file without a list of vendors', 'begin it with vendors: and an item for each');
  }
  try {
    return { content: document.toJS() };
  } catch {
    return unusable('names a file with aliases that grow without bound', 'write the members out');
  }
}

function doubledIds(content: unknown): Mistake[] {
  const vendors = z.object({ vendors: z.array(z.unknown()) }).safeParse(content).data?.vendors ?? [];
  const ids = vendors.map((vendor) => z.object({ id: z.string() }).safeParse(vendor).data?.id);
  return ids.flatMap((id, index) => {
    const first = ids.indexOf(id);
    if (id === undefined || first === index) return [];
    return [
      { variable: `vendors[${index}].id`, problem: `is that of vendors[${first}] too`, mend: 'give each vendor once' },
    ];
  });
}

/**
 * Two vendors in one Rule account would take each other's tags away from whoever reads both, an audit of the one would clear the readers of
 * the other as nobody's, and a block of the account would be known to one of them only.
 */
function sharedAccounts(vendors: readonly VendorConfig[]): Mistake[] {
  const accounts = vendors.map(({ rule }) => JSON.stringify([rule.apiUrl, rule.apiKey]));
  return accounts.flatMap((account, index) => {
    const first = accounts.indexOf(account);
    if (first === index) return [];
    return [
      {
        variable: `vendors[${index}].rule.apiKey`,
        problem: `is the key of the Rule account of vendors[${first}] too`,
        mend: 'give each vendor a Rule account of its own',
      },
    ];
  });
}

function unusable(problem: string, mend: string): VendorsFile {
  return { vendors: [], mistakes: [{ variable: 'SESAMY_RULE_CONFIG', problem, mend }] };
}
