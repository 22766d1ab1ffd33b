import {
  articles,
  type CatalogueProduct,
  complete,
  digital,
  digitalTwin,
  type PurchaseOption,
  podcast,
  weekend,
} from './catalogue.js';
import { indexIn, rowIdOf, userIdOf } from './ids.js';
import { inventProfile } from './invent-profile.js';
import type { Contract, Person } from './model.js';
import { Random } from './random.js';
import { newBill, newContract, newEntitlement, newTransaction } from './rows.js';
import { addDays, addIntervals, instant } from './time.js';

/**
 * What people hold. People take the kinds in turn, so that a small population has them all and a large one has them in these shares; only
 * their details are random. A giver's gift goes to the next in the row.
 */
const kinds = [
  'subscriber',
  'subscriber',
  'single purchase',
  'cancelling',
  'subscriber',
  'nothing',
  'giver',
  'receiver',
  'overdue',
  'print',
  'subscriber',
  'fixed term',
  'external',
  'several',
  'canceled',
  'subscriber',
  'guest buyer',
  'twins',
  'expired',
  'subscriber',
  'guest subscriber',
  'subscriber',
  'nothing',
  'several',
  'no e-mail',
  'subscriber',
  'print',
  'single purchase',
  'subscriber',
  'external until',
  'subscriber',
  'returned',
] as const;

export type Kind = (typeof kinds)[number];

export interface PopulationOptions {
  people: number;
  /** The same seed and day give the same people. */
  seed: number;
  /** The day around which their dates lie. */
  epoch: Date;
}

/** People made up on demand: the same person each time, and no memory for those whom nobody asks for. */
export class Population {
  constructor(readonly options: PopulationOptions) {}

  get size(): number {
    return this.options.people;
  }

  idAt(index: number): string {
    return userIdOf(this.options.seed, index);
  }

  /** The person at a place in the row. */
  at(index: number): Person {
    return new Inventor(this.options, index).person();
  }

  /** The place of the person with this user id. */
  indexOf(userId: string): number | undefined {
    const index = this.indexIn(userId);
    return index !== undefined && this.idAt(index) === userId ? index : undefined;
  }

  /** The place of the person who would have this contract or bill, if it is one of the population's. */
  indexIn(id: string): number | undefined {
    const index = indexIn(id);
    return index !== undefined && index < this.size ? index : undefined;
  }
}

/** What a person holds, by the place in the row. */
export function kindAt(index: number, size: number): Kind {
  const kind = kinds[index % kinds.length] ?? 'nothing';
  return kind === 'giver' && index + 1 >= size ? 'nothing' : kind;
}

class Inventor {
  private readonly random: Random;
  private readonly kind: Kind;
  private readonly result: Person;
  private rows = 0;

  constructor(
    private readonly options: PopulationOptions,
    private readonly index: number,
  ) {
    const { seed, people, epoch } = options;
    this.random = new Random(seed, 'person', index);
    this.kind = kindAt(index, people);
    const id = userIdOf(seed, index);
    const profile = inventProfile(this.random, { id, index, kind: this.kind, epoch });
    this.result = { id, profile, contracts: [], entitlements: [], bills: [], transactions: [], notes: {} };
  }

  person(): Person {
    const [month, year] = digital.options;
    const article = () => this.buy(this.random.pick(articles), undefined);
    switch (this.kind) {
      case 'nothing':
        break;
      case 'subscriber':
      case 'guest subscriber':
      case 'no e-mail':
        this.buy(...this.anySubscription());
        break;
      case 'single purchase':
      case 'guest buyer':
        article();
        if (this.random.chance(0.3)) article();
        break;
      case 'cancelling':
        this.willCancel(this.buy(...this.anySubscription()));
        break;
      case 'overdue':
        this.overdue(this.buy(digital, month));
        break;
      case 'print':
        this.printIssues(this.buy(weekend, undefined));
        break;
      case 'fixed term':
        this.buy(complete, complete.options[1]);
        break;
      case 'several':
        this.buy(digital, year);
        this.buy(podcast, undefined);
        article();
        break;
      case 'twins':
        this.buy(digital, month);
        this.buy(digitalTwin, undefined);
        break;
      case 'canceled':
        this.end(this.buy(digital, month), 'CANCELED');
        break;
      case 'expired':
        this.end(this.buy(complete, undefined), 'EXPIRED');
        break;
      case 'returned':
        this.end(this.buy(digital, month), 'EXPIRED');
        this.buy(digital, year);
        break;
      case 'giver':
        this.give(this.buy(digital, year));
        break;
      case 'receiver':
        this.receive();
        break;
      case 'external':
        this.external(digital, undefined);
        break;
      case 'external until':
        this.external(podcast, addDays(this.options.epoch, this.random.int(5, 60)));
        break;
    }
    return this.result;
  }

  private anySubscription(): [CatalogueProduct, PurchaseOption | undefined] {
    return this.random.pick<[CatalogueProduct, PurchaseOption | undefined]>([
      [digital, digital.options[0]],
      [digital, digital.options[1]],
      [digital, digital.options[2]],
      [complete, undefined],
      [podcast, undefined],
    ]);
  }

  /** A purchase some periods ago, paid since, with the access that it gives. */
  private buy(product: CatalogueProduct, option: PurchaseOption = product.options[0]): Contract {
    const { random, result } = this;
    const { interval, times = 1 } = option;
    const periods = option.duration === 'RECURRING' ? random.int(0, 4) : 0;
    // The running period is neither new nor nearly over.
    const shareGone = 0.1 + 0.8 * random.next();
    const length = interval ? Date.parse(addIntervals(0, interval, times)) : Date.parse(addDays(0, 200));
    const periodStart = instant(Math.floor((this.options.epoch.getTime() - length * shareGone) / 1_000) * 1_000);
    const createdAt = interval ? addIntervals(periodStart, interval, -times * periods) : periodStart;
    const contract = newContract({ id: this.rowId(), userId: result.id, product, option, createdAt, periodStart });
    if (Date.parse(createdAt) < Date.parse(result.profile.createdAt)) result.profile.createdAt = createdAt;
    result.contracts.push(contract);
    for (let period = 0; period <= periods; period += 1) {
      this.pay(contract, interval ? addIntervals(createdAt, interval, times * period) : createdAt);
    }
    result.entitlements.push(
      newEntitlement(
        this.rowId(),
        product,
        { type: 'PAYMENTS', contractId: contract.id },
        {
          purchaseOption: option.id,
          expiresAt: contract.nextBillAt ?? contract.expiresAt,
          createdAt,
        },
      ),
    );
    return contract;
  }

  private pay(contract: Contract, at: string): void {
    const bill = newBill(this.rowId(), contract, 'PAID', at);
    this.result.bills.push(bill);
    this.result.transactions.push(newTransaction(this.rowId(), contract, bill, false, at));
  }

  private willCancel(contract: Contract): void {
    contract.willCancelAt = contract.nextBillAt ?? contract.expiresAt ?? addDays(this.options.epoch, 20);
    contract.nextBillAt = null;
    contract.nextPrice = null;
  }

  /** A few days into the grace after a payment that failed (sesamy-api §3.4). */
  private overdue(contract: Contract): void {
    const failedAt = addDays(this.options.epoch, -this.random.int(1, 2));
    contract.status = 'OVERDUE';
    contract.updatedAt = failedAt;
    contract.nextBillAt = addIntervals(failedAt, 'MONTH', 1);
    this.result.bills.push(newBill(this.rowId(), contract, 'OVERDUE', failedAt));
    this.result.notes[contract.id] = { failedAt, retries: 0 };
    for (const entitlement of this.result.entitlements) entitlement.expiresAt = addDays(failedAt, 9);
  }

  private end(contract: Contract, status: 'CANCELED' | 'EXPIRED'): void {
    const wished = Date.parse(addDays(this.options.epoch, -this.random.int(1, 60)));
    const endedAt = instant(Math.max(wished, Date.parse(addDays(contract.createdAt, 1))));
    Object.assign(contract, {
      status,
      isActive: false,
      nextBillAt: null,
      nextPrice: null,
      expiresAt: endedAt,
      updatedAt: endedAt,
    });
    // A cancelled contract keeps the day of its end; sources do not say whether it always does (sesamy-api §7 row 18).
    if (status === 'CANCELED' && this.random.chance(0.5)) contract.willCancelAt = endedAt;
    const before = ({ createdAt }: { createdAt: string }) => Date.parse(createdAt) < Date.parse(endedAt);
    this.result.bills = this.result.bills.filter(before);
    this.result.transactions = this.result.transactions.filter(before);
    for (const entitlement of this.result.entitlements) {
      if (entitlement.origin?.type !== 'PAYMENTS' || entitlement.origin.contractId !== contract.id) continue;
      Object.assign(entitlement, { hasAccess: false, expiresAt: endedAt, updatedAt: endedAt });
    }
  }

  private printIssues(contract: Contract): void {
    contract.issuesRemaining = this.random.int(1, 13);
  }

  private give(contract: Contract): void {
    this.result.notes[contract.id] = { giftTo: userIdOf(this.options.seed, this.index + 1) };
    this.result.entitlements = [];
  }

  private receive(): void {
    const giver = new Population(this.options).at(this.index - 1);
    const [contract] = giver.contracts;
    if (!contract) return;
    this.result.entitlements.push(
      newEntitlement(
        this.rowId(),
        digital,
        { type: 'PAYMENTS', contractId: contract.id },
        {
          expiresAt: contract.nextBillAt,
          createdAt: contract.createdAt,
        },
      ),
    );
  }

  private external(product: CatalogueProduct, expiresAt: string | undefined): void {
    const origin = {
      type: 'EXTERNAL',
      id: this.rowId(),
      listId: 'list-biblioteken',
      name: 'Biblioteken i Småland',
    } as const;
    const createdAt = instant(this.options.epoch.getTime() - this.random.int(3 * 86_400, 300 * 86_400) * 1_000);
    this.result.entitlements.push(newEntitlement(this.rowId(), product, origin, { expiresAt, createdAt }));
  }

  private rowId(): string {
    this.rows += 1;
    return rowIdOf(this.options.seed, this.index, 'row', this.rows);
  }
}
