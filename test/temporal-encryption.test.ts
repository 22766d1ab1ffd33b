/** What Temporal stores when SESAMY_RULE_ENCRYPTION_KEYS is set: on the real server, with workers, commands and a change of keys. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { subscriberWorkflowId } from '../src/client.js';
import { createPayloadCodec, EncryptionKeysError, parseEncryptionKeys } from '../src/temporal/encryption.js';
import { type RunningCli, runCli, startCli } from './support/cli.js';
import { eventually } from './support/eventually.js';
import { addressOf } from './support/people.js';
import { aReader } from './support/readers.js';
import { type System, startSystem } from './support/system.js';

const aKey = () => randomBytes(32).toString('hex');
const oldKey = aKey();
const newKey = aKey();
const codecOf = (keys: string) => createPayloadCodec(parseEncryptionKeys(keys));
const missingKey =
  /^Temporal holds data encrypted by the key [0-9a-f]{12}, which is not in SESAMY_RULE_ENCRYPTION_KEYS;/;
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) as Payload;

describe('the encryption of payloads', () => {
  const payloads = [payloadOf({ tag: 'sesamy_vip' }), payloadOf('text'), payloadOf(undefined)];

  it('gives back what it was given, whatever it was, and never the same bytes twice', async () => {
    const codec = codecOf(oldKey);
    const [once, twice] = [await codec.encode(payloads), await codec.encode(payloads)];
    assert.deepEqual((await codec.decode(once)).map(contentOf), [{ tag: 'sesamy_vip' }, 'text', undefined]);
    assert.equal(once.length, 3);
    for (const [index, { data, metadata }] of once.entries()) {
      assert.notDeepEqual(data, twice[index]?.data);
      assert.equal(Buffer.from(metadata?.encoding ?? []).toString(), 'binary/encrypted');
      assert.ok(!Buffer.from(data ?? []).includes('sesamy_vip'));
    }
  });

  it('reads with every key and writes with the first', async () => {
    const old = await codecOf(oldKey).encode(payloads);
    const both = codecOf(`${newKey}, ${oldKey}`);
    assert.deepEqual((await both.decode(old)).map(contentOf), payloads.map(contentOf));
    const written = await both.encode(payloads);
    assert.deepEqual((await codecOf(newKey).decode(written)).map(contentOf), payloads.map(contentOf));
    await assert.rejects(codecOf(oldKey).decode(written), /encrypted by the key [0-9a-f]{12}, which is not in/);
  });

  it('reads what was stored before it was switched on, and without keys leaves all as it is', async () => {
    assert.deepEqual(await codecOf(newKey).decode(payloads), payloads);
    const none = codecOf('');
    assert.equal(await none.encode(payloads), payloads);
    assert.deepEqual(await none.decode(payloads), payloads);
    await assert.rejects(none.decode(await codecOf(newKey).encode(payloads)), {
      type: 'temporal/missing-key',
      message:
        /^Temporal holds data encrypted by the key [0-9a-f]{12}, which is not in SESAMY_RULE_ENCRYPTION_KEYS; add/,
    });
  });

  it('notices every changed byte, and quotes nothing', async () => {
    const codec = codecOf(oldKey);
    const [sealed] = await codec.encode(payloads);
    const data = Buffer.from(sealed?.data ?? []);
    const damaged = [
      Buffer.alloc(0),
      data.subarray(0, 20),
      ...Array.from(data.keys(), (at) => {
        const changed = Buffer.from(data);
        changed[at] = (changed[at] ?? 0) ^ 1;
        return changed;
      }),
    ];
    for (const bytes of damaged) {
      await assert.rejects(codec.decode([{ ...sealed, data: bytes }]), {
        type: 'temporal/damaged-data',
        message:
          'Temporal holds encrypted data that was changed or cut off; it cannot be read with the keys of SESAMY_RULE_ENCRYPTION_KEYS',
      });
    }
  });

  for (const text of ['short', `${oldKey},`, `${oldKey};${newKey}`, `${oldKey}0`, 'x'.repeat(64)]) {
    it(`refuses the list of keys ${JSON.stringify(text.replaceAll(oldKey, '…').replaceAll(newKey, '…'))} without repeating it`, () => {
      assert.throws(
        () => parseEncryptionKeys(text),
        (error) => error instanceof EncryptionKeysError && !error.message.includes(text),
      );
    });
  }
});

describe('a system with encryption', function () {
  this.timeout(120_000);
  let system: System;
  let worker: RunningCli | undefined;

  before(async () => {
    system = await startSystem({ env: { SESAMY_RULE_ENCRYPTION_KEYS: `${oldKey},${newKey}` }, workers: false });
  });
  after(async () => {
    await worker?.stop();
    await system.close();
  });

  /** All payloads of everybody's histories, as the server has them. */
  async function stored(): Promise<Payload[]> {
    const all: Payload[] = [];
    for await (const { workflowId, runId } of system.client.workflow.list()) {
      const { history } = await system.client.workflowService.getWorkflowExecutionHistory({
        namespace: system.client.options.namespace,
        execution: { workflowId, runId },
      });
      all.push(...payloadsIn(history));
    }
    return all;
  }

  /** The sentence of the workflow's last failed task. */
  async function lastFailure(userId: string): Promise<string> {
    const { history } = await system.client.workflowService.getWorkflowExecutionHistory({
      namespace: system.client.options.namespace,
      execution: { workflowId: subscriberWorkflowId(system.person(userId)) },
    });
    const failures = (history?.events ?? []).map(
      ({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message,
    );
    return failures.filter((message) => typeof message === 'string').at(-1) ?? '';
  }

  it('writes a reader to Rule as ever, and leaves no readable payload in Temporal', async () => {
    await system.startWorkers();
    const id = aReader(system);
    await system.nudge(id, 'contract.1#purchased');
    const status = await system.attempted(id);
    assert.equal(status.state, 'ok');
    assert.ok(system.rule.subscriber(addressOf(id)));
    const payloads = await stored();
    assert.ok(payloads.length > 5, `${payloads.length} payloads`);
    const plain = payloads.filter(
      ({ metadata }) => Buffer.from(metadata?.encoding ?? []).toString() !== 'binary/encrypted',
    );
    assert.deepEqual(
      plain.map(({ data }) => Buffer.from(data ?? []).toString()),
      [],
    );
  });

  it('a batch job’s signal is encrypted too, and understood', async () => {
    const id = aReader(system);
    await system.subscribers.sync(system.person(id));
    await eventually(async () => assert.equal(await system.subscribers.count({ vendorId: system.vendorId }), 2));
    const { attempts } = await system.attempted(id);
    await system.subscribers.resyncAll({ vendorId: system.vendorId });
    assert.equal((await system.attempted(id, attempts + 1)).state, 'ok');
    assert.ok(
      (await stored()).every(({ metadata }) => Buffer.from(metadata?.encoding ?? []).toString() === 'binary/encrypted'),
    );
  });

  it('the key is changed by old and new side by side; a worker without the old one says so, and loses nothing', async () => {
    const id = aReader(system);
    await system.nudge(id, 'contract.1#purchased');
    const { attempts } = await system.attempted(id);

    await system.stopWorkers();
    const without = await startCli(['worker'], { env: { ...system.env, SESAMY_RULE_ENCRYPTION_KEYS: newKey } });
    await system.nudge(id, 'userVendor.1#update');
    await eventually(async () => assert.match(await lastFailure(id), missingKey), { timeoutMs: 30_000 });
    await without.stop();
    assert.match(
      without.output.stderr,
      /"type":"temporal\/missing-key","message":"Temporal holds data encrypted by the key/,
    );

    worker = await startCli(['worker'], {
      env: { ...system.env, SESAMY_RULE_ENCRYPTION_KEYS: `${newKey},${oldKey}` },
    });
    await system.attempted(id, attempts + 1);
    const next = aReader(system);
    await system.nudge(next, 'contract.1#purchased');
    await system.attempted(next);
    const ids = new Set(
      (await stored()).map(({ metadata }) => Buffer.from(metadata?.['encryption-key-id'] ?? []).toString()),
    );
    assert.equal(ids.size, 2);
  });

  it('a missing key is one sentence and exit code 2 for commands', async () => {
    const id = aReader(system);
    await system.subscribers.sync(system.person(id));
    const { code, stderr } = await runCli(['status', id], { env: { ...system.env, SESAMY_RULE_ENCRYPTION_KEYS: '' } });
    assert.match(stderr, missingKey);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
    assert.equal(code, 2);
  });
});

function contentOf(payload: Payload): unknown {
  return defaultPayloadConverter.fromPayload(payload);
}

/** Search attributes are no payloads of ours: Temporal has to read them. */
function payloadsIn(value: unknown, name = ''): Payload[] {
  if (typeof value !== 'object' || value === null || name === 'searchAttributes') return [];
  if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) return [value as Payload];
  return Object.entries(value).flatMap(([key, member]) => payloadsIn(member, key));
}
