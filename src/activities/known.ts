import type { Known } from '../contract/index.js';

/** What is remembered of somebody who is to be written as if for the first time: what Sesamy shows and what was told stays. */
export function neverWritten(known: Known): Known {
  const {
    ruleId: _id,
    addressHash: _address,
    fieldHashes: _fields,
    tags: _tags,
    deletedInRule: _deleted,
    notInRuleSince: _since,
    ...rest
  } = known;
  return rest;
}
