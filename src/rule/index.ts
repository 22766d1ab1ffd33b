export type { AccountCalls, RuleRead } from './account.js';
export type { RuleAutomation } from './automations.js';
export {
  createRuleClient,
  type RuleClient,
  type RuleClientOptions,
  type UpdateInput,
  type UpsertInput,
} from './client.js';
export type { RuleFieldSchema } from './field-types.js';
export {
  type AccountGate,
  type AccountUse,
  createAccountGate,
  type GateOptions,
  type GateReason,
  type GateSnapshot,
  type Outcome,
  type Pass,
} from './gate.js';
export type {
  CallOptions,
  RuleField,
  RuleFieldReading,
  RuleMail,
  RuleRow,
  RuleRowQuery,
  RuleSubscriber,
} from './types.js';
export type { RulePage } from './v2-pages.js';
