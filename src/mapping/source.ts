/**
 * What the mapping reads: one person as Sesamy shows them, made uniform at the edge. Dates are texts as Sesamy writes them (ISO 8601 in
 * its samples; sesamy-api §3 promises no format), absent members are absent rather than null.
 */

/** The person and their relation to the publisher (sesamy-api §3.1, §3.2). */
export interface SourceUser {
  /** Looks like `email|84cc…`; kept as it is. */
  id: string;
  email?: string;
  /** Absent says nothing (sesamy-api §8). */
  emailVerified?: boolean;
  firstName?: string;
  lastName?: string;
  mobilePhone?: string;
  /** The default phone (`phone_number`). */
  phone?: string;
  workPhone?: string;
  homePhone?: string;
  /** Custom tags of the profile. */
  tags: string[];
  billingAddress?: SourceAddress;
  createdAt?: string;
  updatedAt?: string;
}

export interface SourceAddress {
  firstName?: string;
  lastName?: string;
  street?: string;
  city?: string;
  zip?: string;
  country?: string;
  co?: string;
}

/** A purchase: a subscription or a single one (sesamy-api §3.3). */
export interface SourceContract {
  id: string;
  userId: string;
  /** Free text; the known values are in sesamy-api §3.4. Compared without regard to case. */
  status: string;
  /** Whether it gives access now. */
  isActive: boolean;
  duration?: 'RECURRING' | 'RENEWABLE' | 'PERPETUAL';
  recurringInterval?: 'DAY' | 'WEEK' | 'MONTH' | 'YEAR';
  recurringTime?: number;
  createdAt?: string;
  updatedAt?: string;
  expiresAt?: string;
  /** The day a scheduled cancellation takes effect. */
  willCancelAt?: string;
  nextBillAt?: string;
  items: SourceContractItem[];
}

export interface SourceContractItem {
  sku: string;
  /** The product's title. */
  name: string;
  purchaseOptionId?: string;
  /** The plan's title. */
  purchaseOptionName?: string;
  purchaseType?: string;
}

/** Access to one product, bought or given (sesamy-api §3.5). */
export interface SourceEntitlement {
  id: string;
  sku: string;
  title: string;
  /** `pass`, `article`, `physical_issue` and so on. */
  type: string;
  purchaseOptionId?: string;
  origin?: { type: 'EXTERNAL'; listId?: string } | { type: 'PAYMENTS'; contractId: string };
  hasAccess: boolean;
  expiresAt?: string;
  createdAt?: string;
  updatedAt?: string;
}

/** One person, whole. */
export interface Source {
  user: SourceUser;
  contracts: SourceContract[];
  entitlements: SourceEntitlement[];
  /**
   * When a cancellation was asked for (ISO instant), by contract id: kept from the event `contract#cancelRequest`, or from the first
   * sight of a CANCELED contract. Sesamy's API does not hold it (sesamy-api §7 row 18). See `cancelTimes`.
   */
  cancelRequestedAt: Record<string, string>;
}
