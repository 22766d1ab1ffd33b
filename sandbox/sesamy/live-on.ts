import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { ControlRefusal } from '../common/controls.js';
import type { Recorder } from '../common/recorder.js';
import { lengthOf, type Span } from './advance.js';
import type { SesamySwitches } from './switches.js';
import { instant } from './time.js';
import type { WebhookDelivery } from './webhooks.js';
import type { World } from './world.js';

export interface LiveOnOptions {
  /** Only this reader is nudged, so that a year goes by quickly; everybody when left out. */
  userId?: string | undefined;
  /** The longest step, 1 to 7 days; default 3, and 6 for a named reader. */
  stepDays?: number | undefined;
}

export interface LiveOnProgress {
  running: boolean;
  /** The only reader who is nudged. */
  userId?: string;
  /** The stand-in's time at the beginning. */
  from: string;
  until: string;
  /** The stand-in's time. */
  now: string;
  /** How many steps there are in all, and how many are done. */
  steps: number;
  done: number;
  /** How many readers' data the program did not read in at least one step, though it should have. */
  notLookedAt: number;
  /** How many readers the program was not done with in at least one step, though it had read them: their mails may be dated a step late. */
  notDone: number;
}

/** A reader whom the program has read in the step under way. */
export interface ReadReader {
  userId: string;
  /** When that was last, by the real clock; ISO instant. */
  readAt: string;
}

/**
 * With whom of these readers the program is not done: it has not finished the look that began with that read, or has yet to tell of what it
 * found. Asked again and again until there is nobody left; it must not throw.
 */
export type NotDone = (readers: readonly ReadReader[]) => Promise<string[]>;

export interface LivingOnDeps {
  world: World;
  switches: SesamySwitches;
  recorder: Recorder;
  /** Moves the clock, and sends the webhooks of what fell due. */
  advance(ms: number): WebhookDelivery[];
  /** Sends a webhook that only makes the program look. @returns nothing when there is no receiver. */
  nudge(userId: string): WebhookDelivery | undefined;
  /** Where left out, the program counts as done when it has asked nothing for a while. */
  notDone?: NotDone | undefined;
}

/** Short enough that what waits for a second look is still news at the next step. */
const stepDaysByDefault = 3;
/** The program counts as done when it has asked nothing for so long. */
const quietMs = 150;
const lookEveryMs = 20;
/** Each question costs the program a little of the time that it needs. */
const askEveryMs = 50;

/**
 * Lets time go by in steps that the program can follow. The program keeps real timers, and for some readers time alone changes something;
 * so in each step everybody who got no webhook is nudged, and the next step waits until the program has looked.
 */
export class LivingOn {
  private plan: Omit<LiveOnProgress, 'running' | 'now' | 'notLookedAt' | 'notDone'> | undefined;
  private current: Promise<LiveOnProgress> | undefined;
  private stopping = false;
  /** Readers who were not looked at in at least one step. */
  private readonly missed = new Set<string>();
  /** Readers with whom the program was not done in at least one step. */
  private readonly late = new Set<string>();
  /** Readers whose webhooks were taken and who were not looked at, such as those who were erased: they are not waited for again. */
  private readonly ignored = new Set<string>();

  constructor(private readonly deps: LivingOnDeps) {}

  /** Of the steps under way, or else of the last ones. */
  progress(): LiveOnProgress {
    const now = this.deps.world.timestamp();
    const { from, until, steps, done, userId } = this.plan ?? { from: now, until: now, steps: 0, done: 0 };
    const only = userId === undefined ? {} : { userId };
    const running = this.current !== undefined;
    const counts = { notLookedAt: this.missed.size, notDone: this.late.size };
    return { running, ...only, from, until, now, steps, done, ...counts };
  }

  /** Begins at once. @returns how it ended. @throws ControlRefusal at once, when it cannot begin. */
  start(span: Span, { userId, stepDays }: LiveOnOptions = {}): Promise<LiveOnProgress> {
    this.refuseWhileRunning();
    const { world } = this.deps;
    const length = lengthOf(span);
    if (length <= 0) throw new ControlRefusal('Say how far to live on: a span of more than nothing.');
    if (stepDays !== undefined && !(stepDays >= 1 && stepDays <= 7)) {
      throw new ControlRefusal('A step is 1 to 7 days long.');
    }
    if (userId !== undefined && !world.person(userId)) throw new ControlRefusal(`There is no person ${userId}.`, 404);
    const stepMs = lengthOf({ days: stepDays ?? stepDaysByDefault });
    this.plan = {
      ...(userId === undefined ? {} : { userId }),
      from: world.timestamp(),
      until: instant(Math.floor((world.now().getTime() + length) / 1_000) * 1_000),
      steps: Math.ceil(length / stepMs),
      done: 0,
    };
    this.stopping = false;
    this.missed.clear();
    this.late.clear();
    this.ignored.clear();
    this.current = this.run(this.plan, length, stepMs).then(
      () => this.end(),
      (error: unknown) => {
        this.end();
        throw error;
      },
    );
    return this.current;
  }

  /** Ends after the step under way, without waiting any longer for the program. */
  async stop(): Promise<LiveOnProgress> {
    this.stopping = true;
    await this.current?.catch(() => undefined);
    return this.progress();
  }

  /** @throws ControlRefusal 409 while steps are under way. */
  refuseWhileRunning(): void {
    if (!this.current || !this.plan) return;
    const { done, steps, until } = this.plan;
    throw new ControlRefusal(
      `The clock is being moved already: to ${until}, ${done} of ${steps} steps are done. Wait until it is there, or stop it.`,
      409,
    );
  }

  private end(): LiveOnProgress {
    this.current = undefined;
    return this.progress();
  }

  private async run(plan: { userId?: string; done: number }, length: number, stepMs: number): Promise<void> {
    for (let left = length; left > 0 && !this.stopping; left -= stepMs) {
      await this.step(Math.min(left, stepMs), plan.userId);
      plan.done += 1;
      // Without a receiver nothing is waited for, and yet others have their turn.
      await nextTurn();
    }
  }

  private async step(ms: number, only: string | undefined): Promise<void> {
    const { world, advance, nudge, notDone } = this.deps;
    const looks = new Looks(this.deps.recorder);
    for (const delivery of advance(ms)) looks.told(delivery);
    const readers = only === undefined ? [...world.userIds()] : world.person(only) ? [only] : [];
    for (const userId of readers) {
      if (looks.wasTold(userId)) continue;
      const delivery = nudge(userId);
      if (delivery) looks.told(delivery);
    }
    // Who is told of something that fell due has mails by it, too.
    const told = notDone ? [...new Set([...readers, ...looks.readersTold()])] : readers;
    await this.untilLookedAt(looks, told);
    if (notDone) await this.untilDone(looks, told, notDone);
    else await this.untilQuiet(looks);
    for (const userId of told) this.judge(looks, userId);
  }

  /** Goes on when the program has come no further for as long as the switch says. */
  private async untilLookedAt(looks: Looks, readers: readonly string[]): Promise<void> {
    let reached = Number.NEGATIVE_INFINITY;
    let since = performance.now();
    while (!this.stopping) {
      looks.read();
      const open = readers.filter((userId) => looks.mayCome(userId) && !this.ignored.has(userId));
      const settled = looks.settled();
      if (settled === looks.deliveries.length && open.length === 0) return;
      const now = performance.now();
      if (settled - open.length > reached) {
        reached = settled - open.length;
        since = now;
      } else if (now - since >= this.deps.switches.lookPatienceMs) return;
      await delay(lookEveryMs);
    }
  }

  private async untilQuiet(looks: Looks): Promise<void> {
    const end = performance.now() + this.deps.switches.lookPatienceMs;
    while (!this.stopping && performance.now() < end && Date.now() - looks.lastBusy() < quietMs) {
      await delay(lookEveryMs);
    }
    looks.read();
  }

  /** Goes on when the program gets done with nobody more for as long as the switch says. */
  private async untilDone(looks: Looks, readers: readonly string[], notDone: NotDone): Promise<void> {
    let open = readers;
    let since = performance.now();
    while (!this.stopping) {
      looks.read();
      const left = new Set(await notDone(looks.readsOf(open)));
      if (left.size === 0) return;
      const now = performance.now();
      if (left.size < open.length) since = now;
      open = open.filter((userId) => left.has(userId));
      if (now - since >= this.deps.switches.lookPatienceMs) {
        for (const userId of open) this.late.add(userId);
        return;
      }
      await delay(askEveryMs);
    }
  }

  private judge(looks: Looks, userId: string): void {
    if (!looks.lookedAt(userId)) this.missed.add(userId);
    if (looks.wasRead(userId)) this.ignored.delete(userId);
    else if (looks.wasDelivered(userId)) this.ignored.add(userId);
  }
}

/** What the program was told in one step, and what it has read since. */
class Looks {
  readonly deliveries: WebhookDelivery[] = [];
  private readonly begun = new Date().toISOString();
  /** The last webhook to each reader. */
  private readonly last = new Map<string, WebhookDelivery>();
  /** When each reader was last read. */
  private readonly reads = new Map<string, string>();

  constructor(private readonly recorder: Recorder) {}

  told(delivery: WebhookDelivery): void {
    this.deliveries.push(delivery);
    this.last.set(delivery.event.userId, delivery);
  }

  wasTold(userId: string): boolean {
    return this.last.has(userId);
  }

  readersTold(): Iterable<string> {
    return this.last.keys();
  }

  /** Those of the readers who were read. */
  readsOf(readers: readonly string[]): ReadReader[] {
    return readers.flatMap((userId) => {
      const readAt = this.reads.get(userId);
      return readAt === undefined ? [] : [{ userId, readAt }];
    });
  }

  wasDelivered(userId: string): boolean {
    return this.last.get(userId)?.state === 'delivered';
  }

  wasRead(userId: string): boolean {
    return this.reads.has(userId);
  }

  /** Whether the reader was read after the last webhook about them had left. */
  lookedAt(userId: string): boolean {
    const sentAt = this.last.get(userId)?.attempts.at(-1)?.at;
    const readAt = this.reads.get(userId);
    return this.wasDelivered(userId) && sentAt !== undefined && readAt !== undefined && readAt >= sentAt;
  }

  /** Whether a look at the reader is still to be expected. */
  mayCome(userId: string): boolean {
    const delivery = this.last.get(userId);
    return delivery !== undefined && !isLost(delivery) && !this.lookedAt(userId);
  }

  settled(): number {
    return this.deliveries.filter(({ state }) => state !== 'waiting' && state !== 'retrying').length;
  }

  /** Takes down which readers were read, from the requests since the beginning. */
  read(): void {
    for (const { method, path, status, at } of this.requests()) {
      const id = /^\/management\/users\/([^/?]+)/.exec(path)?.[1];
      if (method !== 'GET' || !id || (status !== 200 && status !== 404)) continue;
      const userId = decoded(id);
      if (at > (this.reads.get(userId) ?? '')) this.reads.set(userId, at);
    }
  }

  /** When the program last asked or was told anything, in real time. */
  lastBusy(): number {
    let last = 0;
    const attempts = this.deliveries.flatMap((delivery) => delivery.attempts.slice(-1));
    for (const { at, ms } of [...this.requests(), ...attempts]) last = Math.max(last, Date.parse(at) + ms);
    return last;
  }

  /** The requests since the beginning, newest first. */
  private *requests() {
    const { requests } = this.recorder;
    for (let index = requests.length - 1; index >= 0; index -= 1) {
      const entry = requests[index];
      if (!entry || entry.at < this.begun) return;
      yield entry;
    }
  }
}

function isLost({ state }: WebhookDelivery): boolean {
  return state === 'refused' || state === 'given-up' || state === 'dropped';
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
