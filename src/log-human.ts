/** Members of a log line that have a place of their own or say nothing to people. */
const placed = new Set(['time', 'level', 'msg', 'taskToken', 'isLocal', 'namespace', 'workflowRunId', 'sdkComponent']);

/**
 * A line of JSON as a short line for people: time of day, level, message, then the rest as `key=value`. Control characters are
 * escaped, so that no value can look like a line of its own or steer a terminal.
 */
export function humanLine(json: string): string {
  const entry = JSON.parse(json) as Record<string, unknown>;
  const time = String(entry.time ?? '').slice(11, 19);
  const level = String(entry.level ?? '').padEnd(5);
  const rest = Object.entries(entry).filter(([key]) => !placed.has(key));
  const parts = [
    time,
    level,
    plain(String(entry.msg ?? '')),
    ...rest.map(([key, value]) => `${plain(key)}=${text(value)}`),
  ];
  return `${parts.join(' ').trimEnd()}\n`;
}

function text(value: unknown): string {
  if (typeof value !== 'string') return plain(JSON.stringify(value));
  return /^[^\s"=]+$/.test(value) ? plain(value) : plain(JSON.stringify(value));
}

function plain(value: string): string {
  return value.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
