import type { FastifyInstance } from 'fastify';
import { ZodError, z } from 'zod';
import { type Faults, faultSchema } from './faults.js';
import type { Recorder } from './recorder.js';

/** Answered by control routes as a refusal: the caller named something that is not there, or that cannot be done. */
export class ControlRefusal extends Error {
  constructor(
    message: string,
    readonly status: 400 | 404 | 409 = 400,
  ) {
    super(message);
  }
}

/** Below `/_sandbox`, what both stand-ins have: requests, violations and faults. */
export function serveCommonControls(app: FastifyInstance, recorder: Recorder, faults: Faults): void {
  app.setErrorHandler((error, _request, reply) => {
    const status = error instanceof ControlRefusal ? error.status : 400;
    const message = error instanceof ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : '';
    return reply.code(status).send({ error: message });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `There is no control ${request.method} ${request.url}.` }),
  );
  app.get('/requests', () => recorder.requests);
  app.get('/violations', () => recorder.violations);
  app.delete('/requests', (_request, reply) => {
    recorder.clear();
    return reply.code(204).send();
  });
  app.get('/faults', () => faults.list());
  app.post('/faults', (request, reply) => reply.code(201).send({ id: faults.add(faultSchema.parse(request.body)) }));
  app.delete('/faults', (_request, reply) => {
    faults.clear();
    return reply.code(204).send();
  });
  app.delete<{ Params: { id: string } }>('/faults/:id', (request, reply) => {
    if (!faults.remove(request.params.id)) throw new ControlRefusal('There is no such fault.', 404);
    return reply.code(204).send();
  });
}
