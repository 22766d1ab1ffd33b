/**
 * What we take from Sesamy's answers, checked and made uniform: null is absent, unknown members are gone, and so are secrets
 * (an entitlement's `token`, a contract's `manageUrl`). Dates are texts as Sesamy writes them, ISO 8601 in its samples.
 */

/** A person as the vendor sees them: sesamy-api §3.1 and §3.2 in one. */
export interface SesamyUser {
  /** `userId`, else `id`, else `sub` of the answer (sesamy-api §9 Q1). */
  id: string;
  email?: string;
  /** Absent says nothing (sesamy-api §8). */
  emailVerified?: boolean;
  firstName?: string;
  lastName?: string;
  mobilePhone?: string;
  /** `phone_number`, the default phone of the priority rule (sesamy-api §7). */
  phone?: string;
  workPhone?: string;
  homePhone?: string;
  /** The language, such as `sv-SE`. */
  locale?: string;
  /** Custom tags of the profile; empty where the answer has none. */
  tags: string[];
  billingAddress?: SesamyAddress;
  createdAt?: string;
  updatedAt?: string;
}

/** A person as a list shows them. */
export interface ListedUser extends SesamyUser {
  /** False where the row is the five-field `User` (sesamy-api §3.1), which says nothing of verification, phones and tags. */
  whole: boolean;
}

export interface SesamyAddress {
  firstName?: string;
  lastName?: string;
  street?: string;
  city?: string;
  zip?: string;
  country?: string;
  co?: string;
}

/** sesamy-api §3.3. */
export interface SesamyContract {
  id: string;
  userId: string;
  /** Upper case; `CANCELLED` is written `CANCELED`. Values that nobody documented may occur (sesamy-api §3.4). */
  status: string;
  isActive: boolean;
  /** Absent where Sesamy names a kind that we do not know. */
  duration?: 'RECURRING' | 'RENEWABLE' | 'PERPETUAL';
  /** The term is `recurringTime` of these; absent where Sesamy does not tell it. */
  recurringInterval?: 'DAY' | 'WEEK' | 'MONTH' | 'YEAR';
  recurringTime?: number;
  createdAt?: string;
  updatedAt?: string;
  expiresAt?: string;
  /** Set once a cancellation is scheduled: the day it takes effect. */
  willCancelAt?: string;
  nextBillAt?: string;
  items: SesamyContractItem[];
}

export interface SesamyContractItem {
  sku: string;
  /** The product's title. */
  name: string;
  purchaseOptionId?: string;
  /** The plan's title. */
  purchaseOptionName?: string;
  purchaseType?: string;
}

/** sesamy-api §3.5. It names no owner: the owner is whoever was asked for. */
export interface SesamyEntitlement {
  id: string;
  sku: string;
  title: string;
  /** `pass`, `article`, `physical_issue` and so on, as Sesamy writes it. */
  type: string;
  purchaseOptionId?: string;
  /** `EXTERNAL`: by an access list, without a contract. Absent where Sesamy gives none or a kind that we do not know. */
  origin?: { type: 'EXTERNAL'; listId?: string } | { type: 'PAYMENTS'; contractId: string };
  hasAccess: boolean;
  expiresAt?: string;
  createdAt?: string;
  updatedAt?: string;
}

/** A payment or its return: sesamy-api §3.6. */
export interface SesamyTransaction {
  id: string;
  billId: string;
  contractId?: string;
  /** As Sesamy gives it: neither its unit (whole or hundredth) nor the sign of a refund is documented. */
  amount: number;
  /** Upper case. */
  currency?: string;
  isRefund: boolean;
  createdAt?: string;
}

/** sesamy-api §3.6. It names no owner: the owner is whoever's transaction named it. */
export interface SesamyBill {
  id: string;
  /** Upper case; `CANCELLED` is written `CANCELED`. */
  status: string;
  /** In the unit of `SesamyTransaction.amount`. */
  price: number;
  /** Upper case. */
  currency?: string;
  items: SesamyBillItem[];
  receiptUrl?: string;
  /** Only newer copies of Sesamy's page have it. */
  contractId?: string;
  createdAt?: string;
}

export interface SesamyBillItem {
  sku: string;
  /** The product's title. */
  title: string;
}
