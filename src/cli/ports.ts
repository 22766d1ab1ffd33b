import { isPortFree } from '../temporal/ports.js';

/** The wanted port if it is free, else the next free one above it (at most 50 further). */
export async function freePort(wanted: number, host: string): Promise<number> {
  for (let port = wanted; port < wanted + 50; port += 1) {
    if (await isPortFree(host, port)) return port;
  }
  throw new Error(`no free port from ${wanted} to ${wanted + 49} on ${host}`);
}
