/** `FAULT_SEEDS=500` sets how many, `FAULT_SEED=17` replays one; both with `npm run test:faults -- -g random`. */
import { describeRandomSchedules } from './support/random.js';

describe('random schedules of faults, kills, people and webhooks', function () {
  this.timeout(3_600_000);
  describeRandomSchedules(Number(process.env.FAULT_FIRST || 1), Number(process.env.FAULT_SEEDS || 100));
});
