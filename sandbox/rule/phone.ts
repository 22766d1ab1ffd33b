import { parsePhoneNumberFromString } from 'libphonenumber-js';
import type { RuleSwitches } from './switches.js';

/** E.164 form of a number; one without country code is read as the account's country (rule-api §2). Null if invalid. */
export function parsePhone(sent: string, country: RuleSwitches['phoneCountry']): string | null {
  const parsed = parsePhoneNumberFromString(sent, country);
  return parsed?.isValid() ? parsed.number : null;
}
