// Mocha's spec reporter, closed by one line that a machine can read: `N passed, N failed`.
const Mocha = require('mocha');

module.exports = class SummaryReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      console.log(`\n${this.stats.passes} passed, ${this.stats.failures} failed`);
    });
  }
};
