/** Writes what is made from tables: `npm run docs`. Tests compare it, so it cannot drift. */
import { readFileSync, writeFileSync } from 'node:fs';
import { withLifecycleParts, withLifecycleSettings } from './lifecycle-parts.js';
import { fieldsPage, tagsPage } from './pages.js';
import { withSettingsTable } from './settings-table.js';

writeFileSync(new URL('fields.md', import.meta.url), fieldsPage());
writeFileSync(new URL('tags.md', import.meta.url), tagsPage());
update('../README.md', withSettingsTable);
update('configuration.md', (page) => withLifecycleSettings(withSettingsTable(page)));
update('lifecycle.md', withLifecycleParts);

function update(name: string, withParts: (page: string) => string): void {
  const page = new URL(name, import.meta.url);
  writeFileSync(page, withParts(readFileSync(page, 'utf8')));
}
