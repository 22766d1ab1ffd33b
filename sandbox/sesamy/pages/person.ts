import { action, actionForm, type Html, html } from '../../common/html.js';
import type { Bill, Contract, Entitlement, Person } from '../model.js';
import type { World } from '../world.js';
import { nameOf } from './people.js';

/** One reader, with a button for all that can happen to a reader. */
export function personPage(world: World, person: Person): Html {
  const { profile, id } = person;
  const address = profile.billingAddress;
  const control = `/_sandbox/people/${encodeURIComponent(id)}`;
  const guest = profile.emailVerified === false;
  return html`<h2>${nameOf(person)}</h2><p class="soft mono">${id}</p>
<div class="grid"><section class="card"><h3>Account</h3><table>
${line('E-mail', profile.email)}${line('Confirmed', guest ? 'no: a guest' : 'yes')}
${line('Phones', [profile.mobilePhone, profile.phone_number, profile.workPhone, profile.homePhone].filter(Boolean).join(', '))}
${line('Tags', profile.tags?.join(', '))}${line('Since', day(profile.createdAt))}</table>
<p class="actions">${guest && action('Confirm the account', 'POST', `${control}/confirm`)}${action('Delete', 'DELETE', control, {}, 'danger')}</p>
${form(`${control}/name`, 'Change name', { firstName: profile.firstName ?? profile.given_name, lastName: profile.lastName ?? profile.family_name })}
${form(`${control}/email`, 'Change e-mail', { email: profile.email })}
${form(`${control}/tags`, 'Add tag', { tag: undefined })}</section>
<section class="card"><h3>Billing address</h3>
${form(`${control}/address`, 'Change address', {
  firstName: address?.firstName,
  lastName: address?.lastName,
  street: address?.street,
  zip: address?.zip,
  city: address?.city,
  country: address?.country,
})}</section></div>
<section class="card"><h3>Contracts</h3>${person.contracts.length === 0 && html`<p class="soft">None.</p>`}
<table>${person.contracts.map(contractRow)}</table>
${actionForm(
  `${control}/purchase`,
  html`<select name="productSku" aria-label="Product">${world.products.map(({ sku, title }) => html`<option value="${sku}">${title}</option>`)}</select>
<input name="giftTo" placeholder="As a gift to user id" aria-label="As a gift to user id"><button>Purchase</button>`,
)}
<p class="actions">${action('Buy an article', 'POST', `${control}/article`)}</p></section>
<section class="card"><h3>Access</h3><table>${person.entitlements.map(entitlementRow)}</table>
<p class="actions">${action('Grant access from a library', 'POST', `${control}/external`)}
${person.entitlements.some((one) => one.hasAccess && one.origin?.type === 'EXTERNAL') && action('End access from elsewhere', 'DELETE', `${control}/external`, {}, 'danger')}</p></section>
<section class="card"><h3>Bills</h3><table>${person.bills.map(billRow)}</table></section>`;
}

function contractRow(contract: Contract): Html {
  const { id, name, status, isActive, contractDuration, willCancelAt, nextBillAt, expiresAt } = contract;
  const button = (text: string, act: string, danger = false) =>
    action(text, 'POST', `/_sandbox/contracts/${encodeURIComponent(id)}/${act}`, {}, danger ? 'danger' : 'plain');
  const recurring = contractDuration !== 'PERPETUAL';
  return html`<tr><td><b>${name}</b><br><span class="soft">${contract.items[0]?.purchaseOptionName}</span></td>
<td><span class="${isActive && status !== 'OVERDUE' ? 'good' : 'bad'}">${status}</span><br><span class="soft">${
    willCancelAt && isActive
      ? `ends ${day(willCancelAt)}`
      : nextBillAt
        ? `next bill ${day(nextBillAt)}`
        : expiresAt && `until ${day(expiresAt)}`
  }</span></td>
<td><p class="actions">${recurring && button('Renew', 'renew')}
${recurring && isActive && !willCancelAt && button('Cancel', 'cancel')}${recurring && isActive && willCancelAt && button('Regret', 'regret')}
${contractDuration === 'RECURRING' && isActive && status !== 'OVERDUE' && button('Fail payment', 'fail-payment', true)}
${status === 'OVERDUE' && button('Recover payment', 'recover-payment')}
${isActive && button('Expire', 'expire', true)}${isActive && button('End now', 'end-now', true)}</p></td></tr>`;
}

function entitlementRow({ title, type, hasAccess, expiresAt, origin }: Entitlement): Html {
  return html`<tr><td>${title}</td><td>${type}</td><td class="${hasAccess ? 'good' : 'bad'}">${hasAccess ? 'access' : 'ended'}</td>
<td>${origin?.type === 'EXTERNAL' ? origin.name : 'purchase or gift'}</td><td class="soft">${expiresAt && `until ${day(expiresAt)}`}</td></tr>`;
}

function billRow({ id, createdAt, items, price, currency, status }: Bill): Html {
  return html`<tr><td>${day(createdAt)}</td><td>${items.map(({ title }) => title).join(', ')}</td><td>${price} ${currency}</td><td>${status}</td>
<td>${status === 'PAID' && action('Refund', 'POST', `/_sandbox/bills/${encodeURIComponent(id)}/refund`, {}, 'danger')}</td></tr>`;
}

function form(url: string, text: string, fields: Record<string, string | undefined>): Html {
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input name="${name}" value="${value}" placeholder="${name}" aria-label="${name}">`,
  );
  return actionForm(url, html`${inputs}<button>${text}</button>`);
}

function line(name: string, value: string | undefined): Html {
  return html`<tr><th>${name}</th><td>${value || html`<span class="soft">none</span>`}</td></tr>`;
}

function day(instant: string): string {
  return instant.slice(0, 10);
}
