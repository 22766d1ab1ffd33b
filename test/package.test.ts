import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './support/eventually.js';
import { dataFolder } from './support/temporal.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

describe('the package, installed in an empty folder', function () {
  this.timeout(240_000);
  let folder: string;
  let warnings = '';
  // Without the settings of this run, and with the Temporal programs that it has fetched already.
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, SESAMY_RULE_DATA: '' };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sesamy-rule-package-'));
    // Without the settings that `npm test` hands down from this folder's .npmrc.
    const npmEnv = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')),
    );
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root, env: npmEnv });
    const [tarball] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
    await run('npm', ['init', '-y'], { cwd: folder, env: npmEnv });
    const installed = await run(
      'npm',
      ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball ?? '')],
      {
        cwd: folder,
        env: npmEnv,
      },
    );
    warnings = installed.stderr;
    env.SESAMY_RULE_DATA = join(folder, 'data');
    await run('mkdir', ['-p', env.SESAMY_RULE_DATA]);
    await run('cp', ['-r', join(dataFolder, 'bin'), env.SESAMY_RULE_DATA]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('holds what is needed and no tests', async () => {
    const files = await readdir(join(folder, 'node_modules', 'sesamy-rule'));
    assert.ok(files.includes('dist') && files.includes('README.md') && files.includes('LICENSE'));
    assert.ok(!files.includes('test') && !files.includes('src'));
  });

  it('takes no dependency that wants a newer Node than we do: overrides do not travel in a tarball', () => {
    assert.doesNotMatch(warnings, /EBADENGINE/);
  });

  it('npx sesamy-rule fields prints the 19 fields', async () => {
    const { stdout } = await run('npx', ['sesamy-rule', 'fields', '--json'], { cwd: folder, env });
    assert.equal((JSON.parse(stdout) as unknown[]).length, 19);
  });

  it('npx sesamy-rule start brings invented readers into the stand-in of Rule, doctor finds all well, Ctrl-C ends it', async () => {
    const child = spawn(join(folder, 'node_modules', '.bin', 'sesamy-rule'), ['start', '--json'], {
      cwd: folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      err += String(chunk);
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    try {
      await eventually(() => assert.match(err, /invented readers are in Rule/), {
        timeoutMs: 120_000,
        what: `start printed\n${out}\n${err}`,
      });
      const { sandbox } = JSON.parse(out) as { sandbox: { rule: string; sesamy: string } };
      assert.match(await (await fetch(sandbox.rule)).text(), /example\.com/);
      const doctor = await run('npx', ['sesamy-rule', 'doctor'], { cwd: folder, env });
      assert.match(doctor.stdout, /Temporal/);
      const list = await run('npx', ['sesamy-rule', 'list', '--state', 'ok', '--json'], { cwd: folder, env });
      assert.ok(list.stdout.includes('"state": "ok"'));
      for (const page of [sandbox.rule, sandbox.sesamy]) {
        const violations = await fetch(new URL('/_sandbox/violations', page));
        assert.deepEqual([violations.status, await violations.json()], [200, []]);
      }
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGINT');
    }
    assert.equal(await ended, 0, err);
    assert.match(err, /Stopped/);
  });
});
