import assert from 'node:assert/strict';
import { VendorError } from '../src/http/errors.js';
import { type AccountGate, createAccountGate, type Outcome, type Pass } from '../src/rule/index.js';

const s = 1000;
const min = 60 * s;

describe('the gate of a Rule account', () => {
  const start = Date.parse('2026-05-14T12:00:00Z');
  let clock: number;
  let random: number;
  let gate: AccountGate;

  beforeEach(() => {
    clock = start;
    random = 0;
    gate = createAccountGate({ now: () => clock, random: () => random });
  });

  const ok: Outcome = { kind: 'answered' };
  const call = (outcome: Outcome) => gate.enter().done(outcome);

  function refusal(ask: () => unknown = () => gate.enter()): VendorError {
    try {
      ask();
    } catch (error) {
      assert.ok(error instanceof VendorError);
      assert.equal(error.next, 'wait');
      return error;
    }
    throw new assert.AssertionError({ message: 'the gate is open' });
  }

  it('lets everybody through as long as answers come', () => {
    const passes = [gate.enter(), gate.enter(), gate.enter()];
    gate.check();
    for (const pass of passes) pass.done(ok);
    assert.deepEqual(gate.snapshot(), { open: true, probing: false });
  });

  it('lets nobody through during a block, and tells the time left', () => {
    call({ kind: 'blocked', waitMs: 10 * min });
    clock += 4 * min;
    for (const ask of [() => gate.enter(), () => gate.check()]) {
      const error = refusal(ask);
      assert.deepEqual([error.type, error.waitMs], ['rule/blocked', 6 * min]);
    }
    assert.deepEqual(gate.snapshot(), {
      open: false,
      probing: false,
      reason: 'blocked',
      blockedUntil: start + 10 * min,
    });
  });

  it('spreads the end of a block and the return of those who wait', () => {
    random = 0.5;
    call({ kind: 'blocked', waitMs: 1 * min });
    assert.equal(gate.snapshot().blockedUntil, start + 1 * min + 3 * s);
    assert.equal(refusal().waitMs, 63 * s + 3150);
  });

  it('lets one caller probe when the time has passed, while the others wait shortly', () => {
    call({ kind: 'blocked', waitMs: 10 * min });
    clock += 10 * min;
    gate.check();
    const probe = gate.enter();
    assert.deepEqual([refusal().type, refusal().waitMs], ['rule/blocked', 2 * s]);
    assert.equal(refusal(() => gate.check()).waitMs, 2 * s);
    assert.equal(gate.snapshot().probing, true);
    probe.done(ok);
    gate.enter();
    gate.enter();
  });

  it('does not take the probe by a check', () => {
    call({ kind: 'blocked', waitMs: 1 * min });
    clock += 1 * min;
    gate.check();
    gate.check();
    gate.enter();
  });

  const probes: { name: string; outcome: Outcome; openAfter: number; reason?: string }[] = [
    { name: 'blocked again', outcome: { kind: 'blocked', waitMs: 5 * min }, openAfter: 5 * min, reason: 'blocked' },
    { name: 'not answered', outcome: { kind: 'unavailable' }, openAfter: 2 * s, reason: 'blocked' },
    { name: 'refused for its key', outcome: { kind: 'key-refused' }, openAfter: 1 * min, reason: 'key-refused' },
    { name: 'cancelled', outcome: { kind: 'abandoned' }, openAfter: 0, reason: 'blocked' },
  ];
  for (const { name, outcome, openAfter, reason } of probes) {
    it(`stays closed after a probe that was ${name}, then probes again`, () => {
      call({ kind: 'blocked', waitMs: 1 * min });
      clock += 1 * min;
      call(outcome);
      assert.deepEqual(gate.snapshot(), { open: false, probing: false, reason, blockedUntil: clock + openAfter });
      if (openAfter > 0) {
        clock += openAfter - 1;
        refusal();
        clock += 1;
      }
      const probe = gate.enter();
      refusal();
      probe.done(ok);
      gate.enter();
      gate.enter();
    });
  }

  it('is not opened by a late answer of a call that was under way when the block began', () => {
    const late = gate.enter();
    call({ kind: 'blocked', waitMs: 10 * min });
    late.done(ok);
    refusal();
    clock += 10 * min;
    gate.enter();
    late.done(ok);
    refusal();
  });

  it('keeps the later end of two blocks', () => {
    const [first, second] = [gate.enter(), gate.enter()] as [Pass, Pass];
    first.done({ kind: 'blocked', waitMs: 10 * min });
    second.done({ kind: 'blocked', waitMs: 5 * min });
    assert.equal(gate.snapshot().blockedUntil, start + 10 * min);
  });

  it('is lengthened by a late block', () => {
    const late = gate.enter();
    call({ kind: 'blocked', waitMs: 5 * min });
    late.done({ kind: 'blocked', waitMs: 10 * min });
    assert.equal(gate.snapshot().blockedUntil, start + 10 * min);
  });

  it('asks a refused key again after 1, 2, 4, 8 and then each 15 minutes', () => {
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      call({ kind: 'key-refused' });
      const error = refusal();
      assert.equal(error.type, 'rule/key-refused');
      waits.push((error.waitMs ?? 0) / min);
      clock += error.waitMs ?? 0;
    }
    assert.deepEqual(waits, [1, 2, 4, 8, 15, 15]);
  });

  it('begins anew with one minute after the key was good again', () => {
    call({ kind: 'key-refused' });
    clock += 1 * min;
    call({ kind: 'key-refused' });
    clock += 2 * min;
    call(ok);
    call({ kind: 'key-refused' });
    assert.equal(refusal().waitMs, 1 * min);
  });

  it('counts one refusal where many calls were under way with the refused key', () => {
    const passes = Array.from({ length: 20 }, () => gate.enter());
    for (const pass of passes) pass.done({ kind: 'key-refused' });
    assert.equal(refusal().waitMs, 1 * min);
  });

  it('stays open when a call brings no answer', () => {
    call({ kind: 'unavailable' });
    call({ kind: 'abandoned' });
    gate.enter();
  });

  const brakes: { allowed: number; current: number; brakes: boolean }[] = [
    { allowed: 2000, current: 1959, brakes: false },
    { allowed: 2000, current: 1960, brakes: true },
    { allowed: 2000, current: 2000, brakes: true },
    { allowed: 10, current: 9, brakes: false },
    { allowed: 10, current: 10, brakes: true },
    { allowed: 0, current: 0, brakes: false },
  ];
  for (const { allowed, current, brakes: braked } of brakes) {
    it(`${braked ? 'brakes' : 'goes on'} at ${current} of ${allowed} requests`, () => {
      call({ kind: 'answered', use: { allowed, current } });
      if (braked) assert.deepEqual([refusal().type, refusal().waitMs], ['rule/blocked', 5 * s]);
      else gate.enter();
    });
  }

  const errorShares: { current: number; errorShare: number; brakes: boolean }[] = [
    { current: 200, errorShare: 39, brakes: false },
    { current: 200, errorShare: 40, brakes: true },
    { current: 49, errorShare: 48, brakes: false },
  ];
  for (const { current, errorShare, brakes: braked } of errorShares) {
    it(`${braked ? 'brakes' : 'goes on'} at ${errorShare} % errors of ${current} requests where Rule blocks at 49 %`, () => {
      call({ kind: 'answered', use: { allowed: 2000, current, errorShare, errorShareLimit: 49 } });
      if (braked) assert.deepEqual([refusal().type, refusal().waitMs], ['rule/blocked', 5 * s]);
      else gate.enter();
    });
  }

  it('brakes again while a probe finds the requests still used up, and opens when they are not', () => {
    call({ kind: 'answered', use: { allowed: 100, current: 99 } });
    clock += 5 * s;
    call({ kind: 'answered', use: { allowed: 100, current: 100 } });
    refusal();
    clock += 5 * s;
    call({ kind: 'answered', use: { allowed: 100, current: 1 } });
    gate.enter();
    gate.enter();
  });

  it('does not brake for what an older answer said', () => {
    call({ kind: 'answered', use: { allowed: 100, current: 99 } });
    clock += 5 * s;
    call(ok);
    call(ok);
    gate.enter();
  });

  it('shows what the headers said last, also those of a block', () => {
    call({ kind: 'answered', use: { allowed: 2000, current: 5, errorShare: 0, errorShareLimit: 49 } });
    call({ kind: 'blocked', waitMs: 1 * min, use: { errorShare: 50, errorShareLimit: 49 } });
    const { allowed, current, errorShare, errorShareLimit } = gate.snapshot();
    assert.deepEqual([allowed, current, errorShare, errorShareLimit], [2000, 5, 50, 49]);
  });
});
