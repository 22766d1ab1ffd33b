import assert from 'node:assert/strict';
import { type HeadCount, HeadCounter } from '../src/cli/head-count.js';
import { defaultLifecycleSettings } from '../src/lifecycle/index.js';
import { defaultMappingSettings } from '../src/mapping/index.js';
import type { RuleSubscriber } from '../src/rule/index.js';
import type { ListedUser, SesamyContract, SesamyEntitlement } from '../src/sesamy/index.js';

const now = new Date('2026-09-01T00:00:00Z');

const user = (id: string, more: Partial<ListedUser> = {}): ListedUser => ({
  id: `email|${id}`,
  email: `${id}@example.com`,
  emailVerified: true,
  tags: [],
  createdAt: '2026-01-01T00:00:00Z',
  whole: true,
  ...more,
});

const contract = (owner: string, more: Partial<SesamyContract> = {}): SesamyContract => ({
  id: `c-${owner}`,
  userId: `email|${owner}`,
  status: 'ACTIVE',
  isActive: true,
  duration: 'RECURRING',
  createdAt: '2026-01-01T00:00:00Z',
  items: [{ sku: 'sid:digital', name: 'Daily', purchaseOptionId: 'po-month' }],
  ...more,
});

const access = (contractId: string, more: Partial<SesamyEntitlement> = {}): SesamyEntitlement => ({
  id: `e-${contractId}`,
  sku: 'sid:digital',
  title: 'Daily',
  type: 'pass',
  hasAccess: true,
  origin: { type: 'PAYMENTS', contractId },
  ...more,
});

interface World {
  subscribers?: RuleSubscriber[];
  contracts?: SesamyContract[];
  accesses?: SesamyEntitlement[];
  users?: ListedUser[];
}

function count({ subscribers = [], contracts = [], accesses = [], users = [] }: World): HeadCount {
  const counter = new HeadCounter({ mapping: defaultMappingSettings, lifecycle: defaultLifecycleSettings }, now);
  for (const one of subscribers) counter.addSubscriber(one);
  for (const one of contracts) counter.addContract(one);
  for (const one of accesses) counter.addEntitlement(one);
  for (const one of users) counter.addUser(one);
  return counter.result();
}

const readersOf = ({ tags }: HeadCount, tag: string) => tags.list.find((one) => one.tag === tag)?.readers ?? 0;

describe('counting heads', () => {
  const shared = (more: Partial<ListedUser> = {}) => ({ email: 'family@example.com', ...more });

  for (const [title, first, second, owner] of [
    [
      'a running subscription before a newer account',
      user('kim', shared()),
      user('sam', shared({ createdAt: '2026-08-01T00:00:00Z' })),
      'c-kim',
    ],
    [
      'the newer account where neither subscribes',
      user('lou', shared({ tags: ['old'] })),
      user('sam', shared({ createdAt: '2026-08-01T00:00:00Z', tags: ['new'] })),
      'new',
    ],
  ] as const) {
    for (const order of ['first', 'last']) {
      it(`of two users with one address: ${title}, listed ${order}`, () => {
        const users = order === 'first' ? [first, second] : [second, first];
        const counted = count({ contracts: [contract('kim')], users });
        assert.deepEqual([counted.heads.create, counted.heads.sharedAddress], [1, 1]);
        assert.equal(readersOf(counted, 'sesamy_active_subscriber'), owner === 'c-kim' ? 1 : 0);
        assert.deepEqual(
          [readersOf(counted, 'sesamy_tag_old'), readersOf(counted, 'sesamy_tag_new')],
          [0, owner === 'new' ? 1 : 0],
        );
      });
    }
  }

  it('finds people in Rule whatever the case of their address, and who gets no mail there', () => {
    const subscriber = { id: 1, email: 'Kim@Example.com', tags: ['vip'], suppressed: true, mailable: false };
    const counted = count({ subscribers: [subscriber], users: [user('kim', { email: ' kim@example.com' })] });
    assert.deepEqual([counted.heads.update, counted.heads.create, counted.notMailable], [1, 0, 1]);
  });

  it('gives an access to the owner of its contract, and counts apart what has none', () => {
    const external = access('', { id: 'e-2', title: 'Weekend', sku: 'w', origin: { type: 'EXTERNAL' } });
    const lost = access('c-unknown', { title: 'Gone', hasAccess: false });
    const counted = count({
      contracts: [contract('kim')],
      accesses: [access('c-kim'), external, access('c-unknown', { id: 'e-3' }), lost],
      users: [user('kim'), user('sam')],
    });
    assert.equal(readersOf(counted, 'sesamy_active_entitlement_daily'), 1);
    assert.equal(counted.tags.unattributed, 2);
    const apart = counted.tags.list.filter(({ unattributed }) => unattributed).map(({ tag }) => tag);
    assert.ok(apart.includes('sesamy_has_external_access') && apart.includes('sesamy_has_gifted_subscription'));
    assert.ok(!apart.includes('sesamy') && !apart.some((tag) => tag.startsWith('sesamy_stage_')));
  });

  it('takes products from running contracts where no access is listed, but not from single purchases', () => {
    const article = contract('sam', {
      duration: 'PERPETUAL',
      status: 'CLOSED',
      items: [{ sku: 'a', name: 'An article' }],
    });
    const counted = count({ contracts: [contract('kim'), article], users: [user('kim'), user('sam')] });
    assert.equal(counted.tags.from, 'contracts');
    assert.equal(readersOf(counted, 'sesamy_active_sku_po_sid-digital-po-month'), 1);
    assert.equal(readersOf(counted, 'sesamy_active_entitlement_an-article'), 0);
    assert.equal(readersOf(counted, 'sesamy_made_single_purchase'), 1);
  });

  it('says that five-field rows tell neither guests nor tags', () => {
    const { emailVerified: _unknown, ...row } = user('kim', { whole: false });
    const counted = count({ users: [row] });
    assert.deepEqual([counted.withoutProfile, counted.heads.create], [1, 1]);
  });
});
