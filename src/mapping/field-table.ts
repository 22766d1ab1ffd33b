import { cancelTimeOf, chooseContract, isScheduledToEnd, statusOf } from './contracts.js';
import { dayOf } from './dates.js';
import { e164, givenPhone } from './phone.js';
import type { MappingProblemCode } from './problems.js';
import { type ActiveProducts, activeProducts } from './products.js';
import type { MappingSettings } from './settings.js';
import type { Source, SourceAddress, SourceContract, SourceUser } from './source.js';
import { filled } from './text.js';

/** The Rule types that we use (rule-api §9). */
export type FieldType = 'text' | 'date' | 'multiple';

/** One person with what several fields are derived from. */
export interface FieldContext {
  source: Source;
  settings: MappingSettings;
  products: ActiveProducts;
  /** The contract that all `Sesamy_Subscription.*` fields come from. */
  contract: SourceContract | undefined;
  /** The billing address; `undefined` where nothing of it is filled in. */
  address: SourceAddress | undefined;
}

/** Takes what is wrong with the value; never the value. */
export type Report = (code: MappingProblemCode) => void;

/** One field that Rule gets: the source of the code, of `docs/fields.md` and of `sesamy-rule fields`. */
export interface FieldRow {
  /** `Group.Field` in Rule. */
  key: string;
  type: FieldType;
  /** What it tells a marketer. */
  description: string;
  /** Where it comes from, in words. */
  derivation: string;
  /**
   * What a missing value does to what Rule holds. `clear`: only we write the field, so nothing at Sesamy is nothing in Rule. `keep`:
   * others fill it too (forms, other integrations), or it cannot become untrue.
   */
  missing: 'clear' | 'keep';
  /** Where `missing` needs more words. */
  missingNote?: string;
  /** `undefined`: missing, see `missing`. `''`: to be emptied in any case. */
  derive(context: FieldContext, report: Report): string | string[] | undefined;
}

export function fieldContext(source: Source, settings: MappingSettings): FieldContext {
  const { user, contracts, entitlements } = source;
  const hasAddress = Object.values(user.billingAddress ?? {}).some((part) => filled(part) !== undefined);
  return {
    source,
    settings,
    products: activeProducts(contracts, entitlements),
    contract: chooseContract(contracts),
    address: hasAddress ? user.billingAddress : undefined,
  };
}

/** The address to find the person by in Rule: without blanks around it, lower case (sesamy-api §7 row 1). */
export function emailOf(user: Pick<SourceUser, 'email'>): string | undefined {
  return filled(user.email)?.toLowerCase();
}

/** The fields in the order of the documentation. What is kept in Temporal refers to them by position: add at the end only. */
export const fieldTable: readonly FieldRow[] = [
  {
    key: 'Subscriber.Email',
    type: 'text',
    description: 'E-mail address',
    derivation: 'E-mail of the profile; blanks trimmed, lower case',
    missing: 'keep',
    missingNote: 'Without an address nobody is added to Rule.',
    derive: ({ source }) => emailOf(source.user),
  },
  {
    key: 'Subscriber.FirstName',
    type: 'text',
    description: 'First name',
    derivation: 'First name of the profile',
    missing: 'keep',
    derive: ({ source }) => filled(source.user.firstName),
  },
  {
    key: 'Subscriber.LastName',
    type: 'text',
    description: 'Last name',
    derivation: 'Last name of the profile',
    missing: 'keep',
    derive: ({ source }) => filled(source.user.lastName),
  },
  {
    key: 'Subscriber.Phone',
    type: 'text',
    description: 'Phone number with country code, for example +46701740605',
    derivation:
      'The first that is given of mobile, default, work and home phone, in E.164; numbers without a country code belong to the ' +
      'configured country',
    missing: 'keep',
    missingNote: 'An invalid number counts as missing and is reported.',
    derive: ({ source, settings }, report) => {
      const given = givenPhone(source.user);
      const phone = given && e164(given, settings.country);
      if (given && !phone) report('invalid-phone');
      return phone;
    },
  },
  {
    key: 'Sesamy_User.ID',
    type: 'text',
    description: "Sesamy's id of the reader",
    derivation: 'User id, as it is',
    missing: 'keep',
    missingNote: 'It is never missing.',
    derive: ({ source }) => source.user.id,
  },
  {
    key: 'Sesamy_User.Created',
    type: 'date',
    description: 'Day the account was created',
    derivation: 'Creation of the profile',
    missing: 'keep',
    derive: ({ source, settings }, report) => day(source.user.createdAt, settings, report),
  },
  addressRow('FirstName', 'First name on the bill', 'firstName'),
  addressRow('LastName', 'Last name on the bill', 'lastName'),
  addressRow('Street', 'Street and number', 'street'),
  addressRow('City', 'City', 'city'),
  addressRow('Zip', 'Postal code', 'zip'),
  addressRow('Country', 'Country, as Sesamy gives it', 'country'),
  {
    key: 'Sesamy_ActiveProducts.SKU',
    type: 'multiple',
    description: 'SKUs of the products that the reader has access to',
    derivation:
      'SKUs of the items of active contracts, and of entitlements with access that no contract of the reader accounts for; ' +
      'single articles and issues on paper left out; each once, sorted',
    missing: 'clear',
    derive: ({ products }) => list(products.skus),
  },
  {
    key: 'Sesamy_ActiveProducts.Titles',
    type: 'multiple',
    description: 'Titles of the products that the reader has access to',
    derivation:
      'Titles of the same products, sorted; titles that differ in case, accents or punctuation alone are one product and the ' +
      'oldest spelling stays',
    missing: 'clear',
    derive: ({ products }) => list(products.titles),
  },
  {
    key: 'Sesamy_ActiveProducts.OptionTitles',
    type: 'multiple',
    description: "Titles of the plans (purchase options) of the reader's active contracts",
    derivation: 'Plan titles of the items of active contracts, each once, sorted; entitlements name no plan',
    missing: 'clear',
    derive: ({ products }) => list(products.optionTitles),
  },
  {
    key: 'Sesamy_Subscription.Status',
    type: 'text',
    description: 'Status of the subscription: ACTIVE, OVERDUE, CANCELED or EXPIRED',
    derivation:
      "Sesamy's status in upper case, of the contract that tells most: a running one before an ended one, a paid one before an " +
      'overdue one, one that goes on before a cancelled one, then the longest-lasting, then the newest. Single purchases never',
    missing: 'clear',
    derive: ({ contract }) => contract && filled(statusOf(contract)),
  },
  {
    key: 'Sesamy_Subscription.ExpiresAt',
    type: 'date',
    description: 'Day the subscription ends or ended; empty while it goes on',
    derivation: 'Expiry of the same contract, else the day its cancellation takes effect; never the next bill',
    missing: 'clear',
    derive: ({ contract, settings }, report) =>
      day(filled(contract?.expiresAt) ?? contract?.willCancelAt, settings, report),
  },
  {
    key: 'Sesamy_Subscription.CanceledAt',
    type: 'date',
    description: 'Day the cancellation takes effect or took effect; empty when nothing was cancelled',
    derivation:
      'The day the cancellation of the same contract takes effect, else the day it was asked for, else the day a cancelled ' +
      'contract was first seen as such. With `canceledAt: request-day` the day it was asked for comes first',
    missing: 'clear',
    derive: ({ contract, source, settings }, report) =>
      day(contract && cancelDate(contract, source.cancelRequestedAt, settings), settings, report),
  },
  {
    key: 'Sesamy_Subscription.CreatedAt',
    type: 'date',
    description: 'Day the subscription was bought',
    derivation: 'Creation of the same contract',
    missing: 'clear',
    derive: ({ contract, settings }, report) => day(contract?.createdAt, settings, report),
  },
];

/**
 * An address is one thing: a part that the new address lacks is emptied, or Rule would hold the old zip beside the new street. Without
 * any address the last one stays, as Sesamy's own integration has it (sesamy-api §7 rows 7–12, §9 Q9).
 */
function addressRow(name: string, description: string, part: keyof SourceAddress): FieldRow {
  return {
    key: `Sesamy_BillingAddress.${name}`,
    type: 'text',
    description,
    derivation: 'Billing address of the profile; never the delivery address or the names of the profile',
    missing: 'keep',
    missingNote:
      'An address goes as one: a part that it lacks is cleared, and only without any address the last one stays ' +
      '(`clearMissingAddress` clears that too).',
    derive: ({ address, settings }) => {
      if (address) return filled(address[part]) ?? '';
      return settings.clearMissingAddress ? '' : undefined;
    },
  };
}

/** There is no such date in Sesamy's API (sesamy-api §7 row 18, §9 Q3). */
function cancelDate(
  contract: SourceContract,
  requestedAt: Readonly<Record<string, string>>,
  settings: MappingSettings,
): string | undefined {
  // A regretted cancellation leaves its request behind, but is none.
  if (!isScheduledToEnd(contract)) return undefined;
  const seen = statusOf(contract) === 'CANCELED' ? contract.updatedAt : undefined;
  const asked = cancelTimeOf(requestedAt, contract.id) ?? seen;
  const ends = filled(contract.willCancelAt);
  return settings.canceledAt === 'request-day' ? (asked ?? ends) : (ends ?? asked);
}

function day(text: string | undefined, settings: MappingSettings, report: Report): string | undefined {
  const given = filled(text);
  const date = given && dayOf(given, settings.timeZone);
  if (given && !date) report('invalid-date');
  return date;
}

function list(values: string[]): string[] | undefined {
  return values.length > 0 ? values : undefined;
}
