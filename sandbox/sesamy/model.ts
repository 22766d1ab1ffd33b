/** What Sesamy's API shows, by the published shapes (sesamy-api §3). Dates are ISO 8601, UTC. */

export interface Address {
  firstName?: string;
  lastName?: string;
  street?: string;
  co?: string;
  zip?: string;
  city?: string;
  country?: string;
}

/** sesamy-api §3.2. */
export interface Profile {
  userId: string;
  firstName?: string;
  lastName?: string;
  name?: string;
  nickname?: string;
  given_name?: string;
  family_name?: string;
  email?: string;
  emailVerified?: boolean;
  mobilePhone?: string;
  workPhone?: string;
  homePhone?: string;
  phone_number?: string;
  locale?: string;
  picture?: string;
  company?: string;
  sub?: string;
  tags?: string[];
  user_metadata?: Record<string, string | number>;
  billingAddress?: Address;
  deliveryAddress?: Address;
  createdAt: string;
  updatedAt: string;
}

export type IntervalUnit = 'DAY' | 'WEEK' | 'MONTH' | 'YEAR';
export type ContractDuration = 'RECURRING' | 'RENEWABLE' | 'PERPETUAL';

export interface ContractItem {
  sku: string;
  name: string;
  purchaseOptionId?: string;
  purchaseOptionName?: string;
  cover?: string;
  purchaseType?: string;
}

/** sesamy-api §3.3. */
export interface Contract {
  id: string;
  name: string;
  userId: string;
  createdAt: string;
  updatedAt: string;
  price: number;
  currency: string;
  nextBillAt: string | null;
  nextPrice: number | null;
  /** `ACTIVE`, `CLOSED`, `OVERDUE`, `CANCELED` or `EXPIRED` where the stand-in sets it (sesamy-api §3.4). */
  status: string;
  isActive: boolean;
  contractDuration?: ContractDuration;
  recurringInterval?: IntervalUnit;
  recurringTime?: number;
  willCancelAt: string | null;
  expiresAt?: string;
  issuesRemaining?: number;
  items: ContractItem[];
  appliedDiscounts: { code: string; name: string; description: string; id: string }[];
  paymentData?: { method?: string; description?: string; brand?: string };
  manageUrl?: string;
}

export type EntitlementType =
  | 'article'
  | 'audiobook'
  | 'ebook'
  | 'bundle'
  | 'podcast'
  | 'pass'
  | 'publication'
  | 'physical_issue';

export type Origin =
  | { type: 'EXTERNAL'; id: string; listId: string; name: string }
  | { type: 'PAYMENTS'; contractId: string };

/** sesamy-api §3.5. Names no owner. */
export interface Entitlement {
  id: string;
  sku: string;
  title: string;
  type: EntitlementType;
  purchaseOption?: string;
  origin?: Origin;
  hasAccess: boolean;
  expiresAt?: string;
  url?: string;
  presentationUrl?: string;
  publisherContentId?: string;
  cover?: string;
  token?: string;
  createdAt: string;
  updatedAt: string;
}

/** sesamy-api §3.6; `contractId` is in the newer copy of the OpenAPI page only. */
export interface Bill {
  id: string;
  items: { sku: string; title: string; purchaseOptionId?: string }[];
  price: number;
  currency?: string;
  receiptUrl: string;
  paymentProvider: string;
  paymentMethod: string;
  status: string;
  contractId?: string;
  createdAt: string;
  updatedAt: string;
}

export interface Transaction {
  id: string;
  amount: number;
  currency?: string;
  contractId: string;
  isRefund: boolean;
  userId: string;
  billId: string;
  createdAt: string;
  updatedAt: string;
}

export interface Product {
  sku: string;
  title: string;
  cover: string;
  language: string;
  productType: string;
  publisherContentId?: string;
  createdAt: string;
  updatedAt: string;
}

/** What the vendor knows of a contract and the API does not show. */
export interface ContractNotes {
  /** Receiver of the gift: the contract is on the payer, the entitlement on the receiver (sesamy-api §9 Q5). */
  giftTo?: string;
  /** When the payment failed that is still unpaid. */
  failedAt?: string;
  /** Further tries of that payment so far. */
  retries?: number;
}

/** Somebody with all that hangs on the relation to this vendor. */
export interface Person {
  id: string;
  profile: Profile;
  contracts: Contract[];
  /** The person's access, which may rest on another person's contract. */
  entitlements: Entitlement[];
  bills: Bill[];
  transactions: Transaction[];
  /** By contract id. */
  notes: Record<string, ContractNotes>;
}
