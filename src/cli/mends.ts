import type { FailureDetails } from '../client.js';

const sesamyCredential = 'check SESAMY_CLIENT_ID and SESAMY_CLIENT_SECRET (Sesamy portal: Settings, API, Applications)';
const sesamyScopes = 'ask Sesamy support to give the credential the right to read users, contracts and entitlements';
const ruleKey = 'check RULE_API_KEY (Rule: Settings, Developer)';

/** What a person can do about a kind of failure. */
const mends: Readonly<Record<string, string>> = {
  'sesamy/bad-credentials': sesamyCredential,
  'sesamy/unauthorized': sesamyCredential,
  'sesamy/forbidden': sesamyScopes,
  'sesamy/wrong-vendor': 'set SESAMY_VENDOR_ID to the publisher that the credential belongs to',
  'sesamy/wrong-url': 'check SESAMY_API_URL and SESAMY_TOKEN_URL',
  'sesamy/filter-ignored': 'ask Sesamy support why the filter userId on entitlements is ignored',
  'rule/unauthorized': ruleKey,
  'rule/forbidden': ruleKey,
  'rule/key-refused': ruleKey,
  'rule/wrong-url': 'check RULE_API_URL',
  'sesamy/unavailable':
    'nothing to do if Sesamy is down: it is tried again by itself; else check SESAMY_API_URL and SESAMY_TOKEN_URL',
  'rule/unavailable': 'nothing to do if Rule is down: it is tried again by itself; else check RULE_API_URL',
  'sesamy/refused': 'Sesamy refuses the request: ask its support, with the status, the path and the request id',
  'rule/refused': 'Rule refuses the request: ask its support, with the status, the path and the request id',
  'internal/unexpected': "the worker's log has the stack; report it",
};

const byNextStep: Readonly<Record<FailureDetails['next'], string>> = {
  wait: 'nothing to do: it is tried again by itself',
  'fix-key': 'mend the key, its rights or the address in the settings',
  'fix-data': "mend the reader's data at Sesamy, or the field in Rule",
  'give-up': 'find the cause',
};

/** What mends a failure, to be read after a colon. */
export function mendOf({ type, next }: Pick<FailureDetails, 'type' | 'next'>): string {
  return mends[type] ?? byNextStep[next];
}
