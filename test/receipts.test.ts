import assert from 'node:assert/strict';
import {
  checkTemplate,
  defaultReceiptSettings,
  type Receipt,
  type ReceiptBill,
  receiptLanguage,
  receiptValues,
  renderReceipt,
  TemplateError,
  type TemplatePart,
} from '../src/receipts/index.js';

const settings = { amountUnit: 'major', timeZone: 'Europe/Stockholm' } as const;

function aBill(overrides: Partial<ReceiptBill> = {}): ReceiptBill {
  return {
    id: 'bill-1',
    price: 1290.5,
    currency: 'SEK',
    items: [
      { sku: 'sid:digital', title: 'Daily Example' },
      { sku: 'sid:weekend', title: 'Weekend & Söndag' },
    ],
    receiptUrl: 'https://example.com/receipts/1?a=1&b=2',
    createdAt: '2026-12-31T23:30:00Z',
    ...overrides,
  };
}

function aReceipt(overrides: Partial<Receipt> = {}): Receipt {
  const reader = { email: 'kim@example.com', firstName: 'Kim', lastName: 'Ek' };
  return { bill: aBill(), reader, sender: 'Daily Example', language: 'sv', ...overrides };
}

const { templates } = defaultReceiptSettings;
const sv = templates.sv ?? assert.fail();
const en = templates.en ?? assert.fail();

/** Blanks of any width as one common blank: number formats use narrow ones. */
function plain(text: string): string {
  return text.replace(/\s/g, ' ');
}

describe('a receipt as a row', () => {
  it('holds date, amount, currency, lines and link; the day is of the vendor’s zone', () => {
    assert.deepEqual(receiptValues(aBill(), settings), {
      Id: 'bill-1',
      Date: '2027-01-01',
      Amount: '1290.50',
      Currency: 'SEK',
      Lines: 'Daily Example, Weekend & Söndag',
      Url: 'https://example.com/receipts/1?a=1&b=2',
    });
  });

  it('leaves out what the bill does not have', () => {
    const bill = { id: 'b', price: 0.1, items: [] };
    assert.deepEqual(receiptValues(bill, settings), { Id: 'b', Amount: '0.10', Lines: '' });
    const odd = { ...bill, currency: ' ', createdAt: 'soon', receiptUrl: 'javascript:alert(1)' };
    assert.deepEqual(receiptValues(odd, settings), { Id: 'b', Amount: '0.10', Lines: '' });
  });

  const amounts: [price: number, currency: string | undefined, unit: 'major' | 'minor', amount: string][] = [
    [129, 'SEK', 'major', '129.00'],
    [129.5, 'sek', 'major', '129.50'],
    [12900, 'SEK', 'minor', '129.00'],
    [1, 'EUR', 'minor', '0.01'],
    [1290, 'JPY', 'major', '1290'],
    [1290, 'JPY', 'minor', '1290'],
    [0, undefined, 'major', '0.00'],
    [12900, undefined, 'minor', '129.00'],
    [5, 'kronor', 'major', '5.00'],
  ];
  for (const [price, currency, amountUnit, amount] of amounts) {
    it(`${price} of ${amountUnit} units in ${currency ?? 'no currency'} is ${amount}`, () => {
      const { currency: _, ...bill } = aBill({ price });
      const given = currency === undefined ? bill : { ...bill, currency };
      assert.equal(receiptValues(given, { ...settings, amountUnit }).Amount, amount);
    });
  }

  const days: [createdAt: string, day: string | undefined][] = [
    ['2026-12-31T23:30:00Z', '2027-01-01'],
    ['2026-12-31T23:30:00', '2027-01-01'],
    ['2026-12-31 23:30:00', '2027-01-01'],
    ['2026-12-31T23:30:00+02:00', '2026-12-31'],
    ['2026-12-31', '2026-12-31'],
    ['23:30', undefined],
  ];
  for (const [createdAt, day] of days) {
    it(`${createdAt} is ${day ?? 'no day'} in Stockholm`, () => {
      assert.equal(receiptValues(aBill({ createdAt }), settings).Date, day);
    });
  }

  it('names a product without a title by its SKU', () => {
    assert.equal(receiptValues(aBill({ items: [{ sku: 'sid:1', title: ' ' }] }), settings).Lines, 'sid:1');
  });
});

describe('a receipt as a mail', () => {
  it('is in Swedish with Swedish dates and amounts', () => {
    const { subject, html, text } = renderReceipt(sv, aReceipt(), settings);
    assert.equal(subject, 'Kvitto från Daily Example');
    assert.match(plain(text), /Betalt: 1 290,50 kr/);
    assert.match(text, /Datum: 1 januari 2027/);
    assert.match(text, /Hej Kim!/);
    assert.match(html, /<html lang="sv"/);
    assert.match(plain(html), /1 290,50 kr/);
  });

  it('is in English with English dates and amounts', () => {
    const { subject, text } = renderReceipt(en, aReceipt({ language: 'en' }), settings);
    assert.equal(subject, 'Your receipt from Daily Example');
    assert.match(plain(text), /Paid: SEK 1,290\.50/);
    assert.match(text, /Date: 1 January 2027/);
  });

  it('says in the text what it says in the HTML, and needs no picture', () => {
    const { html, text } = renderReceipt(sv, aReceipt(), settings);
    for (const value of ['Hej Kim!', 'Daily Example', '1 januari 2027', 'bill-1']) {
      assert.ok(html.includes(value) && text.includes(value), value);
    }
    assert.ok(text.includes('https://example.com/receipts/1?a=1&b=2'), 'the link is not escaped in the text');
    assert.ok(html.includes('href="https://example.com/receipts/1?a=1&amp;b=2"'));
    assert.ok(html.length < 102_000, 'Gmail cuts longer ones');
    assert.doesNotMatch(html, /<img|<script|<link|url\(/);
  });

  it('does without a name, products, a link, a date and a currency', () => {
    const bill = { id: 'b', price: 129, items: [] };
    const { html, text } = renderReceipt(sv, aReceipt({ bill, reader: {} }), settings);
    assert.match(text, /Hej!/);
    assert.match(text, /Betalt: 129,00\n/);
    assert.doesNotMatch(html, /href=|undefined|null|Datum|Du har betalat för</);
    assert.doesNotMatch(text, /Datum|undefined|null|Du har betalat för:/);
  });

  it('writes an amount whose currency is no code of ISO as it stands', () => {
    const { text } = renderReceipt(sv, aReceipt({ bill: aBill({ currency: 'Kronor' }) }), settings);
    assert.match(plain(text), /Betalt: 1 290,50 KRONOR/);
  });

  it('takes the reader’s language where there is a template, else the publisher’s', () => {
    assert.equal(receiptLanguage('sv-SE', ['sv', 'en'], 'en'), 'sv');
    assert.equal(receiptLanguage('EN_us', ['sv', 'en'], 'sv'), 'en');
    assert.equal(receiptLanguage('no', ['sv', 'nb'], 'sv'), 'nb');
    assert.equal(receiptLanguage('fi', ['sv', 'en'], 'sv'), 'sv');
    assert.equal(receiptLanguage(undefined, ['sv', 'en'], 'sv'), 'sv');
    assert.equal(receiptLanguage('', ['sv'], 'sv'), 'sv');
    assert.equal(receiptLanguage('constructor', ['sv'], 'sv'), 'sv');
  });

  describe('of hostile values', () => {
    const firstNameIn = (firstName: string, template: Partial<typeof sv>) =>
      renderReceipt({ ...sv, ...template }, aReceipt({ reader: { firstName } }), settings);

    const values: [what: string, value: string, html: string][] = [
      ['markup', '<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
      ['quotes', `"'>&`, '&#34;&#39;&gt;&amp;'],
      ['an output of Liquid', '{{ reader.email }}', '{{ reader.email }}'],
      ['a tag of Liquid', '{% for a in (1..9) %}x{% endfor %}', '{% for a in (1..9) %}x{% endfor %}'],
      ['marks that turn the direction', 'A\u202egnp.exe\u2066', 'Agnp.exe'],
      ['lines', 'A\r\nB\u2028C\u0000', 'A B C'],
    ];
    for (const [what, value, expected] of values) {
      it(`${what} is text in the HTML`, () => {
        assert.equal(firstNameIn(value, { html: '{{ reader.firstName }}' }).html, expected);
        assert.ok(firstNameIn(value, {}).html.includes(`Hej ${expected}!`));
        const titled = aReceipt({ bill: aBill({ items: [{ sku: 's', title: value }] }) });
        assert.ok(renderReceipt(sv, titled, settings).html.includes(`>${expected}<`));
      });
    }

    it('is as it was in the text and in the subject, on one line', () => {
      const { subject, text } = firstNameIn('<b>\r\nBcc: all@example.com', { subject: 'Till {{ reader.firstName }}' });
      assert.equal(subject, 'Till <b> Bcc: all@example.com');
      assert.match(text, /^Hej <b> Bcc: all@example\.com!$/m);
    });

    it('a name in another script stays, and one without end is cut', () => {
      assert.match(firstNameIn('שרה', {}).html, /Hej שרה!/);
      assert.equal(firstNameIn('😀'.repeat(9999), { text: '{{ reader.firstName }}' }).text, `${'😀'.repeat(199)}…`);
    });

    for (const receiptUrl of [
      'javascript:alert(1)',
      'http://example.com',
      'https://',
      'https://a b',
      '//example.com',
    ]) {
      it(`${receiptUrl} is no link`, () => {
        assert.doesNotMatch(renderReceipt(sv, aReceipt({ bill: aBill({ receiptUrl }) }), settings).html, /href=/);
      });
    }
  });

  it('an error of a template that was not tried names the place and no value', () => {
    const template = { ...sv, text: '{{ receipt.id }}\n{{ reader.firstName | shout }}' };
    assert.throws(
      () => renderReceipt(template, aReceipt({ reader: { firstName: 'Marker-zqx' } }), settings),
      (error) =>
        error instanceof TemplateError &&
        error.message === 'the text of the receipt in sv has the filter shout (line 2), which does not exist' &&
        error.cause === undefined,
    );
  });
});

describe('a template of a publisher’s own', () => {
  const refused: [what: string, source: string, problem: RegExp][] = [
    [
      'that reads another file',
      "\n{% include '/etc/passwd' %}",
      /^has \{% include %\} \(line 2\), which would bring in/,
    ],
    ['that renders another file', "{% if false %}{% render 'x' %}{% endif %}", /^has \{% render %\}/],
    ['that has a layout', "{% layout 'x' %}", /^has \{% layout %\}/],
    [
      'with a misspelt variable',
      '<p>\n{{ receipt.totl }}',
      /^has the variable receipt\.totl \(line 2\), which does not/,
    ],
    ['that asks for a misspelt variable', '{% if reader.fristName %}x{% endif %}y', /reader\.fristName/],
    ['with one where no example comes', '{% if language == "xx" %}{{ sender.nam }}{% endif %}y', /sender\.nam/],
    ['with one in a filter', '{{ receipt.total | append: foo }}', /the variable foo/],
    ['with a misspelt member of a line', '{% for l in receipt.lines %}{{ l.titel }}{% endfor %}y', /l\.titel/],
    ['with a member of a line outside of the loop', '{{ receipt.lines.title }}', /receipt\.lines\.title/],
    [
      'with a variable that only some receipts set',
      '{% if receipt.url %}{% assign a = 1 %}{% endif %}{{ a }}y',
      /\ba\b/,
    ],
    ['with a filter that does not exist', '{{ receipt.total | shout }}', /the filter shout/],
    ['with a tag that does not exist', '{% fetch %}', /the tag fetch/],
    ['that is not Liquid', '{% if %}x{% endif %}', /^is not valid Liquid \(line 1\)/],
    ['with a tag that is not closed', '\n\n{% if receipt.url %}', /not closed \(line 3\)/],
    ['with an output that is not closed', '{{ receipt.id', /not closed \(line 1\)/],
    ['that reaches into the program', '{{ receipt.constructor.constructor }}', /receipt\.constructor/],
    ['that reaches for a prototype', '{{ receipt.__proto__ }}', /__proto__/],
    [
      'that reaches for it by a computed name',
      '{% assign a = "constructor" %}{{ receipt[a] }}',
      /receipt\.constructor/,
    ],
    ['that calls a member of a list', '{{ receipt.lines.map }}', /receipt\.lines\.map/],
    ['that reads the process', '{{ process.env.RULE_API_KEY }}{{ globalThis }}', /process/],
    ['that does not end', '{% for a in (1..100000000) %}x{% endfor %}', /too much time or memory/],
    ['that loops in loops', nested('{% for a in receipt.lines %}', 24), /too much time or memory/],
    [
      'that grows without bound',
      '{% assign a = "x" %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}{{ a }}',
      /too much time or memory/,
    ],
    ['that pads without bound', '{{ receipt.date | date: "%99999999d" }}', /too much time or memory/],
    ['longer than any mail', 'x'.repeat(200_001), /too much time or memory/],
    ['that is empty', '  \n', /^puts out nothing/],
    ['that has nothing for some receipts', '{{ reader.firstName }}', /^puts out nothing/],
  ];
  for (const [what, source, problem] of refused) {
    it(`${what} is refused when it is read`, () => {
      const fault = checkTemplate('html', source);
      assert.match(fault?.problem ?? 'no fault', problem);
      assert.ok(fault?.mend);
    });
  }

  it('is refused as a subject and as a text for the same reasons', () => {
    for (const part of ['subject', 'text'] as const) {
      for (const [, source] of refused.slice(0, 6)) assert.ok(checkTemplate(part, source), source);
    }
  });

  it('is not quoted but for its names: it could be another file by mistake', () => {
    for (const source of ['{{ "marker-zqx" | } }}', '{% marker-zqx', '{{ marker-zqx"', '{% if "marker-zqx" == %}']) {
      const { problem, mend } = checkTemplate('html', source) ?? assert.fail(source);
      assert.doesNotMatch(problem + mend, /zqx/);
    }
  });

  const taken: [what: string, source: string][] = [
    ['asks for what may be missing', '{% if receipt.url %}{{ receipt.url }}{% else %}{{ receipt.id }}{% endif %}'],
    ['gives a missing name another', '{{ reader.firstName | default: "läsare" }}'],
    ['loops over the lines', '{% for l in receipt.lines %}{{ forloop.index }} {{ l.title }}{% else %}-{% endfor %}'],
    ['counts the lines', '{{ receipt.lines.size }} {{ receipt.lines | map: "title" | join: ", " }}'],
    ['has words of its own', '{% assign a = receipt.total %}{% capture b %}{{ a }}!{% endcapture %}{{ b }}'],
    ['tells languages apart', '{% case language %}{% when "sv" %}Kvitto{% else %}Receipt{% endcase %}'],
    ['writes dates in its own way', '{{ receipt.date | date: "%-d/%-m" }} {{ sender.name }}'],
    ['explains Liquid', '{% raw %}{{ foo }}{% endraw %}{% comment %}{{ bar }}{% endcomment %}'],
  ];
  for (const [what, source] of taken) {
    it(`may be one that ${what}`, () => {
      assert.equal(checkTemplate('html', source), undefined);
    });
  }

  it('writes a day as the same day on every machine', () => {
    const { text } = renderReceipt({ ...sv, text: '{{ receipt.date | date: "%-d %B" }}' }, aReceipt(), settings);
    assert.equal(text, '1 januari');
  });

  for (const [language, template] of Object.entries(templates)) {
    it(`the built-in one in ${language} is good`, () => {
      for (const [part, source] of Object.entries(template)) {
        assert.equal(checkTemplate(part as TemplatePart, source), undefined, part);
      }
    });
  }
});

/** The loop in itself, so often that two lines make millions of rounds. */
function nested(loop: string, depth: number): string {
  return `${loop.repeat(depth)}x${'{% endfor %}'.repeat(depth)}`;
}
