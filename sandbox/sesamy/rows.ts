import type { CatalogueProduct, PurchaseOption } from './catalogue.js';
import type { Bill, Contract, Entitlement, Origin, Transaction } from './model.js';
import { addIntervals } from './time.js';

/** Invented hosts below example.com; nothing answers there. */
const site = 'https://daily.example.com';

export interface ContractInput {
  id: string;
  userId: string;
  product: CatalogueProduct;
  option: PurchaseOption;
  createdAt: string;
  /** Begin of the running period; `createdAt` when left out. */
  periodStart?: string;
}

/** A contract as it is just after the purchase: running, or settled when it is a single purchase (sesamy-api §3.4). */
export function newContract({
  id,
  userId,
  product,
  option,
  createdAt,
  periodStart = createdAt,
}: ContractInput): Contract {
  const end = option.interval && addIntervals(periodStart, option.interval, option.times ?? 1);
  const recurring = option.duration === 'RECURRING' && end !== undefined;
  return {
    id,
    name: product.title,
    userId,
    createdAt,
    updatedAt: periodStart,
    price: option.price,
    currency: 'SEK',
    nextBillAt: recurring ? end : null,
    nextPrice: recurring ? option.price : null,
    status: option.duration === 'PERPETUAL' ? 'CLOSED' : 'ACTIVE',
    isActive: true,
    contractDuration: option.duration,
    ...(option.interval ? { recurringInterval: option.interval, recurringTime: option.times ?? 1 } : {}),
    willCancelAt: null,
    ...(option.duration === 'RENEWABLE' && end ? { expiresAt: end } : {}),
    ...(option.issues ? { issuesRemaining: option.issues } : {}),
    items: [
      {
        sku: product.sku,
        name: product.title,
        purchaseOptionId: option.id,
        purchaseOptionName: option.name,
        cover: product.cover,
        purchaseType: option.duration === 'PERPETUAL' ? 'SINGLE' : 'RECURRING',
      },
    ],
    appliedDiscounts: [],
    paymentData: { method: 'CARD', brand: 'visa', description: '**** 4242' },
    manageUrl: `${site}/account/contracts/${id}`,
  };
}

/** Access to a product; with a contract's option where it was sold. */
export function newEntitlement(
  id: string,
  product: CatalogueProduct,
  origin: Origin,
  more: { purchaseOption?: string; expiresAt?: string | null | undefined; createdAt: string },
): Entitlement {
  const { purchaseOption, expiresAt, createdAt } = more;
  return {
    id,
    sku: product.sku,
    title: product.title,
    type: product.productType,
    ...(purchaseOption ? { purchaseOption } : {}),
    origin,
    hasAccess: true,
    ...(expiresAt ? { expiresAt } : {}),
    url: `${site}/${product.productType}/${id}`,
    cover: product.cover,
    ...(product.publisherContentId ? { publisherContentId: product.publisherContentId } : {}),
    createdAt,
    updatedAt: createdAt,
  };
}

export function newBill(id: string, contract: Contract, status: string, createdAt: string): Bill {
  return {
    id,
    items: contract.items.map(({ sku, name, purchaseOptionId }) => ({
      sku,
      title: name,
      ...(purchaseOptionId ? { purchaseOptionId } : {}),
    })),
    price: contract.price,
    currency: contract.currency,
    receiptUrl: `${site}/receipts/${id}`,
    paymentProvider: 'ADYEN',
    paymentMethod: 'CARD',
    status,
    contractId: contract.id,
    createdAt,
    updatedAt: createdAt,
  };
}

export function newTransaction(
  id: string,
  contract: Contract,
  bill: Bill,
  isRefund: boolean,
  createdAt: string,
): Transaction {
  return {
    id,
    amount: bill.price,
    currency: contract.currency,
    contractId: contract.id,
    isRefund,
    userId: contract.userId,
    billId: bill.id,
    createdAt,
    updatedAt: createdAt,
  };
}
