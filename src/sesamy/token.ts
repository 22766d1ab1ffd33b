import { steadyNow } from '../http/steady-clock.js';
import { orAborted } from './or-aborted.js';

/** Renewed this long before its end (sesamy-api §1.3), or at half its life where that is short. */
const earlyMs = 60_000;

/** Assumed where the answer gives no `expires_in`; it always did so far. */
const defaultLifeMs = 600_000;

export interface FetchedToken {
  access_token: string;
  expires_in?: number | undefined;
}

/** The access token of this process: fetched when needed, shared by all callers. */
export interface TokenSource {
  /** @throws what the fetch throws, to each of the callers that wait for it. */
  get(signal?: AbortSignal): Promise<string>;
  /** The API refused this token: the next `get` fetches another. A newer token stays. */
  drop(token: string): void;
}

export function createTokenSource(fetchToken: () => Promise<FetchedToken>, now: () => number = steadyNow): TokenSource {
  let current: { token: string; renewAt: number } | undefined;
  let fetching: Promise<string> | undefined;

  async function renew(): Promise<string> {
    const asked = now();
    const { access_token, expires_in } = await fetchToken();
    const lifeMs = expires_in === undefined ? defaultLifeMs : expires_in * 1000;
    current = { token: access_token, renewAt: asked + lifeMs - Math.min(earlyMs, lifeMs / 2) };
    return access_token;
  }

  return {
    async get(signal) {
      if (current && now() < current.renewAt) return current.token;
      fetching ??= renew().finally(() => {
        fetching = undefined;
      });
      return orAborted(fetching, signal);
    },
    drop(token) {
      if (current?.token === token) current = undefined;
    },
  };
}
