import { z } from 'zod';

/** Members of a call, besides its fields, that Rule may name. */
const otherMembers = ['email', 'phone_number', 'tags', 'language'];

/** The one code so far: Rule's own words may quote the value. */
const code = 'refused';

/**
 * Which of the sent fields a refusal blames, from `fields` (v2) or `errors` (v3) of its body (rule-api §1.2). How Rule writes the path
 * of an entry is not documented, so an index (`subscribers.fields.3`, `subscribers[0].fields[3].value`) and a key
 * (`fields.Subscriber.Phone`) both count; where no path helps, a sent key that is quoted in a message. Only names that we sent come
 * out: nothing that the answer says goes further.
 */
export function blamedFields(body: unknown, sent: readonly string[]): Record<string, string> {
  const { fields, errors, message } = refusalSchema.parse(body);
  const entries = Object.entries(fields ?? errors ?? {});
  const byPath = entries.flatMap(([path]) => fieldOfPath(path, sent) ?? []);
  const quoted = () => [...entries.map(([, text]) => JSON.stringify(text)), message];
  const blamed = byPath.length > 0 ? byPath : quoted().flatMap((text) => keyIn(text, sent) ?? []);
  return Object.fromEntries(blamed.map((key) => [key, code]));
}

const entriesSchema = z.record(z.string(), z.unknown()).optional().catch(undefined);

/** Takes anything: a refusal that we cannot read blames nobody. */
const refusalSchema = z
  .object({ fields: entriesSchema, errors: entriesSchema, message: z.string().catch('') })
  .catch({ fields: undefined, errors: undefined, message: '' });

function fieldOfPath(path: string, sent: readonly string[]): string | undefined {
  const index = /(?:^|[.[\]])fields[\].[]+(\d+)/.exec(path)?.[1];
  const byIndex = index === undefined ? undefined : sent[Number(index)];
  return (
    byIndex ?? keyIn(path, sent) ?? otherMembers.find((name) => new RegExp(`(?:^|[.\\]])${name}(?:$|[.[])`).test(path))
  );
}

/** The longest sent key in a text, whole: `Subscriber.Phone` is not in `Subscriber.PhoneHome`. */
function keyIn(text: string, sent: readonly string[]): string | undefined {
  const lower = text.toLowerCase();
  return [...sent].sort((a, b) => b.length - a.length).find((key) => holdsWhole(lower, key.toLowerCase()));
}

function holdsWhole(text: string, key: string): boolean {
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    if (!/\w/.test(text[at - 1] ?? '') && !/\w/.test(text[at + key.length] ?? '')) return true;
  }
  return false;
}
