import assert from 'node:assert/strict';
import { retryAfterMs, type WaitSource } from '../src/http/retry-after.js';

const s = 1000;
const min = 60 * s;
const h = 60 * min;
const httpDate = (iso: string) => new Date(iso).toUTCString();

describe('retryAfterMs', () => {
  const rows: { name: string; source: WaitSource; now?: string; wait: number | undefined }[] = [
    { name: 'nothing said', source: {}, wait: undefined },
    { name: 'an empty header', source: { retryAfter: '' }, wait: undefined },
    { name: 'a header that is nonsense', source: { retryAfter: 'soon' }, wait: undefined },
    { name: 'whole seconds', source: { retryAfter: '30' }, wait: 30 * s },
    { name: 'whole seconds with blanks', source: { retryAfter: ' 30 ' }, wait: 30 * s },
    { name: 'no seconds', source: { retryAfter: '0' }, wait: 0 },
    { name: 'negative seconds are nonsense', source: { retryAfter: '-5' }, wait: undefined },
    { name: 'seconds beyond a day are clamped to a day', source: { retryAfter: '999999999' }, wait: 24 * h },
    {
      name: 'Stockholm summer time against the Date header',
      source: { retryAfter: '2026-05-14 14:22:16', date: httpDate('2026-05-14T12:12:16Z') },
      wait: 10 * min,
    },
    {
      name: 'Stockholm winter time against the Date header',
      source: { retryAfter: '2026-01-14 14:22:16', date: httpDate('2026-01-14T13:12:16Z') },
      wait: 10 * min,
    },
    {
      name: 'the Date header wins over a wrong own clock',
      source: { retryAfter: '2026-05-14 14:22:16', date: httpDate('2026-05-14T12:12:16Z') },
      now: '2020-01-01T00:00:00Z',
      wait: 10 * min,
    },
    {
      name: 'the own clock where the Date header is missing',
      source: { retryAfter: '2026-05-14 14:22:16' },
      now: '2026-05-14T12:21:16Z',
      wait: 1 * min,
    },
    {
      name: 'the own clock where the Date header is nonsense',
      source: { retryAfter: '2026-05-14 14:22:16', date: 'yesterday' },
      now: '2026-05-14T12:21:16Z',
      wait: 1 * min,
    },
    {
      name: 'a moment that has passed is no wait',
      source: { retryAfter: '2026-05-14 14:22:16', date: httpDate('2026-05-14T12:30:00Z') },
      wait: 0,
    },
    {
      name: 'a moment beyond a day is clamped to a day',
      source: { retryAfter: '2027-05-14 14:22:16', date: httpDate('2026-05-14T12:30:00Z') },
      wait: 24 * h,
    },
    {
      name: 'across the spring change: 01:55 to 03:05 is ten minutes',
      source: { retryAfter: '2026-03-29 03:05:00', date: httpDate('2026-03-29T00:55:00Z') },
      wait: 10 * min,
    },
    {
      name: 'an hour that the spring night skips is the hour after it',
      source: { retryAfter: '2026-03-29 02:05:00', date: httpDate('2026-03-29T00:55:00Z') },
      wait: 10 * min,
    },
    {
      name: 'in the doubled autumn hour the first of the two moments',
      source: { retryAfter: '2026-10-25 02:30:00', date: httpDate('2026-10-25T00:20:00Z') },
      wait: 10 * min,
    },
    {
      name: 'in the doubled autumn hour the second, when the first has passed',
      source: { retryAfter: '2026-10-25 02:05:00', date: httpDate('2026-10-25T00:55:00Z') },
      wait: 10 * min,
    },
    {
      name: 'in the doubled autumn hour nothing, when both have passed',
      source: { retryAfter: '2026-10-25 02:30:00', date: httpDate('2026-10-25T01:31:00Z') },
      wait: 0,
    },
    {
      name: 'across the autumn change: 02:55 summer to 03:05 winter is 70 minutes',
      source: { retryAfter: '2026-10-25 03:05:00', date: httpDate('2026-10-25T00:55:00Z') },
      wait: 70 * min,
    },
    {
      name: 'ISO 8601 with a zone',
      source: { retryAfter: '2026-05-14T12:22:16Z', date: httpDate('2026-05-14T12:12:16Z') },
      wait: 10 * min,
    },
    {
      name: 'ISO 8601 without a zone is Stockholm',
      source: { retryAfter: '2026-05-14T14:22:16', date: httpDate('2026-05-14T12:12:16Z') },
      wait: 10 * min,
    },
    {
      name: 'an HTTP date',
      source: { retryAfter: httpDate('2026-05-14T12:22:16Z'), date: httpDate('2026-05-14T12:12:16Z') },
      wait: 10 * min,
    },
    {
      name: 'the sentence of a plain-text body',
      source: {
        body: 'Too Many Requests. You can continue at 2026-05-14 14:22:16.',
        date: httpDate('2026-05-14T12:12:16Z'),
      },
      wait: 10 * min,
    },
    {
      name: 'the header wins over the sentence',
      source: {
        retryAfter: '7',
        body: 'You can continue at 2026-05-14 14:22:16.',
        date: httpDate('2026-05-14T12:12:16Z'),
      },
      wait: 7 * s,
    },
    {
      name: 'the sentence where the header is nonsense',
      source: {
        retryAfter: 'later',
        body: 'You can continue at 2026-05-14 14:22:16.',
        date: httpDate('2026-05-14T12:12:16Z'),
      },
      wait: 10 * min,
    },
    { name: 'a date that does not exist', source: { retryAfter: '2026-02-30 10:00:00' }, wait: undefined },
  ];

  for (const { name, source, now, wait } of rows) {
    it(`reads ${name}`, () => {
      assert.equal(retryAfterMs(source, now ? Date.parse(now) : Date.now()), wait);
    });
  }
});
