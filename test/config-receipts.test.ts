import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../src/config/index.js';
import { defaultReceiptSettings } from '../src/receipts/index.js';

const env = { S: 'invented-secret', R: 'invented-key', WEBHOOK_SECRET: 'invented-webhook-secret' };

describe('receipts in the vendors file', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-receipts-'));
    mkdirSync(join(folder, 'receipts'));
    const files: [name: string, content: string | Uint8Array][] = [
      ['receipts/good.liquid', '\ufeff<p>{{ receipt.total }}</p>'],
      ['bad.liquid', '<p>\n{{ receipt.totl }}</p>'],
      ['open.liquid', '{% if receipt.url %}'],
      ['empty.liquid', ''],
      ['long.liquid', 'x'.repeat(200_001)],
      ['latin.liquid', Buffer.from('Kvitto p\u00e5 {{ receipt.total }}', 'latin1')],
    ];
    for (const [name, content] of files) writeFileSync(join(folder, name), content);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function load(receipts: unknown) {
    const file = join(folder, 'vendors.json');
    const vendor = {
      id: 'daily',
      sesamy: { clientId: 'a', clientSecret: { env: 'S' } },
      rule: { apiKey: { env: 'R' } },
    };
    writeFileSync(file, JSON.stringify({ vendors: [receipts === undefined ? vendor : { ...vendor, receipts }] }));
    return loadConfig({ ...env, SESAMY_RULE_CONFIG: file }).vendors[0]?.receipts;
  }

  function mistakesOf(receipts: unknown): string[] {
    try {
      load(receipts);
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.mistakes
        .map(({ variable, problem }) => `${variable} ${problem}`.replace(/^vendors\[0\]\.receipts\.?/, ''))
        .sort();
    }
  }

  it('are a row and a tag unless said otherwise', () => {
    assert.deepEqual(load(undefined), defaultReceiptSettings);
    assert.equal(load({ mode: 'off' })?.mode, 'off');
    assert.equal(load({ amountUnit: 'minor' })?.amountUnit, 'minor');
  });

  it('are a row and a tag where a vendor is set by variables alone', () => {
    const variables = {
      SESAMY_VENDOR_ID: 'daily',
      SESAMY_CLIENT_ID: 'a',
      SESAMY_CLIENT_SECRET: 'b',
      RULE_API_KEY: 'c',
    };
    const [vendor] = loadConfig({ ...variables, WEBHOOK_SECRET: env.WEBHOOK_SECRET }, { cwd: folder }).vendors;
    assert.deepEqual(vendor?.receipts, defaultReceiptSettings);
  });

  it('may be mails of a publisher’s own, with files beside the vendors file; what is not given is built in', () => {
    const settings = load({
      mode: 'transactional',
      from: { name: 'Daily Example', email: 'no-reply@example.com' },
      language: 'en',
      templates: { sv: { html: 'receipts/good.liquid', subject: 'Tack!' } },
    });
    assert.deepEqual(settings?.templates.sv, {
      ...defaultReceiptSettings.templates.sv,
      subject: 'Tack!',
      html: '<p>{{ receipt.total }}</p>',
    });
    assert.deepEqual(settings?.templates.en, defaultReceiptSettings.templates.en);
    assert.deepEqual(settings?.from, { name: 'Daily Example', email: 'no-reply@example.com' });
  });

  it('may be in a language of a publisher’s own, where all of it is given', () => {
    const file = join(folder, 'receipts/good.liquid');
    const settings = load({ language: 'nb', templates: { nb: { subject: 'Takk!', html: file, text: file } } });
    assert.equal(settings?.language, 'nb');
    assert.deepEqual(Object.keys(settings?.templates ?? {}).sort(), ['en', 'nb', 'sv']);
  });

  it('all that is wrong is told at once', () => {
    assert.deepEqual(
      mistakesOf({
        mode: 'sometimes',
        from: { name: '', email: 'Nobody <nobody@example.com>' },
        amountUnit: 'cents',
        language: 'da',
        template: {},
        templates: {
          sv: { html: 'bad.liquid', text: 'open.liquid', subject: '{{ reader.fristName }}', htm: 'x' },
          en: { html: 'nowhere.liquid', text: 'empty.liquid' },
          fi: { subject: 'Kuitti' },
          'sv-SE': { html: 'bad.liquid' },
          nb: { subject: 7, html: '.', text: 'long.liquid' },
          de: { subject: 'Beleg', html: '/dev/zero', text: 'latin.liquid' },
        },
      }),
      [
        'amountUnit is none of the possible values',
        'from.email is not an e-mail address',
        'from.name is not a name',
        'language has no template',
        'mode is none of the possible values',
        'template is not a member that is known here',
        'templates.de.html does not name a file',
        'templates.de.text names a file that is not UTF-8 text',
        'templates.en.html names a file that cannot be read (ENOENT)',
        'templates.en.text names a template that puts out nothing',
        'templates.fi.html is missing',
        'templates.fi.text is missing',
        'templates.nb.html does not name a file',
        'templates.nb.subject is not a text',
        'templates.nb.text names a file of more than 200 KB',
        'templates.sv-SE is not a language',
        'templates.sv.htm is not a member that is known here',
        'templates.sv.html names a template that has the variable receipt.totl (line 2), which does not exist',
        'templates.sv.subject has the variable reader.fristName (line 1), which does not exist',
        'templates.sv.text names a template that has a tag or a value that is not closed (line 1)',
      ],
    );
  });

  it('need a sender where they are mails, whatever else is wrong', () => {
    assert.deepEqual(mistakesOf({ mode: 'transactional' }), ['from is needed for transactional receipts']);
    assert.deepEqual(mistakesOf({ mode: 'transactional', from: {}, templates: { sv: { html: 'bad.liquid' } } }), [
      'from.email is missing',
      'from.name is missing',
      'templates.sv.html names a template that has the variable receipt.totl (line 2), which does not exist',
    ]);
    assert.deepEqual(mistakesOf({ mode: 'transactional', templates: [] }), [
      'from is needed for transactional receipts',
      'templates is not a mapping of members',
    ]);
    assert.deepEqual(mistakesOf('transactional'), [' is not a mapping of members']);
    assert.deepEqual(mistakesOf(null), [' is not a mapping of members']);
  });

  it('a language’s name that is a member of every object is no language', () => {
    assert.deepEqual(mistakesOf(JSON.parse('{"templates":{"constructor":{},"language":{}}}')), [
      'templates.constructor is not a language',
      'templates.language is not a language',
    ]);
  });
});
