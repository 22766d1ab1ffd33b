import type { Vendor } from '../activities/vendor.js';
import { VendorError } from '../http/errors.js';
import type { RulePage } from '../rule/index.js';
import { eachPage, type ListPage } from '../sesamy/index.js';
import { CommandError } from './errors.js';
import { type HeadCount, HeadCounter } from './head-count.js';
import { say } from './output.js';
import { patiently } from './patient.js';

/**
 * Reads everybody at both vendors, in lists: a call for fifty rows at Sesamy and for a hundred at Rule, one after another, so that
 * 100,000 people cost some thousands of calls. Writes nothing; says on stderr how far it is.
 * @throws VendorError, CommandError where a list does not end
 */
export async function countHeads(vendor: Vendor, now = new Date()): Promise<HeadCount> {
  const counter = new HeadCounter(vendor, now);
  await Promise.all([readRule(vendor, counter), readPurchases(vendor, counter)]);
  await walk('Sesamy, users', vendor.sesamy.userPage, ({ rows, unreadable }) => {
    for (const user of rows) counter.addUser(user);
    counter.addUnreadable(unreadable);
  });
  return counter.result();
}

async function readRule({ rule }: Vendor, counter: HeadCounter): Promise<void> {
  const progress = createProgress('Rule, subscribers');
  const asked = new Set<string>();
  let page: RulePage | undefined;
  do {
    const wanted = page;
    asked.add(JSON.stringify(wanted));
    const { subscribers, next } = await patiently(() => rule.listSubscribers(wanted));
    for (const subscriber of subscribers) counter.addSubscriber(subscriber);
    progress(subscribers.length);
    if (next && asked.has(JSON.stringify(next))) throw endless('subscribers', 'Rule');
    page = next;
  } while (page);
}

/** Contracts before accesses, since only they say whose an access is. */
async function readPurchases({ sesamy }: Vendor, counter: HeadCounter): Promise<void> {
  await walk('Sesamy, contracts', sesamy.contractPage, ({ rows }) => {
    for (const contract of rows) counter.addContract(contract);
  });
  try {
    await walk('Sesamy, accesses', sesamy.entitlementPage, ({ rows }) => {
      for (const entitlement of rows) counter.addEntitlement(entitlement);
    });
  } catch (error) {
    // Nothing promises that Sesamy gives them without a filter: the tags are then counted by the contracts alone.
    if (!(error instanceof VendorError && ['fix-data', 'fix-key'].includes(error.next))) throw error;
    say('  Sesamy, accesses: not listed without a reader');
  }
}

async function walk<Row extends { id: string }>(
  what: string,
  fetchPage: (offset: number) => Promise<ListPage<Row>>,
  take: (page: ListPage<Row>) => void,
): Promise<void> {
  const progress = createProgress(what);
  const pages = eachPage((offset) => patiently(() => fetchPage(offset)));
  for (;;) {
    const { value, done } = await pages.next();
    if (done) {
      if (value === 'endless') throw endless(what, 'Sesamy');
      return;
    }
    take(value);
    progress(value.rows.length + value.unreadable, value.total);
  }
}

function endless(what: string, vendor: string): CommandError {
  return new CommandError(`The list does not end (${what}), so nobody can be counted; ask the support of ${vendor}.`);
}

const everyMs = 3_000;

/** Says how many have been read, every few seconds. */
function createProgress(what: string): (more: number, total?: number) => void {
  let count = 0;
  let saidAt = Date.now();
  return (more, total) => {
    count += more;
    if (Date.now() - saidAt < everyMs) return;
    saidAt = Date.now();
    say(`  ${what}: ${count} read${total === undefined ? '' : ` of ${total}`}`);
  };
}
