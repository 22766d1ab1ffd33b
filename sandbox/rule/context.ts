import type { Account } from './account.js';
import type { Jobs } from './jobs.js';
import type { Limits } from './limits.js';

/** What a route works with. */
export interface Context {
  account: Account;
  jobs: Jobs;
  limits: Limits;
}
