/**
 * One reader at Sesamy, in memory: buys, is billed, cancels and comes back as time passes, and tells of it by webhooks. Everything that
 * happens is written down as a fact, so that a test can say from outside what there was to be told. By the rules of the sandbox
 * (sandbox/sesamy/contract-life.ts), of which it shares no code.
 */
import type { NudgeName } from '../../src/contract/index.js';
import type { Source, SourceContract } from '../../src/mapping/index.js';
import type { SesamyBill, SesamyTransaction } from '../../src/sesamy/index.js';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export type Kind = 'monthly' | 'yearly' | 'term' | 'single';

export type Happening =
  | 'failed'
  | 'recovered'
  | 'cancelled'
  | 'regretted'
  | 'ended'
  | 'bought'
  | 'resumed'
  | 'renewed'
  | 'single'
  | 'paid'
  | 'refunded'
  | 'confirmed'
  | 'touched';

export interface Fact {
  at: number;
  what: Happening;
  contractId?: string;
  billId?: string;
  /** Until when a contract that goes on is paid. */
  until?: number;
}

export interface Webhook {
  at: number;
  event: string;
  name: NudgeName;
  contractId?: string;
  entitlementId?: string;
}

/** What a reader, or somebody for them, does. `which` picks among the contracts that it can be done to. */
export type Act =
  | { do: 'buy'; kind: Kind }
  | { do: 'article' }
  | {
      do: 'cancel' | 'regret' | 'fail' | 'failNextBill' | 'recover' | 'end' | 'resume' | 'renewTerm' | 'refund';
      which: number;
    }
  | { do: 'changePlan'; which: number; kind: Kind; gapMs: number }
  | { do: 'billLate'; which: number; lateMs: number }
  | { do: 'confirm' }
  | { do: 'touch' };

/** What is not shown of a contract. */
interface Notes {
  kind: Kind;
  failsNext?: boolean;
  lateMs?: number;
  failedAt?: number;
}

const lengths: Record<Kind, number> = { monthly: 30 * day, yearly: 365 * day, term: 90 * day, single: 0 };
const titles: Record<Kind, string> = {
  monthly: 'Daily Example',
  yearly: 'Daily Example',
  term: 'Weekend Example',
  single: 'A magazine',
};

export function iso(at: number): string {
  return new Date(at).toISOString();
}

export class ReaderLife {
  readonly facts: Fact[] = [];
  user: Source['user'];
  contracts: SourceContract[] = [];
  entitlements: Source['entitlements'] = [];
  transactions: SesamyTransaction[] = [];
  bills: SesamyBill[] = [];
  #notes = new Map<string, Notes>();
  #later: { at: number; act: () => void }[] = [];
  #count = 0;
  /** Accesses say when they end. */
  readonly datedAccess: boolean;

  constructor(
    readonly userId: string,
    public now: number,
    readonly raise: (webhook: Webhook) => void,
    { guest, datedAccess }: { guest: boolean; datedAccess: boolean },
  ) {
    this.user = {
      id: userId,
      tags: [],
      email: 'one@example.com',
      emailVerified: !guest,
      createdAt: iso(now),
      updatedAt: iso(now),
    };
    this.datedAccess = datedAccess;
  }

  source(): Omit<Source, 'cancelRequestedAt'> {
    return structuredClone({ user: this.user, contracts: this.contracts, entitlements: this.entitlements });
  }

  isRunning(): boolean {
    return this.contracts.some((one) => one.isActive && one.duration !== 'PERPETUAL');
  }

  /** When something happens by itself. */
  nextAt(): number | undefined {
    const dates = [...this.contracts.map((contract) => this.#nextOf(contract)?.at), ...this.#later.map(({ at }) => at)];
    const known = dates.filter((at) => at !== undefined);
    return known.length > 0 ? Math.min(...known) : undefined;
  }

  /** Lets happen what is due by then. */
  moveTo(time: number): void {
    for (let at = this.nextAt(); at !== undefined && at <= time; at = this.nextAt()) {
      this.now = Math.max(this.now, at);
      const later = this.#later.findIndex((one) => one.at === at);
      if (later >= 0) this.#later.splice(later, 1)[0]?.act();
      else
        this.contracts
          .map((one) => this.#nextOf(one))
          .find((next) => next?.at === at)
          ?.act();
    }
    this.now = Math.max(this.now, time);
  }

  act(act: Act): void {
    switch (act.do) {
      case 'buy':
        this.#buy(act.kind);
        return;
      case 'article':
        this.#article();
        return;
      case 'confirm':
        if (this.user.emailVerified) return;
        this.user = { ...this.user, emailVerified: true, updatedAt: iso(this.now) };
        this.#fact('confirmed');
        this.#tell('userVendor.1#update', 'profileChanged');
        return;
      case 'touch':
        this.user = { ...this.user, firstName: `Kim ${this.#count++}`, updatedAt: iso(this.now) };
        this.#fact('touched');
        this.#tell('userVendor.1#update', 'profileChanged');
        return;
      case 'cancel':
        this.#with(act.which, ({ willCancelAt }) => !willCancelAt, this.#cancel);
        return;
      case 'regret':
        this.#with(act.which, ({ willCancelAt }) => Boolean(willCancelAt), this.#regret);
        return;
      case 'fail':
        this.#with(act.which, (one) => this.#canFail(one), this.#fail);
        return;
      case 'failNextBill':
        this.#with(
          act.which,
          (one) => this.#canFail(one),
          ({ id }) => Object.assign(this.#note(id), { failsNext: true }),
        );
        return;
      case 'billLate':
        this.#with(
          act.which,
          (one) => this.#canFail(one),
          ({ id }) => Object.assign(this.#note(id), { lateMs: act.lateMs }),
        );
        return;
      case 'recover':
        this.#with(act.which, ({ status }) => status === 'OVERDUE', this.#recover);
        return;
      case 'end':
        this.#with(
          act.which,
          () => true,
          (one) => this.#end(one, 'CANCELED'),
        );
        return;
      case 'renewTerm':
        this.#with(act.which, (one) => this.#note(one.id).kind === 'term' && !one.willCancelAt, this.#renew);
        return;
      case 'resume':
        this.#resume(act.which);
        return;
      case 'refund':
        this.#refund(act.which);
        return;
      case 'changePlan':
        this.#with(
          act.which,
          ({ status }) => status === 'ACTIVE',
          (one) => {
            this.#end(one, 'CANCELED');
            if (act.gapMs === 0) this.#buy(act.kind);
            else this.#later.push({ at: this.now + act.gapMs, act: () => this.#buy(act.kind) });
          },
        );
    }
  }

  #with(which: number, fits: (contract: SourceContract) => boolean, work: (contract: SourceContract) => void): void {
    const running = this.contracts.filter((one) => one.isActive && one.duration !== 'PERPETUAL' && fits(one));
    const chosen = running[which % Math.max(running.length, 1)];
    if (chosen) work.call(this, chosen);
  }

  #note(id: string): Notes {
    const note = this.#notes.get(id);
    if (!note) throw new Error(`no contract ${id}`);
    return note;
  }

  #canFail({ id, status, willCancelAt }: SourceContract): boolean {
    return ['monthly', 'yearly'].includes(this.#note(id).kind) && status === 'ACTIVE' && !willCancelAt;
  }

  #nextOf(contract: SourceContract): { at: number; act: () => void } | undefined {
    if (!contract.isActive || contract.duration === 'PERPETUAL') return undefined;
    const note = this.#note(contract.id);
    if (contract.willCancelAt)
      return { at: Date.parse(contract.willCancelAt), act: () => this.#end(contract, 'CANCELED') };
    if (note.failedAt !== undefined) {
      return { at: note.failedAt + 9 * day, act: () => this.#end(contract, 'EXPIRED') };
    }
    if (contract.nextBillAt) {
      const at = Date.parse(contract.nextBillAt) + (note.lateMs ?? 0);
      return { at, act: () => (note.failsNext ? this.#fail(contract) : this.#renew(contract)) };
    }
    if (contract.expiresAt) return { at: Date.parse(contract.expiresAt), act: () => this.#end(contract, 'EXPIRED') };
    return undefined;
  }

  #buy(kind: Kind): void {
    const id = `c${++this.#count}`;
    const until = this.now + lengths[kind];
    this.#notes.set(id, { kind });
    const dated =
      kind === 'single' ? {} : kind === 'term' ? { expiresAt: iso(until) } : ({ nextBillAt: iso(until) } as const);
    const contract: SourceContract = {
      id,
      userId: this.userId,
      status: kind === 'single' ? 'CLOSED' : 'ACTIVE',
      isActive: true,
      duration: kind === 'single' ? 'PERPETUAL' : kind === 'term' ? 'RENEWABLE' : 'RECURRING',
      ...(kind === 'monthly' ? { recurringInterval: 'MONTH' as const, recurringTime: 1 } : {}),
      ...(kind === 'yearly' ? { recurringInterval: 'YEAR' as const, recurringTime: 1 } : {}),
      createdAt: iso(this.now),
      updatedAt: iso(this.now),
      ...dated,
      items: [{ sku: `sid:${kind}`, name: titles[kind], purchaseOptionId: `po-${kind}`, purchaseOptionName: kind }],
    };
    this.contracts.push(contract);
    this.entitlements.push({
      id: `e-${id}`,
      sku: `sid:${kind}`,
      title: titles[kind],
      type: kind === 'single' ? 'physical_issue' : 'pass',
      origin: { type: 'PAYMENTS', contractId: id },
      hasAccess: true,
      createdAt: iso(this.now),
      updatedAt: iso(this.now),
      ...(this.datedAccess && kind !== 'single' ? { expiresAt: iso(until) } : {}),
    });
    this.#pay(id);
    this.#fact(kind === 'single' ? 'single' : 'bought', id, undefined, kind === 'single' ? undefined : until);
    this.#tell('checkout.1#confirm', 'purchased', id);
    this.#tell('contract.1#purchased', 'purchased', id);
    this.#tell('entitlement.1#new', 'accessChanged', id);
  }

  #article(): void {
    const id = `a${++this.#count}`;
    this.entitlements.push({
      id: `e-${id}`,
      sku: 'sid:article',
      title: 'An article',
      type: 'article',
      origin: { type: 'PAYMENTS', contractId: id },
      hasAccess: true,
      createdAt: iso(this.now),
    });
    this.#pay(id);
    this.#fact('single', id);
    this.#tell('entitlement.1#new', 'accessChanged', id);
  }

  #pay(contractId: string): void {
    const billId = `b${++this.#count}`;
    const createdAt = iso(this.now);
    const money = { currency: 'SEK', contractId, createdAt };
    this.bills.push({ id: billId, status: 'PAID', price: 119, items: [{ sku: 'sid:x', title: 'Example' }], ...money });
    this.transactions.push({ id: `t-${billId}`, billId, amount: 119, isRefund: false, ...money });
    this.#fact('paid', contractId, billId);
  }

  #renew(contract: SourceContract): void {
    const { kind, lateMs: _late } = this.#note(contract.id);
    this.#notes.set(contract.id, { kind });
    const from = Date.parse(contract.nextBillAt ?? contract.expiresAt ?? iso(this.now));
    this.#paidUntil(contract, from + lengths[kind]);
    this.#pay(contract.id);
    this.#changed(contract, 'renewed');
  }

  #paidUntil(contract: SourceContract, until: number): void {
    if (this.#note(contract.id).kind === 'term') contract.expiresAt = iso(until);
    else contract.nextBillAt = iso(until);
    this.#access(contract, true, until);
  }

  #access({ id }: SourceContract, hasAccess: boolean, until: number): void {
    const access = this.entitlements.find(({ origin }) => origin?.type === 'PAYMENTS' && origin.contractId === id);
    if (!access) return;
    access.hasAccess = hasAccess;
    access.updatedAt = iso(this.now);
    if (this.datedAccess || !hasAccess) access.expiresAt = iso(until);
    else delete access.expiresAt;
  }

  #cancel(contract: SourceContract): void {
    const note = this.#note(contract.id);
    if (contract.status === 'OVERDUE') {
      contract.willCancelAt = iso((note.failedAt ?? this.now) + 9 * day);
    } else contract.willCancelAt = contract.nextBillAt ?? contract.expiresAt ?? iso(this.now);
    if (Date.parse(contract.willCancelAt) <= this.now) contract.willCancelAt = iso(this.now + minute);
    delete contract.nextBillAt;
    this.#tell('contract#cancelRequest', 'cancelRequested', contract.id);
    this.#changed(contract, 'cancelled');
  }

  #regret(contract: SourceContract): void {
    if (this.#note(contract.id).kind !== 'term' && contract.willCancelAt) contract.nextBillAt = contract.willCancelAt;
    delete contract.willCancelAt;
    this.#changed(contract, 'regretted');
  }

  #fail(contract: SourceContract): void {
    const { kind } = this.#note(contract.id);
    this.#notes.set(contract.id, { kind, failedAt: this.now });
    contract.status = 'OVERDUE';
    const until = Date.parse(contract.nextBillAt ?? iso(this.now)) + lengths[kind];
    contract.nextBillAt = iso(until);
    this.#access(contract, true, this.now + 9 * day);
    this.#changed(contract, 'failed');
  }

  #recover(contract: SourceContract): void {
    const { kind } = this.#note(contract.id);
    this.#notes.set(contract.id, { kind });
    contract.status = 'ACTIVE';
    this.#access(contract, true, Date.parse(contract.nextBillAt ?? contract.willCancelAt ?? iso(this.now)));
    this.#pay(contract.id);
    this.#changed(contract, 'recovered');
  }

  #end(contract: SourceContract, status: 'EXPIRED' | 'CANCELED'): void {
    const { kind } = this.#note(contract.id);
    this.#notes.set(contract.id, { kind });
    Object.assign(contract, { status, isActive: false, expiresAt: iso(this.now) });
    delete contract.nextBillAt;
    if (status === 'EXPIRED') delete contract.willCancelAt;
    this.#access(contract, false, this.now);
    this.#changed(contract, 'ended');
  }

  #resume(which: number): void {
    const ended = this.contracts.filter((one) => !one.isActive);
    const contract = ended[which % Math.max(ended.length, 1)];
    if (!contract) return;
    Object.assign(contract, { status: 'ACTIVE', isActive: true });
    delete contract.willCancelAt;
    delete contract.expiresAt;
    this.#paidUntil(contract, this.now + lengths[this.#note(contract.id).kind]);
    this.#pay(contract.id);
    this.#changed(contract, 'resumed');
  }

  #refund(which: number): void {
    const paid = this.bills.filter(
      ({ status, contractId }) => status === 'PAID' && this.contracts.some(({ id }) => id === contractId),
    );
    const bill = paid[which % Math.max(paid.length, 1)];
    if (!bill) return;
    bill.status = 'VOIDED';
    const { contractId = '' } = bill;
    const createdAt = iso(this.now);
    this.transactions.push({ id: `r-${bill.id}`, billId: bill.id, contractId, amount: 119, isRefund: true, createdAt });
    this.#fact('refunded', contractId, bill.id);
    const contract = this.contracts.find(({ id }) => id === contractId);
    if (contract?.isActive && contract.duration !== 'PERPETUAL') this.#end(contract, 'CANCELED');
  }

  #changed(contract: SourceContract, what: Happening): void {
    contract.updatedAt = iso(this.now);
    const until = contract.isActive && !contract.willCancelAt ? (contract.nextBillAt ?? contract.expiresAt) : undefined;
    this.#fact(what, contract.id, undefined, until === undefined ? undefined : Date.parse(until));
    this.#tell('contract.1#update', 'contractChanged', contract.id);
  }

  #fact(what: Happening, contractId?: string, billId?: string, until?: number): void {
    this.facts.push({
      at: this.now,
      what,
      ...(contractId ? { contractId } : {}),
      ...(billId ? { billId } : {}),
      ...(until === undefined ? {} : { until }),
    });
  }

  #tell(event: string, name: NudgeName, contractId?: string): void {
    this.raise({
      at: this.now,
      event,
      name,
      ...(contractId ? { contractId } : {}),
      ...(contractId && name === 'accessChanged' ? { entitlementId: `e-${contractId}` } : {}),
    });
  }
}
