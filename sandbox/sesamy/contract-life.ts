import { ControlRefusal } from '../common/controls.js';
import { articles, type CatalogueProduct } from './catalogue.js';
import { assignOrDelete, editAccess, editContract, getContract, getPerson, type Life } from './life.js';
import type { Bill, Contract, Entitlement, Person } from './model.js';
import { newBill, newContract, newEntitlement, newTransaction } from './rows.js';
import { addDays, addIntervals } from './time.js';

/** An unpaid bill is tried again so often, so many days apart; the access goes on meanwhile (sesamy-api §3.4). */
export const overdueRetries = 3;
export const overdueRetryDays = 3;

export interface PurchaseInput {
  productSku: string;
  /** The product's first option when left out. */
  purchaseOptionId?: string | undefined;
  /** User id of somebody who gets the access, while the contract stays with the buyer (sesamy-api §9 Q5). */
  giftTo?: string | undefined;
}

export interface Purchase {
  contract: Contract;
  entitlement: Entitlement;
  bill: Bill;
  checkoutId: string;
}

/** Buys: contract, paid bill, transaction and access; tells of checkout, contract and access. */
export function purchase(life: Life, userId: string, input: PurchaseInput): Purchase {
  const { world, raise } = life;
  const product = getProduct(life, input.productSku);
  const option = input.purchaseOptionId
    ? product.options.find(({ id }) => id === input.purchaseOptionId)
    : product.options[0];
  if (!option) throw new ControlRefusal(`${product.sku} is not sold under ${input.purchaseOptionId}.`);
  getPerson(life, userId);
  if (input.giftTo) getPerson(life, input.giftTo);
  const createdAt = world.timestamp();
  const checkoutId = world.newId(32);
  const contract = newContract({ id: world.newId(32), userId, product, option, createdAt });
  const origin = { type: 'PAYMENTS', contractId: contract.id } as const;
  const expiresAt = contract.nextBillAt ?? contract.expiresAt;
  const sold = input.giftTo ? {} : { purchaseOption: option.id };
  const entitlement = newEntitlement(world.newId(32), product, origin, { ...sold, expiresAt, createdAt });
  const buyer = world.edit(userId, (person) => {
    person.contracts.push(contract);
    if (input.giftTo) person.notes[contract.id] = { giftTo: input.giftTo };
    else person.entitlements.push(entitlement);
    pay(life, person, contract);
  });
  if (input.giftTo) world.edit(input.giftTo, (person) => person.entitlements.push(entitlement));
  const contractId = contract.id;
  raise('checkout.1#confirm', userId, { checkoutId, contractId });
  raise('contract.1#purchased', userId, { contractId });
  raise('entitlement.1#new', input.giftTo ?? userId, { entitlementId: entitlement.id, contractId });
  raise('userVendor.1#update', userId);
  return { contract, entitlement, bill: lastBill(buyer, contract.id), checkoutId };
}

/** Buys a single article; one of the catalogue's when no SKU is given. */
export function buyArticle(life: Life, userId: string, productSku = articles[0].sku): Purchase {
  return purchase(life, userId, { productSku });
}

/** The next period is paid; an ended contract runs again from now. */
export function renew(life: Life, contractId: string): Contract {
  const { contract } = getContract(life, contractId);
  const { recurringInterval: unit, recurringTime: times = 1 } = contract;
  if (!unit) throw new ControlRefusal('A single purchase has nothing to renew.', 409);
  return runOn(life, contractId, (one, person) => {
    const paidUntil = one.isActive ? (one.nextBillAt ?? one.willCancelAt ?? one.expiresAt) : undefined;
    pay(life, person, one);
    return addIntervals(paidUntil ?? life.world.now(), unit, times);
  });
}

/** The reader asks to cancel: access goes on until the end of the paid period (sesamy-api §3.4). */
export function cancel(life: Life, contractId: string): Contract {
  const { contract: before } = getContract(life, contractId);
  if (!before.isActive || before.contractDuration === 'PERPETUAL') {
    throw new ControlRefusal('Only a running subscription can be cancelled.', 409);
  }
  const contract = editContract(life, contractId, (one) => {
    one.willCancelAt = one.willCancelAt ?? one.nextBillAt ?? one.expiresAt ?? life.world.timestamp();
    one.nextBillAt = null;
    one.nextPrice = null;
  });
  life.raise('contract#cancelRequest', contract.userId, { contractId });
  life.raise('contract.1#update', contract.userId, { contractId });
  return contract;
}

/** The reader takes the cancellation back while the contract still runs. */
export function regret(life: Life, contractId: string): Contract {
  const { contract: before } = getContract(life, contractId);
  if (!before.isActive || !before.willCancelAt) throw new ControlRefusal('There is no cancellation to regret.', 409);
  const contract = editContract(life, contractId, (one) => {
    if (one.contractDuration === 'RECURRING') {
      one.nextBillAt = one.willCancelAt;
      one.nextPrice = one.price;
    }
    one.willCancelAt = null;
  });
  life.raise('contract.1#update', contract.userId, { contractId });
  return contract;
}

/** The payment of the next period fails: overdue, with access, until it is recovered or its tries are over. */
export function failPayment(life: Life, contractId: string): Contract {
  const { contract: before } = getContract(life, contractId);
  const { recurringInterval: unit, recurringTime: times = 1 } = before;
  if (!before.isActive || !unit || before.contractDuration !== 'RECURRING') {
    throw new ControlRefusal('Only a running recurring subscription has a payment that can fail.', 409);
  }
  const now = life.world.timestamp();
  const contract = editContract(life, contractId, (one, person, notes) => {
    if (one.status !== 'OVERDUE') {
      person.bills.push(newBill(life.world.newId(32), one, 'OVERDUE', now));
      Object.assign(notes, { failedAt: now, retries: 0 });
      one.nextBillAt = addIntervals(one.nextBillAt ?? one.willCancelAt ?? now, unit, times);
    }
    one.status = 'OVERDUE';
    one.willCancelAt = null;
  });
  editAccess(life, contract, (entitlement) => {
    entitlement.expiresAt = addDays(now, overdueRetries * overdueRetryDays);
  });
  life.raise('contract.1#update', contract.userId, { contractId });
  return contract;
}

/** The payment that had failed goes through. */
export function recoverPayment(life: Life, contractId: string): Contract {
  if (getContract(life, contractId).contract.status !== 'OVERDUE') {
    throw new ControlRefusal('No payment of this contract has failed.', 409);
  }
  return runOn(life, contractId, (one, person) => {
    pay(life, person, one);
    return one.nextBillAt ?? life.world.timestamp();
  });
}

/** A further try of an unpaid bill fails too; the bill and contract say so by their dates only. */
export function failAgain(life: Life, contractId: string): Contract {
  const contract = editContract(life, contractId, (_one, person, notes) => {
    notes.retries = (notes.retries ?? 0) + 1;
    const bill = unpaidBill(person, contractId);
    if (bill) Object.assign(bill, { status: 'RETRYING', updatedAt: life.world.timestamp() });
  });
  life.raise('contract.1#update', contract.userId, { contractId });
  return contract;
}

/** The contract and its access end now: `EXPIRED` by itself, `CANCELED` by wish or refund (sesamy-api §3.4). */
export function end(life: Life, contractId: string, status: 'EXPIRED' | 'CANCELED'): Contract {
  const now = life.world.timestamp();
  const contract = editContract(life, contractId, (one, person, notes) => {
    Object.assign(one, { status, isActive: false, nextBillAt: null, nextPrice: null, expiresAt: now });
    if (status === 'EXPIRED') one.willCancelAt = null;
    const bill = unpaidBill(person, contractId);
    if (bill) Object.assign(bill, { status: 'EXPIRED', updatedAt: now });
    delete notes.failedAt;
    delete notes.retries;
  });
  editAccess(life, contract, (entitlement) => {
    entitlement.hasAccess = false;
    entitlement.expiresAt = now;
  });
  life.raise('contract.1#update', contract.userId, { contractId });
  return contract;
}

/** Gives the money of a paid bill back, and ends the contract. */
export function refund(life: Life, billId: string): Contract {
  const { world } = life;
  const holder = world.holderOfBill(billId);
  const paid = holder?.bills.find(({ id }) => id === billId);
  if (!holder || !paid?.contractId) throw new ControlRefusal(`There is no bill ${billId}.`, 404);
  if (paid.status !== 'PAID') throw new ControlRefusal('Only a paid bill can be refunded.', 409);
  editContract(life, paid.contractId, (contract, person) => {
    const now = world.timestamp();
    for (const bill of person.bills.filter(({ id }) => id === billId)) {
      Object.assign(bill, { status: 'VOIDED', updatedAt: now });
      person.transactions.push(newTransaction(world.newId(32), contract, bill, true, now));
    }
  });
  return end(life, paid.contractId, 'CANCELED');
}

/** Sets a contract running until the date that `settle` answers, with its access; tells of both. */
function runOn(life: Life, contractId: string, settle: (contract: Contract, person: Person) => string): Contract {
  const contract = editContract(life, contractId, (one, person, notes) => {
    const until = settle(one, person);
    const recurring = one.contractDuration === 'RECURRING';
    Object.assign(one, { status: 'ACTIVE', isActive: true, willCancelAt: null });
    one.nextBillAt = recurring ? until : null;
    one.nextPrice = recurring ? one.price : null;
    assignOrDelete(one, 'expiresAt', recurring ? undefined : until);
    delete notes.failedAt;
    delete notes.retries;
  });
  editAccess(life, contract, (entitlement) => {
    entitlement.hasAccess = true;
    assignOrDelete(entitlement, 'expiresAt', contract.nextBillAt ?? contract.expiresAt);
  });
  life.raise('contract.1#update', contract.userId, { contractId });
  return contract;
}

/** Pays the unpaid bill of the contract, or a new one. */
function pay({ world }: Life, person: Person, contract: Contract): void {
  const now = world.timestamp();
  const unpaid = unpaidBill(person, contract.id);
  const bill = unpaid ?? newBill(world.newId(32), contract, 'PAID', now);
  if (unpaid) Object.assign(unpaid, { status: 'PAID', updatedAt: now });
  else person.bills.push(bill);
  person.transactions.push(newTransaction(world.newId(32), contract, bill, false, now));
}

function unpaidBill(person: Person, contractId: string): Bill | undefined {
  return person.bills.find((bill) => bill.contractId === contractId && /^(OVERDUE|RETRYING)$/.test(bill.status));
}

function lastBill(person: Person, contractId: string): Bill {
  const bill = person.bills.findLast((one) => one.contractId === contractId);
  if (!bill) throw new Error(`Contract ${contractId} has no bill.`);
  return bill;
}

function getProduct({ world }: Life, sku: string): CatalogueProduct {
  const product = world.products.find((one) => one.sku === sku);
  if (!product) throw new ControlRefusal(`There is no product ${sku}.`, 404);
  return product;
}
