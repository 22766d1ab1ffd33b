import { describePoisoned } from './support/poisoned.js';

describe('readers with whom nothing goes', function () {
  this.timeout(900_000);
  describePoisoned(Number(process.env.FAULT_PEOPLE || 1_000));
});
