import type { FastifyInstance, FastifyReply } from 'fastify';
import { action, type Html, html, page } from '../../common/html.js';
import type { Recorder } from '../../common/recorder.js';
import type { Controls } from '../controls.js';
import type { Person } from '../model.js';
import type { Webhooks } from '../webhooks.js';
import type { World } from '../world.js';
import { clockPart } from './clock.js';
import { peoplePage } from './people.js';
import { personPage } from './person.js';
import { trafficPage } from './traffic.js';

export interface PageDeps {
  controls: Controls;
  world: World;
  webhooks: Webhooks;
  recorder: Recorder;
}

const links = [
  { to: '/', text: 'Readers' },
  { to: '/traffic', text: 'Webhooks and requests' },
];

/** Whether a path belongs to the pages for people. */
export function isPage(path: string): boolean {
  return path === '/' || path === '/traffic' || path === '/favicon.ico' || path.startsWith('/people/');
}

export function servePages(app: FastifyInstance, deps: PageDeps): void {
  const send = (reply: FastifyReply, title: string, here: string, content: Html, person?: Person) =>
    reply
      .type('text/html; charset=utf-8')
      .send(page({ brand: 'Sesamy', title, links, here, content: html`${state(deps, person)}${content}` }));

  app.get<{ Querystring: { search?: string } }>('/', (request, reply) =>
    send(reply, 'Readers', '/', peoplePage(deps.world, String(request.query.search ?? ''))),
  );
  app.get<{ Params: { id: string } }>('/people/:id', (request, reply) => {
    const person = deps.world.person(request.params.id);
    if (!person) return send(reply.code(404), 'Nobody', '', html`<h2>There is no such reader.</h2>`);
    return send(reply, person.profile.name ?? person.id, '', personPage(deps.world, person), person);
  });
  app.get('/traffic', (_request, reply) =>
    send(reply, 'Webhooks and requests', '/traffic', trafficPage(deps.webhooks, deps.recorder)),
  );
  app.get('/favicon.ico', (_request, reply) => reply.code(204).send());
}

/** At the top of each page; time goes by for the reader alone on the reader's page. */
function state({ controls, world, recorder }: PageDeps, person?: Person): Html {
  const violations = recorder.violations.length;
  return html`<section class="state">
<p><b>${world.size}</b> readers of Daily Example · <b class="${violations > 0 && 'bad'}">${violations}</b> requests outside the documents</p>
${clockPart(world, controls.livingOn, person)}
<p class="actions">${action('A new reader', 'POST', '/_sandbox/people')}</p></section>`;
}
