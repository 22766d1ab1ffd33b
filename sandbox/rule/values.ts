import { DateTime } from 'luxon';
import type { RuleSwitches } from './switches.js';

/** Types of a custom field (rule-api §9). There is no number and no boolean. */
export const fieldTypes = ['text', 'single', 'multiple', 'json', 'date', 'datetime', 'time'] as const;
export type FieldType = (typeof fieldTypes)[number];

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A stored value: a list for `multiple`, the parsed document for `json`, a string for every other type. */
export type FieldValue = Json;

export type ParsedValue = { value: FieldValue } | { clear: true } | { mismatch: string };

/**
 * Reads a sent value as the field's type (rule-api §9). `""`, `null` and `[]` clear the field.
 */
export function parseValue(type: FieldType, sent: unknown, switches: RuleSwitches): ParsedValue {
  if (isEmpty(sent)) {
    const dated = type === 'date' || type === 'datetime' || type === 'time';
    return dated && switches.emptyDate === 'refuse' ? mismatch(type) : { clear: true };
  }
  switch (type) {
    case 'text':
    case 'single':
      return typeof sent === 'string' || typeof sent === 'number' ? { value: String(sent) } : mismatch(type);
    case 'multiple':
      return parseMultiple(sent);
    case 'json':
      return parseJson(sent);
    case 'date':
      return parseDate(sent, type, (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && DateTime.fromISO(text).isValid);
    case 'time':
      return parseDate(sent, type, (text) => DateTime.fromFormat(text, 'HH:mm:ss').isValid);
    case 'datetime':
      return parseDate(sent, type, (text) => isDateTime(text, switches.isoDatetime));
  }
}

/** Bytes that the value takes of the group's 65 KiB (rule-api §2). */
export function sizeOf(value: FieldValue): number {
  return Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Type of a field that v3 creates by itself: the page gives none, so it follows from the value. */
export function typeFor(value: unknown): FieldType {
  if (Array.isArray(value)) return value.every((entry) => typeof entry === 'string') ? 'multiple' : 'json';
  return typeof value === 'object' && value !== null ? 'json' : 'text';
}

function isEmpty(sent: unknown): boolean {
  return sent === '' || sent === null || (Array.isArray(sent) && sent.length === 0);
}

function mismatch(type: FieldType): ParsedValue {
  return { mismatch: `The value does not match the type ${type}.` };
}

/** A list of strings, a JSON-encoded one, or a bare string: three official clients send three forms (rule-api §9). */
function parseMultiple(sent: unknown): ParsedValue {
  if (typeof sent === 'string') {
    const decoded = sent.startsWith('[') ? fromJson(sent) : undefined;
    return Array.isArray(decoded) ? parseMultiple(decoded) : { value: [sent] };
  }
  if (!Array.isArray(sent)) return mismatch('multiple');
  const texts = sent.filter((entry) => typeof entry === 'string');
  return texts.length === sent.length ? { value: texts } : mismatch('multiple');
}

function parseJson(sent: unknown): ParsedValue {
  if (typeof sent === 'number') return mismatch('json');
  const value = typeof sent === 'string' ? fromJson(sent) : (sent as Json);
  return value === undefined ? mismatch('json') : { value };
}

function fromJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function parseDate(sent: unknown, type: FieldType, valid: (text: string) => boolean): ParsedValue {
  return typeof sent === 'string' && valid(sent) ? { value: sent } : mismatch(type);
}

function isDateTime(text: string, iso: boolean): boolean {
  if (DateTime.fromFormat(text, 'yyyy-MM-dd HH:mm:ss').isValid) return true;
  return iso && text.includes('T') && DateTime.fromISO(text).isValid;
}
