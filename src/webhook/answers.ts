/** Every answer that is not 202 in one shape, whoever noticed first: our code, fastify, or the HTTP parser beneath it. */
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Logger, loggedError } from '../log.js';
import { Refusal } from './refusal.js';

/** Largest body that is read. A webhook has less than 1 KiB. */
export const bodyLimitBytes = 64 * 1024;

/** Methods of each path that exists. */
const methods: Readonly<Record<string, string>> = {
  '/webhooks/sesamy': 'POST',
  '/healthz': 'GET, HEAD',
  '/readyz': 'GET, HEAD',
  '/metrics': 'GET, HEAD',
};

/** Answers an error that was thrown somewhere on the way of a request. */
export function answerError(log: Logger) {
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply) => {
    const refusal = toRefusal(error);
    if (refusal.status === 500) log.error({ err: loggedError(error) }, 'a request met an unexpected error');
    return reply.code(refusal.status).headers(refusal.headers).send(refusal.toJSON());
  };
}

/** For a path that does not exist, or exists for another method. */
export function noSuchRoute({ url }: { url: string }): Refusal {
  const path = url.split('?', 1)[0] ?? '';
  const allowed = Object.hasOwn(methods, path) ? methods[path] : undefined;
  return allowed
    ? new Refusal(405, 'method-not-allowed', `This path takes ${allowed} only.`, { Allow: allowed })
    : new Refusal(404, 'not-found', `There is no such path; there are ${Object.keys(methods).join(', ')}.`);
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return new Refusal(413, 'too-large', `The body is larger than ${bodyLimitBytes / 1024} KiB.`);
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Refusal(400, 'bad-request', 'The body is not valid JSON, or was cut off.');
  }
  return new Refusal(500, 'internal', 'Something unexpected happened; the log says where.');
}

/** Answers what is no HTTP request, or took too long to become one. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const refusal = brokenRequests[error.code ?? ''] ?? notHttp;
  const body = JSON.stringify(refusal);
  const lines = [
    `HTTP/1.1 ${refusal.status} ${statusTexts[refusal.status] ?? 'Bad Request'}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

const notHttp = new Refusal(400, 'bad-request', 'This is not a valid HTTP request.');

const brokenRequests: Readonly<Record<string, Refusal>> = {
  ERR_HTTP_REQUEST_TIMEOUT: new Refusal(408, 'timeout', 'The request did not arrive in time.'),
  HPE_HEADER_OVERFLOW: new Refusal(431, 'too-large', 'The headers are too large.'),
};

const statusTexts: Readonly<Record<number, string>> = {
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};
