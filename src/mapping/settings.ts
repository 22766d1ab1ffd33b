/** What a publisher may choose about the mapping. */
export interface MappingSettings {
  /** IANA zone in which an instant becomes a day; default `UTC` (sesamy-api §9 Q10). */
  timeZone: string;
  /** Two-letter country of phone numbers without a country code; default `SE`, as Rule itself reads them (rule-api §2). */
  country: string;
  /** Only people whose `emailVerified` is true are confirmed; default false: everybody is in whom Sesamy does not call unverified. */
  requireVerifiedEmail: boolean;
  /** Empty the address fields when Sesamy no longer has an address; default false: they keep the last one (sesamy-api §9 Q9). */
  clearMissingAddress: boolean;
  /** The receiver of a gift counts as an active subscriber too; default false (sesamy-api §9 Q5). */
  giftReceiverIsSubscriber: boolean;
  /** Whether single articles and issues on paper get product tags as other products do; default false for both. */
  productTags: { articles: boolean; physicalIssues: boolean };
  /** What `Sesamy_Subscription.CanceledAt` says: the day it ends (default) or the day the reader asked (sesamy-api §9 Q3). */
  canceledAt: 'end-day' | 'request-day';
}

export const defaultMappingSettings: MappingSettings = {
  timeZone: 'UTC',
  country: 'SE',
  requireVerifiedEmail: false,
  clearMissingAddress: false,
  giftReceiverIsSubscriber: false,
  productTags: { articles: false, physicalIssues: false },
  canceledAt: 'end-day',
};
