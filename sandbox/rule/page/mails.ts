import { type Html, html } from '../../common/html.js';
import type { JourneyMail, Transaction } from '../model.js';
import type { SubscriberView } from '../views.js';
import { minute, nameOf, stretch } from './format.js';

/** Mails as pages list them. */
export interface MailLists {
  now: Date;
  mails: readonly JourneyMail[];
  transactions: readonly Transaction[];
  person: (id: number) => SubscriberView | undefined;
}

/** What went out last across people: mails of automations, withheld ones among them, and transactional ones; newest first. */
export function latestMails(lists: MailLists, shown: number): Html {
  const gone = lists.mails.filter(({ state }) => state === 'sent' || state === 'withheld');
  const rows = [
    ...newest(gone, ({ dueAt }) => dueAt, shown).map((mail) => ({ at: mail.dueAt, row: mailRow(lists, mail) })),
    ...newest(lists.transactions, ({ at }) => at, shown).map((sent) => ({ at: sent.at, row: transactionRow(sent) })),
  ];
  const planned = lists.mails.filter(({ state }) => state === 'planned').length;
  return html`<section class="card"><h3>Latest mails <a class="more" href="/mails">all mails, ${planned} of them to come</a></h3>${table(
    newest(rows, ({ at }) => at, shown).map(({ row }) => row),
    'No mail has gone out yet.',
  )}</section>`;
}

/** Every mail: what comes next, what came of the others, and the transactional ones. */
export function mailsPage(lists: MailLists, shown: number): Html {
  const planned = lists.mails.filter(({ state }) => state === 'planned');
  const others = lists.mails.filter(({ state }) => state !== 'planned');
  const soonest = planned.toSorted((a, b) => a.dueAt.localeCompare(b.dueAt)).slice(0, shown);
  return html`<section class="card"><h3>To come</h3>${table(
    soonest.map((mail) => mailRow(lists, mail)),
    'No mail is planned.',
  )}${more(soonest.length, planned.length)}</section>
<section class="card"><h3>Gone out, withheld, cancelled</h3>${table(
    newest(others, ({ dueAt }) => dueAt, shown).map((mail) => mailRow(lists, mail)),
    'None yet.',
  )}${more(Math.min(shown, others.length), others.length)}</section>
<section class="card"><h3>Transactional</h3>${transactionsTable(lists.transactions, shown)}</section>`;
}

/** Transactional messages, newest first, each with a way to read it. */
export function transactionsTable(transactions: readonly Transaction[], shown: number): Html {
  return html`${table(newest(transactions, ({ at }) => at, shown).map(transactionRow), 'None yet.')}${more(Math.min(shown, transactions.length), transactions.length)}`;
}

/** One mail of a journey as cells: what became of it, when, and what it says. */
export function mailCells(mail: JourneyMail, now: Date): Html {
  const { state, subject, dueAt, why, cancelledAt } = mail;
  const called = { planned: 'to come', sent: 'sent', cancelled: 'cancelled', withheld: 'withheld' }[state];
  const look = { planned: '', sent: 'good', cancelled: 'soft', withheld: 'bad' }[state];
  const cancelled = state === 'cancelled';
  const due = minute(dueAt);
  return html`<td class="when mono soft">${cancelled ? html`<s>${due}</s>` : due}</td><td class="state-of"><span class="${look}">${called}</span></td>
<td>${cancelled ? html`<s class="soft">${subject}</s>` : subject}${state === 'planned' && html` <span class="soft">in ${stretch(Date.parse(dueAt) - now.getTime())}</span>`}
${why && html`<div class="${look}">${cancelledAt ? `on ${minute(cancelledAt)}: ${why}` : why}</div>`}</td>`;
}

/** The message of a transactional mail, decoded: its HTML, its plain text, or what else it consists of. */
export function transactionBody({ body }: Transaction, part: 'html' | 'plain'): { type: string; text: string } {
  const content = body !== null && typeof body === 'object' && 'content' in body ? body.content : body;
  const encoded =
    content !== null && typeof content === 'object' && part in content ? Reflect.get(content, part) : null;
  if (typeof encoded === 'string') {
    return { type: `text/${part}; charset=utf-8`, text: Buffer.from(encoded, 'base64').toString('utf8') };
  }
  const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2);
  return { type: 'text/plain; charset=utf-8', text };
}

function mailRow({ now, person }: MailLists, mail: JourneyMail): Html {
  const found = person(mail.subscriberId);
  return html`<tr>${mailCells(mail, now)}<td>${
    found
      ? html`<a href="/subscribers/${found.id}">${nameOf(found)}</a>`
      : html`<span class="soft">${mail.subscriberId}, deleted</span>`
  }</td><td class="soft">${mail.automation}</td></tr>`;
}

function transactionRow({ id, at, to, type, subject, name }: Transaction): Html {
  const base = `/mails/transactional/${id}`;
  const open = (text: string, part: string) =>
    html`<a href="${base}?part=${part}" target="_blank" rel="noopener">${text}</a>`;
  const links =
    type === 'email' ? html`${open('read it', 'html')} · ${open('as text', 'plain')}` : open('read it', 'plain');
  return html`<tr><td class="when mono soft">${minute(at)}</td><td class="state-of"><span class="good">sent</span></td>
<td>${subject ?? 'Text message'} <span class="soft">${links}</span></td><td>${to}</td><td class="soft">transactional${name && ` · ${name}`}</td></tr>`;
}

function table(rows: readonly Html[], none: string): Html {
  return rows.length > 0 ? html`<table class="mails">${rows}</table>` : html`<span class="soft">${none}</span>`;
}

function more(shown: number, total: number): Html {
  return html`${total > shown && html`<p class="soft">${shown} of ${total} shown.</p>`}`;
}

function newest<T>(items: readonly T[], at: (item: T) => string, shown: number): T[] {
  return items
    .toReversed()
    .sort((a, b) => at(b).localeCompare(at(a)))
    .slice(0, shown);
}
