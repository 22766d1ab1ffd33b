import { type Setting, settingTable } from '../src/config/index.js';
import { withPart } from './marked.js';
import { table } from './pages.js';

/** The settings, in the order in which they are documented; required and secret ones are marked. */
export function settingsTable(settings: readonly Setting[] = settingTable): string {
  return table(
    ['Variable', 'Default', 'Meaning'],
    settings.map(({ variable, default: byDefault, meaning, required, secret }) => [
      `\`${variable}\``,
      required ? '**required**' : byDefault === undefined ? '' : `\`${byDefault}\``,
      secret ? `${meaning} Secret.` : meaning,
    ]),
  );
}

/** A page with the table between its two marks brought up to date. @throws Error when the marks are not there */
export function withSettingsTable(page: string): string {
  return withPart(page, { name: 'settings', source: 'src/config/settings.ts', content: settingsTable() });
}
