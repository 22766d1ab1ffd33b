export {
  type CallOptions,
  createSesamyClient,
  type SesamyClient,
  type SesamyClientOptions,
  type SesamyResource,
  type UserIdPage,
} from './client.js';
export { eachPage, type ListPage } from './pages.js';
export type {
  ListedUser,
  SesamyAddress,
  SesamyBill,
  SesamyBillItem,
  SesamyContract,
  SesamyContractItem,
  SesamyEntitlement,
  SesamyTransaction,
  SesamyUser,
} from './types.js';
