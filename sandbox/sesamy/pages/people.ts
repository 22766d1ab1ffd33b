import { type Html, html } from '../../common/html.js';
import { matching } from '../api.js';
import type { Person } from '../model.js';
import type { World } from '../world.js';

const shown = 100;

/** List of readers with what they hold. */
export function peoplePage(world: World, search: string): Html {
  const found = search ? matching(world.everybody(), search.toLowerCase()) : first(world);
  const total = search ? found.length : world.size;
  return html`<form method="get" action="/"><input name="search" value="${search}" placeholder="Name, e-mail or id" aria-label="Search">
<button>Search</button></form>
<section class="card"><table><tr><th>Reader</th><th>E-mail</th><th>Account</th><th>Holds</th></tr>
${found.slice(0, shown).map(row)}</table>
${total > shown && html`<p class="soft">The first ${shown} of ${total}.</p>`}</section>`;
}

export function nameOf({ profile, id }: Person): string {
  const { firstName = profile.given_name, lastName = profile.family_name } = profile;
  return [firstName, lastName].filter(Boolean).join(' ') || id;
}

export function linkTo(person: Person): Html {
  return html`<a href="/people/${encodeURIComponent(person.id)}">${nameOf(person)}</a>`;
}

function first(world: World): Person[] {
  const people: Person[] = [];
  for (const person of world.everybody()) {
    people.push(person);
    if (people.length >= shown) break;
  }
  return people;
}

function row(person: Person): Html {
  const { profile, contracts, entitlements } = person;
  const own = new Set(contracts.map(({ id }) => id));
  const others = entitlements.filter(
    ({ hasAccess, origin }) => hasAccess && !(origin?.type === 'PAYMENTS' && own.has(origin.contractId)),
  );
  return html`<tr><td>${linkTo(person)}</td><td>${profile.email ?? html`<span class="soft">none</span>`}</td>
<td>${profile.emailVerified === false ? html`<span class="soft">guest</span>` : 'confirmed'}</td>
<td>${contracts.map(
    ({ name, status, willCancelAt, isActive }) =>
      html`<span class="tag ${isActive && 'ours'}">${name} · ${status.toLowerCase()}${willCancelAt && isActive && ', cancelled'}</span>`,
  )}${others.map(({ title, origin }) => html`<span class="tag ours">${title} · ${origin?.type === 'EXTERNAL' ? 'external' : 'gift'}</span>`)}</td></tr>`;
}
