import type { ContractDuration, EntitlementType, IntervalUnit, Product } from './model.js';

/** A plan under which a product is sold. */
export interface PurchaseOption {
  id: string;
  name: string;
  price: number;
  duration: ContractDuration;
  interval?: IntervalUnit;
  /** How many intervals a period has. */
  times?: number;
  /** Print issues in a period. */
  issues?: number;
}

export interface CatalogueProduct extends Product {
  productType: EntitlementType;
  options: [PurchaseOption, ...PurchaseOption[]];
}

const single = (id: string, price: number): PurchaseOption => ({
  id,
  name: 'Engångsköp',
  price,
  duration: 'PERPETUAL',
});

function product(
  sku: string,
  title: string,
  productType: EntitlementType,
  ...options: CatalogueProduct['options']
): CatalogueProduct {
  return {
    sku: `sid:${sku}`,
    title,
    cover: `https://cdn.example.com/covers/${sku}.jpg`,
    language: 'sv',
    productType,
    ...(productType === 'article' ? { publisherContentId: `article-${sku}` } : {}),
    options,
    createdAt: '2024-01-15T09:00:00Z',
    updatedAt: '2025-06-01T09:00:00Z',
  };
}

export const digital = product(
  'fX2digitalDailyExmp1',
  'Daily Example Digital',
  'pass',
  { id: 'po-digital-manad', name: 'Månadsvis', price: 119, duration: 'RECURRING', interval: 'MONTH', times: 1 },
  { id: 'po-digital-ar', name: 'Årsvis', price: 1190, duration: 'RECURRING', interval: 'YEAR', times: 1 },
  { id: 'po-digital-vecka', name: 'Veckovis', price: 35, duration: 'RECURRING', interval: 'WEEK', times: 1 },
);

/** The same product under another number and spelling, as catalogues get them over the years (sesamy-api §7.1). */
export const digitalTwin = product('h7TwinDailyExample02', 'DAILY EXAMPLE – Digital', 'pass', {
  id: 'po-digital-student',
  name: 'Student',
  price: 59,
  duration: 'RECURRING',
  interval: 'MONTH',
  times: 1,
});

export const complete = product(
  'k3KomplettDailyExm03',
  'Daily Example Komplett: läs & lyssna',
  'bundle',
  { id: 'po-komplett-kvartal', name: 'Kvartal', price: 597, duration: 'RECURRING', interval: 'MONTH', times: 3 },
  {
    id: 'po-komplett-fast',
    name: '12 månader, utan förnyelse',
    price: 1990,
    duration: 'RENEWABLE',
    interval: 'YEAR',
    times: 1,
  },
);

export const weekend = product('w9HelgDailyExample04', 'Daily Example Helg på papper', 'physical_issue', {
  id: 'po-helg-13',
  name: '13 nummer',
  price: 390,
  duration: 'RECURRING',
  interval: 'MONTH',
  times: 3,
  issues: 13,
});

export const podcast = product('p5PoddDailyExample05', 'Skärgårdspodden', 'podcast', {
  id: 'po-podd-manad',
  name: 'Månadsvis',
  price: 49,
  duration: 'RECURRING',
  interval: 'MONTH',
  times: 1,
});

export const articles: [CatalogueProduct, ...CatalogueProduct[]] = [
  product('a1ArtikelExample0006', 'Så blev ån ren igen', 'article', single('po-artikel-1', 19)),
  product('a2ArtikelExample0007', 'Byn som köpte sin egen färja', 'article', single('po-artikel-2', 19)),
  product('a3ArtikelExample0008', '48 timmar i Österlen', 'article', single('po-artikel-3', 29)),
];

/** All that the invented magazine sells; a subscription comes first. */
export const catalogue: readonly CatalogueProduct[] = [digital, complete, weekend, podcast, digitalTwin, ...articles];
