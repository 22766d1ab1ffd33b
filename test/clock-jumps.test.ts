/** Clocks: the nights in which Rule's wall time is moved, and a system clock that is set while the program runs. */
import assert from 'node:assert/strict';
import { startRuleSandbox } from '../sandbox/rule/index.js';
import { VendorError } from '../src/http/errors.js';
import { createAccountGate, createRuleClient } from '../src/rule/index.js';
import { createPace } from '../src/sesamy/pace.js';

const minute = 60_000;
const hour = 60 * minute;

describe('clocks jump', () => {
  const { now: real } = Date;
  let jumpMs = 0;

  before(() => {
    Date.now = () => real() + jumpMs;
  });
  after(() => {
    Date.now = real;
  });
  afterEach(() => {
    jumpMs = 0;
  });

  for (const { night, begins, sent } of [
    { night: 'the hour that exists twice', begins: '2026-10-24T23:50:00Z', sent: 1 },
    { night: 'the hour that is skipped', begins: '2027-03-28T00:20:00Z', sent: 0 },
  ]) {
    it(`A22: a block of an hour and a half over ${night}: ${sent === 0 ? 'no call' : 'one probe'} while it lasts, and it ends`, async () => {
      let clock = Date.parse(begins);
      const rule = await startRuleSandbox({ now: () => new Date(clock), switches: { blockedRequestsLengthen: false } });
      const gate = createAccountGate({ now: () => clock, random: () => 0 });
      const client = createRuleClient({ apiUrl: rule.url, apiKey: rule.apiKey, gate });
      try {
        rule.blockAccount({ seconds: 90 * 60, why: 'count' });
        const ask = () =>
          client.listFieldTypes().then(
            () => undefined,
            (error: unknown) => error,
          );
        assert.ok((await ask()) instanceof VendorError);
        const mark = rule.recorder.requests.length;
        for (; clock < Date.parse(begins) + 89 * minute; clock += minute) await ask();
        assert.ok(rule.recorder.requests.length - mark <= sent, `${rule.recorder.requests.length - mark} calls`);
        clock = Date.parse(begins) + 100 * minute;
        assert.equal(await ask(), undefined, 'the gate is open again');
      } finally {
        await client.close();
        await rule.close();
      }
    });
  }

  for (const jump of [-hour, hour]) {
    const direction = jump < 0 ? 'back' : 'forward';
    it(`the system’s clock is set ${direction} an hour during a block: it lasts as long as Rule said`, () => {
      const gate = createAccountGate({ random: () => 0 });
      gate.enter().done({ kind: 'blocked', waitMs: 30 * minute });
      jumpMs = jump;
      assert.throws(
        () => gate.check(),
        (error) => {
          assert.ok(error instanceof VendorError);
          const waitMs = error.waitMs ?? 0;
          return waitMs > 29 * minute && waitMs <= 30 * minute;
        },
      );
    });

    it(`the system’s clock is set ${direction} an hour: requests to Sesamy go on at their pace`, async () => {
      const pace = createPace(50);
      await pace.turn();
      jumpMs = jump;
      const begun = performance.now();
      for (let number = 0; number < 5; number += 1) await pace.turn();
      // Five even distances, a timer's early millisecond each left out. Were it by the jumping clock, it would be an hour.
      assert.ok(performance.now() - begun >= 5 * 19, 'faster than the pace');
      pace.close();
      await assert.rejects(pace.turn(), /closed/);
    });
  }
});
