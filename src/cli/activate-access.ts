import type { Vendor } from '../activities/vendor.js';
import { VendorError } from '../http/errors.js';
import type { RuleRead } from '../rule/index.js';
import type { SesamyResource } from '../sesamy/index.js';
import { type Check, failed, look } from './doctor-checks.js';
import { checkTemporal } from './doctor-temporal.js';

/** What each call of an activation needs: both keys, their rights one by one, and a Temporal where it is to go on. */
export async function checkAccess(
  vendor: Vendor,
  env: NodeJS.ProcessEnv,
  { dryRun }: { dryRun: boolean },
): Promise<Check[]> {
  const [sesamy, rule, temporal] = await Promise.all([
    checkSesamy(vendor),
    checkRule(vendor),
    checkTemporal(env, [vendor.id]),
  ]);
  return [...sesamy, ...rule, ...temporal.map((check) => needed(check, dryRun))];
}

const ofTemporal = ['Temporal', 'Search attributes'];

/** Without Temporal nothing can be written, but everything can be looked at. */
function needed(check: Check, dryRun: boolean): Check {
  if (!ofTemporal.includes(check.check) || check.result === 'ok') return check;
  if (dryRun) return { ...check, result: 'note' };
  return { ...check, result: 'failed', mend: check.mend ?? 'run `sesamy-rule start`, or set TEMPORAL_ADDRESS' };
}

/** Whether Temporal can be asked and told, by what was found. */
export function hasTemporal(checks: readonly Check[]): boolean {
  return ofTemporal.every((name) => checks.some(({ check, result }) => check === name && result === 'ok'));
}

const receiptReads: readonly SesamyResource[] = ['transactions', 'bills'];

async function checkSesamy({ id, sesamy, receipts }: Vendor): Promise<Check[]> {
  const token = await look(`Sesamy, ${id}: credential`, async () => {
    await sesamy.checkToken();
    return 'the token is given, for this publisher';
  });
  if (token.result === 'failed') return [token, notChecked(`Sesamy, ${id}: rights`, 'no token is given')];
  const wanted: SesamyResource[] = ['users', 'contracts', 'entitlements'];
  if (receipts.mode !== 'off') wanted.push(...receiptReads);
  const checks = [token];
  for (const resource of wanted) {
    const found = resource === 'entitlements' ? 'can be read, and the filter by user is heeded' : 'can be read';
    const without = receiptReads.includes(resource) ? ', or set receipts.mode: off in a vendors file' : '';
    const mend = `ask Sesamy support to give the credential the right to read ${resource}${without}`;
    checks.push(await lookAtRight(`Sesamy, ${id}: ${resource}`, found, mend, () => sesamy.checkRead(resource)));
  }
  return checks;
}

const ruleReads: Readonly<Record<RuleRead, string>> = {
  tags: 'key, tags',
  customizations: 'fields',
  subscribers: 'subscribers',
  fields: 'one subscriber',
  fieldData: 'rows (v3)',
};

/** Reads only: Rule's documents know no rights of a key, and what it may write shows when it does. */
async function checkRule({ id, rule }: Vendor): Promise<Check[]> {
  const name = (read: RuleRead) => `Rule, ${id}: ${ruleReads[read]}`;
  const lookAt = (read: RuleRead, subscriber?: number) =>
    lookAtRight(name(read), 'can be read', `make a key that may read this (Rule: Settings, Developer)`, () =>
      rule.checkRead(read, subscriber),
    );
  const key = await lookAt('tags');
  if (key.result === 'failed') return [key, notChecked(`Rule, ${id}: rights`, 'the key is not accepted')];
  const account = [key, await lookAt('customizations'), await lookAt('subscribers')];
  if (account.some(({ result }) => result === 'failed')) return account;
  const [anybody] = (await rule.listSubscribers()).subscribers;
  if (!anybody) return [...account, notChecked(name('fieldData'), 'there is no subscriber yet')];
  return [...account, await lookAt('fields', anybody.id), await lookAt('fieldData', anybody.id)];
}

function notChecked(check: string, why: string): Check {
  return { check, result: 'note', detail: `not checked: ${why}` };
}

/** @param mend of a right that is missing; other failures have their own */
async function lookAtRight(check: string, found: string, mend: string, read: () => Promise<void>): Promise<Check> {
  try {
    await read();
    return { check, result: 'ok', detail: found };
  } catch (error) {
    const isRight = error instanceof VendorError && error.type.endsWith('/forbidden');
    return { ...failed(check, error), ...(isRight ? { mend } : {}) };
  }
}
