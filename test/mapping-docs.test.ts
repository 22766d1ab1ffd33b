import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fieldsPage, tagsPage } from '../docs/pages.js';

describe('the generated pages', () => {
  for (const [name, page] of [
    ['fields.md', fieldsPage],
    ['tags.md', tagsPage],
  ] as const) {
    it(`docs/${name} says what the code does (npm run docs)`, () => {
      assert.equal(readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8'), page());
    });
  }
});
