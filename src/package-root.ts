import { existsSync } from 'node:fs';

/** The folder of package.json, as a URL with a trailing slash: the same whether this file runs from `src` or from `dist`. */
export const packageRoot = findRoot(new URL('./', import.meta.url));

function findRoot(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder;
  const parent = new URL('../', folder);
  return parent.href === folder.href ? folder : findRoot(parent);
}
