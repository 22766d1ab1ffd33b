import type { AuditFinding } from '../client.js';

const head = ['vendor', 'user', 'rule_id', 'kind', 'fields', 'tags', 'state', 'settled'];

/** One row for each finding, after RFC 4180; several names in one cell are parted by semicolons. Ids and names only. */
export function auditCsv(vendorId: string, findings: readonly AuditFinding[]): string {
  const rows = findings.map(({ userId, ruleId, kind, fields, tags, state, settled }) => [
    vendorId,
    userId ?? '',
    ruleId === undefined ? '' : String(ruleId),
    kind,
    (fields ?? []).join(';'),
    (tags ?? []).join(';'),
    state ?? '',
    settled ? 'yes' : '',
  ]);
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
