import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

describe('npm run demo', function () {
  this.timeout(150_000);

  it('tells the whole story: every step is seen as expected, and the exit code says so', async () => {
    const { stdout } = await run(process.execPath, ['dist/src/cli/demo.js', '--json'], { cwd: root });
    const { ok, steps } = JSON.parse(stdout) as {
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
  });
});
