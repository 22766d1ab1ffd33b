import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './faults.js';

/** The answer that a fault replaces; absent when the request was not carried out. */
export interface LostAnswer {
  status: number;
  contentType: string;
  body: string;
}

const loginPage =
  '<!doctype html><html lang="en"><head><title>Sign in</title></head><body><form><input name="user"></form></body></html>';
const pieces = 50;
const json = 'application/json; charset=utf-8';

/**
 * Answers by the fault instead of the vendor, straight on the connection.
 * @param onStatus told the status before any byte of it leaves.
 */
export async function playFault(
  fault: Fault,
  raw: ServerResponse,
  lost: LostAnswer | undefined,
  onStatus: (status: number) => void,
): Promise<void> {
  if (fault.ms && fault.kind !== 'slow-body') await delay(fault.ms, undefined, { ref: false });
  if (raw.destroyed) return;
  const { status, contentType, body } = answerOf(fault, lost);
  const bytes = Buffer.from(body);
  const head = (length: number) => {
    onStatus(status);
    raw.writeHead(status, { 'content-type': contentType, 'content-length': String(length), ...fault.headers });
  };
  switch (fault.kind) {
    case 'hang-up':
      raw.destroy();
      return;
    case 'cut-body':
      head(bytes.length);
      raw.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => raw.destroy());
      return;
    case 'slow-body':
      head(bytes.length);
      await trickle(raw, bytes, fault.ms ?? 200);
      return;
    default:
      head(bytes.length);
      raw.end(bytes);
  }
}

function answerOf(fault: Fault, lost: LostAnswer | undefined): LostAnswer {
  const typeOf = (body: string) => (/^\s*[[{]/.test(body) ? json : 'text/plain; charset=utf-8');
  switch (fault.kind) {
    case 'html':
      return { status: fault.status ?? 200, contentType: 'text/html; charset=utf-8', body: fault.body ?? loginPage };
    case 'wrong-shape': {
      const body = fault.body ?? JSON.stringify({ result: { unexpected: true } });
      return { status: fault.status ?? 200, contentType: typeOf(body), body };
    }
    case 'status': {
      const body = fault.body ?? JSON.stringify({ error: 'fault', message: 'Answered so on request.' });
      return { status: fault.status ?? 500, contentType: typeOf(body), body };
    }
    default: {
      const body = fault.body ?? lost?.body ?? JSON.stringify({ filler: 'x'.repeat(500) });
      return {
        status: fault.status ?? lost?.status ?? 200,
        contentType: lost?.contentType ?? typeOf(body),
        body: body || ' ',
      };
    }
  }
}

async function trickle(raw: ServerResponse, bytes: Buffer, ms: number): Promise<void> {
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  for (let from = 0; from < bytes.length && !raw.destroyed; from += size) {
    raw.write(bytes.subarray(from, from + size));
    await delay(ms, undefined, { ref: false });
  }
  raw.end();
}
