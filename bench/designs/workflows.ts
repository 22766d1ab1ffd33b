/** The workflows of the designs that the program is compared with. They import types only beside Temporal. */
import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import type { EventActivities, NoActivities, PersonEvent } from './activities.js';

const options = (vendorId: string) => ({
  taskQueue: `sesamy-rule/${vendorId}`,
  startToCloseTimeout: '90 seconds' as const,
  heartbeatTimeout: '15 seconds' as const,
  retry: { initialInterval: '1 second' as const, maximumAttempts: 3 },
});

/** The least that the engine can do for one message: a workflow that is started with it, calls one activity that does nothing, and ends. */
export async function bare({ vendorId }: { vendorId: string }): Promise<void> {
  let told = false;
  setHandler(defineSignal<[unknown]>('profileChanged'), () => {
    told = true;
  });
  await condition(() => told);
  await proxyActivities<NoActivities>(options(vendorId)).nothing();
}

/** A workflow for each event, with an activity for each step. */
export async function threeActivities(event: PersonEvent): Promise<void> {
  const { fetchPerson, mapFields, writeFields } = proxyActivities<EventActivities>(options(event.vendorId));
  const source = await fetchPerson(event);
  if (source) await writeFields(event, await mapFields(source));
}

/** A workflow for each event, with one activity for all of it. */
export async function oneActivity(event: PersonEvent): Promise<void> {
  await proxyActivities<EventActivities>(options(event.vendorId)).syncPerson(event);
}
