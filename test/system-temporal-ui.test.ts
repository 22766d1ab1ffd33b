/** Whoever opens a reader's run in the Temporal UI reads there what is the matter: no field name to be looked up, no personal data. */
import assert from 'node:assert/strict';
import { needles } from './support/markers.js';
import { addressOf, aProfile } from './support/people.js';
import { aReader, contractOf } from './support/readers.js';
import { type System, startSystem } from './support/system.js';
import { type RunInWords, runInWords } from './support/temporal-ui.js';

describe('what the Temporal UI shows of a reader', function () {
  this.timeout(60_000);
  let system: System;

  before(async () => {
    system = await startSystem({
      timings: { extraLooksMs: [] },
      lifecycle: { endedWaitMs: 0, brake: { share: 0, atLeast: 0 } },
    });
  });
  after(() => system.close());

  /** A reader in step, to whom something happens; their run as it reads when the next attempt is over. */
  async function readAfter(happens: (id: string) => unknown): Promise<{ id: string; words: RunInWords }> {
    const id = aReader(system);
    await system.nudge(id, 'userVendor.1#new');
    await system.attempted(id);
    happens(id);
    await system.nudge(id, 'contract.1#update', { contractId: contractOf(id) });
    await system.attempted(id, 2);
    return { id, words: await runInWords(system.client, `subscriber/${system.vendorId}/${id}`) };
  }

  /** What is the same whatever has happened. */
  function assertWords(id: string, words: RunInWords, currentDetails: RegExp, nextTimer: RegExp): void {
    assert.equal(words.summary, `daily / ${id}`);
    assert.match(words.details ?? '', /^Keeps this reader in step between Sesamy and Rule\. Signal `resync` /);
    assert.match(words.currentDetails, currentDetails);
    const ruleId = system.rule.subscriber(addressOf(id))?.id;
    assert.ok(words.currentDetails.includes(`- vendor \`daily\`, user \`${id}\`, Rule subscriber ${ruleId}\n`));
    assert.deepEqual(words.activities.slice(0, 2), [
      { type: 'syncSubscriber', summary: 'live: profileChanged' },
      { type: 'syncSubscriber', summary: 'live: contractChanged' },
    ]);
    assert.ok(words.timers.length >= 2 && !words.timers.includes(undefined), 'each timer has a reason');
    assert.match(words.timers.at(-1) ?? '', nextTimer);
    const text = JSON.stringify(words);
    for (const needle of needles) assert.ok(!text.includes(needle), `${needle} is shown`);
    assert.doesNotMatch(text, /@/, 'an e-mail address is shown');
  }

  function refuse(id: string, status: number): void {
    const ruleId = system.rule.subscriber(addressOf(id))?.id;
    const body = JSON.stringify({ error: 'Invalid', message: `${addressOf(id)} is bad`, fields: { x: addressOf(id) } });
    system.rule.faults.add({ kind: 'status', status, method: 'PUT', path: `/v2/subscribers/${ruleId}$`, body });
    system.sesamy.setPerson({ ...system.sesamy.person(id), profile: aProfile(id, { firstName: 'Changed' }) });
  }

  const instant = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
  const lines = (...each: string[]) => new RegExp(`^${each.join('\n(?:.*\n)*')}$`);

  it('in step: what was done last and when it is looked at again', async () => {
    const { id, words } = await readAfter(() => undefined);
    const said = lines(
      String.raw`\*\*ok\*\* · stage active`,
      `- last attempt ${instant}: unchanged \\(contractChanged\\)`,
      `- next ${instant}: regular recheck`,
    );
    assertWords(id, words, said, /^regular recheck$/);
  });

  it('retrying: what failed, since when, and that it is tried again by itself', async () => {
    const { id, words } = await readAfter((reader) => refuse(reader, 503));
    const said = lines(
      String.raw`\*\*retrying\*\* · stage active`,
      `- last attempt ${instant}: failed, rule/unavailable \\(status 503\\) \\(contractChanged\\)`,
      `- failing since ${instant}: tried again by itself`,
      `- next ${instant}: retry 1 after rule/unavailable`,
    );
    assertWords(id, words, said, /^retry 1 after rule\/unavailable$/);
  });

  it('failed: what failed, and what a person has to do', async () => {
    const { id, words } = await readAfter((reader) => refuse(reader, 400));
    const said = lines(
      String.raw`\*\*failed\*\* · stage active`,
      `- last attempt ${instant}: failed, rule/invalid \\(status 400\\) \\(contractChanged\\)`,
      `- failing since ${instant}: the data needs mending at its source; then send the signal \`resync\``,
      `- next ${instant}: regular recheck`,
    );
    assertWords(id, words, said, /^regular recheck$/);
  });

  it('waiting for a second look: what is missing', async () => {
    const { id, words } = await readAfter((reader) => {
      system.sesamy.setPerson({ ...system.sesamy.person(reader), contracts: [], entitlements: [] });
    });
    const next = 'look again: Sesamy or Rule does not show what should be there';
    const said = lines(
      String.raw`\*\*ok\*\* \(missing-rows\) · stage active`,
      `- last attempt ${instant}: waiting, missing-rows \\(contractChanged\\)`,
      `- next ${instant}: ${next}`,
    );
    assertWords(id, words, said, new RegExp(`^${next}$`));
  });

  it('waiting for a person: why, and what can be decided', async () => {
    const { id, words } = await readAfter((reader) => {
      const held = system.sesamy.person(reader);
      const ended = { status: 'EXPIRED', isActive: false, expiresAt: new Date().toISOString() };
      const contracts = (held?.contracts ?? []).map((contract) => ({ ...contract, ...ended }));
      system.sesamy.setPerson({ ...held, contracts });
    });
    assert.deepEqual(words.activities.at(-1), { type: 'deliverEvent', summary: 'tell: ended' });
    const said = lines(
      String.raw`\*\*ok\*\* · stage lapsed`,
      '- waits for a person: too many subscriptions seemed to end at once, .*; send the signal `release` or `discard`',
      `- next ${instant}: regular recheck`,
    );
    assertWords(id, words, said, /^regular recheck$/);
  });
});
