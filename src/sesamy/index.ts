export { type CallOptions, createSesamyClient, type SesamyClient, type SesamyClientOptions } from './client.js';
export type { SesamyAddress, SesamyContract, SesamyContractItem, SesamyEntitlement, SesamyUser } from './types.js';
