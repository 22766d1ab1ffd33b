import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { journeys } from '../docs/journeys.js';
import { withLifecycleParts, withLifecycleSettings } from '../docs/lifecycle-parts.js';
import { exampleJourneys } from '../sandbox/rule/index.js';
import { stages } from '../src/contract/index.js';
import { eventTable, takenAwayBy } from '../src/lifecycle/index.js';
import { eventTag } from '../src/mapping/index.js';

const read = (name: string) => readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8');

describe('docs/lifecycle.md', () => {
  it('has the events, tags, rows, journeys and settings of the code (npm run docs)', () => {
    assert.equal(read('lifecycle.md'), withLifecycleParts(read('lifecycle.md')));
  });

  it('and docs/configuration.md the same settings', () => {
    assert.equal(read('configuration.md'), withLifecycleSettings(read('configuration.md')));
  });

  it('has a journey for each event', () => {
    const started = new Set(journeys.map(({ startsOn }) => startsOn));
    assert.deepEqual(
      eventTable.map(({ type }) => type).filter((type) => !started.has(type)),
      [],
    );
  });

  it('has the journeys of the stand-in: the same starts, mails and ends', () => {
    const days = (mails: string) =>
      [...mails.matchAll(/\bat once\b|\bafter (\d+) days/g)].map(([, after]) => Number(after ?? 0));
    const leaves = (event: string) => eventTable.some(({ type }) => takenAwayBy(type).some((taken) => taken === event));
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    assert.deepEqual(
      exampleJourneys
        .map(({ name, trigger, mails = [], endsOn }) => ({
          name,
          startsOn: trigger.name,
          days: mails.map(({ afterDays }) => afterDays),
          endsWithout: endsOn?.tagLost,
          endsWith: endsOn?.tagGained ?? [],
        }))
        .sort(byName),
      journeys
        .map(({ name, startsOn, mails }) => ({
          name,
          startsOn: eventTag(startsOn),
          days: days(mails),
          endsWithout: leaves(startsOn) ? [eventTag(startsOn)] : [],
          endsWith: [],
        }))
        .sort(byName),
    );
  });

  it('says who is in each stage, and draws it', () => {
    const page = read('lifecycle.md');
    const [diagram = ''] = page.match(/```mermaid\n.*?```/s) ?? [];
    assert.deepEqual(
      stages.filter((stage) => !page.includes(`\n| \`${stage}\``) || !diagram.includes(stage)),
      [],
    );
  });

  it('draws each event of a person or of a contract', () => {
    const [, ...diagrams] = read('lifecycle.md').match(/```mermaid\n.*?```/gs) ?? [];
    const drawn = diagrams.join('\n');
    assert.deepEqual(
      eventTable.map(({ type }) => type).filter((type) => !new RegExp(`: ${type}\\b`).test(drawn)),
      ['single-purchase', 'receipt'],
    );
  });
});
