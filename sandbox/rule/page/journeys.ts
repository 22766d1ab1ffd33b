import { action, type Html, html } from '../../common/html.js';
import type { AutomationStart, JourneyMail, Progress } from '../model.js';
import type { AutomationView } from '../views.js';
import { minute } from './format.js';
import { mailCells } from './mails.js';

/** What automations did and will do for one person. */
export interface PersonJourneys {
  now: Date;
  /** In the order in which they happened, each with its place among the starts of all people. */
  starts: readonly (AutomationStart & { place: number })[];
  mails: readonly JourneyMail[];
  /** By name of automation. */
  progress: Readonly<Record<string, Progress>>;
}

/** Each start of an automation, newest first, with its mails. */
export function timeline({ now, starts, mails, progress }: PersonJourneys): Html {
  if (starts.length === 0) return html`<span class="soft">No automation has started for this person.</span>`;
  const latest = new Map(starts.map(({ automation, place }) => [automation, place]));
  return html`${starts.toReversed().map((start) => {
    const own = mails.filter((mail) => mail.start === start.place);
    const state = latest.get(start.automation) === start.place ? progress[start.automation] : undefined;
    return html`<article><p><b>${start.automation}</b> ${state && html`<span class="tag ${state === 'in-progress' ? 'ours' : ''}">${state.replace('-', ' ')}</span>`}</p>
<p class="soft">started <span class="mono">${minute(start.at)}</span> by ${start.trigger.type.toLowerCase()} <b>${start.trigger.name}</b> · <span class="mono">${start.call} · ${start.mode} · ${start.pass}</span></p>
${
  own.length > 0
    ? html`<table class="mails">${own.map((mail) => html`<tr>${mailCells(mail, now)}</tr>`)}</table>`
    : html`<p class="soft">It has no mails here.${start.withheld && html` <span class="bad">Nothing would go out: ${start.withheld}</span>`}</p>`
}</article>`;
  })}`;
}

/** What the account's automations would do, and the way to the example journeys. */
export function automationsCard(automations: readonly AutomationView[], examplesMissing: boolean): Html {
  return html`<section class="card"><h3>Automations</h3>${
    automations.length > 0
      ? html`<table><thead><tr><th>Name</th><th>Starts on</th><th>Mails</th><th>Ends on</th></tr></thead>${automations.map(automationRow)}</table>`
      : html`<p class="soft">None yet.</p>`
  }${examplesMissing && html`<p class="actions">${action('Add the example journeys', 'POST', '/_sandbox/example-journeys')}</p>`}</section>`;
}

function automationRow({ name, active, trigger, mails, endsOn }: AutomationView): Html {
  return html`<tr><td>${name} ${!active && html`<span class="bad">inactive</span>`}</td><td>${trigger.type.toLowerCase()} <b>${trigger.name}</b></td>
<td>${mails.map(({ subject, afterDays }) => html`<div><span class="soft">${afterDays === 0 ? 'at once' : `day ${afterDays}`}</span> ${subject}</div>`)}</td>
<td>${endsOn.tagGained.map((tag) => html`<div>gained ${tag}</div>`)}${endsOn.tagLost.map((tag) => html`<div>lost ${tag}</div>`)}</td></tr>`;
}
