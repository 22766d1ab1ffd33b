import type { FastifyInstance, FastifyReply } from 'fastify';
import { action, type Html, html, page } from '../../common/html.js';
import type { RequestEntry, Violation } from '../../common/recorder.js';
import type { RuleControls } from '../controls.js';
import { exampleJourneys } from '../example-journeys.js';
import { clock, stretch } from './format.js';
import { automationsCard, timeline } from './journeys.js';
import { latestMails, type MailLists, mailsPage, transactionBody, transactionsTable } from './mails.js';
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
/** Mails on the start page. */
const LATEST = 8;

/** Whether a path is a page for people and no call to the API. */
export function isPage(path: string): boolean {
  return path === '/' || path === '/favicon.ico' || /^\/(?:subscribers|automations|mails|requests)(?:\/|$)/.test(path);
}

/** The page for people, at `/`. */
export async function servePages(app: FastifyInstance, deps: PageDeps): Promise<void> {
  const { controls } = deps;

  app.get<{ Querystring: { q?: string } }>('/', (request, reply) => {
    const query = String(request.query.q ?? '').trim();
    const found = controls.search(query, SHOWN);
    const people = subscribersPage(found.people, found.total, query);
    const mails = query === '' && latestMails(mailLists(controls), LATEST);
    return send(reply, deps, 'Subscribers', '/', html`${mails}${people}`);
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
    const starts = controls
      .automationsStarted()
      .map((start, place) => ({ ...start, place }))
      .filter(({ subscriberId }) => subscriberId === person.id);
    const journeys = timeline({
      now: controls.now(),
      starts,
      mails: controls.mails(person.id),
      progress: controls.progress(person.id),
    });
    const sent = controls.transactions().filter(({ to }) => to === person.email || to === person.phone_number);
    const transactional = sent.length > 0 ? transactionsTable(sent, SHOWN) : null;
    return send(reply, deps, person.email ?? String(person.id), '', subscriberPage(person, journeys, transactional));
  });

  app.get('/favicon.ico', (_request, reply) => reply.code(204).send());

  app.get('/automations', (_request, reply) => {
    const starts = controls.automationsStarted().slice(-SHOWN);
    const automations = controls.automations();
    const examplesMissing = exampleJourneys.some((example) => !automations.some(({ name }) => name === example.name));
    return send(
      reply,
      deps,
      'Automations',
      '/automations',
      html`${automationsCard(automations, examplesMissing)}<section class="card"><h3>Started</h3>${startsTable(starts)}</section>`,
    );
  });

  app.get('/mails', (_request, reply) => send(reply, deps, 'Mails', '/mails', mailsPage(mailLists(controls), SHOWN)));

  app.get<{ Params: { id: string }; Querystring: { part?: string } }>('/mails/transactional/:id', (request, reply) => {
    const found = controls.transactions().find(({ id }) => String(id) === request.params.id);
    if (!found) return send(reply.code(404), deps, 'Not found', '', html`<p>There is no such mail.</p>`);
    const { type, text } = transactionBody(found, request.query.part === 'plain' ? 'plain' : 'html');
    return reply.type(type).header('content-security-policy', MAIL_POLICY).send(text);
  });

  app.get('/requests', (_request, reply) =>
    send(reply, deps, 'Requests', '/requests', requestsPage(deps.requests(SHOWN), deps.violations())),
  );
}

function send(reply: FastifyReply, deps: PageDeps, title: string, here: string, content: Html): FastifyReply {
  const links = [
    { to: '/', text: 'Subscribers' },
    { to: '/automations', text: 'Automations' },
    { to: '/mails', text: 'Mails' },
    { to: '/requests', text: 'Requests' },
  ];
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', POLICY)
    .send(page({ brand: 'Rule', title, links, here, content: html`${accountState(deps)}${content}` }));
}

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; form-action 'self'";

/** A mail is shown as it was written, by another hand: it runs nothing and reaches nothing but its pictures. */
const MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data: https:";

function mailLists(controls: RuleControls): MailLists {
  return {
    now: controls.now(),
    mails: controls.mails(),
    transactions: controls.transactions(),
    person: (id) => controls.subscriber(id),
  };
}

/** The account's time of day; how far it is from the real one is said from an hour on. */
function today(now: Date): Html {
  const apart = now.getTime() - Date.now();
  const off = Math.abs(apart) >= 3_600_000 && `${stretch(apart)} ${apart > 0 ? 'ahead of' : 'behind'} the real clock`;
  return html`today in this account: <b>${clock(now.toISOString())} UTC</b>${off && html`, ${off}`}`;
}

/** The account's state and what can be done to it, at the top of every page. */
function accountState({ controls, violations, isDown }: PageDeps): Html {
  const block = controls.accountBlock();
  const outside = violations().length;
  return html`<section class="state">
<p><b>${controls.size}</b> subscribers · <b>${controls.startsCount}</b> automations started · <b class="${outside > 0 ? 'bad' : ''}">${outside}</b> requests outside the documents</p>
<p>${today(controls.now())}</p>
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
