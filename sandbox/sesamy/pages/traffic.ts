import { action, type Html, html } from '../../common/html.js';
import type { Recorder } from '../../common/recorder.js';
import type { WebhookDelivery, Webhooks } from '../webhooks.js';

const shown = 100;

/** Webhooks sent, newest first, and what the API was asked. */
export function trafficPage(webhooks: Webhooks, recorder: Recorder): Html {
  return html`<section class="card"><h3>Webhooks</h3>
${webhooks.sent.length === 0 && html`<p class="soft">None yet: something has to happen to a reader, and a receiver has to be set.</p>`}
<table>${newest(webhooks.sent).map(deliveryRow)}</table></section>
${
  recorder.violations.length > 0 &&
  html`<section class="card"><h3 class="bad">Requests outside the documents</h3><table>${newest(
    recorder.violations,
  ).map(
    ({ at, method, path, why }) =>
      html`<tr><td>${time(at)}</td><td class="mono">${method} ${path}</td><td>${why}</td></tr>`,
  )}</table></section>`
}
<section class="card"><h3>Requests</h3><table>${newest(recorder.requests).map(
    ({ at, method, path, status, ms }) =>
      html`<tr><td>${time(at)}</td><td class="mono">${method} ${path}</td><td class="${status >= 400 && 'bad'}">${status || 'no answer'}</td><td class="soft">${ms} ms</td></tr>`,
  )}</table></section>`;
}

function deliveryRow({ id, event, attempts, state }: WebhookDelivery): Html {
  const last = attempts.at(-1);
  const good = state === 'delivered';
  const tries = attempts.length === 1 ? 'once' : `${attempts.length} times`;
  return html`<tr><td>${time(event.occured_at)}</td><td class="mono">${event.eventType}</td>
<td><a class="mono" href="/people/${encodeURIComponent(event.userId)}">${event.userId}</a></td>
<td><span class="${good ? 'good' : state === 'waiting' ? 'soft' : 'bad'}">${state}</span> ${last?.status ?? last?.error}
<span class="soft">${attempts.length > 0 && `tried ${tries}`}</span></td>
<td>${!good && state !== 'waiting' && action('Send again', 'POST', `/_sandbox/webhooks/${id}/resend`)}</td></tr>`;
}

function newest<T>(list: readonly T[]): T[] {
  return list.slice(-shown).reverse();
}

function time(at: string): string {
  return at.slice(11, 19);
}
