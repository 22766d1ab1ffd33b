/** Templates of receipts: what a reader has typed stays text, and nothing that a template says reads, runs or stays for ever. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { filters, tags } from 'liquidjs';
import { checkTemplate, defaultReceiptSettings, renderReceipt, TemplateError } from '../src/receipts/index.js';
import { pollution, prototypeNames, scale, searchSync } from './support/fuzz.js';

const hostile = '<img src=x onerror=alert(1)>"\'&';
const secret = 'PlantedEnvironmentSecret';
const { sv } = defaultReceiptSettings.templates;
const base = sv ?? assert.fail('there is a built-in template');

function html(source: string): string | undefined {
  const bill = { id: hostile, price: 129, currency: hostile, items: [{ sku: hostile, title: hostile }] };
  const reader = { email: hostile, firstName: hostile, lastName: hostile };
  const receipt = { bill, reader, sender: hostile, language: 'sv' };
  try {
    return renderReceipt({ ...base, html: source }, receipt, { amountUnit: 'major', timeZone: 'UTC' }).html;
  } catch (error) {
    assert.ok(error instanceof TemplateError, String(error));
    return undefined;
  }
}

const places = ['reader.firstName', 'receipt.id', 'receipt.lines', 'receipt', 'reader', 'sender.name', 'receipt.total'];

describe('templates of receipts', function () {
  this.timeout(20_000 * Math.max(1, scale));

  before(() => {
    process.env.PLANTED_SECRET = secret;
  });
  after(() => {
    delete process.env.PLANTED_SECRET;
  });

  it('have no filter, and no tag that puts out, by which a reader’s name becomes markup', () => {
    const sources = places.flatMap((place) => [
      ...Object.keys(filters).flatMap((name) => [
        `{{ ${place} | ${name} }}`,
        `{{ ${place} | escape | ${name} }}`,
        `{{ ${place} | ${name}: ${place}, ${place} }}`,
        `{% echo ${place} | ${name} %}`,
        `{% assign a = ${place} | ${name} %}{% capture b %}{{ a }}{% endcapture %}{{ b }}{% cycle a, b %}`,
      ]),
      ...Object.keys(tags).flatMap((name) => [`{% ${name} ${place} %}`, `{% ${name} ${place} %}x{% end${name} %}`]),
    ]);
    let rendered = 0;
    for (const source of sources) {
      const text = html(source);
      if (text === undefined) continue;
      rendered += 1;
      assert.ok(!/<img|["'](?!>|\d)/.test(text.replace(/<\/?t[rd][^>]*>/g, '')), `${source} puts out ${text}`);
    }
    assert.ok(rendered > 300, `${rendered} of ${sources.length} could be rendered`);
    assert.match(checkTemplate('html', '{{ reader.firstName | raw }}x')?.problem ?? '', /the filter raw/);
  });

  it('whatever they are made of, are refused or are text: no file, no environment, no prototype, no end of time', () => {
    const name = fc.oneof(
      fc.constantFrom(
        ...places,
        ...prototypeNames,
        'process.env.PLANTED_SECRET',
        'globalThis',
        'this',
        'receipt.lines[0]',
      ),
      fc.tuple(fc.constantFrom(...places), fc.constantFrom(...prototypeNames)).map((path) => path.join('.')),
      fc.tuple(fc.constantFrom(...places), fc.constantFrom(...prototypeNames)).map(([of, key]) => `${of}["${key}"]`),
      fc.integer().map(String),
      fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
    );
    const filter = fc
      .tuple(fc.constantFrom(...Object.keys(filters), ...prototypeNames), fc.array(name, { maxLength: 2 }))
      .map(([filterName, values]) => (values.length > 0 ? `${filterName}: ${values.join(', ')}` : filterName));
    const value = fc
      .tuple(name, fc.array(filter, { maxLength: 3 }))
      .map(([first, rest]) => [first, ...rest].join(' | '));
    const path = fc.constantFrom('/etc/passwd', '../package.json', 'file:///etc/passwd', '/proc/self/environ');
    const { template } = fc.letrec<{ template: string; piece: string }>((tie) => ({
      template: fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => pieces.join('')),
      piece: fc.oneof(
        { maxDepth: 3 },
        value.map((one) => `{{ ${one} }}`),
        fc.string({ maxLength: 10 }),
        value.map((one) => `{% echo ${one} %}`),
        fc
          .tuple(fc.constantFrom('include', 'render', 'layout', 'block'), path)
          .map(([tag, file]) => `{% ${tag} '${file}' %}`),
        fc.tuple(name, value).map(([variable, one]) => `{% assign ${variable.replaceAll('.', '_')} = ${one} %}`),
        fc.tuple(fc.nat(1e9), tie('template')).map(([end, inner]) => `{% for i in (1..${end}) %}${inner}{% endfor %}`),
        fc.tuple(name, tie('template')).map(([list, inner]) => `{% tablerow i in ${list} %}${inner}{% endtablerow %}`),
        fc.tuple(value, tie('template')).map(([one, inner]) => `{% if ${one} %}${inner}{% endif %}`),
        tie('template').map((inner) => `{% capture a %}${inner}{% endcapture %}{{ a }}`),
      ),
    }));
    fc.assert(
      fc.property(template, (source) => {
        const fault = checkTemplate('html', source);
        const text = html(source) ?? '';
        assert.ok(!text.includes('<img'), 'markup');
        assert.ok(!text.includes(secret) && !/root:.*:0:0:|"devDependencies"|native code/.test(text), 'something read');
        assert.ok(text.length <= 2_000_000, `${text.length} characters`);
        assert.ok(!JSON.stringify(fault ?? '').includes(secret));
        assert.deepEqual(pollution(), []);
      }),
      searchSync(300),
    );
  });
});
