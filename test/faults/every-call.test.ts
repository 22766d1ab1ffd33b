import { describeEveryCall } from './support/every-call.js';

describe('every HTTP call of every activity goes wrong in every way', function () {
  this.timeout(1_800_000);
  describeEveryCall();
});
