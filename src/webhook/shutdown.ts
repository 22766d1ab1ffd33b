import type { FastifyInstance } from 'fastify';

/**
 * Makes `app.close()` graceful: no new connections, no further request on those that are kept alive, and requests under way get their
 * answer, so that no accepted event is lost. What is still open after `timeoutMs` is cut off.
 *
 * @returns whether closing has begun
 */
export function closeGracefully(app: FastifyInstance, timeoutMs: number): () => boolean {
  let closing = false;
  let timer: NodeJS.Timeout | undefined;
  app.addHook('preClose', async () => {
    closing = true;
    timer = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('Connection', 'close');
  });
  app.addHook('onClose', async () => clearTimeout(timer));
  return () => closing;
}
