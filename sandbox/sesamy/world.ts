import { catalogue } from './catalogue.js';
import type { Contract, Person } from './model.js';
import { Population, type PopulationOptions } from './population.js';
import { Random } from './random.js';
import { instant } from './time.js';

export interface WorldSnapshot {
  version: 1;
  population: { people: number; seed: number; epoch: string };
  /** How far the stand-in's clock is ahead, in milliseconds. */
  aheadMs: number;
  /** Ids given out so far. */
  ids: number;
  /** People who are not, or no longer, as the population invents them. */
  changed: Person[];
  deleted: string[];
}

/** What one person was before a change that the API does not show yet. */
interface Former {
  person: Person | undefined;
  /** Real time from which the API shows the change. */
  until: number;
}

/** Everybody and everything that Sesamy holds for the vendor. People who were never changed are made up on demand. */
export class World {
  readonly products = catalogue;
  private population: Population;
  private readonly changed = new Map<string, Person>();
  /** People of no population, in the order in which they came. */
  private readonly added = new Set<string>();
  private readonly deleted = new Set<string>();
  /** Contract or bill id to the changed person who holds it. */
  private readonly holders = new Map<string, string>();
  private readonly former = new Map<string, Former[]>();
  private aheadMs = 0;
  private frozenAt: number | undefined;
  private ids = 0;

  /** @param lagMs how far the API lags behind changes; asked for at each change. */
  constructor(
    population: PopulationOptions,
    private readonly realNow: () => Date,
    private readonly lagMs: () => number,
    private readonly onChange: () => void,
  ) {
    this.population = new Population(population);
  }

  /** The stand-in's clock. */
  now(): Date {
    return new Date(this.frozenAt ?? this.realNow().getTime() + this.aheadMs);
  }

  /** The stand-in's time as the API writes it. */
  timestamp(): string {
    return instant(Math.floor(this.now().getTime() / 1_000) * 1_000);
  }

  /** How far the stand-in's clock is ahead of the real one, in milliseconds. */
  get ahead(): number {
    return this.aheadMs;
  }

  moveClock(ms: number): void {
    this.aheadMs += ms;
    this.onChange();
  }

  /** Does something as if it happened at another time. */
  at<T>(time: string, act: () => T): T {
    const before = this.frozenAt;
    this.frozenAt = Date.parse(time);
    try {
      return act();
    } finally {
      this.frozenAt = before;
    }
  }

  /** How many people there are. */
  get size(): number {
    return this.population.size + this.added.size - this.deleted.size;
  }

  /** Everybody's user id: the population in its order, then those who came later. */
  *userIds(from = 0): Generator<string> {
    let skip = from;
    const first = this.deleted.size === 0 ? Math.min(from, this.population.size) : 0;
    skip -= first;
    for (let index = first; index < this.population.size; index += 1) {
      const id = this.population.idAt(index);
      if (!this.deleted.has(id) && skip-- <= 0) yield id;
    }
    for (const id of this.added) if (skip-- <= 0) yield id;
  }

  *everybody(): Generator<Person> {
    for (let index = 0; index < this.population.size; index += 1) {
      const id = this.population.idAt(index);
      if (!this.deleted.has(id)) yield this.changed.get(id) ?? this.population.at(index);
    }
    for (const id of this.added) {
      const person = this.changed.get(id);
      if (person) yield person;
    }
  }

  /** Not to be changed by the reader: see {@link edit}. */
  person(id: string): Person | undefined {
    const changed = this.changed.get(id);
    if (changed || this.deleted.has(id)) return changed;
    const index = this.population.indexOf(id);
    return index === undefined ? undefined : this.population.at(index);
  }

  /** The person as the API shows them: behind by the lag. */
  shown(id: string): Person | undefined {
    const former = this.former.get(id);
    if (!former) return this.person(id);
    const now = Date.now();
    const still = former.find(({ until }) => until > now);
    if (still) return still.person;
    this.former.delete(id);
    return this.person(id);
  }

  /** Who holds the contract. */
  holderOfContract(contractId: string): Person | undefined {
    return this.holder(contractId, (person) => person.contracts.some(({ id }) => id === contractId));
  }

  holderOfBill(billId: string): Person | undefined {
    return this.holder(billId, (person) => person.bills.some(({ id }) => id === billId));
  }

  /** Changes a copy of the person and keeps it. @throws when there is no such person. */
  edit(id: string, change: (person: Person) => void): Person {
    const person = this.person(id);
    if (!person) throw new Error(`There is no person ${id}.`);
    const copy = structuredClone(person);
    change(copy);
    this.put(copy);
    return copy;
  }

  /** Adds somebody, or takes the place of the one with this id. */
  put(person: Person): void {
    this.remember(person.id);
    this.index(this.changed.get(person.id), false);
    this.changed.set(person.id, person);
    this.index(person, true);
    if (this.population.indexOf(person.id) === undefined) this.added.add(person.id);
    else this.deleted.delete(person.id);
    this.onChange();
  }

  /** @returns whether there was such a person. */
  remove(id: string): boolean {
    if (!this.person(id)) return false;
    this.remember(id);
    this.index(this.changed.get(id), false);
    this.changed.delete(id);
    if (!this.added.delete(id)) this.deleted.add(id);
    this.onChange();
    return true;
  }

  /** A new id of so many hexadecimal digits; the same sequence for the same seed. */
  newId(digits: number): string {
    this.ids += 1;
    return new Random(this.population.options.seed, 'new', this.ids).hex(digits);
  }

  snapshot(): WorldSnapshot {
    const { people, seed, epoch } = this.population.options;
    return {
      version: 1,
      population: { people, seed, epoch: epoch.toISOString() },
      aheadMs: this.aheadMs,
      ids: this.ids,
      changed: [...this.changed.values()],
      deleted: [...this.deleted],
    };
  }

  restore({ population, aheadMs, ids, changed, deleted }: WorldSnapshot): void {
    this.population = new Population({ ...population, epoch: new Date(population.epoch) });
    for (const person of changed) this.put(person);
    for (const id of deleted) this.deleted.add(id);
    this.former.clear();
    this.aheadMs = aheadMs;
    this.ids = ids;
  }

  private holder(rowId: string, holds: (person: Person) => boolean): Person | undefined {
    const changed = this.holders.get(rowId);
    const index = this.population.indexIn(rowId);
    const id = changed ?? (index === undefined ? undefined : this.population.idAt(index));
    const person = id === undefined ? undefined : this.person(id);
    return person && holds(person) ? person : undefined;
  }

  private index(person: Person | undefined, present: boolean): void {
    if (!person) return;
    for (const { id } of [...person.contracts, ...person.bills]) {
      if (present) this.holders.set(id, person.id);
      else if (this.holders.get(id) === person.id) this.holders.delete(id);
    }
  }

  private remember(id: string): void {
    const lag = this.lagMs();
    if (lag <= 0) return;
    const former = this.former.get(id) ?? [];
    former.push({ person: this.person(id), until: Date.now() + lag });
    this.former.set(id, former);
  }
}

/** @throws when the person has no such contract. */
export function contractOf(person: Person, contractId: string): Contract {
  const contract = person.contracts.find(({ id }) => id === contractId);
  if (!contract) throw new Error(`${person.id} has no contract ${contractId}.`);
  return contract;
}
