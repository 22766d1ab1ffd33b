import assert from 'node:assert/strict';
import { stages } from '../src/contract/index.js';
import { isOurTag, type MappingSettings, type Source, stageTag, tagsToRemove, tagTable } from '../src/mapping/index.js';
import { external, someoneElses } from './support/mapping-rows.js';
import { aContract, anEntitlement, aUser, mapped } from './support/source.js';

const products = [
  'sesamy_active_entitlement_daily-example',
  'sesamy_active_sku_po_sid-daily-po-1',
  'sesamy_active_sku_sid-daily',
];

interface Row {
  name: string;
  source?: Partial<Source>;
  settings?: Partial<MappingSettings>;
  /** Besides the base tag. */
  tags: string[];
  problems?: { field: string; code: string }[];
}

const rows: Row[] = [
  { name: 'A5: the base tag is on somebody who has nothing else', tags: [] },
  {
    name: 'a running subscription: subscriber, and the product by title, SKU and option',
    source: { contracts: [aContract()], entitlements: [anEntitlement()] },
    tags: ['sesamy_active_subscriber', ...products],
  },
  {
    name: 'cancelled with time left: still a subscriber',
    source: { contracts: [aContract({ willCancelAt: '2099-01-01T00:00:00Z' })] },
    tags: ['sesamy_active_subscriber'],
  },
  {
    name: 'overdue: a subscriber with an overdue contract',
    source: { contracts: [aContract({ status: 'overdue' })] },
    tags: ['sesamy_active_subscriber', 'sesamy_overdue_contract'],
  },
  {
    name: 'A6: expired: no subscriber, no product',
    source: {
      contracts: [aContract({ status: 'EXPIRED', isActive: false })],
      entitlements: [anEntitlement({ hasAccess: false })],
    },
    tags: [],
  },
  {
    name: 'an unknown status is judged by isActive alone',
    source: { contracts: [aContract({ status: 'PAUSED' })] },
    tags: ['sesamy_active_subscriber'],
    problems: [{ field: 'Sesamy_Subscription.Status', code: 'unknown-status' }],
  },
  {
    name: 'single purchase by duration: no subscriber',
    source: { contracts: [aContract({ duration: 'PERPETUAL' })] },
    tags: ['sesamy_made_single_purchase'],
  },
  {
    name: 'single purchase by status',
    source: { contracts: [aContract({ status: 'CLOSED', duration: undefined, isActive: false })] },
    tags: ['sesamy_made_single_purchase'],
  },
  {
    name: 'a paid article is a single purchase, no gift and no product, also where its contract is not listed',
    source: { entitlements: [anEntitlement({ type: 'article' })] },
    tags: ['sesamy_made_single_purchase'],
  },
  {
    name: 'an article given for nothing is no purchase',
    source: { entitlements: [anEntitlement({ type: 'article', origin: external })] },
    tags: ['sesamy_has_external_access'],
  },
  {
    name: 'external access: products, but no subscriber',
    source: { entitlements: [anEntitlement({ origin: external })] },
    tags: ['sesamy_has_external_access', ...products],
  },
  {
    name: 'external access that ended leaves nothing',
    source: { entitlements: [anEntitlement({ origin: external, hasAccess: false })] },
    tags: [],
  },
  {
    name: 'gift received: gift and products, but no subscriber',
    source: { entitlements: [anEntitlement({ origin: someoneElses })] },
    tags: ['sesamy_has_gifted_subscription', ...products],
  },
  {
    name: 'gift received, giftReceiverIsSubscriber: a subscriber too',
    source: { entitlements: [anEntitlement({ origin: someoneElses })] },
    settings: { giftReceiverIsSubscriber: true },
    tags: ['sesamy_has_gifted_subscription', 'sesamy_active_subscriber', ...products],
  },
  {
    name: 'gift that ended leaves nothing, also with giftReceiverIsSubscriber',
    source: { entitlements: [anEntitlement({ origin: someoneElses, hasAccess: false })] },
    settings: { giftReceiverIsSubscriber: true },
    tags: [],
  },
  {
    name: 'gift bought: the running contract counts, since nothing tells it from one of their own; no product without access',
    source: { contracts: [aContract()] },
    tags: ['sesamy_active_subscriber'],
  },
  {
    name: 'an entitlement without an option gives no option tag',
    source: { entitlements: [anEntitlement({ origin: undefined, purchaseOptionId: undefined })] },
    tags: ['sesamy_active_entitlement_daily-example', 'sesamy_active_sku_sid-daily'],
  },
  {
    name: 'an issue on paper gives no product tag',
    source: { contracts: [aContract()], entitlements: [anEntitlement({ type: 'physical_issue' })] },
    tags: ['sesamy_active_subscriber'],
  },
  {
    name: 'an issue on paper gives product tags where configured',
    source: { contracts: [aContract()], entitlements: [anEntitlement({ type: 'physical_issue' })] },
    settings: { productTags: { articles: false, physicalIssues: true } },
    tags: ['sesamy_active_subscriber', ...products],
  },
  {
    name: 'an article gives product tags where configured',
    source: { contracts: [aContract()], entitlements: [anEntitlement({ type: 'article' })] },
    settings: { productTags: { articles: true, physicalIssues: false } },
    tags: ['sesamy_active_subscriber', 'sesamy_made_single_purchase', ...products],
  },
  {
    name: 'A7: two entitlements to one product, in different spelling, give its title once',
    source: {
      entitlements: ['Daily Example', 'DAILY éxample!'].map((title, index) =>
        anEntitlement({ id: `e${index}`, title, origin: undefined }),
      ),
    },
    tags: products,
  },
  {
    name: 'custom tags are slugs, each once',
    source: { user: aUser({ tags: ['Åre & Öl', 'are-ol', 'VIP', '2026', 'İstanbul', 'Pro™'] }) },
    tags: ['are-ol', 'vip', '2026', 'istanbul', 'protm'].map((tag) => `sesamy_tag_${tag}`),
  },
  {
    name: 'a name of which nothing is left gives no tag and is reported',
    source: {
      user: aUser({ tags: ['***', ''] }),
      entitlements: [anEntitlement({ title: '日本', origin: undefined, purchaseOptionId: undefined })],
    },
    tags: ['sesamy_active_sku_sid-daily'],
    problems: [
      { field: 'sesamy_active_entitlement_{product}', code: 'empty-slug' },
      { field: 'sesamy_tag_{custom}', code: 'empty-slug' },
    ],
  },
  {
    name: 'A6: a name is cut at 99 characters, prefix included, and reported',
    source: { user: aUser({ tags: ['x'.repeat(200), 'y'.repeat(88)] }) },
    tags: [`sesamy_tag_${'x'.repeat(88)}`, `sesamy_tag_${'y'.repeat(88)}`],
    problems: [{ field: 'sesamy_tag_{custom}', code: 'tag-too-long' }],
  },
];

describe('mapping: the tags', () => {
  for (const row of rows) {
    it(row.name, () => {
      const person = mapped(row.source ?? {}, row.settings);
      assert.deepEqual(person.tags, ['sesamy', ...row.tags].sort());
      assert.deepEqual(person.problems, row.problems ?? []);
    });
  }

  it('the stage tag is given separately, one for each stage', () => {
    assert.equal(stageTag('renewal-due'), 'sesamy_stage_renewal-due');
    for (const stage of stages) assert.ok(isOurTag(stageTag(stage)), stage);
  });
});

describe('mapping: which tags are ours', () => {
  const ours = [
    ...tagTable.map(({ name }) => name).filter((name) => !name.includes('{')),
    'sesamy_active_entitlement_daily',
    'sesamy_active_entitlement_Premium Magazine',
    'sesamy_active_sku_sid-1',
    'sesamy_active_sku_po_sid-1-po-2',
    'sesamy_tag_vip',
    'sesamy_stage_active',
    'sesamy_event_win-back',
    'sesamy_event_receipt',
  ];
  const theirs = [
    'sesamy_vip',
    'sesamy_active',
    'sesamy_active_subscriber_2026',
    'sesamy_active_entitlement_',
    'sesamy_tag_',
    'sesamy_stage_vip',
    'sesamy_event_christmas',
    'sesamy_campaign',
    'SESAMY_ACTIVE_SUBSCRIBER',
    'my sesamy_tag_vip',
    'Newsletter',
    'clear',
    'constructor',
    '',
  ];

  for (const name of ours) it(`ours: ${name}`, () => assert.equal(isOurTag(name), true));
  for (const name of theirs) it(`A5: not ours: "${name}"`, () => assert.equal(isOurTag(name), false));

  it('A5: nothing that is not ours is ever removed', () => {
    assert.deepEqual(tagsToRemove(theirs, []), []);
  });

  it('A6: a lapsed product leaves, also in the older form of its tag; what is wanted stays', () => {
    const held = [
      'sesamy',
      'sesamy_active_entitlement_Premium Magazine',
      'sesamy_active_sku_a',
      'sesamy_active_sku_b',
      'vip',
    ];
    assert.deepEqual(tagsToRemove(held, ['sesamy', 'sesamy_active_sku_a']), [
      'sesamy_active_entitlement_Premium Magazine',
      'sesamy_active_sku_b',
    ]);
  });

  it('the old stage leaves when there is a new one', () => {
    assert.deepEqual(tagsToRemove(['sesamy_stage_active', 'sesamy_stage_lapsed'], ['sesamy_stage_lapsed']), [
      'sesamy_stage_active',
    ]);
  });

  it('the base tag, the single purchase and the events of the lifecycle stay', () => {
    assert.deepEqual(tagsToRemove(['sesamy', 'sesamy_made_single_purchase', 'sesamy_event_ended'], []), []);
  });

  it('names each tag once, however often it is held', () => {
    assert.deepEqual(tagsToRemove(['sesamy_tag_a', 'sesamy_tag_a'], []), ['sesamy_tag_a']);
  });
});
