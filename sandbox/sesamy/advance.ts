import { end, failAgain, overdueRetries, overdueRetryDays, renew } from './contract-life.js';
import type { Life } from './life.js';
import type { Contract, ContractNotes, Person } from './model.js';
import { revokeExternal } from './person-life.js';
import { addDays } from './time.js';
import type { WebhookEvent } from './webhooks.js';
import type { World } from './world.js';

export interface Span {
  days?: number | undefined;
  hours?: number | undefined;
  minutes?: number | undefined;
}

/** In whole milliseconds. */
export function lengthOf({ days = 0, hours = 0, minutes = 0 }: Span): number {
  return Math.round(((days * 24 + hours) * 60 + minutes) * 60_000);
}

interface Due {
  at: string;
  act: () => void;
}

/** Ends the loop over a contract that would never be done, such as one that is billed every day for thousands of years. */
const mostSteps = 10_000;

/**
 * Moves the clock and lets happen what falls due on the way: renewals, further tries of unpaid bills, the end of cancelled and fixed terms
 * and of access from elsewhere. Events bear the time at which things happened, and go out in that order when all is done.
 *
 * @param release sends an event that was held back.
 */
export function advance(life: Life, ms: number, release: (event: Omit<WebhookEvent, 'vendorId'>) => void): void {
  const { world } = life;
  world.moveClock(ms);
  const until = world.now();
  const held: Omit<WebhookEvent, 'vendorId'>[] = [];
  const holding: Life = {
    world,
    raise: (eventType, userId, ids = {}) => held.push({ eventType, userId, ...ids, occured_at: world.timestamp() }),
  };
  for (const userId of [...world.userIds()]) {
    const person = world.person(userId);
    if (!person) continue;
    for (const { id } of person.contracts) runUntil(world, until, person, (now) => nextOfContract(holding, now, id));
    for (const { id } of person.entitlements) runUntil(world, until, person, (now) => endOfExternal(holding, now, id));
  }
  held.sort((a, b) => Date.parse(a.occured_at) - Date.parse(b.occured_at));
  for (const event of held) release(event);
}

/** When something happens next by time alone, to whomever (ISO instant); absent where nothing will. */
export function nextDue({ world }: Life): string | undefined {
  // Nothing is raised by asking.
  const asking: Life = { world, raise: () => {} };
  let first: string | undefined;
  for (const userId of world.userIds()) {
    const person = world.person(userId);
    if (!person) continue;
    const dues = [
      ...person.contracts.map(({ id }) => nextOfContract(asking, person, id)),
      ...person.entitlements.map(({ id }) => endOfExternal(asking, person, id)),
    ];
    for (const due of dues) if (due && (!first || Date.parse(due.at) < Date.parse(first))) first = due.at;
  }
  return first;
}

/** Does what is due for a person, one after another; what comes next is asked for with the person as they then are. */
function runUntil(world: World, until: Date, start: Person, next: (person: Person) => Due | undefined): void {
  let person: Person | undefined = start;
  for (let step = 0; person && step < mostSteps; step += 1) {
    const due = next(person);
    if (!due || Date.parse(due.at) > until.getTime()) return;
    world.at(due.at, due.act);
    person = world.person(person.id);
  }
}

function nextOfContract(life: Life, person: Person, contractId: string): Due | undefined {
  const contract = person.contracts.find(({ id }) => id === contractId);
  if (!contract?.isActive) return undefined;
  if (contract.willCancelAt) return { at: contract.willCancelAt, act: () => end(life, contractId, 'CANCELED') };
  if (contract.status === 'OVERDUE') return nextTry(life, contract, person.notes[contractId] ?? {});
  if (contract.contractDuration === 'RECURRING' && contract.nextBillAt) {
    return { at: contract.nextBillAt, act: () => renew(life, contractId) };
  }
  if (contract.status === 'ACTIVE' && contract.expiresAt) {
    return { at: contract.expiresAt, act: () => end(life, contractId, 'EXPIRED') };
  }
  return undefined;
}

/** Three further tries, three days apart, cut short by the next billing date; the last that fails is the end (sesamy-api §3.4). */
function nextTry(life: Life, contract: Contract, { failedAt = contract.updatedAt, retries = 0 }: ContractNotes): Due {
  const at = addDays(failedAt, overdueRetryDays * (retries + 1));
  const expire = () => end(life, contract.id, 'EXPIRED');
  if (contract.nextBillAt && Date.parse(contract.nextBillAt) <= Date.parse(at)) {
    return { at: contract.nextBillAt, act: expire };
  }
  return { at, act: retries + 1 >= overdueRetries ? expire : () => failAgain(life, contract.id) };
}

function endOfExternal(life: Life, person: Person, entitlementId: string): Due | undefined {
  const entitlement = person.entitlements.find(({ id }) => id === entitlementId);
  if (entitlement?.origin?.type !== 'EXTERNAL' || !entitlement.hasAccess || !entitlement.expiresAt) return undefined;
  return { at: entitlement.expiresAt, act: () => revokeExternal(life, person.id, entitlementId) };
}
