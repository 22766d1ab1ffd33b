import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Advisory, advisoriesOf, type Exception, judge, parseExceptions } from './support/dependency-audit.js';

const today = '2026-11-20';

function advisory(overrides: Partial<Advisory> = {}): Advisory {
  return { id: 'GHSA-aaaa-bbbb-cccc', package: 'left', title: 'Reads too far', severity: 'high', ...overrides };
}

function exception(overrides: Partial<Exception> = {}): Exception {
  return {
    advisory: 'GHSA-aaaa-bbbb-cccc',
    package: 'left',
    reason: 'Only for input that we never hand to it.',
    until: '2026-12-20',
    ...overrides,
  };
}

const installed = (...all: Advisory[]) => ({ production: all, all });
const forTests = (...all: Advisory[]) => ({ production: [], all });

describe('the audit of dependencies', () => {
  it('reads npm’s report: each advisory once, whichever packages it reaches', () => {
    const own = { title: 'Reads too far', url: 'https://example.com/advisories/GHSA-aaaa-bbbb-cccc', severity: 'high' };
    const report = {
      auditReportVersion: 2,
      vulnerabilities: {
        left: { name: 'left', severity: 'high', via: [{ source: 1, name: 'left', ...own, range: '<2' }] },
        right: { name: 'right', severity: 'high', via: ['left'] },
        other: { name: 'other', severity: 'high', via: ['left', { source: 1, name: 'left', ...own, range: '<2' }] },
      },
    };
    assert.deepEqual(advisoriesOf(report), [advisory()]);
    assert.deepEqual(advisoriesOf({ vulnerabilities: {} }), []);
  });

  for (const [what, answer] of [
    ['a registry without the endpoint', { message: '405 Method Not Allowed', statusCode: 405, error: { summary: '' } }],
    ['no network', { error: { code: 'ENOTFOUND', summary: 'request failed', detail: '' } }],
    ['something else', 'no such page'],
    ['nothing', null],
  ] as const) {
    it(`takes the answer of ${what} for none`, () => assert.equal(advisoriesOf(answer), undefined));
  }

  const rows: [what: string, found: ReturnType<typeof installed>, exceptions: Exception[], ok: boolean][] = [
    ['nothing found', installed(), [], true],
    ['moderate in what is installed', installed(advisory({ severity: 'moderate' })), [], false],
    ['low in what is installed', installed(advisory({ severity: 'low' })), [], true],
    ['high in what tests', forTests(advisory()), [], false],
    ['moderate in what tests', forTests(advisory({ severity: 'moderate' })), [], true],
    ['an exception', installed(advisory()), [exception()], true],
    ['an exception on its last day', installed(advisory()), [exception({ until: today })], true],
    ['an exception that has ended', installed(advisory()), [exception({ until: '2026-11-19' })], false],
    ['an exception of another package', installed(advisory()), [exception({ package: 'right' })], false],
    ['an exception of another advisory', installed(advisory()), [exception({ advisory: 'GHSA-x' })], false],
    ['an exception without end', installed(advisory()), [exception({ until: '2027-11-20' })], false],
    ['an exception that is needed no more', installed(), [exception()], true],
  ];
  for (const [what, found, exceptions, ok] of rows) {
    it(`${ok ? 'passes' : 'fails'} by ${what}`, () => {
      const verdict = judge(found, exceptions, today);
      assert.equal(verdict.ok, ok, verdict.lines.join('\n'));
      assert.equal(verdict.lines.length > 0, what !== 'nothing found');
    });
  }

  it('exceptions have a reason and a last day', () => {
    for (const wrong of [{ reason: 'later' }, { until: 'soon' }, { until: '2026-13-01' }, { extra: 1 }]) {
      assert.throws(() => parseExceptions([{ ...exception(), ...wrong }]));
    }
    const recorded = readFileSync(new URL('../.ci/audit-exceptions.json', import.meta.url), 'utf8');
    assert.ok(Array.isArray(parseExceptions(JSON.parse(recorded))));
  });
});
