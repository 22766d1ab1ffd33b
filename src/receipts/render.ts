import { createEngine, type TemplatePart } from './engine.js';
import { faultOf } from './fault.js';
import type { BillSettings } from './row.js';
import type { ReceiptTemplate } from './settings.js';
import { type Receipt, templateValues } from './values.js';

export interface RenderedReceipt {
  subject: string;
  html: string;
  text: string;
}

/** A template that cannot be used after all. Its message names the place and never a reader's data. */
export class TemplateError extends Error {
  override name = 'TemplateError';
}

/**
 * The mail of a receipt. Values are escaped in the HTML.
 *
 * @throws {TemplateError} which {@link checkTemplate} was there to prevent
 */
export function renderReceipt(template: ReceiptTemplate, receipt: Receipt, settings: BillSettings): RenderedReceipt {
  const values = templateValues(receipt, settings);
  const rendered = (part: TemplatePart): string => {
    const engine = createEngine(part, receipt.language);
    try {
      return String(engine.parseAndRenderSync(template[part], values));
    } catch (error) {
      // Without the cause: a value could stand in it.
      throw new TemplateError(`the ${part} of the receipt in ${receipt.language} ${faultOf(error).problem}`);
    }
  };
  return {
    subject: rendered('subject').replace(/\s+/g, ' ').trim(),
    html: rendered('html'),
    text: rendered('text'),
  };
}
