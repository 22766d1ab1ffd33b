import { describeRuleAway } from './support/rule-away.js';

describe('Rule is away for a day', function () {
  this.timeout(1_800_000);
  describeRuleAway(Number(process.env.FAULT_PEOPLE || 1_000));
});
