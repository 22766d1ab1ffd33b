/** Receipts as rows and as mails: pure, from a bill to text. */
export { checkTemplate } from './check.js';
export type { TemplatePart } from './engine.js';
export type { TemplateFault } from './fault.js';
export { receiptLanguage } from './language.js';
export { type RenderedReceipt, renderReceipt, TemplateError } from './render.js';
export { type BillSettings, type ReceiptBill, receiptValues } from './row.js';
export { defaultReceiptSettings, type ReceiptSettings, type ReceiptTemplate, receiptModes } from './settings.js';
export type { Receipt, TemplateValues } from './values.js';
