/** Begun last (mocha takes files by name), waits for the others: looks through all that they made the program store and print. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { eventually } from './support/eventually.js';
import { needles } from './support/markers.js';
import { othersUnderWay } from './support/run-folder.js';
import { sharedTemporal } from './support/temporal.js';
import { traces } from './support/traces.js';

/** Temporal keeps payloads as JSON, base64 of it, or inside protobuf; a needle is looked for as text and in each base64 alignment. */
function forms(needle: string): Buffer[] {
  const text = Buffer.from(needle);
  const aligned = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), text]).toString('base64');
    // The first and last characters depend on the neighbours: only those in the middle are the needle's own.
    return Buffer.from(encoded.slice(shift === 0 ? 0 : 4, -4));
  });
  return [text, Buffer.from(JSON.stringify(needle).slice(1, -1)), ...aligned.filter(({ length }) => length >= 8)];
}

function found(where: string, content: Buffer): string[] {
  return needles
    .filter((needle) => forms(needle).some((form) => content.includes(form)))
    .map((needle) => `${needle} in ${where}`);
}

describe('A27: after the whole run', function () {
  this.timeout(600_000);

  before(() => eventually(() => assert.equal(othersUnderWay(), 0), { timeoutMs: 500_000, what: 'the other files' }));

  it('the search itself finds a needle as text, in JSON and in base64', () => {
    for (const needle of needles) {
      for (const content of [
        needle,
        JSON.stringify({ a: needle }),
        ...[0, 1, 2].map((shift) => Buffer.from(`${'x'.repeat(shift)}${needle}yz`).toString('base64')),
      ]) {
        assert.ok(found('a test', Buffer.from(content)).length > 0, content);
      }
    }
  });

  it('no planted person or key is in Temporal’s database or its server’s log', async () => {
    const { dbFile, logFile } = await sharedTemporal();
    let bytes = 0;
    for (const file of [dbFile, `${dbFile}-wal`, logFile]) {
      if (!existsSync(file)) continue;
      const content = readFileSync(file);
      bytes += content.length;
      assert.deepEqual(found(file, content), []);
    }
    assert.ok(bytes > 100_000, `${bytes} bytes were looked through`);
    // The search sees what is stored: the ids of people are there.
    assert.ok(
      readFileSync(dbFile).includes('subscriber/daily/email|') ||
        readFileSync(`${dbFile}-wal`).includes('subscriber/daily/email|'),
    );
  });

  it('nor in any log line or metric', () => {
    const [logs, metrics] = [traces.logs.ofTheRun(), traces.metrics.ofTheRun()];
    assert.ok(logs.split('\n').length > 50, `${logs.length} characters of logs`);
    assert.deepEqual(found('the logs', Buffer.from(logs)), []);
    assert.match(metrics, /^sesamy_rule_/m);
    assert.deepEqual(found('the metrics', Buffer.from(metrics)), []);
  });

  it('no request was outside the vendors’ documented shapes', () => {
    assert.equal(traces.violations.ofTheRun(), '');
  });
});
