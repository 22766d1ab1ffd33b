/** How single values are written, in the environment and in the vendors file alike. No refusal repeats the value. */
import { isIP } from 'node:net';
import { isSupportedCountry } from 'libphonenumber-js';
import { z } from 'zod';
import { vendorIdPattern } from '../contract/index.js';
import { logLevels } from './types.js';

/** A text that is read to a value of type `T`. */
export type Value<T> = z.ZodType<T, string>;

class Refusal {
  constructor(
    readonly problem: string,
    readonly mend: string,
  ) {}
}

/** Reports a mistake from within a zod transform. */
export function refuse(ctx: z.core.$RefinementCtx, problem: string, mend: string): never {
  ctx.addIssue({ code: 'custom', message: problem, params: { mend } });
  return z.NEVER;
}

function value<T>(read: (text: string) => T | Refusal): Value<T> {
  return z.string().transform((text, ctx) => {
    const result = read(text);
    return result instanceof Refusal ? refuse(ctx, result.problem, result.mend) : result;
  });
}

const placeholderPattern = /change[-_ ]?me|^<.*>$|^your[-_ ]/i;
const placeholder = new Refusal('still holds the placeholder of the example', 'replace it by the real value');

export const vendorId = value((text) => {
  if (placeholderPattern.test(text)) return placeholder;
  if (vendorIdPattern.test(text)) return text;
  return new Refusal(
    'is not a Sesamy vendor id',
    'write lower-case letters, digits and hyphens, at most 63 characters',
  );
});

/** An id or key that is sent in a header or a form: visible ASCII characters only, or the request could not be made. */
export const credential = value((text) => {
  if (placeholderPattern.test(text)) return placeholder;
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  return new Refusal('holds spaces or characters that no key has', 'copy it again, without quotes and line breaks');
});

/** Shorter secrets could be guessed. */
const leastSecretLength = 16;

/** A secret that people choose by themselves, so one that could be too weak. */
const chosenSecret = credential.transform((text, ctx) =>
  text.length < leastSecretLength
    ? refuse(
        ctx,
        `is shorter than ${leastSecretLength} characters`,
        'make a longer one, for example with: openssl rand -hex 32',
      )
    : text,
);

export const hashKey: Value<string> = chosenSecret;

/** Secrets of the webhook, separated by commas: the new one and, during a rotation, the old one. */
export const webhookSecrets: Value<string[]> = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((secret) => secret.trim())
      .filter((secret) => secret !== ''),
  )
  .transform((secrets, ctx) => {
    if (secrets.length === 0) return refuse(ctx, 'holds no secret', 'set at least one');
    for (const secret of secrets) {
      const { error } = chosenSecret.safeParse(secret);
      const [issue] = error?.issues ?? [];
      if (issue?.code === 'custom') {
        const which = secrets.length > 1 ? 'has a secret that ' : '';
        return refuse(ctx, `${which}${issue.message}`, String(issue.params?.mend));
      }
    }
    return secrets;
  });

/** Keys of AES-256 in hexadecimal digits, separated by commas; for whoever connects to Temporal, so they stay as they are. */
export const encryptionKeys: Value<string> = value((text) =>
  text.split(',').every((key) => /^[0-9a-f]{64}$/i.test(key.trim()))
    ? text
    : new Refusal(
        'holds something that is no key of 64 hexadecimal digits',
        'make each with: openssl rand -hex 32, and separate them by commas',
      ),
);

/** A base URL without a trailing slash. https, or http to this machine. */
const httpsUrl = value((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    return new Refusal('is not a web address', 'write it in full, beginning with https://');
  }
  if (url.username !== '' || url.password !== '') {
    return new Refusal('has a user name or password in it', 'write the address without them');
  }
  if (url.search !== '' || url.hash !== '') return new Refusal('has a ? or # in it', 'write the address without them');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return new Refusal('would send keys and personal data unencrypted', 'use https:// (http:// is for localhost only)');
  }
  return text.replace(/\/+$/, '');
});

export const tokenUrl: Value<string> = httpsUrl;

/**
 * Sesamy's documentation names a "Management API base URL" that ends in `/management`; the paths of the API begin with the same word,
 * so with it every call would go to `/management/management/…` and fail (sesamy-api §1.2).
 */
export const sesamyApiUrl: Value<string> = httpsUrl.transform((url, ctx) =>
  url.endsWith('/management')
    ? refuse(ctx, 'ends in /management, which is added by the program', 'remove /management from the end')
    : url,
);

/** With or without the version at its end. */
export const ruleApiUrl: Value<string> = httpsUrl.transform((url) => url.replace(/\/v[23]$/, ''));

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  );
}

/** An empty text is kept: the value is absent on purpose. */
export const optionalText: Value<string | undefined> = value((text) => text || undefined);

export const timeZone = value((text) => {
  const wrong = new Refusal('is not a time zone', 'write an IANA name such as Europe/Stockholm or UTC');
  // An offset is no zone: it would be an hour off for half the year.
  if (/^[+-]/.test(text)) return wrong;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return text;
  } catch {
    return wrong;
  }
});

export const country = value((text) => {
  const code = text.toUpperCase();
  if (/^[A-Z]{2}$/.test(code) && isSupportedCountry(code)) return code as string;
  return new Refusal('is not a country code', 'write two letters by ISO 3166, such as SE');
});

/** Two letters by ISO 639-1, of a language in which numbers and dates can be written. */
export const language: Value<string> = value((text) =>
  /^[a-z]{2}$/.test(text) && Intl.NumberFormat.supportedLocalesOf(text).length > 0
    ? text
    : new Refusal('is not a language', 'write two lower-case letters by ISO 639, such as sv'),
);

export const emailAddress: Value<string> = value((text) =>
  z.email().safeParse(text).success
    ? text
    : new Refusal('is not an e-mail address', 'write the address alone, such as receipts@example.com'),
);

/** Stands in a mail's head. */
export const senderName: Value<string> = value((text) =>
  /^[^\p{Cc}]{1,100}$/u.test(text) && text.trim() !== ''
    ? text.trim()
    : new Refusal('is not a name', 'write one line of at most 100 characters'),
);

export const host = value((text) =>
  /^[\w.:-]+$/.test(text) && (!text.includes(':') || isIP(text) === 6)
    ? text
    : new Refusal('is not a host', 'write an address or a name only, such as 127.0.0.1 or 0.0.0.0'),
);

export const port = value((text) =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65_535
    ? Number(text)
    : new Refusal('is not a port', 'write a number from 0 to 65535 (0 = any free one)'),
);

/** `host:port`; a host of IPv6 stands in brackets. Empty = off. */
export const listenAddress = value((text) => {
  if (text === '') return undefined;
  const [, name = '', digits = ''] = /^([\w.-]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(text) ?? [];
  const valid = name !== '' && Number(digits) > 0 && Number(digits) <= 65_535;
  return valid
    ? text
    : new Refusal('is not an address to listen on', 'write host:port, such as 127.0.0.1:9464, or leave it empty');
});

export const logLevel = value(
  (text) =>
    logLevels.find((level) => level === text.toLowerCase()) ??
    new Refusal('is not a log level', `write one of ${logLevels.join(', ')}`),
);

export const filePath: Value<string> = value((text) =>
  text.includes('\0') ? new Refusal('is not a path', 'write the path of a file') : text,
);

/** A number within limits, both included. */
export function numberBetween(least: number, most: number): z.ZodType<number, number> {
  return z
    .number()
    .transform((given, ctx) =>
      given >= least && given <= most
        ? given
        : refuse(ctx, 'is out of range', `write a number from ${least} to ${most}`),
    );
}

/** Fewer would be hours between two people; more is beyond what any vendor grants. */
export const requestsPerSecond = numberBetween(0.1, 1000);

export const requestsPerSecondText: Value<number> = value((text) => {
  const { data, error } = requestsPerSecond.safeParse(/^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN);
  return error ? new Refusal('is not a number of requests a second', 'write a number from 0.1 to 1000') : data;
});
