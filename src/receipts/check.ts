import type { Liquid, Template } from 'liquidjs';
import { createEngine, type TemplatePart } from './engine.js';
import { atLine, faultOf, type TemplateFault, unknownVariable } from './fault.js';
import { type Receipt, type TemplateValues, templateValues } from './values.js';

/**
 * Tries a template with invented receipts, so that a slip is found when it is read and not at the first receipt.
 *
 * @returns what is wrong, or `undefined`
 */
export function checkTemplate(part: TemplatePart, source: string): TemplateFault | undefined {
  const engine = createEngine(part, 'en');
  try {
    const template = engine.parse(source);
    const fault = unknownNames(engine, template);
    if (fault) return fault;
    for (const values of examples()) {
      if (String(engine.renderSync(template, values)).trim() === '') {
        return { problem: 'puts out nothing', mend: 'have it put out something for every receipt, or remove it' };
      }
    }
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
}

/** Names that do not exist, also in branches that no example takes. Names that the template makes by itself are left to the examples. */
function unknownNames(engine: Liquid, template: Template[]): TemplateFault | undefined {
  const [full] = examples();
  for (const { segments, location } of Object.values(engine.analyzeSync(template).globals).flat()) {
    const computed = segments.findIndex((segment) => typeof segment !== 'string');
    const path = segments.slice(0, computed < 0 ? undefined : computed).map(String);
    if (!exists(path, full)) return unknownVariable(path.join('.'), atLine(location.row));
  }
  return undefined;
}

/** Liquid's own members of lists and texts. */
const builtIn = ['size', 'first', 'last'];

function exists([name, ...rest]: string[], value: unknown): boolean {
  if (name === undefined) return true;
  if (Array.isArray(value)) return builtIn.includes(name);
  if (typeof value === 'string') return name === 'size';
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? exists(rest, value[name as keyof typeof value])
    : false;
}

/** A receipt with everything, one with nothing that can be missing, and some between; the first is the one with everything. */
function examples(): [TemplateValues, ...TemplateValues[]] {
  const full: Receipt = {
    bill: {
      id: 'example-1',
      price: 129,
      currency: 'SEK',
      items: [
        { sku: 'example-sku', title: 'Example' },
        { sku: 'another-sku', title: 'Another example' },
      ],
      receiptUrl: 'https://example.com/receipts/1',
      createdAt: '2027-01-02T12:00:00Z',
    },
    reader: { email: 'kim@example.com', firstName: 'Kim', lastName: 'Ek' },
    sender: 'Example',
    language: 'en',
  };
  const { id, price } = full.bill;
  const bare = { id, price, items: [] };
  const values = (receipt: Partial<Receipt> = {}) =>
    templateValues({ ...full, ...receipt }, { amountUnit: 'major', timeZone: 'UTC' });
  return [
    values(),
    values({ bill: bare }),
    values({ bill: bare, reader: {} }),
    values({ reader: { email: 'kim@example.com' } }),
    values({ reader: { email: 'kim@example.com', lastName: 'Ek' } }),
  ];
}
