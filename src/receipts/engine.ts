import { Liquid } from 'liquidjs';
import { regionOf } from './money.js';
import type { ReceiptTemplate } from './settings.js';

export type TemplatePart = keyof ReceiptTemplate;

/** Many times what a receipt needs, and little enough for a worker that has other things to do. */
const limits = {
  /** Characters of a template. Gmail shows no more than 102 KB of a mail. */
  parseLimit: 200_000,
  /** Milliseconds. Liquid renders in one go: the worker does nothing else meanwhile. */
  renderLimit: 1_000,
  memoryLimit: 1_000_000,
};
/** Tags that would bring in other files. */
const otherFiles = ['include', 'render', 'layout', 'block'] as const;

/** A template asks for another file. */
export class NotAlone extends Error {}

/**
 * Templates are a publisher's own, but a slip in one must not read files, run for ever or reach into the program. `html` escapes every
 * value; `subject` and `text` are plain text, where nothing is to be escaped.
 */
export function createEngine(part: TemplatePart, language: string): Liquid {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    templates: {},
    // What the filter `date` writes is the same on every machine.
    timezoneOffset: 0,
    locale: regionOf(language),
    ...(part === 'html' ? { outputEscape: 'escape' } : {}),
    ...limits,
  });
  // Switches the escaping off for what readers have typed; a template's own markup needs no output.
  if (part === 'html') delete engine.filters.raw;
  for (const tag of otherFiles) {
    engine.registerTag(tag, {
      parse() {
        throw new NotAlone(tag);
      },
      render() {},
    });
  }
  return engine;
}
