import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { SourceUser } from './source.js';
import { filled } from './text.js';

/** The number to use: mobile, default, work, home, the first that is given (sesamy-api §7 row 4). */
export function givenPhone(user: SourceUser): string | undefined {
  return [user.mobilePhone, user.phone, user.workPhone, user.homePhone]
    .map(filled)
    .find((phone) => phone !== undefined);
}

/**
 * The number in E.164 (`+46701740605`); `undefined` if it cannot be dialled. Rule fails the whole call on an invalid number and reads
 * one without country code as Swedish (rule-api §2), so neither may reach it.
 * @param country two-letter country of numbers without a country code
 */
export function e164(phone: string, country: string): string | undefined {
  const region = country.toUpperCase();
  const number = parsePhoneNumberFromString(phone, {
    ...(isSupportedCountry(region) ? { defaultCountry: region } : {}),
    extract: false,
  });
  return number?.isValid() ? number.number : undefined;
}
