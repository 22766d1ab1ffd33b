import { receiptTemplate } from './layout.js';

export const sv = receiptTemplate({
  subject: 'Kvitto från {{ sender.name }}',
  preheader: '{{ receipt.total }}{% if receipt.dateLong %}, {{ receipt.dateLong }}{% endif %}. Tack för din betalning.',
  title: 'Kvitto',
  greeting: 'Hej{% if reader.firstName %} {{ reader.firstName }}{% endif %}!',
  thanks: 'Tack för din betalning. Här är ditt kvitto.',
  bought: 'Du har betalat för',
  date: 'Datum',
  number: 'Kvittonummer',
  total: 'Betalt',
  link: 'Visa kvittot',
  sender: 'Du får det här mejlet för att du har betalat till {{ sender.name }}. Spara det som kvitto.',
});
