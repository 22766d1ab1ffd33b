import { type Html, html } from '../../common/html.js';
import type { RequestEntry, Violation } from '../../common/recorder.js';
import { clock } from './format.js';

/** Requests to the API, newest first, and above them those outside the documented shapes. */
export function requestsPage(requests: readonly RequestEntry[], violations: readonly Violation[]): Html {
  return html`${
    violations.length > 0 &&
    html`<section class="card"><h3 class="bad">Outside the documents</h3><table>${violations
      .toReversed()
      .map(
        ({ at, method, path, why }) =>
          html`<tr><td class="soft mono">${clock(at)}</td><td class="mono">${method} ${path}</td><td>${why}</td></tr>`,
      )}</table></section>`
  }
<section class="card"><table><thead><tr><th>When</th><th>Request</th><th>Status</th><th>ms</th></tr></thead>${requests.map(
    ({ at, method, path, status, ms, body }) => html`<tr><td class="soft mono">${clock(at)}</td>
<td class="mono"><b>${method}</b> ${path}${body && html`<details><summary class="soft">body</summary>${shorten(body)}</details>`}</td>
<td class="${status >= 400 || status === 0 ? 'bad' : 'good'}">${status || 'cut'}</td><td class="soft">${ms}</td></tr>`,
  )}</table>${requests.length === 0 && html`<p class="soft">No requests yet.</p>`}</section>`;
}

const longest = 2_000;

function shorten(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
