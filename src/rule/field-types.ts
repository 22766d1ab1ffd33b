import type { RuleApi } from './api.js';
import { fieldTypesReply } from './schemas.js';
import type { CallOptions, RuleField } from './types.js';
import { type RulePage, readPage, wrongShape } from './v2-pages.js';

const path = '/v2/customizations';

const mostPages = 100;

/** Types of all fields by `Group.Field`, from all pages of `/customizations`. @throws VendorError `rule/wrong-shape` when they do not end */
export async function readFieldTypes(api: RuleApi, apiUrl: string, signal?: AbortSignal): Promise<Map<string, string>> {
  const types = new Map<string, string>();
  const asked = new Set<string>();
  let page: RulePage | undefined;
  do {
    asked.add(JSON.stringify(page));
    const { answer, next } = await readPage(api, apiUrl, { path, schema: fieldTypesReply, page, signal });
    for (const [key, type] of answer.types) types.set(key, type);
    page = next;
    if (asked.size > mostPages || (page && asked.has(JSON.stringify(page)))) {
      throw wrongShape(path, 'the pages do not end');
    }
  } while (page);
  return types;
}

/** A field to make, with the type that it keeps for ever (rule-api §9). */
export type RuleFieldSchema = Pick<RuleField, 'key' | 'type'>;

/** One v2 `POST /customizations` (rule-api §3): makes fields and their groups, never historical ones. No fields, no call. */
export async function createFields(
  api: RuleApi,
  fields: readonly RuleFieldSchema[],
  { signal }: CallOptions = {},
): Promise<void> {
  if (fields.length === 0) return;
  const json = { fields: fields.map(({ key, type }) => ({ key, type })) };
  const sent = { fields: fields.map(({ key }) => key) };
  await api.write({ method: 'POST', path, json, sent, signal });
}
