/** Writes what is made from tables: `npm run docs`. Tests compare it, so it cannot drift. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fieldsPage, tagsPage } from './pages.js';
import { withSettingsTable } from './settings-table.js';

writeFileSync(new URL('fields.md', import.meta.url), fieldsPage());
writeFileSync(new URL('tags.md', import.meta.url), tagsPage());
for (const name of ['../README.md', 'configuration.md']) {
  const page = new URL(name, import.meta.url);
  writeFileSync(page, withSettingsTable(readFileSync(page, 'utf8')));
}
