import { action, type Html, html } from '../../common/html.js';
import type { AutomationStart } from '../model.js';
import type { RowView, SubscriberView } from '../views.js';
import { clock, nameOf, text } from './format.js';

/** The list of people, with a search box. */
export function subscribersPage(people: readonly SubscriberView[], total: number, query: string): Html {
  return html`<form class="card" method="get"><input name="q" value="${query}" placeholder="Search address, id, tag or field" aria-label="Search"></form>
<section class="card"><table><thead><tr><th>Subscriber</th><th>Tags</th><th>Changed</th></tr></thead><tbody>
${people.map(
  (
    person,
  ) => html`<tr><td><a href="/subscribers/${person.id}">${nameOf(person)}</a> ${marks(person)}<div class="soft">${fullName(person)}</div></td>
<td>${person.tags.map(tagMark)}</td><td class="soft mono">${clock(person.updatedAt)}</td></tr>`,
)}</tbody></table>
${people.length === 0 && html`<p class="soft">Nobody${query ? ' matches' : ' yet'}.</p>`}
${total > people.length && html`<p class="soft">${people.length} of ${total} shown: search for the others.</p>`}</section>`;
}

/** One person: tags, journeys and mails, fields by group, rows, and what can be done to them. */
export function subscriberPage(person: SubscriberView, journeys: Html, transactional: Html | null): Html {
  const base = `/_sandbox/subscribers/${person.id}`;
  const suppressed = person.suppressed.includes('campaign/email');
  return html`<h2>${nameOf(person)}</h2>
<p class="soft">id ${person.id} · ${person.phone_number ?? 'no phone number'} · ${person.language} · created ${clock(person.createdAt)} · changed ${clock(person.updatedAt)} ${marks(person)}</p>
<p class="actions">
${person.blocked ? action('Unblock', 'DELETE', `${base}/block`) : action('Block', 'POST', `${base}/block`)}
${suppressed ? action('Lift suppression', 'DELETE', `${base}/suppression`) : action('Suppress (unsubscribe)', 'POST', `${base}/suppression`)}
${action('Delete in Rule', 'DELETE', base, {}, 'danger')}</p>
<section class="card"><h3>Tags</h3>${person.tags.length > 0 ? person.tags.map(tagMark) : html`<span class="soft">none</span>`}
${person.segments.length > 0 && html`<h3>Segments</h3>${person.segments.map((segment) => html`<span class="tag">${segment}</span>`)}`}</section>
<section class="card"><h3>Journeys and mails</h3>${journeys}
${transactional && html`<article><p><b>Transactional mails</b></p>${transactional}</article>`}</section>
<section class="grid" style="margin-bottom:1rem">${groups(person).map(
    ([group, fields]) =>
      html`<div class="card"><h3>${group}</h3><table>${fields.map(
        ([name, { type, value }]) =>
          html`<tr><td class="soft">${name}</td><td>${text(value)} <span class="soft mono">${type === 'text' ? '' : type}</span></td></tr>`,
      )}</table></div>`,
  )}</section>
${historicalGroups(person).map(([group, rows]) => rowsCard(group, rows))}`;
}

/** Rows of one historical group, newest first, a column for each field. */
function rowsCard(group: string, rows: readonly RowView[]): Html {
  const names = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  return html`<section class="card"><h3>${group} <span class="soft">${rows.length === 1 ? '1 row' : `${rows.length} rows, newest first`}</span></h3>
<table class="rows"><thead><tr><th>Written</th>${names.map((name) => html`<th>${name}</th>`)}</tr></thead>${rows
    .toReversed()
    .map(
      ({ createdAt, values }) =>
        html`<tr><td class="when soft mono">${clock(createdAt)}</td>${names.map((name) => html`<td>${name in values ? text(values[name]) : html`<span class="soft">–</span>`}</td>`)}</tr>`,
    )}</table></section>`;
}

/** Starts of automations, newest first. */
export function startsTable(starts: readonly AutomationStart[]): Html {
  if (starts.length === 0) return html`<span class="soft">none</span>`;
  return html`<table><thead><tr><th>When</th><th>Subscriber</th><th>Automation</th><th>Started by</th></tr></thead>${starts
    .toReversed()
    .map(
      (start) => html`<tr><td class="soft mono">${clock(start.at)}</td>
<td><a href="/subscribers/${start.subscriberId}">${start.subscriberId}</a></td>
<td>${start.automation} ${start.withheld && html`<span class="bad">no mail: ${start.withheld}</span>`}</td>
<td>${start.trigger.type.toLowerCase()} <b>${start.trigger.name}</b><div class="soft mono">${start.call} · ${start.mode} · ${start.pass}</div></td></tr>`,
    )}</table>`;
}

function fullName(person: SubscriberView): string {
  return ['Subscriber.FirstName', 'Subscriber.LastName'].map((key) => text(person.fields[key]?.value ?? '')).join(' ');
}

function marks(person: SubscriberView): Html {
  return html`${person.blocked && html`<span class="bad">blocked</span> `}${person.suppressed.length > 0 && html`<span class="bad">suppressed</span> `}${!person.optedIn && html`<span class="bad">not opted in</span>`}`;
}

/** Tags that an integration named after its source are told apart from a marketer's own by their look alone. */
function tagMark(tag: string): Html {
  const ours = tag === 'sesamy' || tag.startsWith('sesamy_');
  return html`<span class="tag ${ours ? 'ours' : ''}">${tag}</span>`;
}

function historicalGroups({ rows }: SubscriberView): [string, RowView[]][] {
  const byGroup = new Map<string, RowView[]>();
  for (const row of rows) byGroup.set(row.group, [...(byGroup.get(row.group) ?? []), row]);
  return [...byGroup].sort(([a], [b]) => a.localeCompare(b));
}

function groups(person: SubscriberView): [string, [string, SubscriberView['fields'][string]][]][] {
  const byGroup = new Map<string, [string, SubscriberView['fields'][string]][]>();
  for (const [key, field] of Object.entries(person.fields)) {
    const [group = '', name = ''] = key.split('.');
    byGroup.set(group, [...(byGroup.get(group) ?? []), [name, field]]);
  }
  return [...byGroup].sort(([a], [b]) => a.localeCompare(b));
}
