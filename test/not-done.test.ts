import assert from 'node:assert/strict';
import { isDone, notDoneWith } from '../src/cli/not-done.js';
import type { SubscriberStatus, TrailEntry } from '../src/client.js';

const readAt = '2026-11-10T12:00:00.000Z';
const later = '2026-11-10T12:00:00.200Z';
const now = Date.parse('2026-11-10T12:00:01.000Z');
const event = { id: 'renewed.c1.20261210', type: 'renewed', at: readAt, stage: 'active' } as const;

function status(over: Partial<SubscriberStatus> = {}, last: Partial<TrailEntry> = {}): SubscriberStatus {
  return {
    vendorId: 'daily',
    userId: 'email|1',
    state: 'ok',
    tags: [],
    attempts: 1,
    next: { at: '2026-11-10T12:00:45.200Z', why: 'look again' },
    pending: [],
    waiting: [],
    gained: [],
    told: [],
    trail: [{ at: later, why: ['profileChanged'], verdict: 'unchanged', ...last }],
    ...over,
  };
}

const failure = { type: 'rule/unavailable', next: 'wait' } as const;

describe('the program is done with a reader', () => {
  const cases: [what: string, done: boolean, status: SubscriberStatus | undefined][] = [
    ['once the look is over and there is nothing to tell', true, status()],
    ['not while the attempt that read is under way', false, status({}, { at: '2026-11-10T11:59:59.999Z' })],
    ['not before the first attempt is over', false, status({ state: 'new', trail: [] })],
    ['not while a message waits', false, status({ pending: ['contractChanged'] })],
    ['not while an event is to be told', false, status({ waiting: [{ event }] })],
    ['not while state tags are on their way', false, status({ gained: ['sesamy_stage_active'] })],
    ['when what waits is held for a person', true, status({ waiting: [{ event, held: 'ended' }] })],
    ['not when it looks again at once', false, status({ next: { at: '2026-11-10T12:00:02.000Z', why: 'due' } })],
    ['not while a look that was due is under way', false, status({ next: { at: later, why: 'due' } })],
    [
      'when the next try is far, whatever waits',
      true,
      status({ state: 'retrying', pending: ['x'], waiting: [{ event }] }, { failure }),
    ],
    ['when a second look has to decide first', true, status({ waiting: [{ event }] }, { verdict: 'waiting' })],
    [
      'when the reader is erased',
      true,
      status({ trail: [], erasure: { askedAt: readAt, deleted: [], sharedWith: [] } as never }),
    ],
    ['when nobody looks after them', true, undefined],
  ];
  for (const [what, done, given] of cases) {
    it(what, () => assert.equal(isDone(given, readAt, now), done));
  }

  it('those are named of whom that is not so, or of whom nobody answers', async () => {
    const next = { at: new Date(Date.now() + 45_000).toISOString(), why: 'look again' };
    const people: Record<string, () => Promise<SubscriberStatus | undefined>> = {
      done: async () => status({ next }),
      busy: async () => status({ next, pending: ['resync'] }),
      silent: () => Promise.reject(new Error('no worker answered in time')),
    };
    const names = ['done', 'busy', 'silent', 'done', 'busy', 'silent'];
    const left = await notDoneWith(
      { status: ({ userId }) => (people[userId] as () => Promise<SubscriberStatus | undefined>)() },
      'daily',
      names.map((userId) => ({ userId, readAt })),
    );
    assert.deepEqual(left.sort(), ['busy', 'busy', 'silent', 'silent']);
  });
});
