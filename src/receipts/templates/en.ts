import { receiptTemplate } from './layout.js';

export const en = receiptTemplate({
  subject: 'Your receipt from {{ sender.name }}',
  preheader:
    '{{ receipt.total }}{% if receipt.dateLong %}, {{ receipt.dateLong }}{% endif %}. Thank you for your payment.',
  title: 'Receipt',
  greeting: 'Hello{% if reader.firstName %} {{ reader.firstName }}{% endif %}!',
  thanks: 'Thank you for your payment. Here is your receipt.',
  bought: 'You have paid for',
  date: 'Date',
  number: 'Receipt number',
  total: 'Paid',
  link: 'View the receipt',
  sender: 'You are receiving this because you have paid {{ sender.name }}. Keep it as your receipt.',
});
