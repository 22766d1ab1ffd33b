export {
  type CallOptions,
  createRuleClient,
  type RuleClient,
  type RuleClientOptions,
  type UpdateInput,
  type UpsertInput,
} from './client.js';
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
export type { RuleField, RuleFieldReading, RuleSubscriber } from './types.js';
