/** A small part of the fault suite, `npm run test:faults`: some seeds, and each call of some stories met by one mishap. */
import { describeEveryCall } from './faults/support/every-call.js';
import { describeRandomSchedules } from './faults/support/random.js';

describe('faults, in short', function () {
  this.timeout(300_000);

  describe('random schedules', () => {
    describeRandomSchedules(1, 6);
  });

  describe('every call', () => {
    // Another mishap for each call: over the calls of the stories each has its turn.
    describeEveryCall({
      lanes: 6,
      stories: (name) => /buys|is gone/.test(name),
      choose: (mishaps, call, story) => mishaps.filter((_one, index) => index === (5 * call + story) % mishaps.length),
    });
  });
});
