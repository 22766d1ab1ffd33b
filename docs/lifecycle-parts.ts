import { z } from 'zod';
import { eventGroup, eventRow } from '../src/activities/event-row.js';
import { vendorSchema } from '../src/config/vendor-schema.js';
import { type LifecycleEventType, lifecycleEventTypes } from '../src/contract/index.js';
import { eventTable, takenAwayBy } from '../src/lifecycle/index.js';
import { eventTag, fieldTable } from '../src/mapping/index.js';
import { defaultReceiptSettings, receiptValues } from '../src/receipts/index.js';
import { type Journey, journeys } from './journeys.js';
import { withPart } from './marked.js';
import { table } from './pages.js';

const code = (text: string) => `\`${text}\``;
const codes = (texts: readonly string[]) => texts.map(code).join(', ');

/** `docs/lifecycle.md` with all that is made from code brought up to date. */
export function withLifecycleParts(page: string): string {
  return [
    { name: 'events', source: 'src/lifecycle/event-table.ts', content: eventsTable() },
    { name: 'tags', source: 'src/lifecycle/event-table.ts', content: tagsTable() },
    { name: 'event row', source: 'src/activities/event-row.ts', content: eventColumns() },
    { name: 'receipt row', source: 'src/receipts/row.ts', content: receiptColumns() },
    { name: 'journeys', source: 'docs/journeys.ts', content: journeys.map(recipe).join('\n\n') },
  ].reduce(withPart, withLifecycleSettings(page));
}

/** A page with the table of the member `lifecycle` brought up to date. */
export function withLifecycleSettings(page: string): string {
  return withPart(page, { name: 'lifecycle', source: 'src/config/vendor-schema.ts', content: lifecycleSettings() });
}

function eventsTable(): string {
  return table(
    ['Event', 'What it tells', 'When exactly', 'Told, by default'],
    eventTable.map(({ type, meaning, condition, timing }) => [code(type), meaning, condition, timing]),
  );
}

/** Events that take away the tag of this one. */
function takersOf(type: LifecycleEventType): LifecycleEventType[] {
  return lifecycleEventTypes.filter((other) => takenAwayBy(other).includes(type));
}

function tagsTable(): string {
  return table(
    ['Tag', 'Row in', 'Takes away the tags of', 'Leaves when the same is told again, or'],
    eventTable.map(({ type, takesAway }) => [
      code(eventTag(type)),
      code(type === 'receipt' ? 'Sesamy_Receipt' : eventGroup),
      codes(takesAway) || 'none',
      codes(takersOf(type)) || 'nothing else',
    ]),
  );
}

const eventMeanings: Readonly<Record<string, string>> = {
  Id: 'Names the happening; the same happening always has the same one',
  Type: 'Which event',
  At: 'When it happened, by Sesamy’s dates as far as they tell; in the publisher’s time zone',
  Product: 'Titles of what the contract is about; left out where they are not known',
  Contract: 'Sesamy’s id of the contract',
  Stage: 'The reader’s stage when it was found',
};

function eventColumns(): string {
  const { values } = eventRow(
    {
      id: 'cancel-requested.c-84cc01.202611101200',
      type: 'cancel-requested',
      at: '2026-11-10T12:00:00.000Z',
      contractId: 'c-84cc01',
      product: 'The Daily Example',
      stage: 'cancelling',
    },
    { timeZone: 'Europe/Stockholm' },
  );
  return columns(values, eventMeanings);
}

const receiptMeanings: Readonly<Record<string, string>> = {
  Id: 'Sesamy’s id of the bill',
  Date: 'Day of the bill, in the publisher’s time zone',
  Amount: 'What was paid, with two decimals',
  Currency: 'Currency, as Sesamy gives it',
  Lines: 'Titles of what was bought',
  Url: 'Sesamy’s receipt, where there is one',
};

function receiptColumns(): string {
  const bill = {
    id: 'b-51d0aa',
    price: 129,
    currency: 'SEK',
    items: [{ sku: 'daily', title: 'The Daily Example' }],
    receiptUrl: 'https://example.com/receipts/b-51d0aa',
    createdAt: '2026-11-10T12:00:00.000Z',
  };
  return columns(receiptValues(bill, { ...defaultReceiptSettings, timeZone: 'Europe/Stockholm' }), receiptMeanings);
}

function columns(values: Readonly<Record<string, string>>, meanings: Readonly<Record<string, string>>): string {
  return table(
    ['Column', 'What it holds', 'For example'],
    Object.entries(values).map(([name, value]) => [code(name), meanings[name] ?? '', code(value)]),
  );
}

function recipe({ name, startsOn, mails, fields, note, apart }: Journey): string {
  const unknown = fields.filter((field) => !fieldTable.some(({ key }) => key === field));
  if (unknown.length > 0) throw new Error(`the journey ${name} has fields that do not exist: ${unknown.join(', ')}`);
  const takers = takersOf(startsOn);
  return [
    `### ${name}\n`,
    `- **Starts** on ${code(eventTag(startsOn))}`,
    `- **Mails**: ${mails}`,
    `- **Personalise** with ${codes(fields)}`,
    ...(note ? [`- ${note}`] : []),
    takers.length > 0
      ? `- **Ends** when that tag leaves: ${codes(takers)} ${takers.length > 1 ? 'take' : 'takes'} it away`
      : '- **Ends** by itself: nothing takes the tag away',
    ...(takenAwayBy(startsOn).length > 0
      ? [`- **Ends the flows** of ${codes(takenAwayBy(startsOn))}: it takes their tags away`]
      : []),
    ...apart.map(([events, how]) => `- **Not together with** ${codes(events)}: ${how}`),
  ].join('\n');
}

const settingMeanings: Readonly<Record<string, string>> = {
  onboardingDays: 'how long a new subscriber is `onboarding`, 0 to 366',
  renewalNoticeDays:
    'how many days before its end or renewal `renewal-due` is told; the stage is `renewal-due` from the first of them on. Whole numbers from 1 to 730; `[]` = never. At most half the term',
  renewalNoticeFromTermDays: 'how long a term that renews by itself must be to have a notice, in days, 0 to 366',
  cancelWaitMinutes: 'how long a cancellation waits for a regret before it is told, 0 to 10080',
  endedWaitMinutes: 'how long the end of the last subscription waits before it is told, 0 to 10080',
  winBackDays: 'how many days after the end `win-back` is told. Whole numbers from 1 to 730; `[]` = never',
  maxEventAgeDays: 'what happened longer ago is no news and starts nothing, 1 to 90',
  'events.{event}':
    '`false`: this event is never told, and has no row. `{event}` is one of the twelve, such as `renewed`',
  'brake.share': 'which share of all subscribers, from 0 to 1, may seem to leave within an hour',
  'brake.atLeast': 'how many people may do so in any case',
};

/** Members and defaults as the schema has them. */
function lifecycleSettings(): string {
  const defaults = {
    ...{ apiUrl: '', tokenUrl: '', audience: '', requestsPerSecond: 1, ruleApiUrl: '', timeZone: '', country: '' },
    ...{ webhookSecrets: [], hashKey: undefined, folder: '.' },
  };
  const schema = z.toJSONSchema(vendorSchema({}, defaults), { io: 'input', unrepresentable: 'any' });
  const members = leavesOf(memberOf(schema, 'lifecycle')).map(({ path, byDefault }) => {
    const meaning = settingMeanings[path];
    if (!meaning) throw new Error(`docs/lifecycle-parts.ts says nothing of lifecycle.${path}`);
    return [code(`lifecycle.${path}`), code(byDefault), meaning];
  });
  return table(['Member', 'Default', 'Meaning'], members);
}

type Schema = z.core.JSONSchema.BaseSchema;

function memberOf({ properties }: Schema, name: string): Schema {
  const member = properties?.[name];
  if (typeof member !== 'object') throw new Error(`there is no member ${name}`);
  return member;
}

function leavesOf(schema: Schema, path = ''): { path: string; byDefault: string }[] {
  if (path === 'events') return [{ path: 'events.{event}', byDefault: 'true' }];
  if (!schema.properties) return [{ path, byDefault: JSON.stringify(schema.default).replaceAll(',', ', ') }];
  return Object.keys(schema.properties).flatMap((name) =>
    leavesOf(memberOf(schema, name), path === '' ? name : `${path}.${name}`),
  );
}
