import {
  type ContractMemory,
  type LifecycleDue,
  type LifecycleEvent,
  type LifecycleMemory,
  lifecycleEventTypes,
  type RowOnlyReason,
} from '../contract/lifecycle.js';
import type { Stage } from '../contract/stage.js';
import { contractDue, contractEvents, firstMemory } from './contract-events.js';
import { isFresh, iso, type Look, own } from './look.js';
import { firstPersonMemory, goneDue, joined, left, personDue, stayedAway } from './person-events.js';
import type { LifecycleSettings } from './settings.js';
import { stageFacts, stageOf } from './stage.js';
import { isStillTrue, outdatedBy, unansweredBy } from './still-true.js';
import {
  isEnded,
  isRunning,
  isSinglePurchase,
  millisOf,
  type StageContract,
  type StageEntitlement,
} from './subscriptions.js';

/** A bill that was paid. */
export interface Payment {
  billId: string;
  contractId?: string;
  /** ISO instant. */
  at?: string;
}

/** Everything that the lifecycle depends on. */
export interface LifecycleInput {
  contracts: readonly StageContract[];
  entitlements: readonly StageEntitlement[];
  /** Absent where they were not read: then no receipt is found. */
  payments?: readonly Payment[];
  /** When cancellations were asked for, by contract id (ISO instants). */
  cancelRequestedAt: Readonly<Record<string, string>>;
  /** What the last live look remembered. */
  before: LifecycleMemory | undefined;
  /**
   * Nobody is told anything and nothing is taken as told: what a quiet look finds is judged by the next live one, by its own date. Only
   * where nothing is remembered yet does it begin the memory: what is true then is no news, unless it has happened just now.
   */
  quiet: boolean;
  /** Somebody of whom we know already, as a guest: purchases of the last days are still news to the next live look. */
  seenBefore: boolean;
  /** Events that were found and are not told yet. */
  waiting: readonly LifecycleEvent[];
  now: Date;
  settings: LifecycleSettings;
}

export interface LifecycleResult {
  stage: Stage;
  memory: LifecycleMemory | undefined;
  /** What has happened, in the order in which it is to be told. */
  events: LifecycleEvent[];
  /** Which waiting events are not to start anything any more, and why; by id. */
  rowOnly: Record<string, RowOnlyReason>;
  /** The nearest moment at which time alone changes something; the stage's end included. */
  due?: LifecycleDue;
  /** The last subscription was seen to have ended, or to be missing, for the first time by this look. */
  leaves: boolean;
}

/** What has happened to a reader since the last look, what holds now, and when to look again: pure. */
export function reduceLifecycle(input: LifecycleInput): LifecycleResult {
  const { contracts, entitlements, settings, before, quiet } = input;
  const { stage, until } = stageOf(stageFacts(contracts, entitlements, settings), input.now, settings);
  const look: Look = {
    now: input.now.getTime(),
    settings,
    running: contracts.filter(isRunning),
    ended: contracts.filter(isEnded),
    stage,
    cancelRequestedAt: input.cancelRequestedAt,
  };
  const { memory, events } = judge(look, input);
  const rowOnly: Record<string, RowOnlyReason> = {};
  for (const event of input.waiting) {
    if (event.rowOnly !== 'over' && !isStillTrue(look, event)) rowOnly[event.id] = 'over';
  }
  for (const event of events) {
    for (const { id } of outdatedBy(event, input.waiting)) rowOnly[id] = 'over';
    const answered = unansweredBy(event, input.waiting);
    if (!answered) continue;
    if (!answered.rowOnly) rowOnly[answered.id] = 'countered';
    event.rowOnly = 'countered';
    event.answers = answered.id;
  }
  const due = nearest(look, [
    ...(memory ? duesOf(look, memory) : []),
    ...(quiet && before ? goneDue(look, before) : []),
    ...(until ? [{ at: until, why: `the stage ${stage} ends` }] : []),
  ]);
  return {
    stage,
    memory,
    events,
    rowOnly,
    ...(due ? { due } : {}),
    leaves: !quiet && hasLeft(memory) && !hasLeft(before),
  };
}

/** The end of the last subscription was seen, and is news. */
function hasLeft(memory: LifecycleMemory | undefined): boolean {
  return memory?.leaving !== undefined || memory?.lapsed?.told === true;
}

function judge(look: Look, input: LifecycleInput): { memory: LifecycleMemory | undefined; events: LifecycleEvent[] } {
  const { before, quiet, seenBefore } = input;
  if (quiet && before) return { memory: before, events: [] };
  const found = before ? nextLook(look, input, before) : firstLook(look, input);
  if (quiet) {
    const isLeft = seenBefore ? found.events.length > 0 : found.events.some(({ at }) => isUnderWay(look, at));
    return { memory: isLeft ? undefined : found.memory, events: [] };
  }
  const events = found.events
    .filter(({ type }) => !look.settings.off.includes(type))
    .sort((a, b) => order(a) - order(b) || Date.parse(a.at) - Date.parse(b.at));
  return { memory: found.memory, events };
}

/** Sesamy may not have told of it yet, or nobody has looked since: a quiet look that comes in between must not swallow it. */
const underWayMs = 15 * 60_000;

function isUnderWay({ now }: Look, at: string): boolean {
  return now - Date.parse(at) < underWayMs;
}

function order({ type }: LifecycleEvent): number {
  return lifecycleEventTypes.indexOf(type);
}

function firstLook(look: Look, input: LifecycleInput): { memory: LifecycleMemory; events: LifecycleEvent[] } {
  const events = joined(look, undefined);
  const isNew = (id: string) => events.some(({ contractId }) => contractId === id);
  const singles = singlesOf(look, input);
  const bought = [...events, ...singles.map((single) => singleEvent(look, single))];
  // Bills from before a purchase that is news were somebody else's to acknowledge.
  const receipts = receiptEvents(look, input, { since: billsFrom(wholeSecond(look.now), bought), done: {} });
  return {
    memory: {
      contracts: Object.fromEntries(look.running.map((one) => [one.id, firstMemory(look, one, isNew(one.id))])),
      ...firstPersonMemory(look),
      singles: datesOf(singles),
      receipts: receipts.memory,
    },
    events: [...bought, ...receipts.events],
  };
}

/** Sesamy writes whole seconds: a bill of this second must not look older than the look. */
function wholeSecond(at: number): number {
  return Math.floor(at / 1_000) * 1_000;
}

/** A bill may be written before the contract that it pays for. */
const billedBeforeMs = 60 * 60_000;

/** From when on bills are ours to acknowledge: those of a purchase that is news are, whenever it came to be seen. */
function billsFrom(since: number, bought: readonly LifecycleEvent[]): string {
  return iso(Math.min(since, ...bought.map(({ at }) => Date.parse(at) - billedBeforeMs)));
}

function nextLook(
  look: Look,
  input: LifecycleInput,
  before: LifecycleMemory,
): { memory: LifecycleMemory; events: LifecycleEvent[] } {
  const person = personEvents(look, before);
  const isNew = ({ id, createdAt }: StageContract) =>
    person.events.some(({ contractId }) => contractId === id) ||
    isFresh(look, millisOf(createdAt) ?? Number.NEGATIVE_INFINITY);
  const memories: [id: string, ContractMemory][] = [];
  const events = [...person.events];
  for (const contract of look.running) {
    const known = own(before.contracts, contract.id);
    const next = known
      ? contractEvents(look, contract, known)
      : { memory: firstMemory(look, contract, isNew(contract)), events: [] };
    memories.push([contract.id, next.memory]);
    events.push(...next.events);
  }
  const contracts = Object.fromEntries(memories);
  // While it is not told that somebody left, their subscriptions are remembered: they may be back at the next look.
  const kept = person.memory.leaving ? { ...before.contracts, ...contracts } : contracts;
  const singles = singlesOf(look, input);
  const bought = singles
    .filter(({ contractId }) => !Object.hasOwn(before.singles, contractId))
    .map((one) => singleEvent(look, one));
  const begun = person.events.filter(({ type }) => type === 'subscribed' || type === 'returned');
  const since = billsFrom(Date.parse(before.receipts.since), [...begun, ...bought]);
  const receipts = receiptEvents(look, input, { ...before.receipts, since });
  events.push(...bought, ...receipts.events);
  return {
    memory: { contracts: kept, ...person.memory, singles: datesOf(singles), receipts: receipts.memory },
    events,
  };
}

function personEvents(
  look: Look,
  before: LifecycleMemory,
): { memory: Pick<LifecycleMemory, 'leaving' | 'lapsed'>; events: LifecycleEvent[] } {
  const subscribed = Object.keys(before.contracts).length > 0;
  if (look.running.length > 0) return { memory: {}, events: subscribed ? [] : joined(look, before) };
  if (subscribed) return left(look, before);
  if (before.lapsed) return stayedAway(look, before.lapsed);
  return { memory: firstPersonMemory(look), events: [] };
}

interface Single {
  contractId: string;
  product?: string;
  at: number;
}

/** Single purchases of the last days, each once: a contract and the access that rests on it are one purchase. */
function singlesOf(look: Look, { contracts, entitlements }: LifecycleInput): Single[] {
  const bought = contracts
    .filter(isSinglePurchase)
    .map(({ id, items, createdAt }) => ({ contractId: id, product: items?.[0]?.name, at: millisOf(createdAt) }));
  const read = entitlements
    .filter(({ type, origin }) => type === 'article' && origin?.type === 'PAYMENTS')
    .map(({ title, origin, createdAt }) => ({
      contractId: origin?.contractId ?? '',
      product: title,
      at: millisOf(createdAt),
    }));
  const byId = new Map<string, Single>();
  for (const { contractId, product, at } of [...bought, ...read]) {
    if (contractId === '' || at === undefined || !isFresh(look, at) || byId.has(contractId)) continue;
    byId.set(contractId, { contractId, at, ...(product ? { product } : {}) });
  }
  return [...byId.values()];
}

function singleEvent({ stage }: Look, { contractId, product, at }: Single): LifecycleEvent {
  const type = 'single-purchase';
  return { id: `${type}.${contractId}`, type, at: iso(at), contractId, ...(product ? { product } : {}), stage };
}

function datesOf(singles: readonly Single[]): Record<string, string> {
  return Object.fromEntries(singles.map(({ contractId, at }) => [contractId, iso(at)]));
}

function receiptEvents(
  look: Look,
  { payments, quiet }: LifecycleInput,
  { since, done }: LifecycleMemory['receipts'],
): { memory: LifecycleMemory['receipts']; events: LifecycleEvent[] } {
  // What is older than the oldest news is not asked for again.
  const kept = new Map(Object.entries(done).filter(([, at]) => isFresh(look, Date.parse(at))));
  if (!payments || quiet) return { memory: { since, done: Object.fromEntries(kept) }, events: [] };
  const events: LifecycleEvent[] = [];
  for (const { billId, contractId, at: paidAt } of payments) {
    const at = millisOf(paidAt);
    if (at === undefined || at < Date.parse(since) || !isFresh(look, at) || kept.has(billId)) continue;
    kept.set(billId, iso(at));
    events.push({
      id: `receipt.${billId}`,
      type: 'receipt',
      at: iso(at),
      ...(contractId ? { contractId } : {}),
      stage: look.stage,
      billId,
    });
  }
  return { memory: { since, done: Object.fromEntries(kept) }, events };
}

function duesOf(look: Look, memory: LifecycleMemory): LifecycleDue[] {
  const contracts = look.running.flatMap((contract) => {
    const known = own(memory.contracts, contract.id);
    return known ? contractDue(look, contract, known) : [];
  });
  return [...contracts, ...personDue(look, memory)];
}

/** One that has passed already is due now. */
function nearest(look: Look, dues: readonly LifecycleDue[]): LifecycleDue | undefined {
  const [first] = [...dues].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return first && { ...first, at: iso(Math.max(Date.parse(first.at), look.now)) };
}
