import { VendorError } from '../http/errors.js';
import { steadyNow } from '../http/steady-clock.js';

/** Why no call passes: Rule's block, a refused key, or our own brake shortly before a block. */
export type GateReason = 'blocked' | 'key-refused' | 'braking';

/** What Rule's headers said last (rule-api §8); absent until an answer had them. */
export interface AccountUse {
  /** Ceiling of requests in the window, whose length is not known. */
  allowed?: number;
  /** Requests used of it. */
  current?: number;
  /** Share of answers that are errors, in percent, and its ceiling. */
  errorShare?: number;
  errorShareLimit?: number;
}

export interface GateSnapshot extends AccountUse {
  open: boolean;
  /** A single call is finding out whether the account answers again. */
  probing: boolean;
  reason?: GateReason;
  /** Epoch milliseconds. */
  blockedUntil?: number;
}

/** How a call ended, as far as it concerns the whole account. */
export type Outcome =
  /** An answer that is neither a block nor a refused key, whatever else it says. */
  | { kind: 'answered'; use?: AccountUse }
  /** 429, with what it asks to wait. */
  | { kind: 'blocked'; waitMs: number; use?: AccountUse }
  /** 401 or 403. */
  | { kind: 'key-refused'; use?: AccountUse }
  /** No answer, or a 5xx: says nothing about block and key. */
  | { kind: 'unavailable'; use?: AccountUse }
  /** Cancelled by its caller. */
  | { kind: 'abandoned' };

/** A call's way through the gate. */
export interface Pass {
  /** To be called once, at the end of the call, whatever its end. */
  done(outcome: Outcome): void;
}

/**
 * One Rule account in this process. While the account is blocked or its key refused, no call passes, since calls inside a block count
 * as errors and lengthen it (rule-api §8). When the time has passed one caller goes first, as a probe; only its success opens the
 * gate for the others.
 */
export interface AccountGate {
  /** Before each call. @throws VendorError `rule/blocked` or `rule/key-refused` (wait), with the time left. */
  enter(): Pass;
  /** The same question without going through, for callers who are about to call another vendor first. @throws like `enter`. */
  check(): void;
  snapshot(): GateSnapshot;
}

export interface GateOptions {
  /** Epoch milliseconds; default a clock that never jumps. */
  now?: () => number;
  /** In [0, 1). */
  random?: () => number;
}

/** A refused key is asked again after this, doubling: a person has to mend it, but nobody should have to restart anything then. */
const firstKeyWaitMs = 60_000;
const longestKeyWaitMs = 15 * 60_000;

/** Shares of the ceilings, of requests and of errors, from which we stop by ourselves, and for how long: the window is not known. */
const brakeShare = 0.98;
const brakeErrorShare = 0.8;
/** Of a few requests one error is a large share and says nothing. */
const brakeErrorSample = 50;
const brakeMs = 5_000;

/** For those who come while a probe is under way, and after a probe that brought no answer. */
const shortWaitMs = 2_000;

interface Closed {
  reason: GateReason;
  until: number;
  probe?: Pass | undefined;
}

export function createAccountGate({ now = steadyNow, random = Math.random }: GateOptions = {}): AccountGate {
  let closed: Closed | undefined;
  let keyRefusals = 0;
  let use: AccountUse = {};

  /** Not everybody at the same moment, and never early: up to a tenth of the wait, between 1 and 15 s. */
  const jitter = (waitMs: number) => Math.round(random() * Math.min(Math.max(waitMs / 10, 1_000), 15_000));

  function close(reason: GateReason, waitMs: number): void {
    const until = now() + waitMs + jitter(waitMs);
    // A late answer of a call that was under way must not shorten a block.
    closed = closed && closed.until > until ? { reason: closed.reason, until: closed.until } : { reason, until };
  }

  function refuse({ reason, until }: Closed): never {
    const left = Math.max(until - now(), shortWaitMs);
    throw new VendorError({
      type: reason === 'key-refused' ? 'rule/key-refused' : 'rule/blocked',
      next: 'wait',
      reason: refusals[reason],
      waitMs: left + jitter(left),
    });
  }

  function finish(pass: Pass, outcome: Outcome): void {
    if (outcome.kind !== 'abandoned' && outcome.use) use = { ...use, ...outcome.use };
    const probed = closed?.probe === pass ? closed : undefined;
    if (probed) probed.probe = undefined;

    switch (outcome.kind) {
      case 'blocked':
        close('blocked', outcome.waitMs);
        return;
      case 'key-refused':
        // Of many calls that were under way when the key was refused only the first counts.
        if (closed && !probed) return;
        close('key-refused', Math.min(firstKeyWaitMs * 2 ** keyRefusals, longestKeyWaitMs));
        keyRefusals += 1;
        return;
      case 'unavailable':
        if (probed) close(probed.reason, shortWaitMs);
        return;
      case 'answered':
        // An answer to a call from before the block says nothing about its end.
        if (closed && !probed) return;
        closed = undefined;
        keyRefusals = 0;
        if (nearlyUsedUp(outcome.use)) close('braking', brakeMs);
        return;
      case 'abandoned':
        return;
    }
  }

  function check(): void {
    if (closed && (closed.probe || now() < closed.until)) refuse(closed);
  }

  return {
    check,
    enter() {
      check();
      const pass: Pass = { done: (outcome) => finish(pass, outcome) };
      if (closed) closed.probe = pass;
      return pass;
    },
    snapshot() {
      if (!closed) return { ...use, open: true, probing: false };
      const { reason, until, probe } = closed;
      return { ...use, open: false, probing: probe !== undefined, reason, blockedUntil: until };
    },
  };
}

/** Judged by one answer's own headers: those of an older one may be of another window. */
function nearlyUsedUp({ allowed, current, errorShare, errorShareLimit }: AccountUse = {}): boolean {
  const reaches = (use: number | undefined, ceiling: number | undefined, share: number) =>
    ceiling !== undefined && ceiling > 0 && use !== undefined && use >= ceiling * share;
  const telling = (current ?? 0) >= brakeErrorSample;
  return reaches(current, allowed, brakeShare) || (telling && reaches(errorShare, errorShareLimit, brakeErrorShare));
}

const refusals: Record<GateReason, string> = {
  blocked: 'Rule has blocked the account for a while',
  'key-refused': "Rule refused the account's key",
  braking: "the account's requests, or its share of errors, are close to where Rule blocks it",
};
