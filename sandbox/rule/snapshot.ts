import { z } from 'zod';
import type { Account } from './account.js';
import type { AutomationStart, Condition, Group, JourneyMail, Subscriber, Tag, Transaction, Unblock } from './model.js';
import { fieldTypes } from './values.js';

const date = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (at) => at.toISOString(),
});
const id = z.int();
const row = z.object({ id, createdAt: date, values: z.array(z.tuple([id, z.json()])) });
const condition = z.custom<Condition>((value) => typeof value === 'object' && value !== null);

const snapshotSchema = z.object({
  version: z.literal(1),
  tags: z.array(z.object({ id, name: z.string(), description: z.string(), createdAt: date, updatedAt: date })),
  groups: z.array(
    z.object({
      id,
      name: z.string(),
      historical: z.boolean(),
      createdAt: date,
      updatedAt: date,
      fields: z.array(z.object({ id, name: z.string(), type: z.enum(fieldTypes) })),
    }),
  ),
  segments: z.array(z.object({ id, name: z.string(), condition })),
  automations: z.array(
    z.object({
      id,
      name: z.string(),
      active: z.boolean(),
      trigger: z.object({ type: z.enum(['TAG', 'SEGMENT']), id }),
      // Absent in what was saved before automations had mails.
      mails: z.array(z.object({ subject: z.string(), afterDays: z.number() })).default([]),
      endsOn: z
        .object({ tagGained: z.array(z.string()), tagLost: z.array(z.string()) })
        .default({ tagGained: [], tagLost: [] }),
      createdAt: date,
    }),
  ),
  subscribers: z.array(
    z.object({
      id,
      email: z.string().nullable(),
      phoneNumber: z.string().nullable(),
      customIdentifier: z.string().nullable(),
      language: z.string(),
      blocked: z.boolean(),
      optedIn: z.boolean(),
      createdAt: date,
      updatedAt: date,
      tags: z.array(id),
      segments: z.array(id),
      suppressions: z.array(z.string()),
      rows: z.array(z.tuple([id, z.array(row)])),
      progress: z.array(z.tuple([id, z.enum(['in-progress', 'completed'])])),
    }),
  ),
  starts: z.array(z.custom<AutomationStart>()),
  unblocks: z.array(z.custom<Unblock>()),
  transactions: z.array(z.custom<Transaction>()),
  mails: z.array(z.custom<JourneyMail>()).default([]),
});

/** The account as plain JSON. Keys, switches, faults and the request log are not kept. */
export function toSnapshot(account: Account): unknown {
  return z.encode(snapshotSchema, {
    version: 1,
    tags: [...account.tags.byId.values()],
    groups: [...account.schema.groups.values()].map((group) => ({ ...group, fields: [...group.fields.values()] })),
    segments: [...account.segments.values()],
    automations: [...account.automations.values()],
    subscribers: [...account.people.byId.values()].map(saveSubscriber),
    starts: account.starts,
    unblocks: account.unblocks,
    transactions: account.transactions,
    mails: account.journeys.mails,
  });
}

/** Fills an empty account. @throws ZodError when the snapshot is not one of ours. */
export function loadSnapshot(account: Account, snapshot: unknown): void {
  const saved = z.decode(snapshotSchema, snapshot as z.input<typeof snapshotSchema>);
  for (const tag of saved.tags) account.tags.put({ ...tag, members: new Set() } satisfies Tag);
  for (const group of saved.groups) {
    account.schema.put({ ...group, fields: new Map(group.fields.map((field) => [field.name, field])) } satisfies Group);
  }
  for (const segment of saved.segments) account.segments.set(segment.id, segment);
  for (const automation of saved.automations) account.putAutomation(automation);
  for (const subscriber of saved.subscribers) {
    account.people.put(loadSubscriber(subscriber));
    for (const tag of subscriber.tags) account.tags.byId.get(tag)?.members.add(subscriber.id);
    for (const [, rows] of subscriber.rows) for (const { id: rowId } of rows) account.reserveRowId(rowId);
  }
  account.starts.push(...saved.starts);
  account.unblocks.push(...saved.unblocks);
  account.transactions.push(...saved.transactions);
  for (const mail of saved.mails) account.journeys.put(mail);
}

type SavedSubscriber = z.output<typeof snapshotSchema>['subscribers'][number];

function saveSubscriber(subscriber: Subscriber): SavedSubscriber {
  return {
    ...subscriber,
    tags: [...subscriber.tags],
    segments: [...subscriber.segments],
    suppressions: [...subscriber.suppressions],
    rows: [...subscriber.rows].map(([group, rows]) => [
      group,
      rows.map((row) => ({ ...row, values: [...row.values] })),
    ]),
    progress: [...subscriber.progress],
  };
}

function loadSubscriber(saved: SavedSubscriber): Subscriber {
  return {
    ...saved,
    tags: new Set(saved.tags),
    segments: new Set(saved.segments),
    suppressions: new Set(saved.suppressions),
    rows: new Map(
      saved.rows.map(([group, rows]) => [group, rows.map((row) => ({ ...row, values: new Map(row.values) }))]),
    ),
    progress: new Map(saved.progress),
  };
}
