/** Markup that is safe to send: made by {@link html} from constant text and escaped values only. */
export class Html {
  constructor(readonly text: string) {}
}

export type Part = Html | string | number | null | undefined | boolean | readonly Part[];

/** Tagged template: every value is escaped, unless it is markup itself; lists are joined, empty values vanish. */
export function html(strings: TemplateStringsArray, ...values: Part[]): Html {
  return new Html(strings.reduce((text, string, index) => text + render(values[index - 1]) + string));
}

export interface PageOptions {
  /** The vendor, shown at the top of every page. */
  brand: string;
  title: string;
  links: readonly { to: string; text: string }[];
  /** Path of the page, so that its link is shown as chosen. */
  here: string;
  content: Html;
}

/** A whole page. Its `main` is fetched anew every three seconds, unless somebody is typing or selecting. */
export function page({ brand, title, links, here, content }: PageOptions): string {
  const nav = links.map(({ to, text }) => html`<a href="${to}"${to === here && new Html(' class="here"')}>${text}</a>`);
  return `<!doctype html>${
    html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title} · ${brand} stand-in</title><style>${new Html(style)}</style></head><body>
<header><h1>${brand} <span>stand-in</span></h1><nav>${nav}</nav></header>
<main>${content}</main><script>${new Html(script)}</script></body></html>`.text
  }`;
}

/** A button that calls a control route with JSON and shows the page anew. */
export function action(
  text: string,
  method: 'POST' | 'DELETE',
  url: string,
  body: object = {},
  look: 'plain' | 'danger' = 'plain',
): Html {
  return html`<button class="${look}" data-method="${method}" data-url="${url}" data-body="${JSON.stringify(body)}">${text}</button>`;
}

/** A form whose fields are sent to a control route as one JSON object; `content` holds its inputs and a button. */
export function actionForm(url: string, content: Html): Html {
  return html`<form data-url="${url}">${content}</form>`;
}

function render(part: Part): string {
  if (part === null || part === undefined || typeof part === 'boolean') return '';
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const style = `
:root{color-scheme:light dark;--ink:#1d2330;--soft:#667085;--line:#e3e6ec;--back:#f6f7f9;--card:#fff;--accent:#0b6e4f;--ours:#dff3ea;--bad:#b42318;--warn:#fff4e0}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#98a2b3;--line:#2c3342;--back:#12151c;--card:#1a1f2a;--accent:#4cc39a;--ours:#143d2f;--bad:#f97066;--warn:#3d2f12}}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header{display:flex;flex-wrap:wrap;gap:.5rem 2rem;align-items:center;padding:.8rem 1rem;background:var(--card);border-bottom:1px solid var(--line)}
h1{font-size:1.1rem;margin:0}h1 span{color:var(--soft);font-weight:400}h2{font-size:1.3rem;margin:1.5rem 0 .5rem;overflow-wrap:anywhere}h3{font-size:1rem;margin:0 0 .5rem}
nav{display:flex;gap:1rem}a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}a.here{font-weight:600;color:var(--ink)}
main{max-width:68rem;margin:0 auto;padding:1rem}.card,.state{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem;margin:0 0 1rem;overflow-x:auto}
.state p{margin:.2rem 0}.warn{background:var(--warn);border-radius:.4rem;padding:.4rem .7rem}.actions{display:flex;flex-wrap:wrap;gap:.5rem;padding-top:.3rem}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));gap:1rem;margin:0 0 1rem}.grid .card{margin:0}.grid td{overflow-wrap:anywhere}.grid td:first-child{overflow-wrap:normal}
table{border-collapse:collapse;width:100%}th{text-align:left;white-space:nowrap;color:var(--soft);font-weight:500;font-size:.85rem}td,th{padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}tr:last-child td{border:0}
.tag{display:inline-block;border:1px solid var(--line);border-radius:1rem;padding:0 .6rem;margin:.1rem .2rem .1rem 0;font-size:.85rem;overflow-wrap:anywhere}.ours{background:var(--ours);border-color:transparent}
article{border-top:1px solid var(--line);padding:.7rem 0 .2rem}article:first-of-type{border:0;padding-top:0}article p{margin:0 0 .2rem;overflow-wrap:anywhere}h3 .soft,.more{font-weight:400;font-size:.85rem;margin-left:.4rem}
.when,.state-of{white-space:nowrap;width:1%}.state-of span{display:inline-block;min-width:4.6rem}.mails td{padding-right:1.2rem}.rows th,.rows td{padding-right:1.5rem}
.soft{color:var(--soft)}.bad{color:var(--bad)}.good{color:var(--accent)}.mono{font-family:ui-monospace,monospace;font-size:.85rem}
button,input,select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.3rem .8rem}button{cursor:pointer}button:hover{border-color:var(--accent)}.danger{color:var(--bad)}input{width:100%;max-width:24rem}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;margin:.3rem 0}form input,form select{width:auto;flex:1 1 9rem}`;

const script = `
const refresh=async()=>{const answer=await fetch(location.href);if(answer.status===404){location.href='/';return}
const next=new DOMParser().parseFromString(await answer.text(),'text/html').querySelector('main');
if(next)document.querySelector('main').replaceWith(next)};
const call=async(method,url,body)=>{const answer=await fetch(url,{method,body,headers:{'content-type':'application/json'}});
if(!answer.ok)alert((await answer.json()).error);await refresh()};
document.addEventListener('click',async(event)=>{const button=event.target.closest('button[data-url]');if(!button)return;
button.disabled=true;const {method,url,body}=button.dataset;await call(method,url,body)});
document.addEventListener('submit',async(event)=>{const {url}=event.target.dataset;if(!url)return;event.preventDefault();
document.activeElement?.blur();await call('POST',url,JSON.stringify(Object.fromEntries(new FormData(event.target))))});
setInterval(()=>{const typing=/^(INPUT|SELECT)$/.test(document.activeElement?.tagName);
if(!document.hidden&&!typing&&String(getSelection())==='')refresh().catch(()=>{})},3000);`;
