/** From a person at Sesamy to what Rule should hold: pure, no I/O, no clock. */
export { cancelTimes } from './contracts.js';
export { emailOf, type FieldContext, type FieldRow, type FieldType, fieldTable } from './field-table.js';
export { type MappedField, type MappedPerson, mapPerson, mappingVersion, type Standing, standing } from './person.js';
export type { MappingProblem, MappingProblemCode } from './problems.js';
export {
  compareFields,
  type FieldComparison,
  fieldsToWrite,
  type HeldValue,
  type RuleFieldValue,
} from './rule-fields.js';
export { defaultMappingSettings, type MappingSettings } from './settings.js';
export type {
  Source,
  SourceAddress,
  SourceContract,
  SourceContractItem,
  SourceEntitlement,
  SourceUser,
} from './source.js';
export {
  baseTag,
  eventTag,
  isOurTag,
  missingTags,
  stageTag,
  type TagRow,
  tagsToRemove,
  tagTable,
} from './tag-table.js';
