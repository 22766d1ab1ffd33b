import { isRunning, isSinglePurchase, statusOf } from './contracts.js';
import type { MappingProblem } from './problems.js';
import type { MappingSettings } from './settings.js';
import type { Source, SourceEntitlement } from './source.js';
import { baseTag, type Family, families } from './tag-table.js';
import { slug } from './text.js';

/** Sesamy cuts tags here, prefix included (sesamy-api §5). */
const maxLength = 99;

const patterns: Record<Family, string> = {
  entitlement: `${families.entitlement}{product}`,
  sku: `${families.sku}{sku}`,
  skuOption: `${families.skuOption}{sku-option}`,
  custom: `${families.custom}{custom}`,
};

/** The tags a person should have, but for the stage's: sorted, each once; and what was wrong with their names. */
export function deriveTags(source: Source, settings: MappingSettings): { tags: string[]; problems: MappingProblem[] } {
  const named = [...productNames(source, settings), ...source.user.tags.map((tag) => nameOf('custom', tag))];
  const tags = new Set([baseTag, ...standardTags(source, settings), ...named.flatMap(({ tag }) => tag ?? [])]);
  return { tags: [...tags].sort(), problems: named.flatMap(({ problem }) => problem ?? []) };
}

/** sesamy-api §7.3. */
function standardTags({ contracts, entitlements }: Source, settings: MappingSettings): string[] {
  const own = new Set(contracts.map(({ id }) => id));
  const accessible = entitlements.filter(({ hasAccess }) => hasAccess);
  const gifted = accessible.some((entitlement) => isGift(entitlement, own));
  const has: Record<string, boolean> = {
    sesamy_active_subscriber: contracts.some(isRunning) || (gifted && settings.giftReceiverIsSubscriber),
    sesamy_overdue_contract: contracts.some((contract) => statusOf(contract) === 'OVERDUE'),
    sesamy_made_single_purchase: contracts.some(isSinglePurchase) || entitlements.some(isPaidArticle),
    sesamy_has_gifted_subscription: gifted,
    sesamy_has_external_access: accessible.some(({ origin }) => origin?.type === 'EXTERNAL'),
  };
  return Object.keys(has).filter((tag) => has[tag]);
}

/** Paid for, but by none of the person's own contracts. An article of that kind is a single purchase, not a subscription. */
function isGift(entitlement: SourceEntitlement, own: ReadonlySet<string>): boolean {
  const { origin } = entitlement;
  return origin?.type === 'PAYMENTS' && !own.has(origin.contractId) && !isPaidArticle(entitlement);
}

function isPaidArticle({ type, origin }: SourceEntitlement): boolean {
  return type === 'article' && origin?.type === 'PAYMENTS';
}

interface NamedTag {
  tag?: string;
  problem?: MappingProblem;
}

function productNames({ entitlements }: Source, { productTags }: MappingSettings): NamedTag[] {
  const named = entitlements.filter(
    ({ hasAccess, type }) =>
      hasAccess &&
      (type !== 'article' || productTags.articles) &&
      (type !== 'physical_issue' || productTags.physicalIssues),
  );
  return [
    ...named.map(({ title }) => nameOf('entitlement', title)),
    ...named.map(({ sku }) => nameOf('sku', sku)),
    ...named.flatMap(({ sku, purchaseOptionId }) =>
      purchaseOptionId ? nameOf('skuOption', `${sku}-${purchaseOptionId}`) : [],
    ),
  ];
}

function nameOf(family: Family, text: string): NamedTag {
  const ending = slug(text);
  if (!ending) return { problem: { field: patterns[family], code: 'empty-slug' } };
  const tag = families[family] + ending;
  if (tag.length <= maxLength) return { tag };
  return { tag: tag.slice(0, maxLength), problem: { field: patterns[family], code: 'tag-too-long' } };
}
