import { ApplicationFailure, type Payload, type PayloadCodec } from '@temporalio/common';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { z } from 'zod';

export interface CodecServerOptions {
  codec: PayloadCodec;
  /** Origins of the Temporal UI, such as `http://127.0.0.1:8233`: pages from elsewhere are refused. */
  origins: readonly string[];
}

/** A history of the UI's page size; a payload has 2 MB at the most at Temporal. */
const bodyLimitBytes = 32 * 1024 * 1024;

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));

/** Payloads as protobuf writes them in JSON. */
const bodySchema = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), bytes).default({}), data: bytes.optional() })),
});

/** Names of this machine, whatever the port: what a page that had its own name lead here would write is none of them. */
const ownHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * Temporal's codec endpoint (`POST /decode`, `POST /encode`): the UI hands it payloads and shows what comes back. Not listening yet, and
 * meant for 127.0.0.1 only: whoever can ask it can read. Therefore it answers to this machine's names and to the UI's origin alone, and
 * to nothing that a page could send without being asked first (CORS preflight).
 */
export function createCodecServer({ codec, origins }: CodecServerOptions): FastifyInstance {
  const app = fastify({ bodyLimit: bodyLimitBytes, forceCloseConnections: true });

  app.addHook('onRequest', async (request, reply) => {
    const { origin, host = '' } = request.headers;
    if (!ownHost.test(host)) return refuse(reply, 403, 'This endpoint answers on this machine only.');
    if (origin === undefined) return;
    if (!origins.includes(origin)) return refuse(reply, 403, 'This page may not ask; name its origin by --ui.');
    reply.headers({ 'Access-Control-Allow-Origin': origin, Vary: 'Origin' });
  });

  app.options('/*', async (_request, reply) =>
    reply
      .headers({
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': 'content-type, x-namespace, authorization',
        'Access-Control-Allow-Private-Network': 'true',
        'Access-Control-Max-Age': '600',
      })
      .code(204)
      .send(),
  );
  for (const way of ['decode', 'encode'] as const) {
    app.post(`/${way}`, async (request: FastifyRequest, reply) => {
      const { data } = bodySchema.safeParse(request.body);
      if (!data) return refuse(reply, 400, 'The body is not { "payloads": […] } as Temporal writes it in JSON.');
      return { payloads: (await codec[way](data.payloads)).map(toJson) };
    });
  }
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'There are POST /decode and POST /encode.'));
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof ApplicationFailure) return refuse(reply, 400, error.message);
    const { statusCode = 500 } = error;
    return statusCode < 500
      ? refuse(reply, statusCode, 'The body is not JSON, has another content type, or is too large.')
      : refuse(reply, 500, 'Something unexpected happened.');
  });
  return app;
}

/** The UI shows the message. */
function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ message });
}

function toJson({ metadata, data }: Payload) {
  const base64 = (value: Uint8Array) => Buffer.from(value).toString('base64');
  return {
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
    ...(data ? { data: base64(data) } : {}),
  };
}
