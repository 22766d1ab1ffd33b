import type { ReceiptTemplate } from '../settings.js';

/** Words of one language. Liquid may be used in them. */
export interface ReceiptWords {
  subject: string;
  /** What the list of mails shows beside the subject. */
  preheader: string;
  title: string;
  greeting: string;
  thanks: string;
  bought: string;
  date: string;
  number: string;
  total: string;
  link: string;
  sender: string;
}

/**
 * A receipt that looks right in mail clients: tables and inline styles, 600 pixels at the most, readable without pictures and in dark
 * mode. The text twin says the same.
 */
export function receiptTemplate(words: ReceiptWords): ReceiptTemplate {
  return { subject: words.subject, html: htmlOf(words), text: textOf(words) };
}

const font = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const table = 'role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"';
const ink = 'color:#1c2430';
const grey = 'color:#5b6675';
const body = `${font};font-size:16px;line-height:24px;${ink}`;
const small = `${font};font-size:14px;line-height:21px`;
const ruled = 'border-top:1px solid #e3e6ea';
/** Long ids and titles without a blank must not widen the mail. */
const breaks = 'word-break:break-word;overflow-wrap:anywhere';

/** What clients without such rules miss is comfort: the inline styles stand for themselves. Outlook on the web marks dark mode its own way. */
const head = `<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (max-width: 480px) {
  .pad { padding-left: 24px !important; padding-right: 24px !important; }
}
@media (prefers-color-scheme: dark) {
  .page { background: #14171c !important; }
  .card { background: #1f242c !important; }
  .ink { color: #f2f4f7 !important; }
  .grey { color: #aab3c0 !important; }
  .rule { border-color: #39414d !important; }
  .button { background: #f2f4f7 !important; }
  .button a { color: #1c2430 !important; }
}
[data-ogsc] .ink { color: #f2f4f7 !important; }
[data-ogsc] .grey { color: #aab3c0 !important; }
</style>`;

/** Keeps the text of the mail itself out of the preview. */
const filler = '&#847;&zwnj;&nbsp;'.repeat(60);

function htmlOf(words: ReceiptWords): string {
  return `<!doctype html>
<html lang="{{ language }}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<meta name="x-apple-disable-message-reformatting">
<title>${words.title}</title>
${head}
</head>
<body class="page" style="margin:0;padding:0;background:#f1f3f5;-webkit-text-size-adjust:100%">
<div style="display:none;max-height:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;mso-hide:all">${words.preheader}${filler}</div>
<table ${table} class="page" style="background:#f1f3f5">
<tr><td align="center" style="padding:32px 12px">
<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
<table ${table} class="card" style="max-width:600px;background:#ffffff;border-radius:12px">
<tr><td class="pad grey" style="padding:36px 40px 0;${small};font-weight:600;${grey};${breaks}">{{ sender.name }}</td></tr>
<tr><td class="pad ink" style="padding:6px 40px 0"><h1 class="ink" style="margin:0;${font};font-size:28px;line-height:36px;font-weight:700;${ink}">${words.title}</h1></td></tr>
<tr><td class="pad ink" style="padding:16px 40px 0;${body};${breaks}">${words.greeting}<br>${words.thanks}</td></tr>
<tr><td class="pad" style="padding:28px 40px 0">
<table ${table}>
{%- if receipt.lines.size > 0 %}
<tr><td colspan="2" class="grey" style="padding:0 0 4px;${small};${grey}">${words.bought}</td></tr>
{%- endif %}
{%- for line in receipt.lines %}
<tr><td colspan="2" class="ink" style="padding:4px 0;${body};font-weight:600;${breaks}">{{ line.title }}</td></tr>
{%- if forloop.last %}<tr><td colspan="2" height="16" style="font-size:0;line-height:16px">&nbsp;</td></tr>{% endif %}
{%- endfor %}
<tr><td class="ink rule" style="padding:18px 12px 18px 0;${body};font-weight:700;border-top:2px solid #1c2430">${words.total}</td><td align="right" class="ink rule" style="padding:18px 0;${font};font-size:20px;line-height:24px;font-weight:700;${ink};border-top:2px solid #1c2430;white-space:nowrap">{{ receipt.total }}</td></tr>
{%- if receipt.dateLong %}
<tr><td class="grey rule" style="padding:12px 12px 12px 0;${small};${grey};${ruled}">${words.date}</td><td align="right" class="ink rule" style="padding:12px 0;${small};${ink};${ruled}">{{ receipt.dateLong }}</td></tr>
{%- endif %}
<tr><td class="grey rule" style="padding:12px 12px 12px 0;${small};${grey};${ruled};white-space:nowrap">${words.number}</td><td align="right" class="ink rule" style="padding:12px 0;${small};${ink};${ruled};${breaks}">{{ receipt.id }}</td></tr>
</table>
</td></tr>
{%- if receipt.url %}
<tr><td class="pad" style="padding:24px 40px 0">
<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td class="button" bgcolor="#1c2430" style="background:#1c2430;border-radius:8px"><a href="{{ receipt.url }}" style="display:inline-block;padding:13px 24px;${font};font-size:16px;line-height:22px;font-weight:600;color:#ffffff;text-decoration:none">${words.link}</a></td></tr></table>
</td></tr>
{%- endif %}
<tr><td class="pad grey" style="padding:32px 40px 36px;${small};${grey};${breaks}">${words.sender}</td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr>
</table>
</body>
</html>
`;
}

function textOf(words: ReceiptWords): string {
  return `{{ sender.name }}
${words.title}

${words.greeting}
${words.thanks}
{% if receipt.lines.size > 0 %}
${words.bought}:
{%- for line in receipt.lines %}
- {{ line.title }}
{%- endfor %}
{% endif %}
${words.total}: {{ receipt.total }}
{%- if receipt.dateLong %}
${words.date}: {{ receipt.dateLong }}
{%- endif %}
${words.number}: {{ receipt.id }}
{%- if receipt.url %}

${words.link}: {{ receipt.url }}
{%- endif %}

${words.sender}
`;
}
