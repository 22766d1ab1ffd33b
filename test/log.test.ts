import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import { VendorError } from '../src/http/errors.js';
import { createLogger, type LogOptions, temporalLogger } from '../src/log.js';

const marker = 'anna.marker@example.com';

function recording(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ level: 'info', format: 'json', destination, ...options });
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** An error as a library might make it: the message quotes what it met and looks like a stack. */
function foreignError(): Error {
  return new TypeError(`cannot read ${marker}\n    at ${marker} (file.ts:1:1)`, { cause: new Error(marker) });
}

describe('the log', () => {
  it('writes one JSON document a line, with time, level and message', () => {
    const { log, lines, entries } = recording();
    log.info({ vendor: 'daily', ms: 3 }, 'webhook answered');
    log.debug('not shown');
    assert.equal(lines.length, 1);
    const [{ time, ...rest } = assert.fail()] = entries();
    assert.ok(!Number.isNaN(Date.parse(String(time))));
    assert.deepEqual(rest, { level: 'info', vendor: 'daily', ms: 3, msg: 'webhook answered' });
  });

  it('writes short lines for people, in which no value can look like a line of its own', () => {
    const { log, lines } = recording({ format: 'human' });
    log.warn({ vendor: 'daily', why: 'two words', list: [1, 2], trick: 'a\n12:00:00 error \u001b[2J' }, 'line\none');
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? '',
      /^\d\d:\d\d:\d\d warn {2}line\\u000aone vendor=daily why="two words" list=\[1,2\] trick=/,
    );
    assert.equal((lines[0] ?? '').split('\n').length, 2);
    assert.equal(lines[0]?.includes('\u001b'), false);
  });

  it('leaves out members that hold personal data or keys, three levels deep', () => {
    const { log, lines } = recording();
    log.info(
      { email: marker, user: { firstName: marker, id: 'u1' }, request: { options: { headers: { a: marker } } } },
      'x',
    );
    log.info({ authorization: marker, vendor: { clientSecret: marker, rule: { apiKey: marker } } }, 'x');
    assert.doesNotMatch(lines.join(''), /marker/);
    assert.match(lines.join(''), /"id":"u1"/);
  });

  it('keeps kind and place of a foreign error and leaves its message out, however it is handed over', () => {
    const { log, lines, entries } = recording();
    log.error(foreignError());
    log.error({ err: foreignError() });
    log.error({ err: foreignError() }, 'the text');
    log.error({ error: foreignError() }, 'the text');
    assert.doesNotMatch(lines.join(''), /marker/);
    assert.deepEqual(
      entries().map(({ msg }) => msg),
      ['error', 'error', 'the text', 'the text'],
    );
    const { err } = entries()[0] as { err: { name: string; stack: string[]; cause: { name: string } } };
    assert.equal(err.name, 'TypeError');
    assert.match(err.stack[0] ?? '', /^at foreignError .*log\.test\.ts/);
    assert.equal(err.cause.name, 'Error');
  });

  it('keeps the messages of our own failures', () => {
    const { log, entries } = recording();
    log.error({ err: new VendorError({ type: 'rule/unavailable', next: 'wait', reason: 'no answer' }) }, 'x');
    log.error({ err: ApplicationFailure.create({ message: 'no answer', type: 'rule/unavailable' }) }, 'x');
    log.error({ err: ApplicationFailure.create({ message: marker, type: 'SomebodyElses' }) }, 'x');
    const errors = entries().map(({ err }) => err as { type?: string; message?: string });
    assert.deepEqual(
      errors.map(({ type }) => type),
      ['rule/unavailable', 'rule/unavailable', undefined],
    );
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['no answer; try again later', 'no answer', undefined],
    );
  });
});

describe('the log of Temporal’s SDK', () => {
  it('keeps where something happened and drops arguments, results and foreign messages', () => {
    const { log, lines, entries } = recording({ level: 'trace' });
    const error = foreignError();
    const sdk = temporalLogger(log);
    sdk.trace('Got workflow activation', { jobs: [{ args: [marker] }], result: marker, sdkComponent: 'worker' });
    sdk.error(`Error while processing ActivityTask.start: ${error.message}`, { sdkComponent: 'worker', error });
    sdk.warn('Activity failed', {
      workflowId: 'subscriber/daily/u1',
      activityType: 'syncSubscriber',
      attempt: 2,
      failure: marker,
    });
    sdk.log('INFO', 'Worker state changed', { state: 'RUNNING', sdkComponent: 'worker' });
    assert.doesNotMatch(lines.join(''), /marker/);
    const [, second = assert.fail(), third, fourth] = entries();
    assert.equal(second.msg, 'Error while processing ActivityTask.start: [left out]');
    assert.equal((second.error as { name: string }).name, 'TypeError');
    assert.equal(third?.workflowId, 'subscriber/daily/u1');
    assert.equal(third?.attempt, 2);
    assert.deepEqual([fourth?.level, fourth?.state], ['info', 'RUNNING']);
  });

  it('keeps the words that our own workflows and activities log', () => {
    const { log, entries } = recording();
    const stack = ['at a (b.ts:1:1)'];
    temporalLogger(log).error('unexpected error', {
      sdkComponent: 'activity',
      errorName: 'TypeError',
      stack,
      input: { marker },
    });
    assert.equal(entries()[0]?.errorName, 'TypeError');
    assert.deepEqual(entries()[0]?.stack, stack);
    assert.equal('input' in (entries()[0] ?? {}), false);
  });

  it('asks for nothing below the level', () => {
    const { log, lines } = recording({ level: 'warn' });
    temporalLogger(log).info('Worker state changed', { state: 'RUNNING' });
    assert.deepEqual(lines, []);
  });
});
