import { VendorError } from '../http/errors.js';
import { steadyNow } from '../http/steady-clock.js';
import type { RuleClient } from '../rule/index.js';

/** Field types change when somebody adds a field in Rule, which is rare; an hour old is young enough. */
const freshMs = 60 * 60 * 1000;

/** The types that the Rule account's fields already have: they cannot be changed, so values are made to fit them (rule-api §9). */
export interface FieldTypes {
  /** Type by `Group.Field`; one call to Rule an hour, shared by everyone who asks at once. */
  get(): Promise<ReadonlyMap<string, string>>;
  /** Ask anew next time: Rule refused a field. */
  forget(): void;
}

export function createFieldTypes(rule: Pick<RuleClient, 'listFieldTypes'>, now: () => number = steadyNow): FieldTypes {
  let cached: { at: number; types: Promise<ReadonlyMap<string, string>> } | undefined;
  return {
    get() {
      if (!cached || now() - cached.at > freshMs) {
        const types = rule.listFieldTypes();
        const mine = { at: now(), types };
        types.catch(() => {
          if (cached === mine) cached = undefined;
        });
        cached = mine;
      }
      return cached.types;
    },
    forget() {
      cached = undefined;
    },
  };
}

/**
 * The key of another account knows nobody: that must not make everybody deleted or missing.
 * @throws VendorError `rule/wrong-account` (fix-key) where the account has none of our fields
 */
export function requireOurAccount(types: ReadonlyMap<string, string>): void {
  if (types.has('Sesamy_User.ID')) return;
  const reason = 'the account has none of our fields: the key seems to be that of another account';
  throw new VendorError({ type: 'rule/wrong-account', next: 'fix-key', reason });
}
