/** The clock that both stand-ins share; it can be moved forward on their pages, and what is shown then is of their time. */
import { z } from 'zod';
import { say } from './output.js';

const answerSchema = z.object({ now: z.iso.datetime({ offset: true }) });
const dayMs = 86_400_000;

/** The stand-ins' time, or the real one where real vendors are used or no stand-in answers. */
export async function vendorsNow({ SESAMY_RULE_STAND_IN_CLOCK: url }: NodeJS.ProcessEnv): Promise<Date> {
  if (!url) return new Date();
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return new Date(answerSchema.parse(await reply.json()).now);
  } catch {
    return new Date();
  }
}

/** Says so where the stand-ins are ahead: dates of a reader's life and those of this program differ then. */
export async function sayWhereClocksDiffer(env: NodeJS.ProcessEnv): Promise<void> {
  const now = await vendorsNow(env);
  const days = Math.round((now.getTime() - Date.now()) / dayMs);
  if (days > 0) say(`The stand-ins' clock is ${days} days ahead: for them it is ${now.toISOString()}.`);
}
