import { request } from 'undici';
import type { RuleSwitches } from './switches.js';

interface Job {
  timer: NodeJS.Timeout;
  run: () => void;
  callbackUrl: string | undefined;
}

/** Asynchronous jobs: bulk tags, blocks, suppressions, large upserts (rule-api §4.3, §4.4). Done in order after a delay. */
export class Jobs {
  private readonly waiting = new Set<Job>();
  private readonly callbacks = new Set<Promise<void>>();

  constructor(
    private readonly switches: RuleSwitches,
    private readonly hooks: { before: () => void; after: () => void },
  ) {}

  /** Queues a job; its callback address, if any, is called once when it is done (rule-api §4.4). */
  enqueue(run: () => void, callbackUrl?: string): void {
    const job: Job = { run, callbackUrl, timer: setTimeout(() => this.finish(job), this.switches.jobDelayMs) };
    this.waiting.add(job);
  }

  /** Resolves when no job and no callback is under way. */
  async settled(): Promise<void> {
    while (this.waiting.size > 0 || this.callbacks.size > 0) {
      await Promise.all(this.callbacks);
      if (this.waiting.size > 0)
        await new Promise((resolve) => setTimeout(resolve, Math.max(1, this.switches.jobDelayMs / 4)));
    }
  }

  /** Does what is waiting without further delay: nothing accepted is lost when the stand-in stops. */
  async drain(): Promise<void> {
    for (const job of [...this.waiting]) this.finish(job);
    await Promise.all(this.callbacks);
  }

  private finish(job: Job): void {
    clearTimeout(job.timer);
    if (!this.waiting.delete(job)) return;
    this.hooks.before();
    job.run();
    this.hooks.after();
    if (!job.callbackUrl) return;
    const callback = this.call(job.callbackUrl).finally(() => this.callbacks.delete(callback));
    this.callbacks.add(callback);
  }

  /** Calls the address once; Rule documents no retry, so a failure is dropped. */
  private async call(url: string): Promise<void> {
    const method = this.switches.callbackMethod;
    const body = method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
    try {
      const answer = await request(url, { method, ...body, headersTimeout: 2000, bodyTimeout: 2000 });
      await answer.body.dump();
    } catch {
      // The receiver is away.
    }
  }
}
