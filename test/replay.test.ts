import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';

const folder = new URL('histories/', import.meta.url);
const bundle = { workflowBundle: { codePath: fileURLToPath(new URL('../dist/workflow-bundle.js', import.meta.url)) } };

interface History {
  events: { eventType: string; activityTaskScheduledEventAttributes?: { activityType: { name: string } } }[];
}

const read = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as History;

/**
 * Runs that began under older code live on for years, so today's code must take the same steps when it is given their histories.
 * Recorded by `npm run record-histories`, from invented people; a history that has landed is never recorded anew.
 */
describe('recorded histories replay', function () {
  this.timeout(60_000);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));

  it('there is one for each kind of life', () => {
    for (const life of [
      'first-sync',
      'changes',
      'guest',
      'failed-then-resync',
      'outage',
      'lifecycle',
      'continued-as-new',
      'audit',
      'audit-continued-first-run',
      'backfill',
      'reconcile',
    ]) {
      assert.ok(
        files.some((file) => file.startsWith(life)),
        life,
      );
    }
  });

  for (const file of files) {
    it(file, async () => {
      const history = read(file);
      assert.ok(history.events.length > 4);
      await Worker.runReplayHistory(bundle, history, 'subscriber/daily/recorded');
    });
  }

  it('a history that this code would not have made is found out', async () => {
    const history = read(files.find((file) => file.startsWith('first-sync')) ?? '');
    for (const event of history.events) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled) scheduled.activityType.name = 'anotherActivity';
    }
    await assert.rejects(Worker.runReplayHistory(bundle, history, 'subscriber/daily/recorded'), {
      name: 'DeterminismViolationError',
    });
  });
});
