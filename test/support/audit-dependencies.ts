/** `npm run audit:dependencies`: asks the registry for known weaknesses and judges them by the policy of docs/security.md. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { advisoriesOf, judge, parseExceptions } from './dependency-audit.js';

const exceptionsFile = new URL('../../.ci/audit-exceptions.json', import.meta.url);

/** A registry that takes longer is as good as away. */
const timeout = 60_000;

function ask(...more: string[]) {
  const { stdout } = spawnSync('npm', ['audit', '--json', ...more], { encoding: 'utf8', timeout });
  try {
    return advisoriesOf(JSON.parse(stdout));
  } catch {
    return undefined;
  }
}

const exceptions = parseExceptions(JSON.parse(readFileSync(exceptionsFile, 'utf8')));
const all = ask();
const production = all && ask('--omit=dev');
if (all && production) {
  const today = new Date().toISOString().slice(0, 10);
  const { ok, lines } = judge({ production, all }, exceptions, today);
  for (const line of lines) console.log(line);
  console.log(
    `${all.length} known weaknesses in the dependencies; ${ok ? 'none of them fails' : 'see docs/security.md'}.`,
  );
  process.exitCode = ok ? 0 : 1;
} else {
  console.log(
    'NOT AUDITED: the registry did not answer, or offers no audit. The dependencies are neither good nor bad by this run.',
  );
}
