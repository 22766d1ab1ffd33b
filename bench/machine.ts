import { cpus, type as system, totalmem } from 'node:os';

/** What the figures were taken on, in a line. */
export function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${system()}, Node ${process.version}`;
}
