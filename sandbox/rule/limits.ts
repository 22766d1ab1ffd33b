import { DateTime } from 'luxon';
import type { RuleSwitches } from './switches.js';

/** What led to a block: too many requests in the window, or too large a share of errors. */
export type BlockReason = 'count' | 'errors';

interface Block {
  why: BlockReason;
  seconds: number;
  until: number;
}

/** Rate limits of the account (rule-api §8): one window of requests, one share of errors, one block at a time. */
export class Limits {
  private windowStart = 0;
  private requests = 0;
  private answers = 0;
  private errors = 0;
  private block: Block | null = null;

  constructor(private readonly switches: RuleSwitches) {}

  /** Counts a request; answers when callers may continue if the account is blocked, or null when it may pass. */
  admit(now: Date): Date | null {
    const blocked = this.blockedUntil(now);
    if (blocked && this.block) {
      if (!this.switches.blockedRequestsLengthen) return blocked;
      return this.blockFor(this.block.seconds, this.block.why, now);
    }
    this.roll(now);
    this.requests += 1;
    if (this.requests <= this.switches.allowedRequests) return null;
    return this.blockFor(this.switches.blockSeconds, 'count', now);
  }

  /** Counts an answer that was not 429, and blocks when the share of errors went over its ceiling. */
  answered(status: number, now: Date): void {
    this.roll(now);
    this.answers += 1;
    if (this.isError(status)) this.errors += 1;
    if (this.answers < this.switches.errorMinimumSample) return;
    if (this.errorPercent() > this.switches.errorPercentLimit && !this.block) {
      this.blockFor(this.switches.blockSeconds, 'errors', now);
    }
  }

  /** Blocks from now on. The end is a whole second, since `Retry-After` says no fraction. */
  blockFor(seconds: number, why: BlockReason, now: Date): Date {
    const until = Math.ceil(now.getTime() / 1000 + seconds) * 1000;
    this.block = { why, seconds, until };
    return new Date(until);
  }

  lift(): void {
    this.block = null;
    this.requests = 0;
    this.answers = 0;
    this.errors = 0;
  }

  /** End of the running block; null when there is none. */
  blockedUntil(now: Date): Date | null {
    if (this.block && now.getTime() >= this.block.until) this.lift();
    return this.block ? new Date(this.block.until) : null;
  }

  get blockReason(): BlockReason | null {
    return this.block?.why ?? null;
  }

  /** Headers of every answer; the counts are absent on a 429 (rule-api §8). */
  headers(status: number): Record<string, string> {
    const share = {
      'X-ErrorPercent-Limit': String(this.switches.errorPercentLimit),
      'X-ErrorPercent-Current': String(this.errorPercent()),
    };
    if (status === 429) return share;
    return {
      'RequestsCount-Allowed': String(this.switches.allowedRequests),
      'RequestsCount-Current': String(this.requests),
      ...share,
    };
  }

  private errorPercent(): number {
    return this.answers === 0 ? 0 : Math.floor((100 * this.errors) / this.answers);
  }

  private isError(status: number): boolean {
    if (status < 400 || status >= 500) return false;
    return this.switches.countNotFoundAndConflict || (status !== 404 && status !== 409);
  }

  private roll(now: Date): void {
    if (now.getTime() < this.windowStart + this.switches.windowSeconds * 1000) return;
    this.windowStart = now.getTime();
    this.requests = 0;
    this.answers = 0;
    this.errors = 0;
  }
}

/** `YYYY-MM-DD HH:MM:SS` in Stockholm's wall time, without zone: the form of Rule's `Retry-After` (rule-api §8). */
export function stockholmTime(date: Date): string {
  return DateTime.fromJSDate(date, { zone: 'Europe/Stockholm' }).toFormat('yyyy-MM-dd HH:mm:ss');
}
