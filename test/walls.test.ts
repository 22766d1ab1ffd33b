import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const biome = fileURLToPath(new URL('../node_modules/@biomejs/biome/bin/biome', import.meta.url));
const rules = fileURLToPath(new URL('../biome.json', import.meta.url));

/** Lints a file with this import at this place of an empty checkout; answers what the linter says of the import. */
function complaints(path: string, module: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-walls-'));
  try {
    cpSync(rules, join(folder, 'biome.json'));
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), `import { it } from '${module}';\n\nexport const all = it;\n`);
    const { stdout } = spawnSync(process.execPath, [biome, 'lint', '--vcs-enabled=false', '--reporter=github', '.'], {
      cwd: folder,
      encoding: 'utf8',
    });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The walls between the rooms are rules of the linter, and rules can be written so that nothing breaks them. */
describe('walls between the rooms', function () {
  this.timeout(20_000);

  const forbidden: [path: string, module: string][] = [
    ['src/workflows/x.ts', '../sesamy/index.js'],
    ['src/workflows/x.ts', '../activities/index.js'],
    ['src/workflows/x.ts', 'node:fs'],
    ['src/workflows/x.ts', 'luxon'],
    ['src/contract/x.ts', '../config/index.js'],
    ['src/sesamy/x.ts', '../rule/index.js'],
    ['src/rule/x.ts', '../mapping/index.js'],
    ['src/rule/x.ts', '@temporalio/common'],
    ['src/mapping/x.ts', '../sesamy/index.js'],
    ['src/lifecycle/x.ts', 'undici'],
    ['src/receipts/x.ts', '../sesamy/index.js'],
    ['src/receipts/x.ts', 'node:fs'],
    ['src/webhook/x.ts', '../activities/index.js'],
    ['src/client.ts', './rule/index.js'],
    ['src/activities/x.ts', '../workflows/index.js'],
    ['src/activities/x.ts', '../worker.js'],
    ['src/activities/x.ts', '@temporalio/workflow'],
    ['src/config/x.ts', '../sesamy/index.js'],
    ['src/config/x.ts', '@temporalio/client'],
    ['src/temporal/x.ts', '../config/index.js'],
    ['src/temporal/x.ts', '../client.js'],
    ['src/cli/x.ts', '../workflows/index.js'],
    ['src/cli/x.ts', '../contract/index.js'],
    ['sandbox/rule/x.ts', '../../src/mapping/index.js'],
  ];
  for (const [path, module] of forbidden) {
    it(`${path} may not import ${module}`, () => {
      assert.match(complaints(path, module), /noRestrictedImports/);
    });
  }

  const allowed: [path: string, module: string][] = [
    ['src/workflows/x.ts', '../contract/index.js'],
    ['src/workflows/x.ts', '@temporalio/workflow'],
    ['src/rule/x.ts', '../http/errors.js'],
    ['src/webhook/x.ts', '../contract/index.js'],
    ['src/activities/x.ts', '../rule/index.js'],
    ['src/config/x.ts', '../receipts/index.js'],
    ['src/temporal/x.ts', '../contract/search-attributes.js'],
    ['src/cli/x.ts', '../client.js'],
  ];
  for (const [path, module] of allowed) {
    it(`${path} may import ${module}`, () => {
      assert.equal(complaints(path, module), '');
    });
  }
});
