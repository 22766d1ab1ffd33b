import type { FastifyInstance, FastifyReply } from 'fastify';
import { action, type Html, html, page } from '../../common/html.js';
import type { RequestEntry, Violation } from '../../common/recorder.js';
import type { RuleControls } from '../controls.js';
import { requestsPage } from './requests.js';
import { startsTable, subscriberPage, subscribersPage } from './subscribers.js';

export interface PageDeps {
  controls: RuleControls;
  /** Requests to the API, newest first. */
  requests: (limit: number) => RequestEntry[];
  violations: () => readonly Violation[];
  /** Whether Rule is taken down. */
  isDown: () => boolean;
}

/** Rows on a page; the rest is found by searching. */
const SHOWN = 100;

/** Whether a path is a page for people and no call to the API. */
export function isPage(path: string): boolean {
  return path === '/' || path === '/favicon.ico' || /^\/(?:subscribers|automations|requests)(?:\/|$)/.test(path);
}

/** The page for people, at `/`. */
export async function servePages(app: FastifyInstance, deps: PageDeps): Promise<void> {
  const { controls } = deps;

  app.get<{ Querystring: { q?: string } }>('/', (request, reply) => {
    const query = String(request.query.q ?? '').trim();
    const found = controls.search(query, SHOWN);
    return send(reply, deps, 'Subscribers', '/', subscribersPage(found.people, found.total, query));
  });

  app.get<{ Params: { id: string } }>('/subscribers/:id', (request, reply) => {
    const person = controls.subscriber(request.params.id);
    if (!person) {
      return send(
        reply.code(404),
        deps,
        'Not found',
        '',
        html`<p>Nobody has this id. <a href="/">All subscribers</a></p>`,
      );
    }
    const starts = controls.automationsStarted().filter(({ subscriberId }) => subscriberId === person.id);
    return send(reply, deps, person.email ?? String(person.id), '', subscriberPage(person, starts));
  });

  app.get('/favicon.ico', (_request, reply) => reply.code(204).send());

  app.get('/automations', (_request, reply) => {
    const starts = controls.automationsStarted().slice(-SHOWN);
    return send(
      reply,
      deps,
      'Automations',
      '/automations',
      html`<section class="card">${startsTable(starts, true)}</section>`,
    );
  });

  app.get('/requests', (_request, reply) =>
    send(reply, deps, 'Requests', '/requests', requestsPage(deps.requests(SHOWN), deps.violations())),
  );
}

function send(reply: FastifyReply, deps: PageDeps, title: string, here: string, content: Html): FastifyReply {
  const links = [
    { to: '/', text: 'Subscribers' },
    { to: '/automations', text: 'Automations' },
    { to: '/requests', text: 'Requests' },
  ];
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', POLICY)
    .send(page({ brand: 'Rule', title, links, here, content: html`${accountState(deps)}${content}` }));
}

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; form-action 'self'";

/** The account's state and what can be done to it, at the top of every page. */
function accountState({ controls, violations, isDown }: PageDeps): Html {
  const block = controls.accountBlock();
  const outside = violations().length;
  return html`<section class="state">
<p><b>${controls.size}</b> subscribers · <b>${controls.startsCount}</b> automations started · <b class="${outside > 0 ? 'bad' : ''}">${outside}</b> requests outside the documents</p>
${isDown() && html`<p class="warn">Rule is down: every call is answered 503.</p>`}
${block && html`<p class="warn">The account is blocked (${block.why}) until ${block.until}.</p>`}
<p class="actions">
${isDown() ? action('Bring Rule up again', 'DELETE', '/_sandbox/down') : action('Take Rule down', 'POST', '/_sandbox/down', {}, 'danger')}
${
  block
    ? action('Lift the block', 'DELETE', '/_sandbox/account-block')
    : action(
        'Block the account for 5 minutes',
        'POST',
        '/_sandbox/account-block',
        { seconds: 300, why: 'count' },
        'danger',
      )
}</p></section>`;
}
