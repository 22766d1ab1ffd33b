import { type LifecycleEventType, lifecycleEventTypes } from '../contract/lifecycle.js';
import { type Stage, stages } from '../contract/stage.js';

/** On everybody who is synced; never removed. */
export const baseTag = 'sesamy';

/** The beginnings of the tag names that end in something of the publisher's: a product, a SKU, a tag. */
export const families = {
  entitlement: 'sesamy_active_entitlement_',
  sku: 'sesamy_active_sku_',
  skuOption: 'sesamy_active_sku_po_',
  custom: 'sesamy_tag_',
} as const;
export type Family = keyof typeof families;

const stagePrefix = 'sesamy_stage_';
const eventPrefix = 'sesamy_event_';

/** One tag or family of tags: the source of `docs/tags.md` and of `sesamy-rule tags`. */
export interface TagRow {
  /** The name, or a pattern with `{…}` for what varies. */
  name: string;
  /** What it tells a marketer. */
  meaning: string;
  /** When a person has it, in words. */
  rule: string;
  /** When it leaves. */
  keptUntil: string;
}

const accessEnds = 'access ends';

/** sesamy-api §5 and §7.3. */
export const tagTable: readonly TagRow[] = [
  { name: baseTag, meaning: 'Came from Sesamy', rule: 'Everybody who is synced', keptUntil: 'for ever' },
  {
    name: 'sesamy_active_subscriber',
    meaning: 'Has at least one running subscription',
    rule: 'A contract that is active and no single purchase; overdue ones, and cancelled ones with time left, included',
    keptUntil: 'the last one ends',
  },
  {
    name: 'sesamy_overdue_contract',
    meaning: 'A payment failed and is still being tried',
    rule: 'A contract with status OVERDUE',
    keptUntil: 'it is paid or expires',
  },
  {
    name: 'sesamy_made_single_purchase',
    meaning: 'Has bought a single item at least once',
    rule: 'A one-time contract, or a paid entitlement to an article',
    keptUntil: 'for ever',
  },
  {
    name: 'sesamy_has_gifted_subscription',
    meaning: 'Has access that somebody else paid for',
    rule: "A paid entitlement with access whose contract is not the reader's own; articles left out",
    keptUntil: accessEnds,
  },
  {
    name: 'sesamy_has_external_access',
    meaning: 'Has access by a partner, an access list or a code',
    rule: 'An external entitlement with access',
    keptUntil: accessEnds,
  },
  {
    name: `${families.entitlement}{product}`,
    meaning: 'Has access to the product, by title',
    rule: 'Each entitlement with access; articles and issues on paper only if configured',
    keptUntil: accessEnds,
  },
  {
    name: `${families.sku}{sku}`,
    meaning: 'Has access to the product, by SKU',
    rule: 'The same entitlements',
    keptUntil: accessEnds,
  },
  {
    name: `${families.skuOption}{sku-option}`,
    meaning: 'Has access to the product, by SKU and plan (id of the purchase option)',
    rule: 'The same entitlements, where they name a purchase option',
    keptUntil: accessEnds,
  },
  {
    name: `${families.custom}{custom}`,
    meaning: 'Has this tag in Sesamy',
    rule: 'Each custom tag of the profile',
    keptUntil: 'the tag is removed in Sesamy',
  },
  {
    name: `${stagePrefix}{stage}`,
    meaning: 'Where the reader stands, one at a time',
    rule: `One of: ${stages.join(', ')}`,
    keptUntil: 'the next stage',
  },
  {
    name: `${eventPrefix}{event}`,
    meaning: 'Something happened; starts an automation',
    rule: `One of: ${lifecycleEventTypes.join(', ')}`,
    keptUntil: 'a counter-event, or the same event again',
  },
];

const prefixes = Object.values(families);
const names = new Set([
  ...tagTable.map(({ name }) => name).filter((name) => !name.includes('{')),
  ...stages.map((stage) => stageTag(stage)),
  ...lifecycleEventTypes.map((type) => eventTag(type)),
]);

/** What stays although it no longer applies: for ever, or until another part of the program takes it away. */
const lasting = new Set([baseTag, 'sesamy_made_single_purchase', ...lifecycleEventTypes.map((type) => eventTag(type))]);

/**
 * Whether we put a tag of this name on people, now or in an older form such as `sesamy_active_entitlement_Premium Magazine`
 * (sesamy-api §5). Not by the prefix `sesamy_` alone: a marketer's own `sesamy_vip` is not ours.
 */
export function isOurTag(name: string): boolean {
  return names.has(name) || prefixes.some((prefix) => name.startsWith(prefix) && name.length > prefix.length);
}

/**
 * Which tags have to leave a person: ours that they hold and should not.
 * @param held the names of all the tags that Rule shows on the person
 * @param wanted all of ours that the person should have, the stage's included
 */
export function tagsToRemove(held: readonly string[], wanted: readonly string[]): string[] {
  const stay = new Set(wanted);
  return [...new Set(held)].filter((name) => isOurTag(name) && !stay.has(name) && !lasting.has(name));
}

/** Which tags a person should have and does not. Order as in `wanted`. */
export function missingTags(held: readonly string[], wanted: readonly string[]): string[] {
  return wanted.filter((tag) => !held.includes(tag));
}

export function stageTag(stage: Stage): string {
  return stagePrefix + stage;
}

/** The tag that starts the flow of an event. */
export function eventTag(type: LifecycleEventType): string {
  return eventPrefix + type;
}
