/**
 * Events that are found and not told yet, in the order in which they are to be told, and what became of the last ones. Pure, without
 * Temporal.
 */
import type {
  DeliverResult,
  HeldKind,
  LifecycleEvent,
  RowOnlyReason,
  SyncResult,
  ToldEvent,
  WaitingEvent,
} from '../contract/index.js';

const toldLength = 20;
/** Ids of events that were told: the same happening is never told twice, whatever was forgotten of it. */
const toldIdsLength = 100;

interface Entry {
  event: LifecycleEvent;
  /** It was tried, and nobody knows how far that came. */
  again?: true;
  /** That was while it was to start its flow: it may have done so. */
  begun?: true;
  /** Of a claimed receipt: no mail went out. */
  notSent?: true;
  /** Waits for a person. */
  held?: HeldKind;
  /** A person said that it is to be told. */
  released?: true;
}

export interface Outbox {
  entries: Entry[];
  /** State tags that start their flows when they are given. */
  gained: string[];
  told: ToldEvent[];
  toldIds: string[];
  /** Failed deliveries in a row, and since when (ISO instant). */
  failing?: { count: number; since: string };
}

export function freshOutbox(): Outbox {
  return { entries: [], gained: [], told: [], toldIds: [] };
}

/** Events that wait, as a look has to know them. */
export function waitingEvents({ entries }: Outbox): LifecycleEvent[] {
  return entries.map(({ event }) => event);
}

/** Whether something is told at the next occasion: what is held is not. */
export function tellsSoon({ entries }: Outbox): boolean {
  return entries.some(({ held }) => !held);
}

/** Takes up what a sync has found. */
export function putFound(outbox: Outbox, { events = [], rowOnly = {}, gained = [] }: Partial<SyncResult>): void {
  for (const entry of outbox.entries) {
    const reason = rowOnly[entry.event.id];
    if (reason) markRowOnly(entry, reason);
  }
  const known = new Set([...outbox.toldIds, ...outbox.entries.map(({ event }) => event.id)]);
  outbox.entries.push(...events.filter(({ id }) => !known.has(id)).map((event) => ({ event })));
  outbox.gained = gained;
}

/** Nothing will be started by it, so nothing has to hold it. */
function markRowOnly(entry: Entry, reason: RowOnlyReason): void {
  entry.event = { ...entry.event, rowOnly: reason };
  if (entry.held === 'ended') delete entry.held;
}

/** One thing to be delivered. */
export interface Delivery {
  event?: LifecycleEvent;
  gained: string[];
  again: boolean;
  begun?: true;
  notSent: boolean;
  released: boolean;
  last: boolean;
}

/** The next one; what is held lets others pass. */
export function nextDelivery({ entries, gained }: Outbox): Delivery | undefined {
  const free = entries.filter(({ held }) => !held);
  const [entry] = free;
  if (!entry) {
    if (gained.length === 0) return undefined;
    return { gained, again: false, notSent: false, released: false, last: true };
  }
  return {
    event: entry.event,
    gained,
    again: entry.again === true,
    ...(entry.begun && entry.event.rowOnly ? { begun: true as const } : {}),
    notSent: entry.notSent === true,
    released: entry.released === true,
    last: free.length === 1,
  };
}

/** A delivery came to its end. @returns the state tags that Rule holds by it */
export function recordDelivered(
  outbox: Outbox,
  { event, gained }: Delivery,
  result: DeliverResult,
  at: string,
): string[] {
  delete outbox.failing;
  const entry = event && outbox.entries.find((one) => one.event.id === event.id);
  if (entry && (result.outcome === 'held' || result.outcome === 'in-doubt')) {
    entry.held = result.outcome === 'held' ? 'ended' : 'receipt';
    delete entry.released;
    if (result.outcome === 'in-doubt') {
      entry.again = true;
      delete entry.notSent;
    }
    if (result.outcome === 'held') return [];
  } else if (event) {
    settle(outbox, event, { outcome: result.outcome, ...(result.reason ? { reason: result.reason } : {}), at });
    if (result.outcome === 'told') answer(outbox, event);
  }
  outbox.gained = outbox.gained.filter((tag) => !gained.includes(tag));
  return gained;
}

/** It was told after all, though it was over by then: whoever heard of it is to hear that it was undone, too. */
function answer(outbox: Outbox, { id }: LifecycleEvent): void {
  for (const entry of outbox.entries) {
    if (entry.event.answers !== id || entry.event.rowOnly !== 'countered') continue;
    const { rowOnly: _countered, answers: _answered, ...event } = entry.event;
    entry.event = event;
  }
}

/** A delivery failed: the next one finds out how far it came. */
export function recordUndelivered(outbox: Outbox, { event }: Delivery, notSent: boolean, at: string): number {
  const count = (outbox.failing?.count ?? 0) + 1;
  outbox.failing = { count, since: outbox.failing?.since ?? at };
  const entry = event && outbox.entries.find((one) => one.event.id === event.id);
  if (entry) {
    entry.again = true;
    if (!entry.event.rowOnly) entry.begun = true;
    if (notSent) entry.notSent = true;
    else delete entry.notSent;
    // It may have gone out by now.
    if (event.type === 'receipt' && !notSent) delete entry.released;
  }
  return count;
}

/** A person has decided: what is held of that kind is to be told after all. @returns whether there was any */
export function release(outbox: Outbox, what: HeldKind | undefined): boolean {
  const meant = outbox.entries.filter(({ held }) => held && (what === undefined || held === what));
  for (const entry of meant) {
    delete entry.held;
    entry.released = true;
  }
  return meant.length > 0;
}

/** A person has decided: what is held of that kind is never told. @returns whether there was any */
export function discard(outbox: Outbox, what: HeldKind | undefined, at: string): boolean {
  const meant = outbox.entries.filter(({ held }) => held && (what === undefined || held === what));
  for (const { event } of meant) settle(outbox, event, { outcome: 'discarded', at });
  return meant.length > 0;
}

/** There is nobody to tell it to any more. */
export function dropAll(outbox: Outbox, at: string): void {
  for (const { event } of [...outbox.entries]) settle(outbox, event, { outcome: 'dropped', at });
  outbox.gained = [];
  delete outbox.failing;
}

function settle(outbox: Outbox, event: LifecycleEvent, rest: Omit<ToldEvent, 'event'>): void {
  outbox.entries = outbox.entries.filter((entry) => entry.event.id !== event.id);
  outbox.told = [...outbox.told, { event, ...rest }].slice(-toldLength);
  outbox.toldIds = [...outbox.toldIds, event.id].slice(-toldIdsLength);
}

/** Why something waits for a person, the first of it; with the time of the event. */
export function heldBy({ entries }: Outbox): { what: HeldKind; since: string } | undefined {
  const entry = entries.find(({ held }) => held);
  return entry?.held ? { what: entry.held, since: entry.event.at } : undefined;
}

export function waitingOf({ entries }: Outbox): WaitingEvent[] {
  return entries.map(({ event, held }) => ({ event, ...(held ? { held } : {}) }));
}
