import type { ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { serveCommonControls } from './controls.js';
import type { Faults } from './faults.js';
import { type LostAnswer, playFault } from './play-fault.js';
import type { Recorder, RequestEntry } from './recorder.js';

export interface SandboxServerOptions {
  recorder: Recorder;
  faults: Faults;
  /** Whether a path (without query) is a page for people: those are neither recorded nor met by faults. */
  isPage: (path: string) => boolean;
  /**
   * Turns the text of a body into `request.body`, by the vendor's own rules. What it throws goes to the error handler of the route, which
   * answers in the vendor's own shape. Default: JSON where the content type says so, else the text.
   */
  parseBody?: (text: string, request: FastifyRequest) => unknown;
  /** Bytes; default 1 MiB. A larger body goes to the error handler as an error with `statusCode` 413. */
  bodyLimit?: number;
  /** Adds the stand-in's own control routes below `/_sandbox`; a ControlRefusal or ZodError thrown there is answered as JSON. */
  controls?: (app: FastifyInstance) => void;
}

/** A fastify app with recording, faults and control routes in place; the vendor's routes and error handlers are added by the caller. */
export function createSandboxServer(options: SandboxServerOptions): FastifyInstance {
  const { recorder, faults, isPage, parseBody = parseByContentType } = options;
  const entries = new WeakMap<FastifyRequest, RequestEntry>();
  const app = Fastify({
    // Connections that a client keeps alive would hold up close().
    forceCloseConnections: true,
    bodyLimit: options.bodyLimit ?? 1024 * 1024,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 2_000 },
  });

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (request, text, done) => {
    const body = String(text);
    const entry = entries.get(request);
    if (entry) recorder.recordBody(entry, body);
    let parsed: unknown;
    try {
      parsed = isControl(request) ? parseJson(body) : parseBody(body, request);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    done(null, parsed);
  });

  app.addHook('onRequest', async (request, reply) => {
    if (isControl(request) || isPage(pathOf(request))) return;
    const entry = recorder.begin(request.method, request.raw.url ?? '');
    entries.set(request, entry);
    const begin = performance.now();
    reply.raw.once('close', () => {
      entry.ms = Math.round(performance.now() - begin);
    });
    const fault = faults.take(request.method, entry.path, 'before');
    if (!fault) return;
    if (fault.kind === 'latency') {
      const waits = await clientWaits(reply.raw, fault.ms ?? 0);
      if (!waits) reply.hijack();
      return;
    }
    reply.hijack();
    await playFault(fault, reply.raw, undefined, (status) => {
      entry.status = status;
    });
  });

  app.addHook('onSend', (request, reply, payload: unknown, done) => {
    const entry = entries.get(request);
    if (!entry) return done();
    const fault = faults.take(request.method, entry.path, 'after');
    const noteStatus = (status: number) => {
      entry.status = status;
    };
    if (!fault) {
      noteStatus(reply.statusCode);
      return done();
    }
    if (fault.kind === 'latency') {
      setTimeout(() => {
        noteStatus(reply.statusCode);
        done();
      }, fault.ms ?? 0).unref();
      return;
    }
    // `done` is not called: the fault answers in place of fastify.
    const lost: LostAnswer = {
      status: reply.statusCode,
      contentType: String(reply.getHeader('content-type') ?? 'application/json'),
      body: typeof payload === 'string' ? payload : '',
    };
    playFault(fault, reply.raw, lost, noteStatus).catch(() => reply.raw.destroy());
  });

  app.register(
    (scope, _options, done) => {
      serveCommonControls(scope, recorder, faults);
      options.controls?.(scope);
      done();
    },
    { prefix: controlPrefix },
  );
  return app;
}

/** Lets time pass. @returns whether the client was there to its end; what nobody waits for any more is not carried out */
function clientWaits(raw: ServerResponse, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(!raw.destroyed), ms).unref();
    raw.once('close', () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}

/** Starts listening. @returns the base address, without a slash at its end. */
export async function listen(app: FastifyInstance, { host = '127.0.0.1', port = 0 } = {}): Promise<string> {
  const { port: taken } = new URL(await app.listen({ host, port }));
  const anyAddress = host === '0.0.0.0' || host === '::';
  const name = anyAddress ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${taken}`;
}

/** The path of a request as it came over the wire, without its query. */
export function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '').split('?')[0] ?? '';
}

const controlPrefix = '/_sandbox';

function isControl(request: FastifyRequest): boolean {
  const path = pathOf(request);
  return path === controlPrefix || path.startsWith(`${controlPrefix}/`);
}

function parseByContentType(text: string, request: FastifyRequest): unknown {
  return /\bjson\b/i.test(request.headers['content-type'] ?? '') ? parseJson(text) : text;
}

/** @throws an error with `statusCode` 400 on text that is no JSON; an empty text is no body. */
function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw Object.assign(new Error('The body is not valid JSON.', { cause }), { statusCode: 400 });
  }
}
