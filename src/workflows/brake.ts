import { condition, continueAsNew, log, setHandler, workflowInfo } from '@temporalio/workflow';
import { type BrakeStatus, brakeStatusQuery, liftSignal, type WouldEnd, wouldEndSignal } from '../contract/index.js';

const minute = 60_000;
const windowMs = 60 * minute;

export interface BrakeInput {
  vendorId: string;
  /** Carried over from the run before. */
  state?: BrakeState;
}

interface BrakeState {
  /** How many seemed to leave, by the minute in which they did (since 1970): bounded, however many they are. */
  minutes: Record<string, number>;
  limit: number;
  since?: string;
}

/**
 * Counts how many readers of one vendor seem to leave within an hour, and is on while they are too many to be believed, until a person
 * lifts it or the hour has passed. Ends when there is nothing to count; the next one begins it anew.
 */
export async function brake({ vendorId, state: carried }: BrakeInput): Promise<void> {
  const state: BrakeState = carried ?? { minutes: {}, limit: 0 };
  let changed = true;

  setHandler(brakeStatusQuery, () => statusOf(state), {
    description: 'Whether ends of subscriptions are held, and why',
  });
  setHandler(
    wouldEndSignal,
    (one) => {
      record(state, one, Date.now());
      changed = true;
    },
    { description: 'One more reader seems to have left' },
  );
  setHandler(
    liftSignal,
    () => {
      state.minutes = {};
      changed = true;
    },
    { description: 'A person has decided about those who are held' },
  );

  while (changed || Object.keys(state.minutes).length > 0) {
    changed = false;
    forget(state, Date.now());
    turn(state, vendorId, Date.now());
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof brake>({ vendorId, state });
    if (Object.keys(state.minutes).length === 0) continue;
    await condition(() => changed, untilForgotten(state, Date.now()), {
      summary: state.since ? 'on: until an hour without so many has passed' : 'counting: until the hour has passed',
    });
  }
}

function record(state: BrakeState, { subscribers, share, atLeast }: WouldEnd, now: number): void {
  const key = String(Math.floor(now / minute));
  state.minutes[key] = (state.minutes[key] ?? 0) + 1;
  state.limit = Math.max(atLeast, Math.ceil(subscribers * share));
}

function forget(state: BrakeState, now: number): void {
  for (const key of Object.keys(state.minutes)) {
    if ((Number(key) + 1) * minute + windowMs <= now) delete state.minutes[key];
  }
}

/** Says so once when it goes on and once when it goes off. */
function turn(state: BrakeState, vendorId: string, now: number): void {
  const { count, limit } = statusOf(state);
  if (!state.since && count > limit) {
    state.since = new Date(now).toISOString();
    log.warn('too many subscriptions seem to end at once: their events are held', { vendor: vendorId, count, limit });
  } else if (state.since && count <= limit) {
    log.warn('the brake is off: ends of subscriptions are told again', { vendor: vendorId, count, limit });
    delete state.since;
  }
}

function statusOf({ minutes, limit, since }: BrakeState): BrakeStatus {
  const count = Object.values(minutes).reduce((sum, one) => sum + one, 0);
  return { on: since !== undefined, ...(since ? { since } : {}), count, limit };
}

function untilForgotten({ minutes }: BrakeState, now: number): number {
  const oldest = Math.min(...Object.keys(minutes).map(Number));
  return Math.max(1, (oldest + 1) * minute + windowMs - now);
}
