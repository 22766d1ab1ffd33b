import type { ApiCall, SesamyApi } from './api.js';
import { orAborted } from './or-aborted.js';
import { userSchema } from './schemas.js';
import type { SesamyUser } from './types.js';

/** Statuses that say that the address is not for us, rather than that this person has no profile or that it is down. */
const refusals = new Set([400, 401, 403, 405, 410]);

/**
 * Completes a five-field user from `/profile/{userId}`. That address belongs to the Client API, and nothing public says whether it
 * takes a management token (sesamy-api §2.2, §9 Q1): the first call of the process finds out, others wait for it, and a refusal is
 * remembered. A failure on its way is thrown, since a person written without the profile would lose fields.
 */
export function createProfileReader(
  api: SesamyApi,
): (user: SesamyUser, userId: string, signal?: AbortSignal) => Promise<SesamyUser> {
  let standing: 'unknown' | 'given' | 'refused' = 'unknown';
  let asking: Promise<void> | undefined;

  const settled = () => {
    asking = undefined;
  };

  async function ask(user: SesamyUser, userId: string, signal?: AbortSignal): Promise<SesamyUser> {
    const call: ApiCall = { path: '/profile/{userId}', params: { userId }, mayBeMissing: true, signal };
    const reply = standing === 'unknown' ? await api.tryOnce(call) : await api.get(call);
    if (standing === 'unknown' && refusals.has(reply.status)) {
      standing = 'refused';
      return user;
    }
    api.judge(call, reply);
    if (reply.status === 404) return user;
    const profile = api.read(call, reply, userSchema).user;
    standing = 'given';
    return { ...user, ...profile, id: user.id };
  }

  return async (user, userId, signal) => {
    while (asking !== undefined) await orAborted(asking, signal);
    if (standing === 'refused') return user;
    if (standing === 'given') return ask(user, userId, signal);
    const answer = ask(user, userId, signal);
    asking = answer.then(settled, settled);
    return answer;
  };
}
