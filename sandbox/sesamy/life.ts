import { ControlRefusal } from '../common/controls.js';
import type { Contract, ContractNotes, Entitlement, Person } from './model.js';
import type { EventType, WebhookEvent } from './webhooks.js';
import { contractOf, type World } from './world.js';

export type EventIds = Pick<WebhookEvent, 'contractId' | 'entitlementId' | 'checkoutId'>;

/** What every change needs: the world, and telling the receiver of it. */
export interface Life {
  world: World;
  raise(eventType: EventType, userId: string, ids?: EventIds): void;
}

/** @throws ControlRefusal 404 when there is no such person. */
export function getPerson({ world }: Life, id: string): Person {
  const person = world.person(id);
  if (!person) throw new ControlRefusal(`There is no person ${id}.`, 404);
  return person;
}

/** @throws ControlRefusal 404 when nobody has such a contract. */
export function getContract({ world }: Life, contractId: string): { person: Person; contract: Contract } {
  const person = world.holderOfContract(contractId);
  if (!person) throw new ControlRefusal(`There is no contract ${contractId}.`, 404);
  return { person, contract: contractOf(person, contractId) };
}

/** Changes a contract and what belongs to it; sets `updatedAt`. @returns the contract as it is now. */
export function editContract(
  { world }: Life,
  contractId: string,
  change: (contract: Contract, person: Person, notes: ContractNotes) => void,
): Contract {
  const holder = world.holderOfContract(contractId);
  if (!holder) throw new ControlRefusal(`There is no contract ${contractId}.`, 404);
  const edited = world.edit(holder.id, (person) => {
    const contract = contractOf(person, contractId);
    const notes = person.notes[contractId] ?? {};
    person.notes[contractId] = notes;
    change(contract, person, notes);
    contract.updatedAt = world.timestamp();
  });
  return contractOf(edited, contractId);
}

/** Changes the access that rests on a contract, the giver's own or a gift's receiver's, and tells of each. */
export function editAccess(life: Life, contract: Contract, change: (entitlement: Entitlement) => void): void {
  const { world, raise } = life;
  const giftTo = world.person(contract.userId)?.notes[contract.id]?.giftTo;
  const restsOn = ({ origin }: Entitlement) => origin?.type === 'PAYMENTS' && origin.contractId === contract.id;
  for (const userId of new Set([contract.userId, giftTo])) {
    const holder = userId === undefined ? undefined : world.person(userId);
    if (!holder?.entitlements.some(restsOn)) continue;
    const edited = world.edit(holder.id, (person) => {
      for (const entitlement of person.entitlements.filter(restsOn)) {
        change(entitlement);
        entitlement.updatedAt = world.timestamp();
      }
    });
    for (const { id } of edited.entitlements.filter(restsOn)) {
      raise('entitlement.1#update', edited.id, { entitlementId: id, contractId: contract.id });
    }
  }
}

/** Sets a member, or takes it away where the value is nothing. */
export function assignOrDelete<T extends object, K extends keyof T>(
  target: T,
  key: K,
  value: T[K] | null | undefined,
): void {
  if (value === null || value === undefined) delete target[key];
  else target[key] = value;
}
