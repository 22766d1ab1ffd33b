import { checkFields, ended, external, noProducts, someoneElses } from './support/mapping-rows.js';
import { aContract, anEntitlement, anItem } from './support/source.js';

describe('mapping: active products', () => {
  checkFields([
    {
      name: 'SKU, title and option title of a running contract; its own entitlement adds nothing',
      source: { contracts: [aContract()], entitlements: [anEntitlement({ title: 'Daily (access)' })] },
      expect: {
        'Sesamy_ActiveProducts.SKU': ['sid:daily'],
        'Sesamy_ActiveProducts.Titles': ['Daily Example'],
        'Sesamy_ActiveProducts.OptionTitles': ['Monthly'],
      },
    },
    {
      name: 'A7: two contracts on one product give one entry, also with different spelling; the oldest spelling stays',
      source: {
        contracts: [
          aContract({ id: 'c2', createdAt: '2026-02-01T00:00:00Z', items: [anItem({ name: 'DAILY  example!' })] }),
          aContract({ id: 'c1', createdAt: '2026-01-01T00:00:00Z', items: [anItem({ name: 'Daily Éxample' })] }),
        ],
      },
      expect: { 'Sesamy_ActiveProducts.Titles': ['Daily Éxample'], 'Sesamy_ActiveProducts.SKU': ['sid:daily'] },
    },
    {
      name: 'A7: twins with different SKUs and plans keep every SKU and every plan',
      source: {
        contracts: [
          aContract({ id: 'c1', items: [anItem({ sku: 'sid:b', purchaseOptionName: 'Yearly' })] }),
          aContract({ id: 'c2', items: [anItem({ sku: 'sid:a', purchaseOptionName: 'Monthly' })] }),
        ],
      },
      expect: {
        'Sesamy_ActiveProducts.SKU': ['sid:a', 'sid:b'],
        'Sesamy_ActiveProducts.Titles': ['Daily Example'],
        'Sesamy_ActiveProducts.OptionTitles': ['Monthly', 'Yearly'],
      },
    },
    {
      name: 'titles are sorted by slug, not by letter case',
      source: { contracts: [aContract({ items: ['Zebra', 'ärlig', 'Bild'].map((name) => anItem({ name })) })] },
      expect: { 'Sesamy_ActiveProducts.Titles': ['ärlig', 'Bild', 'Zebra'] },
    },
    {
      name: 'titles without a slug are told apart by themselves',
      source: { contracts: [aContract({ items: [anItem({ name: '日本' }), anItem({ name: '中国' })] })] },
      expect: { 'Sesamy_ActiveProducts.Titles': ['中国', '日本'] },
    },
    {
      name: 'blank titles and options are no entries',
      source: { contracts: [aContract({ items: [anItem({ name: ' ', purchaseOptionName: '' })] })] },
      expect: { 'Sesamy_ActiveProducts.Titles': undefined, 'Sesamy_ActiveProducts.OptionTitles': undefined },
    },
    {
      name: 'external access is listed, without a plan',
      source: { entitlements: [anEntitlement({ origin: external })] },
      expect: {
        'Sesamy_ActiveProducts.SKU': ['sid:daily'],
        'Sesamy_ActiveProducts.Titles': ['Daily Example'],
        'Sesamy_ActiveProducts.OptionTitles': undefined,
      },
    },
    {
      name: 'a gift received is listed',
      source: { entitlements: [anEntitlement({ origin: someoneElses })] },
      expect: { 'Sesamy_ActiveProducts.Titles': ['Daily Example'] },
    },
    {
      name: 'access without an origin is listed',
      source: { entitlements: [anEntitlement({ origin: undefined })] },
      expect: { 'Sesamy_ActiveProducts.Titles': ['Daily Example'] },
    },
    {
      name: 'an entitlement without access is not listed',
      source: { entitlements: [anEntitlement({ origin: external, hasAccess: false })] },
      expect: noProducts,
    },
    {
      name: 'articles and issues on paper are no products',
      source: {
        entitlements: [
          anEntitlement({ type: 'article', origin: external }),
          anEntitlement({ id: 'e2', type: 'physical_issue', origin: external }),
        ],
      },
      expect: noProducts,
    },
    {
      name: 'nor is the contract that an article was bought by',
      source: {
        contracts: [aContract({ status: 'CLOSED', duration: 'PERPETUAL' })],
        entitlements: [anEntitlement({ type: 'article' })],
      },
      expect: noProducts,
    },
    {
      name: 'a subscription on paper is a product although its issues are not',
      source: { contracts: [aContract()], entitlements: [anEntitlement({ type: 'physical_issue' })] },
      expect: { 'Sesamy_ActiveProducts.Titles': ['Daily Example'] },
    },
    {
      name: 'a pass bought once is a product',
      source: { contracts: [aContract({ status: 'CLOSED', duration: 'PERPETUAL' })], entitlements: [anEntitlement()] },
      expect: { 'Sesamy_ActiveProducts.Titles': ['Daily Example'] },
    },
    {
      name: 'a settled purchase gives access for ever: its entitlement speaks where isActive is off',
      source: { contracts: [aContract({ status: 'CLOSED', isActive: false })], entitlements: [anEntitlement()] },
      expect: { 'Sesamy_ActiveProducts.Titles': ['Daily Example'] },
    },
    {
      name: 'nothing active: all three are missing, which clears them',
      source: { contracts: [aContract(ended)], entitlements: [anEntitlement({ hasAccess: false })] },
      expect: noProducts,
    },
  ]);
});
