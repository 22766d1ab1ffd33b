import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function demo(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((ended) => {
    execFile(
      process.execPath,
      ['dist/src/cli/demo.js', ...args],
      { cwd: root, env: { ...process.env, ...env } },
      (error, stdout, stderr) => ended({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

/** Loaded before the demo: the stand-ins find fault with one request, as they do where the program sends what is not documented. */
function findingFault(): string {
  const recorder = new URL('../dist/sandbox/common/recorder.js', import.meta.url).href;
  const source = `
    import { Recorder } from '${recorder}';
    const { begin } = Recorder.prototype;
    Recorder.prototype.begin = function (method, path) {
      if (this.requests.length === 0) this.recordViolation(method, path, 'planted by a test');
      return begin.call(this, method, path);
    };`;
  return `--import=data:text/javascript,${encodeURIComponent(source)}`;
}

describe('npm run demo', function () {
  this.timeout(200_000);
  /** The story takes its time, most of it waiting: both are told at once. */
  let good: Ended;
  let bad: Ended;

  before(async () => {
    [good, bad] = await Promise.all([demo(['--json']), demo([], { NODE_OPTIONS: findingFault() })]);
  });

  it('tells the whole story: every step is seen as expected, and the exit code says so', () => {
    const { ok, steps } = JSON.parse(good.stdout) as {
      ok: boolean;
      steps: { step: string; expected: unknown; ok: boolean }[];
    };
    assert.deepEqual(
      steps.filter((step) => !step.ok),
      [],
    );
    assert.ok(ok && steps.length >= 10, `${steps.length} steps`);
    const { expected } = steps.find(({ step }) => step.startsWith('onboarding has begun')) ?? {};
    assert.deepEqual(expected, ['nora.lind@example.com'], 'somebody has subscribed in the last week');
    assert.equal(good.code, 0, good.stderr);
  });

  it('exits with 1 and says what was missed where something expected does not happen', () => {
    const missed = 'requests outside the vendors’ documented shapes';
    assert.equal(bad.code, 1, bad.stderr);
    assert.deepEqual(bad.stderr.match(/^✘ .*$/gm), [`✘ ${missed}`]);
    const rows = bad.stdout.split('\n').filter((line) => line.startsWith('│ ✘'));
    assert.equal(rows.length, 1, bad.stdout);
    const [, asExpected, all] = /\n(\d+) of (\d+) as expected\n$/.exec(bad.stdout) ?? [];
    assert.equal(Number(asExpected), Number(all) - 1, bad.stdout);
    // Expected beside seen; each of the two stand-ins has found fault once.
    assert.match(rows[0] ?? '', /│ requests.*│ 0 +│ 2 +│$/);
  });
});
