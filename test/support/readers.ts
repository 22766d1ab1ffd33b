import { aContract, anEntitlement, aProfile, nextId } from './people.js';
import type { System } from './system.js';

export interface ReaderOverrides {
  profile?: Record<string, unknown>;
  /** Over the one running contract. */
  contract?: Record<string, unknown>;
  entitlement?: Record<string, unknown>;
}

/** A reader with one running subscription, as the stand-in of Sesamy holds them from now on; answers the user id. */
export function aReader(system: Pick<System, 'sesamy'>, overrides: ReaderOverrides = {}, id = nextId()): string {
  const contractId = contractOf(id);
  system.sesamy.setPerson({
    profile: aProfile(id, overrides.profile),
    contracts: [aContract(id, contractId, overrides.contract)],
    entitlements: [anEntitlement(`e-${id.slice(-6)}`, contractId, overrides.entitlement)],
  });
  return id;
}

/** The id of the contract that {@link aReader} gives. */
export function contractOf(userId: string): string {
  return `c-${userId.slice(-6)}`;
}
