export {
  type CallOptions,
  createSesamyClient,
  type SesamyClient,
  type SesamyClientOptions,
  type UserIdPage,
} from './client.js';
export type {
  SesamyAddress,
  SesamyBill,
  SesamyBillItem,
  SesamyContract,
  SesamyContractItem,
  SesamyEntitlement,
  SesamyTransaction,
  SesamyUser,
} from './types.js';
