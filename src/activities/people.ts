/** Whom we look after, by Temporal's visibility store, a second or so behind. No vendor is called. */
import type { Client } from '@temporalio/client';
import { createSubscribers, visibilityQuery } from '../client.js';
import {
  type AuditSample,
  type ListPeopleInput,
  type PeoplePage,
  parseSubscriberWorkflowId,
  type TellPeopleInput,
} from '../contract/index.js';
import { spread } from './hashes.js';

/** A page of people who are looked at one by one, and one of which only a few are drawn. */
const pageSize = 200;
const sampledPageSize = 1_000;

/** So many are told at once. */
const lanes = 10;

export async function countPeople(client: Client, vendorId: string): Promise<number> {
  return (await client.workflow.count(visibilityQuery({ vendorId }))).count;
}

/**
 * A page of them, the latest started first. Whoever starts afresh (continue-as-new) between two pages moves to the front and may be
 * passed over; Rule's list shows them later.
 */
export async function listPeople(
  client: Client,
  { vendorId, page, offset, sample }: ListPeopleInput,
): Promise<PeoplePage> {
  const reply = await client.workflowService.listWorkflowExecutions({
    namespace: client.options.namespace,
    query: visibilityQuery({ vendorId }),
    pageSize: sample ? sampledPageSize : pageSize,
    ...(page ? { nextPageToken: Buffer.from(page, 'base64') } : {}),
  });
  const listed = reply.executions.map(({ execution }) => parseSubscriberWorkflowId(execution?.workflowId ?? ''));
  const places = sample && new Set(drawnPlaces(sample, offset, offset + listed.length));
  const chosen = places ? listed.filter((_, index) => places.has(offset + index)) : listed;
  const next = Buffer.from(reply.nextPageToken).toString('base64');
  return {
    userIds: chosen.flatMap((person) => person?.userId ?? []),
    listed: listed.length,
    ...(next ? { next } : {}),
  };
}

/**
 * The places of a sample within part of the list: the list is cut into as many equal stretches as people are wanted, and one place is
 * drawn from each by the seed.
 */
export function drawnPlaces(
  { size, seed, total }: AuditSample & { total: number },
  from: number,
  to: number,
): number[] {
  const count = Math.min(size, total);
  const begin = (stretch: number) => Math.floor((stretch * total) / count);
  const places: number[] = [];
  for (let stretch = Math.max(0, Math.floor((from * count) / total) - 1); stretch < count; stretch += 1) {
    if (begin(stretch) >= to) break;
    const width = begin(stretch + 1) - begin(stretch);
    const place = begin(stretch) + Math.floor(spread(String(stretch), `audit ${seed}`) * width);
    if (place >= from && place < to) places.push(place);
  }
  return places;
}

/** Has each written again, quietly. Repeating it does no harm. */
export async function resyncPeople(client: Client, { vendorId, userIds }: TellPeopleInput): Promise<void> {
  const subscribers = createSubscribers(client);
  const left = [...userIds];
  const lane = async () => {
    for (let userId = left.pop(); userId !== undefined; userId = left.pop()) {
      await subscribers.resync({ vendorId, userId }, { by: 'audit' });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
