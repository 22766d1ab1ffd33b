import type { RuleApi } from './api.js';
import { transactionReply } from './schemas.js';
import type { CallOptions, RuleMail } from './types.js';

/** Calls that send by themselves, without any automation (rule-api §6). */
export interface MailCalls {
  /**
   * Sends one e-mail to one person and answers Rule's id of the transaction. Repeated, it sends again: an error with `unknownOutcome`,
   * and the reason of a signal that cancels the call, leave open whether it was sent.
   */
  sendEmail(mail: RuleMail, options?: CallOptions): Promise<number>;
}

export function createMailCalls(api: RuleApi): MailCalls {
  return {
    sendEmail({ name, subject, from, to, html, text }, { signal } = {}) {
      const json = {
        transaction_type: 'email',
        transaction_name: name,
        subject,
        from: { name: from.name, email: from.email },
        to: { ...(to.name === undefined ? {} : { name: to.name }), email: to.email },
        // Each in base64, and both of them (rule-api §6).
        content: { plain: base64(text), html: base64(html) },
      };
      return api.read({ method: 'POST', path: '/v2/transactionals', json, signal }, transactionReply);
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
