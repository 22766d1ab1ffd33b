import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { z } from 'zod';
import { withSettingsTable } from '../docs/settings-table.js';
import { faultSchema } from '../sandbox/common/faults.js';
import { startSesamySandbox } from '../sandbox/index.js';
import { createProgram } from '../src/cli/program.js';
import { reasons } from '../src/cli/story.js';
import { loadConfig } from '../src/config/index.js';
import { vendorSchema } from '../src/config/vendor-schema.js';
import { stages } from '../src/contract/index.js';
import { parseEvent } from '../src/webhook/event.js';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = ['README.md', 'CHANGELOG.md', ...filesIn('docs', '.md')];

describe('the documentation', () => {
  describe('links', () => {
    for (const page of pages) {
      it(`${page} links only to files and headings that exist`, () => {
        assert.deepEqual(links(page).filter(isBroken(page)), []);
      });
    }
  });

  describe('settings', () => {
    for (const page of ['README.md', 'docs/configuration.md']) {
      it(`${page} has the settings that the program reads (npm run docs)`, () => {
        assert.equal(read(page), withSettingsTable(read(page)));
      });
    }

    it('the vendors file of docs/configuration.md is one that the program takes', () => {
      const [example = ''] = blocks('docs/configuration.md', 'yaml');
      const secrets = [...example.matchAll(/env: (\w+)/g)].map(([, name = '']) => [
        name,
        `${name.toLowerCase()}-for-a-test`,
      ]);
      const folder = mkdtempSync(join(tmpdir(), 'sesamy-rule-docs-'));
      try {
        const file = join(folder, 'vendors.yaml');
        writeFileSync(file, example);
        const { vendors } = loadConfig({
          ...Object.fromEntries(secrets),
          SESAMY_RULE_CONFIG: file,
          WEBHOOK_SECRET: 'shared-secret-for-a-test',
        });
        assert.deepEqual(
          vendors.map(({ id }) => id),
          ['daily', 'weekly'],
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('docs/configuration.md names every member of a vendor', () => {
      const documented = rows('docs/configuration.md', 'Members of a vendor').map(([member = '']) =>
        member.slice(1, -1),
      );
      assert.deepEqual(new Set(documented), new Set(vendorMembers()));
    });
  });

  describe('commands', () => {
    let program: Command;
    before(async () => {
      program = await createProgram();
    });
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

    for (const page of pages) {
      it(`${page} names only commands, options and scripts that exist`, () => {
        const calls = code(page).flatMap(commandCalls);
        assert.deepEqual(
          calls.flatMap((call) => mistakesOf(program, call)),
          [],
        );
        const called = code(page).flatMap((text) => [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)]);
        assert.deepEqual(
          called.map(([, name, short]) => name ?? short ?? '').filter((name) => !(name in scripts)),
          [],
        );
      });
    }

    it('the README names every command of the program, or links to where it is named', () => {
      const named = new Set(pages.flatMap((page) => code(page).flatMap(commandCalls)).map(({ name }) => name));
      const existing = program.commands.map((command) => command.name());
      assert.deepEqual(
        existing.filter((name) => !named.has(name)),
        [],
      );
    });

    it('the webhooks that the README posts are webhooks, and its faults are faults', () => {
      const posts = blocks('README.md', 'sh').flatMap((block) => [
        ...block.replaceAll('\\\n', ' ').matchAll(/curl .*?(http\S+).* -d '([^']+)'/g),
      ]);
      assert.notEqual(posts.length, 0);
      for (const [, url = '', body = ''] of posts) {
        if (url.endsWith('/webhooks/sesamy')) assert.equal(parseEvent(JSON.parse(body)).person.vendorId, 'daily');
        else if (url.endsWith('/_sandbox/faults')) faultSchema.parse(JSON.parse(body));
        else if (url.includes('/_sandbox/people/')) assert.deepEqual(Object.keys(JSON.parse(body)), ['firstName']);
        else assert.fail(`The README posts to ${url}, which this test does not know.`);
      }
    });
  });

  it('the reader of the README is one whom the first run invents', async () => {
    const sandbox = await startSesamySandbox({
      host: '127.0.0.1',
      port: 0,
      vendorId: 'daily',
      population: { people: 40, seed: 1 },
    });
    try {
      const named = new Set(read('README.md').match(/(?<=email(?:\||%7C))[0-9a-f]{24}/g));
      const subscribers = sandbox
        .people()
        .filter(({ contracts }) => contracts.some(({ status }) => status === 'ACTIVE'));
      assert.deepEqual([...named], [subscribers[0]?.id.replace('email|', '')]);
    } finally {
      await sandbox.close();
    }
  });

  describe('words of the program', () => {
    const types = rows('docs/how-it-works.md', 'Failure types').map(([type = '']) => type.slice(1, -1));

    it('every failure type of the source has its row, with what to do', () => {
      assert.deepEqual(
        failureTypes().filter((type) => !types.includes(type)),
        [],
      );
    });

    it('no row stands for a failure type that the source does not have', () => {
      const existing = failureTypes();
      assert.deepEqual(
        types.filter((type) => !existing.includes(type)),
        [],
      );
    });

    it('every reason for not writing has its row', () => {
      const documented = rows('docs/how-it-works.md', 'States').map(([word = '']) => word.slice(1, -1));
      assert.deepEqual(
        Object.keys(reasons).filter((reason) => !documented.includes(reason)),
        [],
      );
    });

    it('every stage is named', () => {
      const text = read('docs/how-it-works.md');
      assert.deepEqual(
        stages.filter((stage) => !text.includes(`\`${stage}\``)),
        [],
      );
    });
  });
});

/** Paths from the root, of all files below a folder whose names end so. */
function filesIn(folder: string, ending: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

/** Targets of the page's links and pictures that are not on the web. */
function links(page: string): string[] {
  const prose = read(page).replaceAll(/^```.*?^```/gms, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

function isBroken(page: string): (link: string) => boolean {
  return (link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    return !existsSync(join(root, target)) || (anchor !== undefined && !anchors(target).has(anchor));
  };
}

/** As GitHub makes them from headings. */
function anchors(page: string): Set<string> {
  const headings = [
    ...read(page)
      .replaceAll(/^```.*?^```/gms, '')
      .matchAll(/^#+ (.+)$/gm),
  ].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Contents of the fenced blocks of one language. */
function blocks(page: string, language: string): string[] {
  return [...read(page).matchAll(/^ *```(\w*)\n(.*?)^ *```/gms)]
    .filter(([, given]) => given === language)
    .map(([, , text = '']) => text);
}

/** All that is written as code: fenced blocks line by line (but what programs print), and code in the text. */
function code(page: string): string[] {
  const text = read(page).replaceAll('\\|', '|');
  const fenced = [...text.matchAll(/^ *```(\w*)\n(.*?)^ *```/gms)]
    .filter(([, language]) => language !== 'text')
    .flatMap(([, , block = '']) => block.split('\n'));
  const inline = [...text.replaceAll(/^ *```.*?^ *```/gms, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
  return [...fenced, ...inline];
}

interface Call {
  name: string;
  options: string[];
}

/** Calls of our command line in a piece of code; a comment behind them is none. */
function commandCalls(text: string): Call[] {
  return [...text.matchAll(/(?:\bsesamy-rule|\bcli\.js) ([a-z]+)\b([^#]*)/g)].map(([, name = '', rest = '']) => ({
    name,
    options: rest.match(/(?<=\s)--[a-z-]+/g) ?? [],
  }));
}

function mistakesOf(program: Command, { name, options }: Call): string[] {
  const command = program.commands.find((candidate) => candidate.name() === name);
  if (!command) return [`there is no command ${name}`];
  const known = ['--help', ...command.options.flatMap(({ long }) => long ?? [])];
  return options.filter((option) => !known.includes(option)).map((option) => `${name} has no option ${option}`);
}

/** Cells of all table rows below a heading, without heads. */
function rows(page: string, heading: string): string[][] {
  const [, section = ''] = read(page).split(new RegExp(`^#+ ${heading}$`, 'm'));
  const [own = ''] = section.split(/^#+ /m);
  const lines = own.split('\n').filter((line) => line.startsWith('|'));
  return lines
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** Members of a vendor in the vendors file, as paths: `sesamy.clientId`. */
function vendorMembers(): string[] {
  const defaults = {
    ...{ apiUrl: '', tokenUrl: '', audience: '', requestsPerSecond: 1, ruleApiUrl: '', timeZone: '', country: '' },
    ...{ webhookSecrets: [], hashKey: undefined, folder: '.' },
  };
  const schema = z.toJSONSchema(vendorSchema({}, defaults), { io: 'input', unrepresentable: 'any' });
  // Events are switched one by one and documented as one member.
  return leaves(schema).map((path) => path.replace(/^(lifecycle\.events)\..+/, '$1.{event}'));
}

function leaves({ properties }: z.core.JSONSchema.BaseSchema, path: string[] = []): string[] {
  if (properties === undefined) return [path.join('.')];
  return Object.entries(properties).flatMap(([name, member]) =>
    typeof member === 'boolean' ? [] : leaves(member, [...path, name]),
  );
}

/** Every failure type that the source can make: those written out, and those that the two vendors' clients put together. */
function failureTypes(): string[] {
  const files = filesIn('src', '.ts');
  const written = files.flatMap((file) => [
    ...read(file).matchAll(/'((?:sesamy|rule|temporal|internal|mapping|contract)\/[a-z-]+)'/g),
  ]);
  const kinds = (folder: string, pattern: RegExp) =>
    files
      .filter((file) => file.startsWith(folder))
      .flatMap((file) => [...read(file).matchAll(pattern)].map(([, kind = '']) => kind));
  const shared = kinds('src/http/', /\bkind: '([a-z-]+)'/g);
  const made = ['sesamy', 'rule'].flatMap((vendor) =>
    [...shared, ...kinds(`src/${vendor}/`, /\bkind: '([a-z-]+)',\s*next:/g)].map((kind) => `${vendor}/${kind}`),
  );
  return [...new Set([...written.map(([, type = '']) => type), ...made])].sort();
}
