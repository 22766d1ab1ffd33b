import { z } from 'zod';
import { compact, optional } from '../http/json.js';
import type {
  ListedUser,
  SesamyAddress,
  SesamyBill,
  SesamyContract,
  SesamyContractItem,
  SesamyEntitlement,
  SesamyTransaction,
  SesamyUser,
} from './types.js';

const text = optional(z.string());
const flag = optional(z.boolean());

const addressSchema = z
  .object({ firstName: text, lastName: text, street: text, city: text, zip: text, country: text, co: text })
  .transform((address): SesamyAddress => compact(address));

/** Members of a profile that the five-field `User` has not (sesamy-api §3.1, §3.2). */
const profileMembers = [
  'userId',
  'firstName',
  'lastName',
  'given_name',
  'family_name',
  'emailVerified',
  'mobilePhone',
  'workPhone',
  'homePhone',
  'phone_number',
  'tags',
  'billingAddress',
  'deliveryAddress',
  'user_metadata',
];

/** A user, and whether the answer was the whole profile or only the five-field `User`. */
export interface UserAnswer {
  user: SesamyUser;
  whole: boolean;
}

export const userSchema: z.ZodType<UserAnswer> = z
  .looseObject({
    userId: text,
    id: text,
    sub: text,
    email: text,
    emailVerified: flag,
    firstName: text,
    given_name: text,
    lastName: text,
    family_name: text,
    mobilePhone: text,
    phone_number: text,
    workPhone: text,
    homePhone: text,
    locale: text,
    tags: optional(z.array(z.string())),
    billingAddress: optional(addressSchema),
    createdAt: text,
    updatedAt: text,
  })
  .transform((raw, context): UserAnswer => {
    const id = raw.userId || raw.id || raw.sub;
    if (!id) {
      context.addIssue({ code: 'custom', path: ['userId'] });
      return z.NEVER;
    }
    const user: SesamyUser = {
      id,
      email: raw.email,
      emailVerified: raw.emailVerified,
      firstName: raw.firstName || raw.given_name,
      lastName: raw.lastName || raw.family_name,
      mobilePhone: raw.mobilePhone,
      phone: raw.phone_number,
      workPhone: raw.workPhone,
      homePhone: raw.homePhone,
      locale: raw.locale,
      tags: raw.tags ?? [],
      billingAddress: raw.billingAddress,
      createdAt: raw.createdAt,
      updatedAt: raw.updatedAt,
    };
    return { user: compact(user), whole: profileMembers.some((member) => member in raw) };
  });

export const listedUserSchema: z.ZodType<ListedUser> = userSchema.transform(({ user, whole }) => ({ ...user, whole }));

/** The id alone, of whatever form the row is; `undefined` where it has none. */
export const userIdSchema: z.ZodType<string | undefined> = z
  .looseObject({ userId: text, id: text, sub: text })
  .transform(({ userId, id, sub }) => userId || id || sub || undefined);

const itemSchema = z
  .object({ sku: z.string(), name: z.string(), purchaseOptionId: text, purchaseOptionName: text, purchaseType: text })
  .transform((item): SesamyContractItem => compact(item));

/** A word that we know, whatever its case; any other is treated as absent, since Sesamy may add kinds. */
function known<const T extends string>(...words: T[]) {
  return optional(z.string()).transform((word) => words.find((one) => one === word?.toUpperCase()));
}

/** A status in one spelling: its case is not documented, and both spellings of the cancelled one occur (sesamy-api §3.4). */
const statusWord = z.string().transform((status) =>
  status
    .trim()
    .toUpperCase()
    .replace(/^CANCELLED$/, 'CANCELED'),
);

export const contractSchema: z.ZodType<SesamyContract> = z
  .object({
    id: z.string().min(1),
    userId: z.string().min(1),
    status: statusWord,
    isActive: z.boolean(),
    contractDuration: known('RECURRING', 'RENEWABLE', 'PERPETUAL'),
    recurringInterval: known('DAY', 'WEEK', 'MONTH', 'YEAR'),
    recurringTime: optional(z.number()),
    createdAt: text,
    updatedAt: text,
    expiresAt: text,
    willCancelAt: text,
    nextBillAt: text,
    items: optional(z.array(itemSchema)),
  })
  .transform(({ contractDuration, items, ...contract }) =>
    compact({ ...contract, duration: contractDuration, items: items ?? [] }),
  );

const originSchema = z
  .object({ type: z.string(), listId: text, contractId: text })
  .transform((origin, context): SesamyEntitlement['origin'] => {
    const type = origin.type.toUpperCase();
    if (type === 'EXTERNAL') return compact({ type: 'EXTERNAL' as const, listId: origin.listId });
    if (type !== 'PAYMENTS') return undefined;
    if (origin.contractId) return { type: 'PAYMENTS', contractId: origin.contractId };
    context.addIssue({ code: 'custom', path: ['contractId'] });
    return z.NEVER;
  });

export const entitlementSchema: z.ZodType<SesamyEntitlement> = z
  .object({
    id: z.string().min(1),
    sku: z.string(),
    title: z.string(),
    type: z.string(),
    purchaseOption: text,
    origin: optional(originSchema),
    hasAccess: z.boolean(),
    expiresAt: text,
    createdAt: text,
    updatedAt: text,
  })
  .transform(({ purchaseOption, ...entitlement }) => compact({ ...entitlement, purchaseOptionId: purchaseOption }));

const currency = optional(z.string().transform((code) => code.trim().toUpperCase()));

/** A transaction with its owner, by whom lists are filtered. */
export interface OwnedTransaction extends SesamyTransaction {
  userId: string;
}

export const transactionSchema: z.ZodType<OwnedTransaction> = z
  .object({
    id: z.string().min(1),
    userId: z.string().min(1),
    billId: z.string().min(1),
    contractId: text,
    amount: z.number(),
    currency,
    isRefund: z.boolean(),
    createdAt: text,
  })
  .transform((transaction) => compact(transaction));

export const billSchema: z.ZodType<SesamyBill> = z
  .object({
    id: z.string().min(1),
    status: statusWord,
    price: z.number(),
    currency,
    items: optional(z.array(z.object({ sku: z.string(), title: z.string() }))),
    receiptUrl: text,
    contractId: text,
    createdAt: text,
  })
  .transform(({ items, ...bill }) => compact({ ...bill, items: items ?? [] }));

/** The token endpoint's answer (sesamy-api §1.3); `expires_in` in seconds. */
export const tokenSchema = z.object({
  access_token: z.string().min(1),
  expires_in: optional(z.coerce.number().positive()),
});
