import { isSinglePurchase, statusOf } from './contracts.js';
import { millisOf } from './dates.js';
import type { SourceContract, SourceEntitlement } from './source.js';
import { compareText, filled, slug } from './text.js';

/** What a person has access to now, for `Sesamy_ActiveProducts.*`; each list sorted, so that a repeated sync changes nothing. */
export interface ActiveProducts {
  skus: string[];
  /** One per product, which is one per slug of the title (sesamy-api §7.1). */
  titles: string[];
  optionTitles: string[];
}

/** Articles and issues on paper are no products of a subscriber; Sesamy lists them as a group of their own (sesamy-api §7.1). */
const singleItems = new Set(['article', 'physical_issue']);

/**
 * From the contracts with access, then from the entitlements that no contract of the person's own accounts for: external access, gifts
 * received, no origin (sesamy-api §7.1).
 */
export function activeProducts(
  contracts: readonly SourceContract[],
  entitlements: readonly SourceEntitlement[],
): ActiveProducts {
  // A contract's items do not say what they are; the entitlements do.
  const singles = new Set(entitlements.filter(({ type }) => singleItems.has(type)).map(({ sku }) => sku));
  const bought = oldestFirst(contracts.filter(({ isActive }) => isActive)).flatMap((contract) =>
    contract.items
      .filter(({ sku }) => !(isSinglePurchase(contract) && singles.has(sku)))
      .map(({ sku, name, purchaseOptionName }) => ({ sku, title: name, option: purchaseOptionName })),
  );
  const own = new Map(contracts.map((contract) => [contract.id, contract]));
  const given = oldestFirst(entitlements)
    .filter((entitlement) => entitlement.hasAccess && !singleItems.has(entitlement.type))
    .filter((entitlement) => !accountsFor(contractOf(entitlement, own)))
    .map(({ sku, title }) => ({ sku, title, option: undefined }));

  const products = [...bought, ...given];
  return {
    skus: distinct(
      products.map(({ sku }) => sku),
      (sku) => sku,
    ).sort(compareText),
    titles: bySlug(
      distinct(
        products.map(({ title }) => title),
        slugOrSelf,
      ),
    ),
    optionTitles: bySlug(
      distinct(
        products.map(({ option }) => option),
        (option) => option,
      ),
    ),
  };
}

function contractOf(
  { origin }: SourceEntitlement,
  own: ReadonlyMap<string, SourceContract>,
): SourceContract | undefined {
  return origin?.type === 'PAYMENTS' ? own.get(origin.contractId) : undefined;
}

/** A settled purchase gives access for ever (sesamy-api §3.4), also where its `isActive` no longer says so: its entitlements speak. */
function accountsFor(contract: SourceContract | undefined): boolean {
  return contract !== undefined && (contract.isActive || statusOf(contract) !== 'CLOSED');
}

/** "First seen wins" needs an order that does not depend on how Sesamy listed the rows. */
function oldestFirst<T extends { id: string; createdAt?: string }>(rows: readonly T[]): T[] {
  const age = ({ createdAt }: T) => millisOf(createdAt) ?? Number.MAX_SAFE_INTEGER;
  return [...rows].sort((a, b) => age(a) - age(b) || compareText(a.id, b.id));
}

/** The first of each key, blanks left out. */
function distinct(texts: readonly (string | undefined)[], key: (text: string) => string): string[] {
  const seen = new Map<string, string>();
  for (const text of texts.map(filled)) {
    if (text !== undefined && !seen.has(key(text))) seen.set(key(text), text);
  }
  return [...seen.values()];
}

/** A title in another script has no slug, but is still a title of its own. */
function slugOrSelf(title: string): string {
  return slug(title) || title.toLowerCase();
}

function bySlug(texts: readonly string[]): string[] {
  return [...texts].sort((a, b) => compareText(slug(a), slug(b)) || compareText(a, b));
}
