import { type Setting, settingTable } from './settings.js';

const width = 100;

const head = `# Settings of sesamy-rule. Copy this file to .env beside where you start the program, or set the variables by
# other means; variables that are set already win. Without any credential \`sesamy-rule start\` uses stand-ins of
# both vendors. What is commented out shows the default.
`;

/** The text of `.env.example`; a test keeps the file so. */
export function envExample(table: readonly Setting[] = settingTable): string {
  const groups = [...new Set(table.map(({ group }) => group))];
  const sections = groups.map((group) => {
    const entries = table.filter((setting) => setting.group === group).map(entry);
    return `# ${group}\n# ${'-'.repeat(group.length)}\n${entries.join('\n')}`;
  });
  return [head, ...sections].join('\n');
}

function entry({ variable, meaning, default: text = '', required }: Setting): string {
  const assignment = required ? `${variable}=change-me` : `# ${variable}=${text}`;
  return `${wrap(meaning)}\n${assignment}\n`;
}

function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `# ${line}`).join('\n');
}
